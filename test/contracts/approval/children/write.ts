// A process that leads request after request through its states, prints each one it was told is durable, and never ends.

import { randomBytes } from "node:crypto";
import { openLowdbStore } from "../../../../src/approval/stores/lowdb.ts";
import { request, result, start } from "../matter.ts";

const folder = process.argv[2] ?? "";
const store = await openLowdbStore({ folder, random: (count) => randomBytes(count), keep: 1e12, answerFor: 1e12 });
for (let count = 0; ; count++) {
  const made = request();
  await store.insert(
    made,
    () => false,
    () => Promise.resolve(),
  );
  process.stdout.write(`${made.id} pending\n`);
  if (count % 3 === 0) continue;
  for (const to of ["approved", "spent"] as const) {
    await store.transition(made.id, () =>
      Promise.resolve({ change: { to, at: start, verdict: null, why: "" }, reply: null }),
    );
    process.stdout.write(`${made.id} ${to}\n`);
  }
  await store.storeResult(made.id, result, start);
  process.stdout.write(`${made.id} answered\n`);
}
