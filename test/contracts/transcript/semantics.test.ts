// The rules that every call must keep, each broken once in a transcript that is sound in every other way.

import { expect } from "vitest";
import type { EntryDetails, EntryDraft } from "../../../src/domain/entry.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import {
  agent,
  approvedChange,
  callId,
  decided,
  digest,
  draft,
  granted,
  openIn,
  plainRead,
  quickDisk,
  received,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const call = callId(1);

/** What SEMANTICS finds wrong with these entries, written one minute apart. */
async function problemsOf(drafts: readonly EntryDraft[], step = 1000): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { now: () => now, disk: quickDisk });
  for (const one of drafts) {
    await transcript.append([one]);
    now += step;
  }
  await transcript.close();
  const report = await verifyTranscript(folder, { now });
  const bad = report.verdicts.filter((one) => one.verdict === "failed");
  expect(bad.every((one) => one.question === "SEMANTICS")).toBe(true);
  return bad.flatMap((one) => one.places.map((place) => place.replace(/^entry \d+ \(.*?\): /, "")));
}

const change = approvedChange(call, "apr_1", "g1");
const without = (...kinds: readonly string[]): readonly EntryDraft[] =>
  change.filter((one) => !kinds.includes(one.kind));

/** The approved change with some details of one kind of entry changed. */
function altered<K extends EntryDraft["kind"]>(kind: K, details: Partial<EntryDetails[K]>): readonly EntryDraft[] {
  return change.map((one) =>
    one.kind === kind ? ({ ...one, details: { ...one.details, ...details } } as EntryDraft) : one,
  );
}

const approver = (subject: string, assurance: string): { approver: JsonObject } => ({
  approver: { issuer: "https://id.example", subject, groups: [], channel: "slack", assurance },
});
const required = (over: JsonObject): { requirements: JsonObject[] } => ({
  requirements: [
    { rule: "r", approvers: ["group:ops"], count: 1, expires: 900, validFor: 300, assurance: "chat", ...over },
  ],
});

const unapproved = "approval apr_1 is spent without enough approvals by others, in time, for its digest";

promise("transcript:semantics", "calls as the gateway records them keep all the rules", async () => {
  expect(await problemsOf(change)).toEqual([]);
  expect(await problemsOf(plainRead(call))).toEqual([]);
  expect(await problemsOf([received(call, { preview: true }), settled(call)])).toEqual([]);
  const refusal = [decided(call, { decision: "deny", code: "denied" }), settled(call, { outcome: "refused" })];
  expect(await problemsOf([received(call), ...refusal])).toEqual([]);
  // An approval that lapsed, and the call that is then refused; one that went stale; one that still waits.
  const lapsed = draft("approval.expired", call, { approval: "apr_1" });
  expect(await problemsOf([...change.slice(0, 5), lapsed, ...refusal])).toEqual([]);
  const stale = draft("approval.stale", call, { approval: "apr_1", changed: "the object was replaced" });
  expect(await problemsOf([...change.slice(0, 5), stale, ...refusal])).toEqual([]);
  expect(await problemsOf(change.slice(0, 4))).toEqual([]);
  const unknown = draft("call.unknown", call, { reason: "the gateway stopped", grant: "g1" });
  expect(await problemsOf([...change.slice(0, 8), unknown])).toEqual([]);
});

promise("transcript:semantics", "an effect without its decision or its grant is found", async () => {
  const ran = `${call} ran, and no decision allowed it`;
  expect(await problemsOf([received(call), settled(call)])).toEqual([ran]);
  expect(await problemsOf([received(call), decided(call, { decision: "deny" }), settled(call)])).toEqual([ran]);
  const late = [received(call), granted(call, "g1"), decided(call), settled(call, { effect: "applied", grant: "g1" })];
  expect(await problemsOf(late)).toEqual(["grant g1 was issued before a decision allowed the call"]);
  const foreign = [received(call), decided(call), settled(call, { effect: "applied", grant: "g7" })];
  expect(await problemsOf(foreign)).toEqual([
    `${call} left an effect (applied) with a grant that was not issued for it`,
  ]);
  expect(
    await problemsOf([received(call), decided(call), settled(call, { effect: "applied", ambient: true })]),
  ).toEqual([]);
  expect(await problemsOf([received(call), decided(call, { forbid: "secret-values" })])).toEqual([
    `${call} was allowed against a forbid`,
  ]);
  const rehearsal = [
    received(call, { preview: true }),
    decided(call),
    settled(call, { effect: "applied", ambient: true }),
  ];
  expect(await problemsOf(rehearsal)).toEqual([`${call} was a preview, and left an effect (applied)`]);
});

