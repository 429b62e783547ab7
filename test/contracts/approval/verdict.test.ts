// Attacks on the decision: whoever should not approve, approves twice, too late, or spends what is not theirs to spend.

import { expect } from "vitest";
import type { Ballot, Mode, Voter } from "../../../src/approval/ballot.ts";
import type { ApprovalStore } from "../../../src/approval/stores/contract.ts";
import { decideRequest, expireDue, markStale, revoke, spend, withdraw } from "../../../src/approval/verdict.ts";
import type { ApprovalRequest } from "../../../src/domain/approval.ts";
import { promise } from "../../support/promise.ts";
import {
  hour,
  jo,
  keep,
  kinds,
  minute,
  multiUser,
  openStore,
  request,
  requirement,
  start,
  transcript,
  voter,
  type Given,
} from "./fixtures.ts";

/** A store with one request, and the ways to answer it. */
async function asked(given: Given = {}, mode: Mode = multiUser) {
  const store: ApprovalStore = await openStore();
  const made: ApprovalRequest = await keep(store, request(given));
  const { entries, append, breakDown } = transcript();
  const ballot = (by: Voter, more: Partial<Ballot> = {}): Ballot => ({
    id: made.id,
    by,
    answer: "approve",
    reason: "",
    tellAgent: false,
    mode,
    now: start + minute,
    ...more,
  });
  const answer = (by: Voter, more: Partial<Ballot> = {}) => decideRequest(store, append, ballot(by, more));
  const state = async () => (await store.get(made.id))?.state;
  return { store, made, entries, append, breakDown, ballot, answer, state };
}

/** What came of it, in one word or two. */
const outcome = (decided: { kind: string; code?: string }): string =>
  decided.kind === "refused" ? `refused ${decided.code}` : decided.kind;

const kim = voter("kim");
const lee = voter("lee");
const human = voter("jo", { groups: ["sre", "developers"] });

promise(
  "approval:never-the-requester",
  "by themselves, by their agent, in any group and however strongly they sign in",
  async () => {
    const { answer, state, entries } = await asked({
      requirements: [requirement({ approvers: ["group:sre", "user:jo", "user:scaler", "owner"] })],
    });
    expect(outcome(await answer(human))).toBe("refused requester");
    expect(outcome(await answer({ ...human, assurance: "step-up" }))).toBe("refused requester");
    expect(outcome(await answer({ ...human, answer: "reject" } as Voter, { answer: "reject" }))).toBe(
      "refused requester",
    );
    expect(outcome(await answer(voter("scaler")))).toBe("refused requester");
    expect([await state(), entries]).toEqual(["pending", []]);
  },
);

promise("approval:never-the-requester", "the same name at another issuer is another person", async () => {
  const { answer } = await asked();
  expect(outcome(await answer({ ...human, issuer: "https://other.example" }))).toBe("approved");
});

promise(
  "approval:never-an-agent",
  "software is refused, and so is a person's token that software carries",
  async () => {
    const { answer, state, entries, store, made, append } = await asked();
    expect(outcome(await answer(voter("bot", { kind: "agent" })))).toBe("refused is_agent");
    const carried = voter("kim", { actors: [{ issuer: jo.issuer, subject: "bot" }] });
    expect(outcome(await answer(carried))).toBe("refused is_agent");
    expect(outcome(await withdraw(store, append, made.id, { ...human, kind: "agent" }, start))).toBe(
      "refused is_agent",
    );
    expect([await state(), entries]).toEqual(["pending", []]);
  },
);

promise("approval:only-the-named", "strangers are refused and told nothing about its state", async () => {
  const { answer, state } = await asked({
    requirements: [requirement({ approvers: ["user:kim", "group:leads", "owner", "kim", "*"] })],
  });
  const stranger = voter("eve", { groups: ["sre", "leads2", "*", "owner", "user:kim"] });
  const refused = { kind: "refused", code: "not_an_approver", state: null };
  expect(await answer(stranger)).toEqual(refused);
  expect(await answer(stranger, { now: start + 2 * hour })).toEqual(refused);
  expect(await state()).toBe("pending");
  expect(outcome(await answer(voter("kim", { groups: [] })))).toBe("approved");
  expect(await answer(stranger)).toEqual(refused);
  expect(await answer(voter("leader", { groups: ["leads"] }))).toEqual({
    kind: "refused",
    code: "ended",
    state: "approved",
  });
  expect(await answer(kim, { id: request().id })).toEqual({ kind: "refused", code: "not_found", state: null });
});

