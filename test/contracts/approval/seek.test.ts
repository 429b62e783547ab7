// Seeking, telling, waiting, coming back: what a caller meets between asking and having.

import { expect } from "vitest";
import { keepChannelsUpdated } from "../../../src/approval/announce.ts";
import type { Channel } from "../../../src/approval/channels/contract.ts";
import { terminalChannel } from "../../../src/approval/channels/terminal.ts";
import { recover } from "../../../src/approval/recover.ts";
import { seek, unheard } from "../../../src/approval/seek.ts";
import { decideRequest, markStale, spend } from "../../../src/approval/verdict.ts";
import { openWatch } from "../../../src/approval/watch.ts";
import type { ApprovalStore } from "../../../src/approval/stores/contract.ts";
import type { StoredResult } from "../../../src/domain/approval.ts";
import type { Append } from "../../../src/domain/entry.ts";
import type { ApprovalId } from "../../../src/domain/ids.ts";
import type { Principal } from "../../../src/domain/principal.ts";
import { promise } from "../../support/promise.ts";
import {
  folder,
  hour,
  jo,
  kinds,
  minute,
  multiUser,
  openStore,
  request,
  result,
  start,
  transcript,
  voter,
} from "./fixtures.ts";

const present = (): AbortSignal => new AbortController().signal;

async function answer(store: ApprovalStore, append: Append, id: ApprovalId, said: "approve" | "reject", now = start) {
  const by = voter("kim");
  return await decideRequest(store, append, {
    id,
    by,
    answer: said,
    reason: "",
    tellAgent: false,
    mode: multiUser,
    now,
  });
}

/** A channel that notes what it was told. */
function noting(name = "notes"): Channel & { readonly told: string[] } {
  const told: string[] = [];
  const note = (text: string) => {
    told.push(text);
    return Promise.resolve();
  };
  return {
    name,
    told,
    tell: (one) => note(`new ${one.state}`),
    update: (one) => note(`${one.state} ${one.verdicts.length}`),
  };
}

promise(
  "approval:recorded-first",
  "the request is on record and kept before a channel hears of it, or not at all",
  async () => {
    const store = await openStore();
    const { entries, append, breakDown } = transcript();
    const made = request();
    const order: string[] = [];
    const channel: Channel = {
      name: "order",
      tell: async (told) => {
        order.push(...kinds(entries), (await store.get(told.id))?.state ?? "not kept");
      },
      update: () => Promise.resolve(),
    };
    const sought = await seek(store, append, [channel], made);
    expect([sought.joined, sought.request.id, sought.unreached, order]).toEqual([
      false,
      made.id,
      [],
      ["approval.requested", "pending"],
    ]);
    expect(entries[0]?.details).toEqual({
      approval: made.id,
      callDigest: made.callDigest,
      approvalDigest: made.approvalDigest,
      cardDigest: made.cardDigest,
      diffDigest: made.diffDigest,
      requirements: made.requirements,
      expires: "2026-11-21T13:00:00.000Z",
    });
    breakDown();
    await expect(seek(store, append, [channel], request({ call: { digest: "77".repeat(32) } }))).rejects.toThrow(
      "transcript_unavailable",
    );
    expect(await store.list(null)).toHaveLength(1);
  },
);

promise(
  "approval:equal-joins",
  "a repeat joins while the first is pending, approved or running, and tells nobody again",
  async () => {
    const store = await openStore();
    const { entries, append } = transcript();
    const channel = noting();
    const first = (await seek(store, append, [channel], request())).request;
    const again = async (): Promise<boolean> =>
      (await seek(store, append, [channel], request())).request.id === first.id;
    expect(await again()).toBe(true);
    await answer(store, append, first.id, "approve");
    expect(await again()).toBe(true);
    await spend(store, append, first.id, { ...first, now: start });
    expect(await again()).toBe(true);
    expect(channel.told).toEqual(["new pending"]);
    await store.storeResult(first.id, result, start);
    expect(await again()).toBe(false);
    expect(kinds(entries).filter((kind) => kind === "approval.requested")).toHaveLength(2);
  },
);

