// A process that tries to spend every approved request of a folder, on the word, and prints which ones it spent.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { openLowdbStore } from "../../../../src/approval/stores/lowdb.ts";
import { spend } from "../../../../src/approval/verdict.ts";

const folder = process.argv[2] ?? "";
const store = await openLowdbStore({ folder, random: (count) => randomBytes(count), keep: 1e12, answerFor: 1e12 });
const approved = await store.list(["approved"]);
process.stdout.write("ready\n");
await once(process.stdin, "data");
const spent: string[] = [];
for (const { id, approvalDigest, approvedAt } of approved) {
  const spending = await spend(store, () => Promise.resolve([]), id, { approvalDigest, now: approvedAt ?? 0 });
  if (spending.kind === "spent") spent.push(spending.approval.id);
}
process.stdout.write(`${JSON.stringify(spent)}\n`);
await store.close();
process.exit(0);
