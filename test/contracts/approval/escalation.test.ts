// Who may answer too once nobody has for a while: from which moment on, told once, over a restart, and never beyond the expiry.

import { expect } from "vitest";
import { approvalDigest } from "../../../src/approval/request.ts";
import type { Channel } from "../../../src/approval/channels/contract.ts";
import { escalateDue } from "../../../src/approval/escalation.ts";
import { requestText } from "../../../src/approval/request-text.ts";
import { seek } from "../../../src/approval/seek.ts";
import { decideRequest } from "../../../src/approval/verdict.ts";
import type { ApprovalStore } from "../../../src/approval/stores/contract.ts";
import type { Append } from "../../../src/domain/entry.ts";
import type { ApprovalId } from "../../../src/domain/ids.ts";
import { promise } from "../../support/promise.ts";
import {
  folder,
  kinds,
  minute,
  multiUser,
  openStore,
  request,
  requirement,
  start,
  transcript,
  voter,
} from "./fixtures.ts";

const climbing = requirement({
  approvers: ["group:sre"],
  escalate: [
    { after: 600, to: ["group:sre-leads"] },
    { after: 1200, to: ["user:chief"] },
  ],
});
const lead = voter("lee", { groups: ["sre-leads"] });

function noting(): Channel & { readonly told: string[] } {
  const told: string[] = [];
  const note = (text: string): Promise<void> => Promise.resolve(void told.push(text));
  return {
    name: "notes",
    told,
    tell: (one) => note(`asked, step ${one.escalated ?? 0}`),
    update: () => note("update"),
  };
}

async function answers(store: ApprovalStore, append: Append, id: ApprovalId, by: typeof lead, now: number) {
  const ballot = { id, by, answer: "approve", reason: "", tellAgent: false, mode: multiUser, now } as const;
  const decided = await decideRequest(store, append, ballot);
  return decided.kind === "refused" ? decided.code : decided.kind;
}

promise("approval:escalates", "not a moment before its time, and never once the request is over", async () => {
  const { append } = transcript();
  const store = await openStore();
  const ask = async (): Promise<ApprovalId> =>
    (await seek(store, append, [], request({ requirements: [climbing], call: { digest: String(Math.random()) } })))
      .request.id;
  const [early, backward, due, chief, late] = [await ask(), await ask(), await ask(), await ask(), await ask()];
  expect([
    await answers(store, append, early, lead, start + 10 * minute - 1),
    await answers(store, append, backward, lead, start - 10 * minute),
    await answers(store, append, due, lead, start + 10 * minute),
    await answers(store, append, chief, voter("chief", { groups: [] }), start + 19 * minute),
    await answers(store, append, chief, voter("chief", { groups: [] }), start + 20 * minute),
    await answers(store, append, late, lead, start + 61 * minute),
  ]).toEqual(["not_an_approver", "not_an_approver", "approved", "not_an_approver", "approved", "expired"]);
});

promise("approval:escalates", "the channels are told again, once a step, and each step is on record", async () => {
  const { append, entries } = transcript();
  const store = await openStore();
  const channel = noting();
  const { request: asked } = await seek(store, append, [channel], request({ requirements: [climbing, climbing] }));
  const look = (now: number) => escalateDue(store, append, [channel], now);
  for (const now of [
    start + minute,
    start + 10 * minute,
    start + 11 * minute,
    start + 25 * minute,
    start + 26 * minute,
  ])
    expect(await look(now)).toEqual([]);
  expect(channel.told).toEqual(["asked, step 0", "asked, step 1", "asked, step 2"]);
  expect(entries.slice(1).map(({ kind, details }) => ({ kind, details }))).toEqual([
    { kind: "approval.notified", details: { approval: asked.id, after: 600, to: ["group:sre-leads"] } },
    { kind: "approval.notified", details: { approval: asked.id, after: 1200, to: ["user:chief"] } },
  ]);
  expect(await store.get(asked.id)).toEqual({ ...asked, escalated: 2 });
  expect(await look(start + 62 * minute)).toEqual([]);
});

promise(
  "approval:escalates",
  "a restart in between keeps it: what was told is not told again, what was due is",
  async () => {
    const { append, entries } = transcript();
    const place = folder();
    const first = await openStore(place);
    const channel = noting();
    const { request: asked } = await seek(first, append, [channel], request({ requirements: [climbing] }));
    await escalateDue(first, append, [channel], start + 10 * minute);
    await first.close();
    const second = await openStore(place);
    await escalateDue(second, append, [channel], start + 12 * minute);
    expect(channel.told).toEqual(["asked, step 0", "asked, step 1"]);
    await escalateDue(second, append, [channel], start + 30 * minute);
    expect(channel.told.at(-1)).toBe("asked, step 2");
    expect(kinds(entries)).toEqual(["approval.requested", "approval.notified", "approval.notified"]);
    expect(await answers(second, append, asked.id, lead, start + 30 * minute)).toBe("approved");
  },
);

promise("approval:escalates", "a step that can't be put on record is not told, and is tried again", async () => {
  const { append } = transcript();
  const broken = transcript();
  broken.breakDown();
  const store = await openStore();
  const channel = noting();
  await seek(store, append, [], request({ requirements: [climbing] }));
  await expect(escalateDue(store, broken.append, [channel], start + 10 * minute)).rejects.toThrow();
  expect(channel.told).toEqual([]);
  await escalateDue(store, append, [channel], start + 10 * minute);
  expect(channel.told).toEqual(["asked, step 1"]);
});

promise("approval:escalates", "it is part of what is approved, and shown", async () => {
  const { append } = transcript();
  const store = await openStore();
  const made = request({ requirements: [climbing] });
  const { request: asked } = await seek(store, append, [], made);
  expect(requestText(asked)).toContain("  then also group:sre-leads, from 2026-11-21 12:10:00 UTC on\n");
  const { callDigest, nonce, preconditions, diffDigest } = made;
  const plain = { callDigest, nonce, uids: preconditions.map(({ uid }) => uid), diffDigest };
  expect(made.approvalDigest).toBe(approvalDigest({ ...plain, requirements: [climbing] }));
  expect(made.approvalDigest).not.toBe(approvalDigest({ ...plain, requirements: [requirement()] }));
});
