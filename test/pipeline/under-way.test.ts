// Calls under way at the moment their agent is disabled: none slips through between being let in and being ended.

import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { expect } from "vitest";
import { openKeptCalls } from "../../src/approval/kept-calls.ts";
import type { CallRequest } from "../../src/domain/call.ts";
import { fault, Faulted } from "../../src/domain/fault.ts";
import { idsFrom } from "../../src/domain/ids.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { PrincipalFields } from "../../src/domain/principal.ts";
import type { Stages } from "../../src/pipeline.ts";
import { openLongCalls } from "../../src/wiring/long-calls.ts";
import { cutOff } from "../../src/wiring/results.ts";
import { openUnderWay } from "../../src/wiring/under-way.ts";
import { promise } from "../support/promise.ts";
import { freshFolder } from "../support/world.ts";

const random = (count: number): Uint8Array => randomBytes(count);
const ids = idsFrom(Date.now, random);
const identity = (subject: string) => ({ issuer: "https://id.example.com", subject });
const caller = (subject: string, ...actors: readonly string[]): PrincipalFields => ({
  ...identity(subject),
  kind: "agent",
  groups: [],
  actors: actors.map(identity),
  client: "c",
  verifier: "v",
});
const requestOf = (principal: PrincipalFields): CallRequest =>
  ({
    id: ids.call(),
    principal,
    session: { id: ids.session(), door: "http" },
    tool: "nodes_drain",
    signal: new AbortController().signal,
    hold: 20,
    progress: () => undefined,
  }) as unknown as CallRequest;
const done = ({ id }: CallRequest): Outcome => ({ kind: "completed", call: id }) as Outcome;
/** Runs until its signal ends it. */
const untilEnded = async (own: CallRequest): Promise<Outcome> => {
  await new Promise<void>((resolve) => own.signal.addEventListener("abort", () => resolve(), { once: true }));
  return { kind: "failed", call: own.id, fault: fault("cancelled") };
};
const never = new Promise<never>(() => undefined);

promise("accounts:kill-switch", "whoever was let in before and begins after gets nothing begun", async () => {
  let why = "";
  const underWay = openUnderWay(() => why);
  let begun = 0;
  const line = async (own: CallRequest): Promise<Outcome> => {
    begun += 1;
    return done(own);
  };
  expect((await underWay.govern(requestOf(caller("ci")), line)).kind).toBe("completed");
  why = "the agent ci is disabled";
  const late = await underWay.govern(requestOf(caller("ci")), line);
  expect([late.kind, late.kind === "refused" && late.fault.code, begun]).toEqual(["refused", "cancelled", 1]);
});

promise(
  "accounts:kill-switch",
  "in whose chain it stands, and nobody else; one that breaks is waited for too",
  async () => {
    const underWay = openUnderWay(() => "");
    const flights = [caller("ci"), caller("olga", "ci"), caller("olga", "shell", "ci"), caller("other")].map((who) => {
      const request = requestOf(who);
      return { who, request, flight: underWay.govern(request, untilEnded) };
    });
    const breaking = requestOf(caller("ci"));
    const broken = underWay.govern(breaking, async (own) => {
      await untilEnded(own);
      throw new Error("a bug");
    });
    const ends = underWay.end(identity("ci"));
    await expect(broken).rejects.toThrow("a bug");
    const ended = await Promise.all(ends.map((one) => one.ended(never)));
    expect(ended.map(({ call, outcome }) => [call, outcome?.kind])).toEqual([
      ...flights.slice(0, 3).map(({ request }) => [request.id, "failed"]),
      [breaking.id, "failed"],
    ]);
    expect(await Promise.race([flights[3]?.flight, Promise.resolve("still running")])).toBe("still running");
    expect(underWay.end(identity("other"))).toHaveLength(1);
    await flights[3]?.flight;
  },
);

promise(
  "accounts:kill-switch",
  "one that is on its way to a person asks nobody any more, and one that waits is only let go",
  async () => {
    const underWay = openUnderWay(() => "");
    const asked: string[] = [];
    const stages = {
      seek: async () => {
        asked.push("a person");
        return await new Promise<Outcome>((resolve) => (let_go = () => resolve({ kind: "suspended" } as Outcome)));
      },
    } as unknown as Stages;
    let let_go = (): void => undefined;
    const seeking = (watched: Stages): Promise<Outcome> =>
      watched.seek(...([] as unknown as Parameters<Stages["seek"]>));
    const late = requestOf(caller("ci"));
    const flight = underWay.govern(late, async (own, watched) => {
      await untilEnded(own);
      return await seeking(watched(stages)).catch((thrown: unknown) => {
        if (!(thrown instanceof Faulted)) throw thrown;
        return { kind: "refused", call: own.id, fault: thrown.fault };
      });
    });
    const held = underWay.govern(requestOf(caller("ci")), (_, watched) => seeking(watched(stages)));
    expect(underWay.end(identity("ci")).map((one) => one.call)).toEqual([late.id]);
    const outcome = await flight;
    expect([outcome.kind, asked]).toEqual(["refused", ["a person"]]);
    let_go();
    await held;
  },
);

promise("accounts:kill-switch", "also one whose caller was answered long ago while it runs on", async () => {
  const folder = await freshFolder();
  const kept = await openKeptCalls({ folder, random, answerFor: 60_000, now: Date.now, cutOff });
  const long = openLongCalls({ kept, now: Date.now, log: () => undefined });
  const underWay = openUnderWay(() => "");
  const request = requestOf(caller("ci"));
  const answered = await long.govern(request, (own, running) =>
    underWay.govern(own, async (one, watched) => {
      const stages = watched(running({ execute: () => untilEnded(one) } as unknown as Stages));
      await stages.execute(...([] as unknown as Parameters<Stages["execute"]>));
      return { kind: "failed", call: one.id, fault: fault("cancelled", {}, "", "applied") };
    }),
  );
  expect([answered.kind, long.list().length]).toEqual(["running", 1]);
  const [ended] = await Promise.all(underWay.end(identity("ci")).map((one) => one.ended(never)));
  expect(ended?.outcome).toMatchObject({ kind: "failed", fault: { code: "cancelled", effect: "applied" } });
  await long.close();
  expect(long.list()).toEqual([]);
  await rm(folder, { recursive: true });
});

promise("accounts:kill-switch", "what does not end in time is told as not ended", async () => {
  const underWay = openUnderWay(() => "");
  const deaf = Promise.withResolvers<Outcome>();
  const request = requestOf(caller("ci"));
  const flight = underWay.govern(request, () => deaf.promise);
  const [one] = underWay.end(identity("ci"));
  expect((await one?.ended(Promise.resolve()))?.outcome).toBeNull();
  deaf.resolve(done(request));
  await flight;
});
