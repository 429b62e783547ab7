// What one caller may use: first the attacks on its counts, then the same through the doors.

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { Client } from "@modelcontextprotocol/client";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { Faulted, fault } from "../../src/domain/fault.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Principal, PrincipalFields } from "../../src/domain/principal.ts";
import type { Stages } from "../../src/pipeline.ts";
import { countRolledUp } from "../../src/wiring/counted.ts";
import { limitEntry, openLimits, underLimits, type Exceeded, type LimitSetting } from "../../src/wiring/limits.ts";
import { eventually, expectVerifies, listing, openShop, scaling, told, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { clientTransport } from "../support/world.ts";

const wide: LimitSetting = { inFlight: 1000, callsPerMinute: 100_000, bytesPerMinute: 1_073_741_824 };
const who = (subject: string, more: Partial<PrincipalFields> = {}): PrincipalFields => ({
  issuer: "https://id.example.com",
  subject,
  kind: "agent",
  groups: [],
  actors: [],
  client: "c",
  verifier: "v",
  ...more,
});
const answering = (bytes: number): Outcome =>
  ({
    kind: "completed",
    output: { headline: ["x".repeat(bytes)], blocks: [], facts: {}, untrusted: false, masked: [] },
  }) as unknown as Outcome;

/** Limits under a clock of the test's own. */
function opened(limits: Partial<LimitSetting>, mostCallers?: number) {
  const clock = { now: 1_000_000 };
  const refused: string[] = [];
  const made = openLimits({
    limits: { ...wide, ...limits },
    now: () => clock.now,
    exceeded: (principal, limit) => void refused.push(`${principal.subject} ${limit}`),
    ...(mostCallers === undefined ? {} : { mostCallers }),
  });
  /** "in", or the limit and the seconds. */
  const enter = (principal: PrincipalFields): string => {
    try {
      const room = made.enter(principal);
      leaving.push(room.leave);
      return "in";
    } catch (thrown) {
      if (!(thrown instanceof Faulted)) throw thrown;
      const { bound, most, seconds } = thrown.fault.detail;
      return [bound, most, seconds].map(String).join(" ");
    }
  };
  const leaving: (() => void)[] = [];
  const leaveAll = (): void => leaving.splice(0).forEach((leave) => leave());
  return { clock, refused, enter, leaveAll, limits: made };
}
const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe("attacks on the counts", () => {
  promise(
    "limits:enforced",
    "a thousand quick calls get as many as the minute has, and learn when the next comes",
    () => {
      const { clock, enter, leaveAll } = opened({ callsPerMinute: 300 });
      const answers = times(1000, () => enter(who("ci")));
      expect(answers.filter((one) => one === "in")).toHaveLength(300);
      expect(new Set(answers.slice(300))).toEqual(new Set(["callsPerMinute 300 61"]));
      leaveAll();
      clock.now += 60_999;
      expect(enter(who("ci"))).toBe("callsPerMinute 300 1");
      clock.now += 1;
      expect(enter(who("ci"))).toBe("in");
    },
  );

  promise(
    "limits:enforced",
    "never more than the limit in any sixty seconds, and the time that is told is right",
    () => {
      const steps = fc.array(
        fc.record({ wait: fc.integer({ min: 0, max: 9000 }), burst: fc.integer({ min: 1, max: 12 }) }),
        {
          maxLength: 60,
        },
      );
      fc.assert(
        fc.property(steps, (given) => {
          const { clock, enter, leaveAll } = opened({ callsPerMinute: 20 });
          const taken: number[] = [];
          for (const { wait, burst } of given) {
            clock.now += wait;
            for (let count = 0; count < burst; count++) {
              const answer = enter(who("ci"));
              if (answer === "in") taken.push(clock.now);
              else {
                const seconds = Number(answer.split(" ")[2]);
                expect(seconds).toBeGreaterThanOrEqual(1);
                // Nobody waits longer than a minute, and whoever waits as told is let in.
                expect(seconds).toBeLessThanOrEqual(61);
                clock.now += seconds * 1000;
                expect(enter(who("ci"))).toBe("in");
                taken.push(clock.now);
              }
            }
            leaveAll();
          }
          for (const [index, time] of taken.entries())
            expect(taken.slice(index).filter((one) => one < time + 60_000).length).toBeLessThanOrEqual(20);
        }),
        { numRuns: 60 },
      );
    },
  );

  promise(
    "limits:enforced",
    "many at once: as many as may be in flight, and a held call gives its place back",
    async () => {
      const { enter, leaveAll, limits } = opened({ inFlight: 4 });
      expect(times(40, () => enter(who("ci"))).filter((one) => one === "in")).toHaveLength(4);
      expect(enter(who("ci"))).toBe("inFlight 4 1");
      expect(enter(who("other"))).toBe("in");
      leaveAll();
      const rooms = times(4, () => limits.enter(who("ci")));
      expect(enter(who("ci"))).toBe("inFlight 4 1");
      const person = Promise.withResolvers<Outcome>();
      const stages = rooms[0]?.on({ seek: () => person.promise } as unknown as Stages);
      void stages?.seek(...([] as unknown as Parameters<Stages["seek"]>));
      expect(enter(who("ci"))).toBe("in");
      // It ends later, and is counted out once.
      rooms[0]?.leave();
      expect(enter(who("ci"))).toBe("inFlight 4 1");
    },
  );

  promise(
    "limits:enforced",
    "bytes of the answers; a call that a person agreed to is counted and never refused",
    async () => {
      const { clock, enter, leaveAll, limits } = opened({ bytesPerMinute: 65_536, inFlight: 2 });
      const asks = { id: "call_x" as never, principal: who("ci") as Principal };
      for (let count = 0; count < 2; count++)
        expect((await underLimits(limits, asks, async (room) => (room.leave(), answering(40_000)))).kind).toBe(
          "completed",
        );
      expect(enter(who("ci"))).toBe("bytesPerMinute 65536 61");
      clock.now += 61_000;
      expect(enter(who("ci"))).toBe("in");
      const agreed = times(3, () => limits.enterApproved(who("ci")));
      expect(enter(who("ci"))).toBe("inFlight 2 1");
      for (const one of agreed) one.leave();
      leaveAll();
      expect(enter(who("ci"))).toBe("in");
    },
  );

  promise(
    "limits:no-new-room",
    "another client, name, group or chain behind the nearest agent; a person and its agents are apart",
    () => {
      const { enter } = opened({ callsPerMinute: 1 });
      const actor = { issuer: "https://id.example.com", subject: "shell" };
      const base = who("olga", { kind: "person", actors: [actor] });
      expect(enter(base)).toBe("in");
      for (const more of [
        { clientId: "another" },
        { client: "another/2" },
        { groups: ["admins"] },
        { verifier: "another" },
        { claims: { team: "x" } },
        { actors: [actor, { issuer: "i", subject: "behind" }] },
      ])
        expect([more, enter({ ...base, ...more })]).toEqual([more, "callsPerMinute 1 61"]);
      expect(enter(who("olga", { kind: "person" }))).toBe("in");
      expect(enter(who("ann", { kind: "person", actors: [actor] }))).toBe("in");
    },
  );

  promise(
    "limits:looks",
    "four for each call of the minute, counted apart from calls and given back by time alone",
    () => {
      const { clock, enter, refused, limits } = opened({ callsPerMinute: 5 });
      const look = (principal: PrincipalFields): string => {
        try {
          limits.look(principal);
          return "seen";
        } catch (thrown) {
          if (!(thrown instanceof Faulted)) throw thrown;
          const { bound, most, seconds } = thrown.fault.detail as { bound: string; most: number; seconds: number };
          return `${thrown.fault.code} ${bound} ${most} ${seconds}`;
        }
      };
      expect(times(1000, () => look(who("ci"))).filter((one) => one === "seen")).toHaveLength(20);
      expect(look(who("ci", { clientId: "another" }))).toBe("limit_exceeded looksPerMinute 20 61");
      expect([look(who("other")), enter(who("ci"))]).toEqual(["seen", "in"]);
      clock.now += 60_999;
      expect(look(who("ci"))).toBe("limit_exceeded looksPerMinute 20 1");
      clock.now += 1;
      expect(look(who("ci"))).toBe("seen");
      expect(new Set(refused)).toEqual(new Set(["ci looksPerMinute"]));
    },
  );

  promise("limits:looks", "a full table lets nobody new look, and remembers who only looks", () => {
    const { enter, limits, refused } = opened({}, 2);
    limits.look(who("a"));
    enter(who("b"));
    expect(() => limits.look(who("late"))).toThrow(Faulted);
    expect(refused).toEqual(["late callers"]);
  });

  promise("limits:no-new-room", "a clock that steps back or forth neither empties the minute nor stops it", () => {
    const { clock, enter, leaveAll } = opened({ callsPerMinute: 5 });
    for (let count = 0; count < 5; count++) enter(who("ci"));
    leaveAll();
    for (const step of [-3_600_000, -1, -86_400_000]) {
      clock.now += step;
      expect(enter(who("ci"))).toBe("callsPerMinute 5 61");
    }
    clock.now += 61_000;
    expect(times(6, () => enter(who("ci"))).filter((one) => one === "in")).toHaveLength(5);
  });

  promise(
    "limits:bounded",
    "a table that is full forgets only whose minute is over, and nobody who runs something",
    () => {
      const { clock, enter, leaveAll, refused } = opened({ callsPerMinute: 1 }, 100);
      expect(times(100, (at) => enter(who(`a${at}`)))).toEqual(times(100, () => "in"));
      expect(enter(who("late"))).toBe("callers 100 61");
      expect(enter(who("a0"))).toBe("callsPerMinute 1 61");
      clock.now += 61_000;
      // All of them still run something: none may be forgotten.
      expect(enter(who("late"))).toBe("callers 100 61");
      leaveAll();
      expect(enter(who("late"))).toBe("in");
      expect(enter(who("late"))).toBe("callsPerMinute 1 61");
      expect(refused).toEqual(["late callers", "a0 callsPerMinute", "late callers", "late callsPerMinute"]);
    },
  );

  promise(
    "limits:rolled-up",
    "one entry a caller and limit, kept where it can't be written; too many are counted together",
    async () => {
      let now = Date.parse("2027-01-01T00:00:00Z");
      const written: unknown[] = [];
      let broken = true;
      const counts = countRolledUp<Exceeded>(
        () => now,
        null,
        async (counted) => {
          if (broken) throw new Error("no space");
          written.push(...counted.map(limitEntry).map(({ principal, details }) => [principal?.subject ?? "", details]));
        },
      );
      const exceed = (subject: string): void => counts.count(subject, { principal: who(subject), limit: "inFlight" });
      for (let count = 0; count < 500; count++) exceed("ci");
      now += 1000;
      await expect(counts.flush()).rejects.toThrow("no space");
      exceed("ci");
      exceed("other");
      broken = false;
      await counts.flush();
      await counts.flush();
      expect(written.splice(0)).toEqual([
        ["ci", { limit: "inFlight", count: 501, since: "2027-01-01T00:00:00.000Z" }],
        ["other", { limit: "inFlight", count: 1, since: "2027-01-01T00:00:01.000Z" }],
      ]);
      for (let at = 0; at < 10_500; at++) exceed(`x${at}`);
      await counts.flush();
      expect(written).toHaveLength(10_001);
      expect(written.at(-1)).toEqual(["", { limit: "callers", count: 500, since: "2027-01-01T00:00:01.000Z" }]);
      counts.stop();
    },
  );

  promise("limits:enforced", "what breaks on the way to a call is not taken for a limit", async () => {
    const { limits } = opened({});
    const asks = { id: "call_x" as never, principal: who("ci") as Principal };
    const broken = underLimits(limits, asks, () => Promise.reject(new Faulted(fault("internal"))));
    await expect(broken).rejects.toThrow();
  });
});

describe("through the doors", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({ config: "hold: 0\nlimits: { inFlight: 3, callsPerMinute: 12, bytesPerMinute: 65536 }" });
  });
  afterAll(async () => {
    await shop?.stop();
  });

  promise(
    "limits:looks",
    "lists and prompts without end are an error that says when to come back; calls go on, and a count is on record",
    async () => {
      const { world } = shop;
      const asking = async (method: string): Promise<JsonObject> => {
        const headers = {
          authorization: `Bearer ${world.tokens.agent}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        };
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method });
        const text = await (await fetch(world.url, { method: "POST", headers, body })).text();
        return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as JsonObject;
      };
      const answers: JsonObject[] = [];
      for (let count = 0; count < 60; count++)
        answers.push(await asking(["tools/list", "prompts/list", "resources/templates/list"][count % 3] ?? ""));
      const refused = answers.filter((one) => one["error"] !== undefined);
      // Whatever the client of this world looked at when it came counts as well.
      expect(refused.length).toBeGreaterThanOrEqual(12);
      expect(answers.length - refused.length).toBeGreaterThan(40);
      const [first] = refused;
      expect([at(first ?? {}, "error", "code"), textAt(first, "error", "message")]).toEqual([
        -32603,
        "limit_exceeded: You have reached your limit of 48 lists and looks a minute; try again later.",
      ]);
      const seconds = Number(at(first ?? {}, "error", "data", "retry_after"));
      expect([seconds > 0, seconds <= 61]).toEqual([true, true]);
      expect((await world.call("objects_list", listing)).isError).toBe(false);
      await world.restart();
      const counted = (await world.entries()).filter((entry) => entry["kind"] === "limit.exceeded");
      expect(counted.map((entry) => [textAt(entry, "details", "limit"), at(entry, "details", "count")])).toEqual([
        ["looksPerMinute", refused.length],
      ]);
    },
  );

  promise(
    "limits:enforced",
    "in words and facts; another caller is served, and nothing of the refused calls is on record but their count",
    async () => {
      const { world, wire } = shop;
      const before = (await world.entries()).length;
      const answers = [];
      for (let count = 0; count < 16; count++) answers.push(await world.call("objects_list", listing));
      expect(answers.slice(0, 12).map((one) => one.isError)).toEqual(times(12, () => false));
      wire.passed.length = 0;
      const last = await world.call("workloads_scale", scaling("shop-dev", 4));
      const [sentence, next, call, facts] = told(last);
      const seconds = Number(last.facts["retry_after"]);
      expect([sentence, next, call, facts]).toEqual([
        "ERROR limit_exceeded: You have reached your limit callsPerMinute: 12 calls a minute. Nothing was run.",
        `next: wait ${seconds} s, or ask for less at a time.`,
        `call - effect none - retry after ${seconds} s`,
        "refused limit_exceeded none later",
      ]);
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(61);
      expect(last.facts["limit"]).toEqual({ name: "callsPerMinute", most: 12 });
      expect(wire.passed.filter(({ method }) => method !== "GET")).toEqual([]);

      // Another client and another connection of the same caller have no room of their own.
      const second = new Client({ name: "second", version: "1.0.0" });
      await second.connect(clientTransport(world.url, world.tokens.agent));
      expect((await second.callTool({ name: "objects_list", arguments: listing })).isError).toBe(true);
      await second.close();
      const other = new Client({ name: "approver", version: "1.0.0" });
      await other.connect(clientTransport(world.url, world.tokens.approver));
      const served = await other.callTool({ name: "access_review", arguments: {} });
      expect(textAt(served._meta?.["sallyport/facts"] as JsonObject, "code")).not.toBe("limit_exceeded");
      await other.close();

      await world.restart();
      const since = (await world.entries()).slice(before).filter((entry) => entry["kind"] === "limit.exceeded");
      expect(
        since.map((entry) => [
          textAt(entry, "principal", "sub"),
          textAt(entry, "details", "limit"),
          (entry["details"] as JsonObject)["count"],
        ]),
      ).toEqual([["agent", "callsPerMinute", 6]]);
      await expectVerifies(world);
    },
  );

  promise(
    "limits:enforced",
    "calls at the same time, down to one that hangs; the place is free when it has ended",
    async () => {
      const { world, wire } = shop;
      await world.restart();
      wire.rule = (one) => (one.url.includes("includeObject=None") ? { kind: "hang" } : { kind: "pass" });
      const leaving = new AbortController();
      const asks = times(3, () => world.call("objects_list", listing, { signal: leaving.signal }).catch(() => "left"));
      await eventually(
        () => wire.passed.filter(({ url }) => url.includes("includeObject=None")).length,
      ).toBeGreaterThanOrEqual(3);
      const fourth = await world.call("objects_list", listing);
      expect(told(fourth)[0]).toBe(
        "ERROR limit_exceeded: You have reached your limit inFlight: 3 calls at the same time. Nothing was run.",
      );
      leaving.abort();
      await Promise.all(asks);
      wire.rule = () => ({ kind: "pass" });
      await eventually(async () => (await world.call("access_review", {})).isError).toBe(false);
    },
  );
});