promise("transcript:semantics", "output of a call that was not let run, or after its end, is found", async () => {
  const printed = draft("stream.segment", call, {
    tool: "pods_exec",
    stream: "stdout",
    from: 0,
    to: 5,
    bytes: 3,
    masked: [],
  });
  const before = (entries: readonly EntryDraft[], kind: string): readonly EntryDraft[] =>
    entries.flatMap((one) => (one.kind === kind ? [printed, one] : [one]));
  expect(await problemsOf(before(change, "call.settled"))).toEqual([]);
  expect(await problemsOf([received(call), printed])).toEqual([`${call} printed, and no decision allowed it`]);
  expect(await problemsOf([received(call), decided(call, { decision: "deny" }), printed])).toEqual([
    `${call} printed, and no decision allowed it`,
  ]);
  expect(await problemsOf([received(call), decided(call, { code: "stale" }), printed])).toEqual([
    `${call} printed, and no decision allowed it`,
  ]);
  expect(
    await problemsOf([received(call), decided(call, { decision: "require-approval" }), decided(call), printed]),
  ).toEqual([`${call} printed without its approval`]);
  expect(await problemsOf([received(call, { preview: true }), decided(call), printed])).toEqual([
    `${call} was a preview, and printed`,
  ]);
  const gone = [`stream.segment of ${call}, which was not received or had ended`];
  expect(await problemsOf([printed])).toEqual(gone);
  expect(await problemsOf([...change, printed])).toEqual(gone);
  expect(await problemsOf([{ ...printed, call: null }])).toEqual([
    "stream.segment of null, which was not received or had ended",
  ]);
  const unknown = draft("call.unknown", call, { reason: "the gateway stopped", grant: "" });
  expect(await problemsOf([received(call), decided(call), unknown, printed])).toEqual([
    `${call} printed after it had ended`,
  ]);
});

promise("transcript:semantics", "a call that was never received, or ends twice, is found", async () => {
  expect(await problemsOf([settled(call)])).toEqual([`call.settled of ${call}, which was not received or had ended`]);
  expect(await problemsOf([...plainRead(call), settled(call)])).toEqual([
    `call.settled of ${call}, which was not received or had ended`,
  ]);
  expect(await problemsOf([...plainRead(call), granted(call, "g1")])).toEqual([
    "grant g1 is for a call that was not received or has ended",
  ]);
  expect(await problemsOf([received(call), received(call)])).toEqual([`${call} is received twice`]);
});

promise("transcript:semantics", "a gated effect without its approval is found", async () => {
  expect(await problemsOf(without("approval.spent"))).toEqual([
    `${call} runs on apr_1, which was not spent for it`,
    "grant g1 was issued before its approval was spent",
    `${call} left an effect (applied) without its approval`,
  ]);
  expect(await problemsOf(without("approval.decided"))).toEqual([unapproved]);
  expect((await problemsOf(without("approval.requested")))[0]).toBe(
    "approval.decided of apr_1, which was never requested",
  );
  const expired = draft("approval.expired", call, { approval: "apr_1" });
  expect(await problemsOf([...change.slice(0, 5), expired, ...change.slice(5)])).toEqual([
    "approval apr_1 is spent after it was expired",
    `${call} runs after its approval had ended`,
  ]);
});

promise(
  "transcript:semantics",
  "an approval by the requester, by its agent or for another digest does not count",
  async () => {
    const [ada, software] = [agent.subject, agent.actors[0]?.subject ?? ""];
    for (const details of [
      approver(ada, "chat"),
      approver(software, "step-up"),
      { approver: {} },
      { approvalDigest: digest("0") },
      { answer: "reject", state: "pending" } as const,
      approver("grace", "same-device"),
      approver("grace", "invented"),
    ])
      expect((await problemsOf(altered("approval.decided", details))).at(-1)).toBe(unapproved);
    expect(await problemsOf(altered("approval.spent", { approvalDigest: digest("0") }))).toEqual([
      "approval apr_1 is spent under another digest than the one requested",
    ]);
    expect(await problemsOf(altered("approval.requested", { callDigest: digest("0") }))).toEqual([
      "approval apr_1 is spent for another call than the one it was asked for",
    ]);
  },
);

promise(
  "transcript:semantics",
  "the owner of one machine counts where same-device is enough, and only there",
  async () => {
    const own = altered("approval.decided", approver(agent.subject, "same-device"));
    const asked = altered("approval.requested", required({ assurance: "same-device" }));
    expect(
      await problemsOf(
        own.map((one, index) => (one.kind === "approval.requested" ? (asked[index] as EntryDraft) : one)),
      ),
    ).toEqual([]);
    expect(await problemsOf(own)).toEqual([unapproved]);
  },
);

promise("transcript:semantics", "as many different people as were asked for, in time, and once", async () => {
  const two = altered("approval.requested", required({ count: 2 }));
  expect(await problemsOf(two)).toEqual([unapproved]);
  const answer = two[4] as EntryDraft;
  expect(await problemsOf([...two.slice(0, 5), answer, ...two.slice(5)])).toEqual([unapproved]);
  const linus = { ...answer, details: { ...answer.details, ...approver("linus", "chat") } } as EntryDraft;
  expect(await problemsOf([...two.slice(0, 5), linus, ...two.slice(5)])).toEqual([]);
  expect(await problemsOf(altered("approval.requested", { requirements: [] }))).toEqual([unapproved]);

  expect(await problemsOf(altered("approval.requested", { expires: "2026-03-01T10:00:01.000Z" }), 10_000)).toEqual([
    unapproved,
  ]);
  const short = altered("approval.requested", required({ validFor: 30 }));
  expect(await problemsOf(short, 40_000)).toEqual(["approval apr_1 is spent later than it was good for"]);

  const again = callId(2);
  const second = [received(again), draft("approval.spent", again, { approval: "apr_1", approvalDigest: digest("a") })];
  expect(await problemsOf([...change, ...second])).toEqual(["approval apr_1 is spent a second time"]);
});
