// `sallyport approvals stats`, on a record of requests whose every figure is known beforehand.

import { expect } from "vitest";
import { approvalStatsCommand } from "../../../src/commands/approvals-stats.ts";
import type { EntryDetails, EntryDraft } from "../../../src/domain/entry.ts";
import { promise } from "../../support/promise.ts";
import { callId, digest, draft, openIn, quickDisk, start, temporaryFolder } from "../transcript/support.ts";

const second = 1000;
const asked = (approval: string, ...approvers: readonly string[]): EntryDetails["approval.requested"] => ({
  approval,
  callDigest: digest("d"),
  approvalDigest: digest("a"),
  cardDigest: digest("e"),
  diffDigest: digest("f"),
  requirements: [{ rule: "r", approvers, count: 1, expires: 900, validFor: 300, assurance: "chat" }],
  expires: "2026-03-01T10:15:00.000Z",
});
const answered = (approval: string, who: string, state: "approved" | "rejected"): EntryDetails["approval.decided"] => ({
  approval,
  state,
  approvalDigest: digest("a"),
  cardDigest: digest("e"),
  approver: { issuer: "https://id.example", subject: who, channel: "console", assurance: "chat" },
  answer: state === "approved" ? "approve" : "reject",
  reason: "",
});

/** In seconds from the start: what is written then. */
type Written = readonly [at: number, ...drafts: readonly EntryDraft[]];
const ofTheDay: readonly Written[] = [
  // Two in a hurry, one after a minute, one that went stale, one that nobody saw, one taken back, one that still waits.
  [0, draft("approval.requested", callId(1), asked("apr_1", "group:sre"))],
  [2, draft("approval.decided", callId(1), answered("apr_1", "sam", "approved"))],
  [10, draft("approval.requested", callId(2), asked("apr_2", "group:sre"))],
  [13, draft("approval.decided", callId(2), answered("apr_2", "sam", "rejected"))],
  [20, draft("approval.requested", callId(3), asked("apr_3", "group:sre", "group:\u202eops"))],
  [80, draft("approval.decided", callId(3), answered("apr_3", "kim", "approved"))],
  [90, draft("approval.requested", callId(4), asked("apr_4", "group:dba"))],
  [100, draft("approval.decided", callId(4), answered("apr_4", "kim", "approved"))],
  [101, draft("approval.stale", callId(4), { approval: "apr_4", changed: "the object was replaced" })],
  [110, draft("approval.requested", callId(5), asked("apr_5", "group:dba"))],
  [1010, draft("approval.expired", callId(5), { approval: "apr_5" })],
  [1020, draft("approval.requested", callId(6), asked("apr_6", "group:dba"))],
  [1030, draft("approval.withdrawn", callId(6), { approval: "apr_6" })],
  [1040, draft("approval.requested", callId(7), asked("apr_7", "group:dba"))],
];

async function printed(written: readonly Written[], ...words: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { disk: quickDisk, now: () => now });
  for (const [at, ...drafts] of written) {
    now = start + at * second;
    await transcript.append(drafts);
  }
  await transcript.close();
  let out = "";
  const io = { env: { SALLYPORT_HOME: folder }, out: (text: string) => void (out += text), err: () => undefined };
  await approvalStatsCommand({ ...io, now: () => start + 2000 * second }, () => Promise.resolve("")).parseAsync(
    [...words],
    { from: "user" },
  );
  return out;
}

promise("approval:figures", "all requests, each group that was asked, each person who answered", async () => {
  expect((await printed(ofTheDay)).split("\n")).toEqual([
    "7 asked, 2 approved, 1 rejected, 1 expired, 1 withdrawn, 1 stale, 1 open, median wait 6.5 s, 50 % answered within 5 s",
    "group:dba: 4 asked, 1 expired, 1 withdrawn, 1 stale, 1 open, median wait 10.0 s, 0 % answered within 5 s",
    "group:sre: 3 asked, 2 approved, 1 rejected, median wait 3.0 s, 67 % answered within 5 s",
    "group:\\u{202e}ops: 1 asked, 1 approved, median wait 1 min 0 s, 0 % answered within 5 s",
    "kim answered: 2 approved, 0 rejected",
    "sam answered: 1 approved, 1 rejected",
    "",
  ]);
});

promise("approval:figures", "in a period, for machines, and where there was none", async () => {
  const late = JSON.parse(await printed(ofTheDay, "--since", "1000s", "--json")) as {
    asked: number;
    withdrawn: number;
  };
  expect([late.asked, late.withdrawn]).toEqual([2, 1]);
  expect(await printed(ofTheDay, "--since", "1s")).toBe("No request for approval.\n");
  await expect(printed([], "--since", "yesterday")).rejects.toThrow("Give a span such as 12h or 7d");
});