promise("approval:equal-joins", "changed arguments, another person or another agent never join", async () => {
  const store = await openStore();
  const { append } = transcript();
  const first = (await seek(store, append, [], request())).request;
  const principal = (given: object): { readonly principal: Principal } => ({
    principal: { ...jo, ...given } as Principal,
  });
  const others = [
    request({ call: { digest: "77".repeat(32), arguments: { replicas: 50 } } }),
    request({ call: principal({ subject: "eve" }) }),
    request({ call: principal({ issuer: "https://other.example" }) }),
    request({ call: principal({ actors: [] }) }),
    request({ call: principal({ actors: [{ issuer: jo.issuer, subject: "other-agent" }] }) }),
  ];
  for (const other of others) expect((await seek(store, append, [], other)).joined).toBe(false);
  expect((await store.recall(first.id))?.call.arguments).toEqual(request().call.arguments);
});

promise("approval:equal-joins", "what ran out of time is not joined", async () => {
  const store = await openStore();
  const { append } = transcript();
  await seek(store, append, [], request());
  expect((await seek(store, append, [], request({ now: start + hour }))).joined).toBe(false);
  const approved = await openStore();
  const { request: kept } = await seek(approved, append, [], request());
  await answer(approved, append, kept.id, "approve");
  expect((await seek(approved, append, [], request({ now: start + 10 * minute }))).joined).toBe(false);
});

promise("approval:answers-once", "a repeat after the end hears it once, and only its requester does", async () => {
  const store = await openStore();
  const { append } = transcript();
  const { request: kept } = await seek(store, append, [], request());
  expect(await unheard(store, kept.callDigest, jo)).toBeUndefined();
  await answer(store, append, kept.id, "approve");
  await markStale(store, append, kept.id, "the object was replaced", start);
  expect(await unheard(store, kept.callDigest, { ...jo, subject: "eve" })).toBeUndefined();
  expect((await unheard(store, kept.callDigest, jo))?.why).toBe("the object was replaced");
  await store.takeAnswer(kept.id, start);
  expect(await unheard(store, kept.callDigest, jo)).toBeUndefined();
  expect((await seek(store, append, [], request())).joined).toBe(false);
});

promise(
  "approval:channel-down",
  "one that throws, one that rejects and one that hangs leave the request decidable and the rest told",
  async () => {
    const store = await openStore();
    const { append } = transcript();
    const down = (name: string, tell: Channel["tell"]): Channel => ({ name, tell, update: tell });
    const good = noting();
    const hangs = down("hangs", () => new Promise<void>(() => undefined));
    const rejects = down("rejects", () => Promise.reject(new Error("500")));
    const throws = down("throws", () => {
      throw new Error("no token");
    });
    const sought = await seek(store, append, [hangs, rejects, throws, good], request());
    expect(sought.unreached).toEqual([
      { channel: "hangs", why: "took longer than two seconds" },
      { channel: "rejects", why: "500" },
      { channel: "throws", why: "no token" },
    ]);
    expect(good.told).toEqual(["new pending"]);
    expect((await answer(store, append, sought.request.id, "approve")).kind).toBe("approved");
  },
);

promise("approval:channel-down", "channels hear each later state once, and nothing that changes no state", async () => {
  const store = await openStore();
  const { append } = transcript();
  const channel = noting();
  const unreached: string[] = [];
  const broken: Channel = { ...noting("broken"), update: () => Promise.reject(new Error("down")) };
  const stop = keepChannelsUpdated(store, [channel, broken], (failed) => {
    unreached.push(...failed.map((one) => one.channel));
  });
  const { request: kept } = await seek(store, append, [channel], request());
  await answer(store, append, kept.id, "approve");
  await spend(store, append, kept.id, { ...kept, now: start });
  await store.storeResult(kept.id, result, start);
  await store.takeAnswer(kept.id, start);
  stop();
  expect([channel.told, unreached]).toEqual([
    ["new pending", "approved 1", "spent 1", "spent 1"],
    ["broken", "broken", "broken"],
  ]);
});

promise("approval:card-once", "the terminal prints the card's own words and what to type", async () => {
  const store = await openStore();
  const { append } = transcript();
  let printed = "";
  const terminal = terminalChannel((text) => {
    printed += text;
  });
  const { request: kept } = await seek(store, append, [terminal], request());
  const short = kept.id.slice(-8);
  expect(printed).toBe(
    [
      "APPROVAL ASKED",
      "workloads_scale (change): Deployment shop/api",
      "  cluster   prod-1 (environment prod)",
      "  asked by  jo, through scaler",
      '  reason    "more load is coming" (the agent\'s words, unverified)',
      "  rules     reads, production-changes",
      "  undo      workloads_scale replicas 3",
      "  expires   2026-11-21 13:00:00 UTC",
      "  effect",
      "    ~ spec.replicas: 3 -> 5",
      '  ! HPA "api" sets this count too',
      "  needs     1 from group:sre (production-changes)",
      "  state     pending",
      `  id        ${kept.id}, digest ${kept.approvalDigest.slice(0, 8)}`,
      `To decide: sallyport approvals approve ${short}, or: sallyport approvals reject ${short} --reason TEXT`,
      "",
    ].join("\n"),
  );
  printed = "";
  const decided = await answer(store, append, kept.id, "reject");
  if (decided.kind !== "rejected") throw new Error("it was rejected");
  await terminal.update(decided.request);
  expect(printed).toBe(
    `${short} rejected workloads_scale Deployment shop/api, asked by jo through scaler; kim rejected by terminal (chat)\n`,
  );
});