promise("approval:different-people", "one person in two groups is still one", async () => {
  const { answer, state, made, store } = await asked({
    requirements: [requirement({ approvers: ["group:sre", "group:leads", "user:kim"], count: 2 })],
  });
  const both = voter("kim", { groups: ["sre", "leads"] });
  expect(await answer(both)).toMatchObject({ kind: "recorded", have: 1, need: 2 });
  expect(await answer(both)).toEqual({ kind: "refused", code: "already_answered", state: "pending" });
  expect(await answer({ ...both, channel: "console", groups: ["leads"] })).toMatchObject({ code: "already_answered" });
  expect(await state()).toBe("pending");
  expect(outcome(await answer(lee))).toBe("approved");
  expect((await store.get(made.id))?.verdicts.map((one) => [one.by.subject, one.by.groups])).toEqual([
    ["kim", ["sre", "leads"]],
    ["lee", ["sre"]],
  ]);
});

promise(
  "approval:different-people",
  "a stronger second answer of one person replaces the first and counts no more",
  async () => {
    const { answer, state } = await asked({
      requirements: [requirement({ count: 2 }), requirement({ rule: "critical", assurance: "step-up" })],
    });
    expect(await answer(kim)).toMatchObject({ kind: "recorded", have: 1, need: 3 });
    expect(await answer({ ...kim, assurance: "step-up" })).toMatchObject({ kind: "recorded", have: 2, need: 3 });
    expect(outcome(await answer({ ...kim, assurance: "step-up" }))).toBe("refused already_answered");
    expect(await state()).toBe("pending");
    expect(outcome(await answer(lee))).toBe("approved");
  },
);

promise("approval:every-requirement", "one that is met leaves the other open", async () => {
  const requirements = [requirement(), requirement({ rule: "data", approvers: ["group:dba"] })];
  const { answer } = await asked({ requirements });
  expect(await answer(kim)).toMatchObject({ kind: "recorded", have: 1, need: 2 });
  expect(await answer(lee)).toMatchObject({ kind: "recorded", have: 1, need: 2 });
  expect(outcome(await answer(voter("dan", { groups: ["dba"] })))).toBe("approved");
  const second = await asked({ requirements });
  expect(outcome(await second.answer(voter("ada", { groups: ["dba", "sre"] })))).toBe("approved");
});

promise("approval:assurance", "a weaker one is refused, a no is taken from any approver", async () => {
  const { answer, state } = await asked({ requirements: [requirement({ assurance: "step-up" })] });
  expect(outcome(await answer(kim))).toBe("refused assurance_too_low");
  expect(outcome(await answer({ ...kim, assurance: "same-device" }))).toBe("refused assurance_too_low");
  expect(await state()).toBe("pending");
  expect(outcome(await answer(kim, { answer: "reject" }))).toBe("rejected");
});

const alone: Mode = { kind: "single-user", owner: { issuer: jo.issuer, subject: "jo" } };

promise("approval:single-user", "the owner confirms, and only as strongly as one device can", async () => {
  const owners = [requirement({ approvers: ["owner"] })];
  const { answer, entries, made, store } = await asked({ requirements: owners }, alone);
  expect(outcome(await answer(voter("eve")))).toBe("refused not_an_approver");
  expect(outcome(await answer({ ...human, kind: "agent" }))).toBe("refused is_agent");
  expect(outcome(await answer({ ...human, assurance: "step-up", groups: [] }))).toBe("approved");
  const by = { issuer: jo.issuer, subject: "jo", groups: [], channel: "terminal", assurance: "same-device" };
  expect((await store.get(made.id))?.verdicts).toEqual([
    { by, answer: "approve", reason: "", tellAgent: false, at: start + minute },
  ]);
  expect(entries).toMatchObject([{ kind: "approval.decided", details: { approver: by } }]);
});

promise(
  "approval:single-user",
  "a rule that asks for more than one device gets no approval from it, and `owner` is nobody elsewhere",
  async () => {
    const chat = await asked({ requirements: [requirement({ approvers: ["owner"], assurance: "chat" })] }, alone);
    expect(outcome(await chat.answer({ ...human, assurance: "step-up" }))).toBe("refused assurance_too_low");
    const several = await asked({ requirements: [requirement({ approvers: ["owner"] })] });
    expect(outcome(await several.answer(human))).toBe("refused requester");
    expect(outcome(await several.answer(kim))).toBe("refused not_an_approver");
    const other: Mode = { kind: "single-user", owner: { issuer: jo.issuer, subject: "kim" } };
    expect(outcome(await (await asked({}, other)).answer(human))).toBe("refused requester");
  },
);

