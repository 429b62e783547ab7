// Replay and stats, from entries whose every figure is known beforehand.

import { expect } from "vitest";
import { transcriptCommand, type Io } from "../../../src/commands/transcript.ts";
import type { EntryDetails, EntryDraft } from "../../../src/domain/entry.ts";
import { readReplay } from "../../../src/transcript/replay.ts";
import { readStats } from "../../../src/transcript/stats.ts";
import { promise } from "../../support/promise.ts";
import {
  agent,
  callId,
  decided,
  digest,
  draft,
  granted,
  openIn,
  quickDisk,
  received,
  revoked,
  session,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const reader = { ...agent, subject: "bob", actors: [], client: "editor" };
const requested = (approval: string, approvers: readonly string[]): EntryDetails["approval.requested"] => ({
  approval,
  callDigest: digest("d"),
  approvalDigest: digest("a"),
  cardDigest: digest("e"),
  diffDigest: digest("f"),
  requirements: [{ rule: "r", approvers, count: 1, expires: 900, validFor: 300, assurance: "chat" }],
  expires: "2026-03-01T10:15:00.000Z",
});
const answered = (approval: string, who: string, answer: "approve" | "reject"): EntryDetails["approval.decided"] => ({
  approval,
  state: answer === "approve" ? "approved" : "rejected",
  approvalDigest: digest("a"),
  cardDigest: digest("e"),
  approver: { issuer: "https://id.example", subject: who, channel: "slack", assurance: "chat" },
  answer,
  reason: answer === "approve" ? "fine" : "not now",
});

/** A refused read of bob's; a change of ada's that grace agrees to after 65 s; one that she refuses within 2 s; one that nobody answers. */
async function recorded(): Promise<string> {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { disk: quickDisk, now: () => now });
  const write = async (wait: number, ...drafts: readonly EntryDraft[]): Promise<void> => {
    now += wait;
    await transcript.append(drafts);
  };
  const [denied, changed, refused, expired] = [callId(1), callId(2), callId(3), callId(4)];
  const asked = ["group:sre", "group:ops"];
  const refusal = [
    received(denied, { tool: "logs_read" }),
    decided(denied, { tool: "logs_read", effect: "read", decision: "deny", rules: ["no-logs"], code: "denied" }),
    settled(denied, { tool: "logs_read", outcome: "refused", code: "denied" }),
  ].map((one): EntryDraft => ({ ...one, principal: reader }));
  await write(0, draft("gateway.stopped", null, { reason: "restart" }), ...refusal);
  await write(
    1000,
    received(changed),
    draft("call.previewed", changed, {
      tool: "workloads_scale",
      diff: ["~ spec.replicas: 3 -> 5"],
      diffDigest: "",
      objects: [],
    }),
  );
  await write(
    500,
    decided(changed, { decision: "require-approval" }),
    draft("approval.requested", changed, requested("apr_2", asked)),
  );
  await write(
    65_000,
    draft("approval.decided", changed, answered("apr_2", "grace", "approve")),
    draft("approval.spent", changed, { approval: "apr_2", approvalDigest: digest("a") }),
  );
  await write(10, decided(changed, { approval: "apr_2" }), granted(changed, "g2"));
  const objects = [
    { cluster: "c", kind: "Deployment", namespace: "prod", name: "api", uid: "u", before: "7", after: "8" },
  ];
  const masked = [
    { type: "password", count: 2, places: ["spec.env"] },
    { type: "jwt", count: 1 },
  ];
  await write(1490, settled(changed, { effect: "applied", grant: "g2", objects, masked }), revoked(changed, "g2"));
  await write(
    86_400_000 - 68_000,
    received(refused),
    decided(refused, { decision: "require-approval" }),
    draft("approval.requested", refused, requested("apr_3", ["group:sre"])),
  );
  await write(2000, draft("approval.decided", refused, answered("apr_3", "grace", "reject")));
  await write(
    0,
    received(expired),
    decided(expired, { decision: "require-approval" }),
    draft("approval.requested", expired, requested("apr_4", ["owner"])),
  );
  await write(900_000, draft("approval.expired", expired, { approval: "apr_4" }));
  await transcript.close();
  return folder;
}

