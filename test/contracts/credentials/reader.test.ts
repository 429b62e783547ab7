// A reader's token for each session, at the network edge.

import { afterEach, beforeEach, describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { newSession } from "./calls.ts";
import { brief, status } from "./loopback.ts";
import { faultOf, listPods, never, openBench, seconds, writes, type Bench } from "./support.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  await bench.credentials.standing(never);
  bench.loopback.seen.length = 0;
});
afterEach(async () => {
  await bench.loopback.close();
});

const anchors = (): string[] => [...bench.loopback.objects.keys()].filter((path) => path.includes("/secrets/"));

describe("reader", () => {
  promise("credentials:reader-session", "ten reads at once make one anchor and one token, bound to it", async () => {
    const session = newSession();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => bench.issue({ effect: "read", accesses: listPods, session })),
    );
    expect(bench.loopback.seen.map(brief)).toEqual([
      "POST secrets sallyport-system",
      "POST serviceaccounts/token sallyport-system",
    ]);
    const [anchor, token] = bench.loopback.seen;
    const { id } = all[0]?.grant ?? { id: "" };
    expect(anchor?.body).toMatchObject({
      type: "sallyport.dev/anchor",
      metadata: { name: `anchor-${id}`, annotations: { "sallyport.dev/session": session.id } },
    });
    expect(token?.body["spec"]).toMatchObject({ boundObjectRef: { kind: "Secret", name: `anchor-${id}` } });
    expect((await Promise.all(all.map(writes))).filter(Boolean).length).toBe(1);
    expect(new Set(all.map((one) => one.grant.id)).size).toBe(1);
  });

  promise(
    "credentials:reader-recorded",
    "calls of one session wait for the one that writes, and where it can't the next one writes",
    async () => {
      const session = newSession();
      const reads = await Promise.all(
        Array.from({ length: 3 }, () => bench.issue({ effect: "read", accesses: listPods, session })),
      );
      const done: string[] = [];
      const written = Promise.withResolvers<void>();
      const never = (): Promise<void> => Promise.reject(new Error("written twice"));
      const [first, second, third] = reads.map((one, at) =>
        one.record(at === 0 ? () => written.promise : never).then(
          () => done.push(`${at} goes on`),
          () => done.push(`${at} is refused`),
        ),
      );
      // A read that does not wait would be through after any number of turns.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(done).toEqual([]);
      written.reject(new Error("the disk is full"));
      await Promise.all([first, second, third]);
      expect(done.toSorted()).toEqual(["0 is refused", "1 is refused", "2 is refused"]);

      const again = await bench.issue({ effect: "read", accesses: listPods, session });
      expect([await writes(again), await writes(again)]).toEqual([true, false]);
    },
  );

  promise("credentials:reader-session", "a renewed token keeps the session's anchor", async () => {
    const session = newSession();
    const first = await bench.issue({ effect: "read", accesses: listPods, session });
    expect(await writes(first)).toBe(true);
    bench.clock += seconds(2880);
    const second = await bench.issue({ effect: "read", accesses: listPods, session });
    expect([await writes(second), second.grant.id, anchors().length]).toEqual([true, first.grant.id, 1]);
    expect(second.grant.jti).not.toBe(first.grant.jti);
  });

  promise(
    "credentials:reader-session",
    "its end removes the anchor, also when it ends while the token is made",
    async () => {
      const session = newSession();
      const endings: Promise<boolean | null>[] = [];
      bench.loopback.instead = (seen) => {
        if (brief(seen) === "POST secrets sallyport-system") endings.push(bench.credentials.endSession(session.id));
        return undefined;
      };
      await bench.issue({ effect: "read", accesses: listPods, session });
      expect([await Promise.all(endings), anchors()]).toEqual([[true], []]);
      expect(await bench.credentials.endSession(session.id)).toBe(null);
    },
  );

  for (const [how, instead] of [
    ["an anchor made without an answer", () => "hang up" as const],
    ["a refused anchor", () => status(403, "Forbidden", "x")],
  ] as const)
    promise("credentials:reader-session", `${how} is no obstacle for the next read`, async () => {
      const session = newSession();
      bench.loopback.instead = (seen) => (brief(seen) === "POST secrets sallyport-system" ? instead() : undefined);
      const found = await faultOf(bench.issue({ effect: "read", accesses: listPods, session }));
      expect([found.effect, anchors()]).toEqual(["none", []]);
      bench.loopback.instead = () => undefined;
      expect(await writes(await bench.issue({ effect: "read", accesses: listPods, session }))).toBe(true);
    });

  promise("credentials:reader-session", "closing ends every session's token", async () => {
    await bench.issue({ effect: "read", accesses: listPods });
    await bench.issue({ effect: "read", accesses: listPods });
    expect(anchors().length).toBe(2);
    await bench.credentials.close();
    expect(anchors()).toEqual([]);
  });
});