promise("approval:first-decides", "of two answers at once one decides", async () => {
  for (const second of ["approve", "reject"] as const) {
    const { answer, state, entries } = await asked();
    const both = await Promise.all([answer(kim), answer(lee, { answer: second })]);
    expect(both.map(outcome)).toEqual(["approved", "refused ended"]);
    expect([await state(), kinds(entries)]).toEqual(["approved", ["approval.decided approved"]]);
  }
  const { answer, state } = await asked();
  const both = await Promise.all([answer(kim, { answer: "reject" }), answer(lee)]);
  expect([...both.map(outcome), await state()]).toEqual(["rejected", "refused ended", "rejected"]);
});

promise("approval:expires", "an answer after the time ends the request and approves nothing", async () => {
  const { answer, state, entries } = await asked();
  expect(await answer(kim, { now: start + hour })).toEqual({ kind: "refused", code: "expired", state: "expired" });
  expect([await state(), kinds(entries)]).toEqual(["expired", ["approval.expired"]]);
  expect(await answer(kim)).toEqual({ kind: "refused", code: "expired", state: "expired" });
  const inTime = await asked();
  expect(outcome(await inTime.answer(kim, { now: start + hour - 1 }))).toBe("approved");
});

promise("approval:expires", "silence ends it, once", async () => {
  const { store, append, state, entries, made } = await asked();
  expect(await expireDue(store, append, start + hour - 1)).toEqual([]);
  expect((await expireDue(store, append, start + hour)).map((one) => one.id)).toEqual([made.id]);
  expect(await expireDue(store, append, start + hour)).toEqual([]);
  expect([await state(), kinds(entries)]).toEqual(["expired", ["approval.expired"]]);
});

promise(
  "approval:clock-back",
  "a clock an hour behind the request can't approve or spend; a few seconds do no harm",
  async () => {
    const { answer, state } = await asked();
    expect(outcome(await answer(kim, { now: start - hour }))).toBe("refused expired");
    expect(await state()).toBe("expired");
    const second = await asked();
    expect(outcome(await second.answer(kim, { now: start - 5000 }))).toBe("approved");
    const { approvalDigest, id } = second.made;
    expect(await spend(second.store, second.append, id, { approvalDigest, now: start - hour })).toMatchObject({
      code: "lapsed",
    });
    const third = await asked();
    expect(await expireDue(third.store, third.append, start - hour)).toHaveLength(1);
  },
);

promise("approval:single-use", "the second spending is refused, however close", async () => {
  const { store, append, answer, made, entries } = await asked();
  const { id, approvalDigest } = made;
  const now = start + 2 * minute;
  expect(await spend(store, append, id, { approvalDigest, now })).toEqual({
    kind: "refused",
    code: "not_approved",
    state: "pending",
  });
  await answer(kim);
  const all = await Promise.all([1, 2, 3].map(() => spend(store, append, id, { approvalDigest, now })));
  expect(all).toEqual([
    { kind: "spent", approval: { id, approvalDigest } },
    { kind: "refused", code: "not_approved", state: "spent" },
    { kind: "refused", code: "not_approved", state: "spent" },
  ]);
  expect(kinds(entries)).toEqual(["approval.decided approved", "approval.spent"]);
  expect(await spend(store, append, request().id, { approvalDigest, now })).toMatchObject({ code: "not_found" });
});

promise("approval:single-use", "another request's digest spends nothing", async () => {
  const { store, append, answer, made, state } = await asked();
  await answer(kim);
  const { approvalDigest } = request();
  expect(await spend(store, append, made.id, { approvalDigest, now: start })).toMatchObject({ code: "other_digest" });
  expect(await state()).toBe("approved");
});

promise("approval:valid-for", "after `validFor` it lapses, at the try or by the clock", async () => {
  const { store, append, answer, made, state, entries } = await asked();
  const { id, approvalDigest } = made;
  await answer(kim);
  const late = start + minute + 10 * minute;
  expect(await spend(store, append, id, { approvalDigest, now: late })).toEqual({
    kind: "refused",
    code: "lapsed",
    state: "lapsed",
  });
  expect([await state(), kinds(entries)]).toEqual(["lapsed", ["approval.decided approved", "approval.expired"]]);
  const second = await asked();
  await second.answer(kim);
  expect(await expireDue(second.store, second.append, late - 1)).toEqual([]);
  expect(await expireDue(second.store, second.append, late)).toMatchObject([{ state: "lapsed" }]);
  const third = await asked();
  await third.answer(kim);
  expect((await spend(third.store, third.append, third.made.id, { ...third.made, now: late - 1 })).kind).toBe("spent");
});