promise("transcript:stats", "every call once in each list, by its last word; approvals by whom they ask", async () => {
  const folder = await recorded();
  const none = { withdrawn: 0, stale: 0, open: 0 };
  expect(await readStats(folder, {})).toEqual({
    entries: 22,
    calls: 4,
    first: "2026-03-01T10:00:00.000Z",
    last: "2026-03-02T10:15:02.000Z",
    tools: [
      { name: "workloads_scale", count: 3 },
      { name: "logs_read", count: 1 },
    ],
    decisions: [
      { name: "require-approval", count: 3 },
      { name: "deny", count: 1 },
    ],
    outcomes: [
      { name: "completed", count: 1 },
      { name: "expired", count: 1 },
      { name: "refused", count: 1 },
      { name: "rejected", count: 1 },
    ],
    effects: [
      { name: "none", count: 3 },
      { name: "applied", count: 1 },
    ],
    principals: [
      { name: "ada", count: 3 },
      { name: "bob", count: 1 },
    ],
    agents: [
      { name: "coding-agent", count: 3 },
      { name: "editor", count: 1 },
    ],
    masked: [
      { name: "password", count: 2 },
      { name: "jwt", count: 1 },
    ],
    days: [
      { day: "2026-03-01", calls: 2, denied: 1, effects: 1 },
      { day: "2026-03-02", calls: 2, denied: 0, effects: 0 },
    ],
    approvals: {
      asked: 3,
      approved: 1,
      rejected: 1,
      expired: 1,
      ...none,
      medianWait: 33_500,
      underFiveSeconds: 0.5,
      byGroup: [
        {
          group: "group:ops",
          asked: 1,
          approved: 1,
          rejected: 0,
          expired: 0,
          ...none,
          medianWait: 65_000,
          underFiveSeconds: 0,
        },
        {
          group: "group:sre",
          asked: 2,
          approved: 1,
          rejected: 1,
          expired: 0,
          ...none,
          medianWait: 33_500,
          underFiveSeconds: 0.5,
        },
        {
          group: "owner",
          asked: 1,
          approved: 0,
          rejected: 0,
          expired: 1,
          ...none,
          medianWait: null,
          underFiveSeconds: null,
        },
      ],
      byApprover: [{ approver: "grace", approved: 1, rejected: 1 }],
    },
  });
  const second = await readStats(folder, { since: start + 3_600_000 });
  expect([second.entries, second.calls, second.approvals.asked]).toEqual([8, 2, 2]);
  // What came of a call later is its outcome all the same.
  const beginning = await readStats(folder, { until: start + 1001 });
  expect([beginning.entries, beginning.calls, beginning.outcomes]).toEqual([
    6,
    2,
    [
      { name: "completed", count: 1 },
      { name: "refused", count: 1 },
    ],
  ]);
  expect((await readStats(folder, { since: start + 10 ** 9 })).calls).toBe(0);
});

promise(
  "transcript:replay",
  "a change that waited: its decisions, its answer, its grant, and the time of each",
  async () => {
    const replay = await readReplay(await recorded(), session);
    expect([replay?.first, replay?.entries, replay?.calls.map(({ call, outcome }) => [call, outcome])]).toEqual([
      "2026-03-01T10:00:00.000Z",
      21,
      [
        [callId(1), "refused"],
        [callId(2), "completed"],
        [callId(3), "rejected"],
        [callId(4), "expired"],
      ],
    ]);
    const decision = {
      rules: ["scale-production"],
      forbid: null,
      code: "",
      accesses: ["patch apps/deployments/scale prod/api"],
    };
    expect(replay?.calls[1]).toEqual({
      call: callId(2),
      tool: "workloads_scale",
      cluster: "",
      at: "2026-03-01T10:00:01.000Z",
      ended: "2026-03-01T10:01:08.000Z",
      lag: { deciding: 510, waiting: 65_000, running: 1490 },
      arguments: { name: "api", replicas: 5 },
      reason: "traffic",
      preview: false,
      decisions: [
        { at: "2026-03-01T10:00:01.500Z", effect: "require-approval", ...decision },
        { at: "2026-03-01T10:01:06.510Z", effect: "allow", ...decision },
      ],
      diff: ["~ spec.replicas: 3 -> 5"],
      approvals: [
        {
          id: "apr_2",
          at: "2026-03-01T10:00:01.500Z",
          asked: ["group:sre", "group:ops"],
          answers: [
            { answer: "approve", by: "grace", channel: "slack", assurance: "chat", reason: "fine", after: 65_000 },
          ],
          ended: "spent",
          changed: "",
        },
      ],
      grants: [
        {
          account: "system:serviceaccount:sallyport-sessions:run-g2",
          issuer: "token-request",
          accesses: ["patch apps/deployments/scale prod/api"],
          expires: "2026-03-01T10:10:00.000Z",
          ended: "revoked",
        },
      ],
      outcome: "completed",
      code: "",
      effect: "applied",
      objects: ["Deployment prod/api (7 -> 8)"],
      masked: [
        { type: "password", count: 2, places: ["spec.env"] },
        { type: "jwt", count: 1, places: [] },
      ],
      streams: [],
      entries: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    });
  },
);

