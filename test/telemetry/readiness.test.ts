// When a gateway is ready, and that asking does not wear anybody out: the attack is a dependency that never answers and an asker that never stops.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openReadiness, type Dependency } from "../../src/telemetry/readiness.ts";
import { promise } from "../support/promise.ts";

interface Tried extends Dependency {
  tries: number;
}
const dependency = (name: string, kind: Dependency["kind"], why: string | Error): Tried => {
  const one: Tried = {
    name,
    kind,
    tries: 0,
    probe: async () => {
      one.tries += 1;
      if (why instanceof Error) throw why;
      return why;
    },
  };
  return one;
};

describe("ready", () => {
  promise("telemetry:ready-by-name", "each is named with what was seen of it", async () => {
    const dependencies = [
      dependency("transcript", "each", ""),
      dependency("approvals", "each", ""),
      dependency("cluster a", "cluster", "cluster_unavailable"),
      dependency("cluster b", "cluster", ""),
      dependency("issuer corp", "issuer", ""),
      dependency("channel slack", "told", "channel_unavailable"),
    ];
    const readiness = openReadiness({ dependencies, now: () => 5 });
    expect(await readiness.look()).toEqual({
      ready: true,
      dependencies: [
        { name: "transcript", ok: true, why: "", at: 5 },
        { name: "approvals", ok: true, why: "", at: 5 },
        { name: "cluster a", ok: false, why: "cluster_unavailable", at: 5 },
        { name: "cluster b", ok: true, why: "", at: 5 },
        { name: "issuer corp", ok: true, why: "", at: 5 },
        { name: "channel slack", ok: false, why: "channel_unavailable", at: 5 },
      ],
    });
    await readiness.close();
  });

  promise("telemetry:ready-by-name", "for any state of any dependencies", async () => {
    const kinds = fc.constantFrom("each" as const, "told" as const, "cluster" as const, "issuer" as const);
    const states = fc.array(fc.tuple(kinds, fc.boolean()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(states, async (given) => {
        const dependencies = given.map(([kind, ok], index) => dependency(`${index}`, kind, ok ? "" : "internal"));
        const readiness = openReadiness({ dependencies, now: () => 0 });
        const of = (kind: Dependency["kind"]): boolean[] => given.flatMap(([one, ok]) => (one === kind ? [ok] : []));
        const oneOf = (all: readonly boolean[]): boolean => all.length === 0 || all.some((ok) => ok);
        const expected = of("each").every((ok) => ok) && oneOf(of("cluster")) && oneOf(of("issuer"));
        expect((await readiness.look()).ready).toBe(expected);
        await readiness.close();
      }),
    );
  });

  test("a probe that breaks tells nothing of what it choked on", async () => {
    const broken = dependency("cluster a", "cluster", new Error("password=hunter2 at 10.1.2.3"));
    const readiness = openReadiness({ dependencies: [broken], now: () => 0 });
    const looked = await readiness.look();
    expect(looked).toEqual({
      ready: false,
      dependencies: [{ name: "cluster a", ok: false, why: "internal", at: 0 }],
    });
    await readiness.close();
  });
});

describe("asked for over and over", () => {
  promise(
    "telemetry:ready-bounded",
    "a thousand askers are one try, and the next comes fifteen seconds later",
    async () => {
      let now = 1_000_000;
      const one = dependency("cluster a", "cluster", "");
      const readiness = openReadiness({ dependencies: [one], now: () => now });
      await Promise.all(Array.from({ length: 1000 }, () => readiness.look()));
      now += 14_999;
      await readiness.look();
      expect(one.tries).toBe(1);
      now += 1;
      await Promise.all(Array.from({ length: 1000 }, () => readiness.look()));
      await readiness.close();
      expect(one.tries).toBe(2);
    },
  );

  promise(
    "telemetry:ready-bounded",
    "one that never answers is said to be away, and the others are told as they are",
    async () => {
      let asked: AbortSignal | undefined;
      const silent: Dependency = {
        name: "cluster a",
        kind: "cluster",
        probe: async (signal) => {
          asked = signal;
          return await new Promise<string>(() => undefined);
        },
      };
      const well = dependency("cluster b", "cluster", "");
      const readiness = openReadiness({ dependencies: [silent, well], now: () => 7, patience: 20 });
      expect(await readiness.look()).toEqual({
        ready: true,
        dependencies: [
          { name: "cluster a", ok: false, why: "deadline_exceeded", at: 7 },
          { name: "cluster b", ok: true, why: "", at: 7 },
        ],
      });
      expect(asked?.aborted).toBe(true);
      await readiness.close();
    },
  );

  promise(
    "telemetry:ready-bounded",
    "what was seen less than a minute ago is told while the next try runs",
    async () => {
      let now = 0;
      let answer = Promise.withResolvers<string>();
      answer.resolve("");
      const slow: Dependency = { name: "cluster a", kind: "cluster", probe: () => answer.promise };
      const readiness = openReadiness({ dependencies: [slow], now: () => now });
      await readiness.look();
      answer = Promise.withResolvers();
      now = 15_000;
      expect(await readiness.look()).toEqual({
        ready: true,
        dependencies: [{ name: "cluster a", ok: true, why: "", at: 0 }],
      });
      answer.resolve("cluster_unavailable");
      now = 16_000;
      await new Promise((resolve) => setImmediate(resolve));
      expect((await readiness.look()).ready).toBe(false);
      await readiness.close();
    },
  );

  test("closing ends a try that is under way", async () => {
    const silent: Dependency = { name: "cluster a", kind: "cluster", probe: () => new Promise(() => undefined) };
    const readiness = openReadiness({ dependencies: [silent], now: () => 0 });
    const looking = readiness.look();
    await readiness.close();
    expect((await looking).ready).toBe(false);
  });
});