promise(
  "approval:recorded-first",
  "where the transcript is down nothing is approved, ended or handed out",
  async () => {
    const { answer, breakDown, state, store, append, made } = await asked();
    breakDown();
    await expect(answer(kim)).rejects.toThrow("transcript_unavailable");
    await expect(answer(kim, { answer: "reject" })).rejects.toThrow("transcript_unavailable");
    await expect(withdraw(store, append, made.id, human, start)).rejects.toThrow("transcript_unavailable");
    await expect(expireDue(store, append, start + hour)).rejects.toThrow("transcript_unavailable");
    expect(await state()).toBe("pending");
    const second = await asked();
    await second.answer(kim);
    second.breakDown();
    await expect(spend(second.store, second.append, second.made.id, { ...second.made, now: start })).rejects.toThrow(
      "transcript_unavailable",
    );
    // Gone rather than usable again: the other order could let it run twice.
    expect(await second.state()).toBe("spent");
  },
);

promise(
  "approval:recorded-first",
  "the entry names the digest, the card, the person, the channel and the proof",
  async () => {
    const { answer, entries, made } = await asked();
    await answer(kim, { reason: "load\u202etest", tellAgent: true });
    expect(entries).toEqual([
      {
        kind: "approval.decided",
        session: made.call.session,
        call: made.call.id,
        principal: jo,
        details: {
          approval: made.id,
          state: "approved",
          approvalDigest: made.approvalDigest,
          cardDigest: made.cardDigest,
          approver: { issuer: jo.issuer, subject: "kim", groups: ["sre"], channel: "terminal", assurance: "chat" },
          answer: "approve",
          reason: "load\\u{202E}test",
        },
      },
    ]);
  },
);

promise(
  "approval:take-back",
  "the requester withdraws while it is pending; nobody else does, and not later",
  async () => {
    const { store, append, made, state, answer, entries } = await asked();
    expect(outcome(await withdraw(store, append, made.id, kim, start))).toBe("refused requester");
    expect(outcome(await withdraw(store, append, made.id, voter("scaler"), start))).toBe("refused requester");
    expect(outcome(await withdraw(store, append, made.id, human, start))).toBe("withdrawn");
    expect(outcome(await answer(kim))).toBe("refused ended");
    expect([await state(), kinds(entries)]).toEqual(["withdrawn", ["approval.withdrawn"]]);
    const second = await asked();
    await second.answer(kim);
    expect(outcome(await withdraw(second.store, append, second.made.id, human, start))).toBe("refused ended");
    expect(outcome(await withdraw(second.store, append, made.id, human, start))).toBe("refused not_found");
  },
);

promise("approval:take-back", "any approver revokes until it runs, and then nobody", async () => {
  const { store, append, made, answer, ballot, entries, state } = await asked();
  expect(outcome(await revoke(store, append, ballot(lee)))).toBe("refused ended");
  await answer(kim);
  for (const by of [human, voter("eve", { groups: [] }), voter("bot", { kind: "agent" })])
    expect((await revoke(store, append, ballot(by))).kind).toBe("refused");
  const race = await Promise.all([
    revoke(store, append, ballot(lee, { reason: "wait" })),
    spend(store, append, made.id, { ...made, now: start + minute }),
  ]);
  expect(race.map((one) => one.kind)).toEqual(["revoked", "refused"]);
  expect([await state(), kinds(entries)]).toEqual([
    "revoked",
    ["approval.decided approved", "approval.decided revoked"],
  ]);
  const second = await asked();
  await second.answer(kim);
  await spend(second.store, second.append, second.made.id, { ...second.made, now: start + minute });
  expect(outcome(await revoke(second.store, second.append, second.ballot(lee)))).toBe("refused ended");
});

promise("approval:ends-final", "a stale approval says what changed and can't be spent", async () => {
  const { store, append, made, answer, entries } = await asked();
  expect(await markStale(store, append, made.id, "the object was replaced", start)).toBe(false);
  await answer(kim);
  expect(await markStale(store, append, made.id, "the object was replaced", start)).toBe(true);
  expect(await markStale(store, append, made.id, "again", start)).toBe(false);
  expect(await spend(store, append, made.id, { ...made, now: start })).toMatchObject({
    code: "not_approved",
    state: "stale",
  });
  expect(await store.get(made.id)).toMatchObject({ state: "stale", why: "the object was replaced", answer: "waiting" });
  expect(kinds(entries)).toEqual(["approval.decided approved", "approval.stale"]);
});