async function run(folder: string, words: readonly string[], colour = false): Promise<string> {
  let out = "";
  const io: Io = {
    env: { SALLYPORT_HOME: folder },
    out: (text) => void (out += text),
    err: (text) => void (out += text),
    colour,
    now: () => start + 86_400_000,
    cores: 2,
    shipped: "policies",
    version: "1.2.3",
  };
  await transcriptCommand(io, () => Promise.resolve(""))
    .exitOverride()
    .parseAsync(words, { from: "user" });
  return out;
}

promise("transcript:replay", "as a timeline for people, decided again under another policy, and as JSON", async () => {
  const folder = await recorded();
  const plain = await run(folder, ["replay", session, "--policy", "observe"]);
  const begun = plain.indexOf("+1.0 s");
  expect(plain.slice(begun, plain.indexOf("\n\n", begun)).split("\n")).toEqual([
    "+1.0 s      workloads_scale  completed, effect applied",
    "                      |.~~#                          | deciding 510 ms, waiting 1 min 5 s, running 1.5 s of 1 min 7 s",
    '            asked     {"name":"api","replicas":5}  because: traffic',
    "            decided   require-approval  by scale-production  patch apps/deployments/scale prod/api",
    "            decided   allow  by scale-production  patch apps/deployments/scale prod/api",
    "            preview   ~ spec.replicas: 3 -> 5",
    "            waited    apr_2 for group:sre, group:ops",
    "            answered  approve by grace (slack, chat) after 1 min 5 s: fine",
    "            grant     system:serviceaccount:sallyport-sessions:run-g2  patch apps/deployments/scale prod/api  until 2026-03-01T10:10:00.000Z, revoked",
    "            changed   Deployment prod/api (7 -> 8)",
    "            masked    2 password in spec.env",
    "            masked    1 jwt",
    "            again     require-approval -> deny  by nothing-is-changed",
    `                      ${callId(2)}, entries 4 to 13`,
  ]);
  expect(plain).not.toContain("\u001b");
  expect(await run(folder, ["replay", session], true)).toContain("\u001b[32mcompleted\u001b[0m");
  const json = JSON.parse(await run(folder, ["replay", session, "--policy", "observe", "--json"])) as {
    calls: { again: unknown }[];
  };
  expect(json.calls[1]?.again).toEqual({
    kind: "changed",
    before: "require-approval",
    after: "deny",
    rules: ["nothing-is-changed"],
  });
  await expect(run(folder, ["replay", "ses_none"])).rejects.toThrow("There is no entry of ses_none.");
});

promise("transcript:stats", "as text for people, for a span of time", async () => {
  const folder = await recorded();
  expect((await run(folder, ["stats", "--since", "12h"])).split("\n")).toEqual([
    "2 calls in 8 entries, 2026-03-02T10:00:00.000Z to 2026-03-02T10:15:02.000Z",
    "",
    "tools",
    "  2  workloads_scale",
    "",
    "decisions",
    "  2  require-approval",
    "",
    "outcomes",
    "  1  expired",
    "  1  rejected",
    "",
    "effects",
    "  2  none",
    "",
    "principals",
    "  2  ada",
    "",
    "agents",
    "  2  coding-agent",
    "",
    "days",
    "  2026-03-02  2 calls, 0 denied, 0 with an effect",
    "",
    "approvals",
    "  2 asked, 1 rejected, 1 expired, median wait 2.0 s, 100 % answered within 5 s",
    "  group:sre: 1 asked, 1 rejected, median wait 2.0 s, 100 % answered within 5 s",
    "  owner: 1 asked, 1 expired",
    "  grace answered: 0 approved, 1 rejected",
    "",
  ]);
  expect(await run(folder, ["stats", "--since", "2027-01-01"])).toBe("No entries.\n");
});

promise("transcript:search", "the command prints lines, JSON or a count, and refuses a time that is none", async () => {
  const folder = await recorded();
  expect(await run(folder, ["search", "--approver", "grace"])).toBe(
    [
      "     8  2026-03-01 10:01:06  approval.decided    apr_2  approve  by grace, slack, chat  fine  (ada via coding-agent)",
      "    17  2026-03-02 10:00:02  approval.decided    apr_3  reject  by grace, slack, chat  not now  (ada via coding-agent)",
      "",
    ].join("\n"),
  );
  expect(await run(folder, ["search", "--decision", "deny", "--count"])).toBe("1\n");
  expect(await run(folder, ["search", "--tool", "none"])).toBe("No entries.\n");
  const [line = ""] = (await run(folder, ["search", "--outcome", "refused", "--since", "2d", "--json"])).split("\n");
  expect(JSON.parse(line)).toMatchObject({ index: 3, kind: "call.settled", principal: { sub: "bob" } });
  await expect(run(folder, ["search", "--since", "yesterday"])).rejects.toThrow("Give a span such as 12h or 7d");
});
