// The contract of every store of approval requests, as tests: lowdb passes it, and whatever comes after it must.

import { describe, expect } from "vitest";
import { openWatch } from "../../../src/approval/watch.ts";
import type { Change } from "../../../src/approval/states.ts";
import type { ApprovalStore, KeptRequest } from "../../../src/approval/stores/contract.ts";
import { approvalStates, type ApprovalRequest, type ApprovalState } from "../../../src/domain/approval.ts";
import { promise } from "../../support/promise.ts";
import { day, hour, jo, keep, plannedCall, request, result, start } from "./fixtures.ts";

/** Opens a store on nothing, and `again` on what it left. Both close themselves when the test ends. */
export interface Opened {
  readonly store: ApprovalStore;
  readonly again: () => Promise<ApprovalStore>;
}

const never = (): boolean => false;

export function storeSuite(name: string, open: () => Promise<Opened>): void {
  describe(`the ${name} store`, () => {
    promise("approval:durable", "a kept request is there, whole, after opening again", async () => {
      const { store, again } = await open();
      const made = await keep(store, request());
      await store.close();
      const reopened = await again();
      expect(await reopened.get(made.id)).toEqual(keptAs(made));
      expect(await reopened.recall(made.id)).toEqual(made);
      expect(await reopened.get(request().id)).toBeUndefined();
    });

    promise("approval:durable", "100 kB of arguments come back exactly", async () => {
      const { store } = await open();
      const big = { text: "☃\u202e\u0000".repeat(25_000), __proto__x: [1, 2.5, null, true] };
      const made = await keep(store, request({ call: { arguments: big } }));
      expect((await store.recall(made.id))?.call.arguments).toEqual(big);
    });

    promise("approval:durable", "an insert whose record fails keeps nothing", async () => {
      const { store } = await open();
      const made = request();
      await expect(store.insert(made, never, () => Promise.reject(new Error("full")))).rejects.toThrow("full");
      expect(await store.list(null)).toEqual([]);
      await keep(store, made);
      expect(await store.recall(made.id)).toEqual(made);
    });

    promise("approval:equal-joins", "of equal calls at once one is kept and the others join it", async () => {
      const { store } = await open();
      let recorded = 0;
      const record = (): Promise<void> => {
        recorded += 1;
        return Promise.resolve();
      };
      const all = await Promise.all(Array.from({ length: 8 }, () => store.insert(request(), () => true, record)));
      expect(new Set(all.map((one) => one.request.id)).size).toBe(1);
      expect(all.filter((one) => one.joined)).toHaveLength(7);
      expect(recorded).toBe(1);
    });

    promise("approval:first-decides", "steps at once run one after the other, each on what the last left", async () => {
      const { store } = await open();
      const made = await keep(store, request());
      const seen = await Promise.all(
        Array.from({ length: 6 }, (_one, index) =>
          store.transition(made.id, (current) =>
            Promise.resolve({ change: vote(`p${index}`), reply: current.verdicts.length }),
          ),
        ),
      );
      expect(seen.toSorted((a = 0, b = 0) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
      expect((await store.get(made.id))?.verdicts).toHaveLength(6);
    });

    promise("approval:first-decides", "a step that fails or wants nothing changes nothing", async () => {
      const { store } = await open();
      const made = await keep(store, request());
      await expect(store.transition(made.id, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
      expect(await store.transition(made.id, () => Promise.resolve({ change: null, reply: 7 }))).toBe(7);
      expect(await store.transition(request().id, () => Promise.resolve({ change: null, reply: 7 }))).toBeUndefined();
      expect(await store.get(made.id)).toEqual(keptAs(made));
    });

    promise("approval:ends-final", "every move that the table does not name is refused", async () => {
      const { store } = await open();
      const allowed: string[] = [];
      for (const from of approvalStates) {
        for (const to of approvalStates) {
          const { id } = await inState(store, from);
          const before = await store.get(id);
          const moved = await store
            .transition(id, () => Promise.resolve({ change: plainly(to), reply: true }))
            .catch(never);
          if (moved === true) allowed.push(`${from} ${to}`);
          else expect(await store.get(id)).toEqual(before);
        }
      }
      expect(allowed).toEqual([
        "pending approved",
        "pending rejected",
        "pending expired",
        "pending withdrawn",
        "pending superseded",
        "approved spent",
        "approved stale",
        "approved revoked",
        "approved lapsed",
      ]);
    });

    promise(
      "approval:arguments-sealed",
      "arguments open while a request is pending or approved, and never after",
      async () => {
        const { store, again } = await open();
        for (const state of approvalStates) {
          const { id } = await inState(store, state);
          const opens = state === "pending" || state === "approved";
          expect([state, (await store.recall(id)) !== undefined]).toEqual([state, opens]);
        }
        await store.close();
        const reopened = await again();
        for (const one of await reopened.list(null))
          expect((await reopened.recall(one.id)) !== undefined).toBe(one.endedAt === null);
      },
    );

    promise("approval:answers-once", "a result is given out once, to whichever asks first", async () => {
      const { store, again } = await open();
      const { id } = await inState(store, "spent");
      expect((await store.takeAnswer(id, start)).kind).toBe("open");
      await store.storeResult(id, result, start);
      await store.close();
      const reopened = await again();
      const taken = await Promise.all([1, 2, 3].map(() => reopened.takeAnswer(id, start + 1)));
      expect(taken.map((one) => one.kind)).toEqual(["result", "taken", "taken"]);
      expect(taken[0]).toMatchObject({ result: { ...result, delivered: true } });
      expect((await reopened.takeAnswer(request().id, start)).kind).toBe("unknown");
    });

    promise("approval:answers-once", "a result is kept once, and only of a call that ran", async () => {
      const { store } = await open();
      const pending = await keep(store, request());
      await expect(store.storeResult(pending.id, result, start)).rejects.toThrow("does not wait");
      const { id } = await inState(store, "spent");
      await store.storeResult(id, result, start);
      await expect(store.storeResult(id, result, start)).rejects.toThrow("does not wait");
    });

    promise("approval:answers-once", "after its hour a result is gone, swept or not", async () => {
      const { store } = await open();
      const [one, other] = [await inState(store, "spent"), await inState(store, "spent")];
      await store.storeResult(one.id, result, start);
      await store.storeResult(other.id, result, start);
      expect((await store.takeAnswer(one.id, start + hour)).kind).toBe("taken");
      await store.prune(start + hour);
      expect((await store.get(other.id))?.answer).toBe("gone");
      expect((await store.takeAnswer(other.id, start)).kind).toBe("taken");
    });

    promise(
      "approval:answers-once",
      "an end without a run is itself the answer, and can be read again by its id",
      async () => {
        const { store } = await open();
        const { id } = await inState(store, "rejected");
        expect((await store.get(id))?.answer).toBe("waiting");
        expect((await store.takeAnswer(id, start)).kind).toBe("ended");
        expect((await store.get(id))?.answer).toBe("taken");
        expect((await store.takeAnswer(id, start)).kind).toBe("ended");
      },
    );

    promise("approval:keeps", "ended requests go after thirty days, open ones never", async () => {
      const { store } = await open();
      const open_ = await keep(store, request());
      const ended = await inState(store, "withdrawn");
      await store.prune(start + 30 * day - 1);
      expect((await store.list(null)).map((one) => one.id)).toEqual([open_.id, ended.id]);
      await store.prune(start + 30 * day);
      expect((await store.list(null)).map((one) => one.id)).toEqual([open_.id]);
      expect(await store.recall(open_.id)).toEqual(open_);
    });

    promise(
      "approval:equal-joins",
      "requests are found by digest, newest first, and listed by state, oldest first",
      async () => {
        const { store } = await open();
        const call = plannedCall({ digest: "ab".repeat(32) });
        const first = await keep(store, request({ call }));
        const second = await keep(store, request({ call }));
        await keep(store, request({ call: { digest: "cd".repeat(32) } }));
        const idsOf = (found: readonly KeptRequest[]): string[] => found.map((one) => one.id);
        expect(idsOf(await store.findByDigest(call.digest))).toEqual([second.id, first.id]);
        await store.transition(first.id, () => Promise.resolve({ change: plainly("withdrawn"), reply: null }));
        expect(idsOf(await store.list(["withdrawn"]))).toEqual([first.id]);
        expect(await store.list(["pending"])).toHaveLength(2);
        expect(await store.list([])).toEqual([]);
      },
    );

    promise(
      "approval:answers-once",
      "who listens hears each change after it is durable, and a closed watch nothing",
      async () => {
        const { store } = await open();
        const heard: string[] = [];
        const stop = store.onChange((after, before) => heard.push(`${before?.state ?? ""}>${after.state}`));
        const made = await keep(store, request());
        const watch = openWatch(store, () => start);
        const ended = watch.awaitEnd(made.id, hour, new AbortController().signal);
        await store.transition(made.id, () => Promise.resolve({ change: plainly("rejected"), reply: null }));
        expect((await ended).kind).toBe("ended");
        stop();
        watch.close();
        await keep(store, request());
        expect(heard).toEqual([">pending", "pending>rejected", "rejected>rejected"]);
      },
    );
  });
}

/** A kept request as it should read: without arguments and result. */
export function keptAs(made: ApprovalRequest): KeptRequest {
  const { result: _result, call, ...rest } = made;
  const { arguments: _arguments, ...head } = call;
  return { ...rest, call: head, why: "", answer: "none", answeredAt: null };
}

function plainly(to: ApprovalState): Change {
  return { to, at: start, verdict: null, why: "" };
}

function vote(subject: string): Change {
  const by = { issuer: jo.issuer, subject, groups: [], channel: "terminal", assurance: "chat" as const };
  const verdict = { by, answer: "approve" as const, reason: "", tellAgent: false, at: start };
  return { to: "pending", at: start, verdict, why: "" };
}

/** A new request, led to a state by the shortest way. */
async function inState(store: ApprovalStore, state: ApprovalState): Promise<ApprovalRequest> {
  const made = await keep(store, request());
  const late: readonly ApprovalState[] = ["spent", "stale", "revoked", "lapsed"];
  const way = state === "pending" ? [] : late.includes(state) ? (["approved", state] as const) : [state];
  for (const to of way) await store.transition(made.id, () => Promise.resolve({ change: plainly(to), reply: null }));
  return made;
}