promise("approval:answers-once", "a held caller wakes with the result, and so do all who wait with it", async () => {
  const store = await openStore();
  const { append } = transcript();
  const watch = openWatch(store, () => start);
  const { request: kept } = await seek(store, append, [], request());
  const held = [1, 2].map(() => watch.awaitEnd(kept.id, hour, present()));
  await answer(store, append, kept.id, "approve");
  await spend(store, append, kept.id, { ...kept, now: start });
  await store.storeResult(kept.id, result, start);
  const delivered = { kind: "result", result: { ...result, delivered: true } };
  expect(await Promise.all(held)).toMatchObject([delivered, delivered]);
  expect((await watch.awaitEnd(kept.id, hour, present())).kind).toBe("taken");
  expect((await watch.awaitEnd(request().id, hour, present())).kind).toBe("unknown");
  watch.close();
});

promise(
  "approval:answers-once",
  "who stops waiting takes nothing, and the answer is there for the repeat",
  async () => {
    const store = await openStore();
    const { append } = transcript();
    const watch = openWatch(store, () => start);
    const { request: kept } = await seek(store, append, [], request());
    expect(await watch.awaitEnd(kept.id, 1, present())).toMatchObject({ kind: "open", request: { state: "pending" } });
    const gone = new AbortController();
    const left = watch.awaitEnd(kept.id, hour, gone.signal);
    gone.abort();
    expect((await left).kind).toBe("open");
    await answer(store, append, kept.id, "reject");
    expect((await watch.awaitEnd(kept.id, 0, gone.signal)).kind).toBe("open");
    expect(await watch.awaitEnd(kept.id, 0, present())).toMatchObject({
      kind: "ended",
      request: { state: "rejected" },
    });
    watch.close();
  },
);

promise(
  "approval:restart",
  "what had begun is answered unknown, what was approved may start, what ran out ends",
  async () => {
    const at = folder();
    const before = await openStore(at);
    const { entries, append } = transcript();
    const digest = (byte: string) => ({ call: { digest: byte.repeat(32) } });
    const made = [];
    for (const byte of ["a1", "a2", "a3", "a4"])
      made.push((await seek(before, append, [], request(digest(byte)))).request);
    const [pending, approved, begun, done] = made;
    if (pending === undefined || approved === undefined || begun === undefined || done === undefined)
      throw new Error("four");
    for (const one of [approved, begun, done]) await answer(before, append, one.id, "approve");
    for (const one of [begun, done]) await spend(before, append, one.id, { ...one, now: start });
    await before.storeResult(done.id, result, start);
    await before.close();

    const store = await openStore(at);
    const cutOff: StoredResult = { kind: "failed", code: "internal", detail: {}, effect: "unknown", delivered: false };
    const recovered = await recover(store, append, start + minute, cutOff);
    expect(recovered.startable.map((one) => one.id)).toEqual([approved.id]);
    expect(recovered.cutOff.map((one) => one.id)).toEqual([begun.id]);
    expect(await spend(store, append, begun.id, { ...begun, now: start })).toMatchObject({ code: "not_approved" });
    expect(await store.takeAnswer(begun.id, start + minute)).toMatchObject({
      kind: "result",
      result: { effect: "unknown" },
    });
    expect(await store.takeAnswer(done.id, start + minute)).toMatchObject({
      kind: "result",
      result: { effect: "applied" },
    });
    expect((await store.recall(approved.id))?.call.arguments).toEqual(request().call.arguments);
    const later = await recover(store, append, start + hour, cutOff);
    expect(later).toEqual({ startable: [], cutOff: [] });
    expect([(await store.get(pending.id))?.state, (await store.get(approved.id))?.state]).toEqual([
      "expired",
      "lapsed",
    ]);
    expect(kinds(entries).slice(-2)).toEqual(["approval.expired", "approval.expired"]);
  },
);
