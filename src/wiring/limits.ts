// What one caller may use, whatever door it comes through: calls at the same time, calls and answered bytes a minute. Long: one caller's counts are one discipline.

import type { CallRequest } from "../domain/call.ts";
import type { EntryDraft } from "../domain/entry.ts";
import { fault, Faulted, type Fault } from "../domain/fault.ts";
import type { Outcome } from "../domain/outcome.ts";
import { roomOf, type PrincipalFields } from "../domain/principal.ts";
import type { Stages } from "../pipeline.ts";
import type { Counted } from "./counted.ts";

export interface LimitSetting {
  readonly inFlight: number;
  readonly callsPerMinute: number;
  readonly bytesPerMinute: number;
}
/** `callers` and `requests` are bounds of the gateway's own: callers that are told apart, requests that one holds open at the HTTP door. */
export type LimitName = keyof LimitSetting | "looksPerMinute" | "callers" | "requests";

/** Lists, prompts and looks at tasks cost less than a call, and clients ask for them more often: so many for each call of the minute. */
const looksPerCall = 4;

/** One call's place among its caller's. */
export interface Room {
  /** The stages, with the place given back while a person is waited for: a held call holds little. */
  on(stages: Stages): Stages;
  /** The call has ended; more than once counts once. */
  readonly leave: () => void;
}

export interface Limits {
  /** Takes a place, or says until when there is none. Fault: limit_exceeded. */
  enter(principal: PrincipalFields): Room;
  /** A place, or null: for what is only left out where there is none. */
  room(principal: PrincipalFields): Room | null;
  /** Takes a place for a call that a person agreed to: it counts, and is never refused. */
  enterApproved(principal: PrincipalFields): Room;
  /** Counts what is answered without a call: lists, prompts, how a task stands. Fault: limit_exceeded. */
  look(principal: PrincipalFields): void;
  /** What the caller was answered counts against its bytes. */
  answered(principal: PrincipalFields, outcome: Outcome): void;
}

export interface LimitOptions {
  readonly limits: LimitSetting;
  readonly now: () => number;
  /** A call was refused; nothing of it ran. */
  readonly exceeded: (principal: PrincipalFields, limit: LimitName) => void;
  /** Callers that are told apart at a time. */
  readonly mostCallers?: number;
}

/** Sends one call on under its caller's limits; beyond one it is refused, and nothing of it is run or recorded by itself. `line` gives the place back when the call has ended. */
export async function underLimits(
  limits: Limits,
  { id, principal }: Pick<CallRequest, "id" | "principal">,
  line: (room: Room) => Promise<Outcome>,
): Promise<Outcome> {
  let room: Room;
  try {
    room = limits.enter(principal);
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    return { kind: "refused", call: id, fault: thrown.fault };
  }
  const outcome = await line(room);
  limits.answered(principal, outcome);
  return outcome;
}

/** Who reached which limit; null beyond the callers that are told apart. */
export type Exceeded = { readonly principal: PrincipalFields; readonly limit: LimitName } | null;

/** The refusals of a minute as one entry. */
export function limitEntry({ about, count, since }: Counted<Exceeded>): EntryDraft {
  const details = { limit: about?.limit ?? "callers", count, since };
  return { kind: "limit.exceeded", session: null, call: null, principal: about?.principal ?? null, details };
}

/** A minute in whole seconds, and the second that has just begun: never more than the limit in any sixty. */
const slots = 61;

/** The limit that is in the way, and the seconds until it is not. */
interface Full {
  readonly limit: Exclude<LimitName, "requests">;
  readonly seconds: number;
}

interface Caller {
  inFlight: number;
  readonly calls: Float64Array;
  readonly looks: Float64Array;
  readonly bytes: Float64Array;
  /** The newest second of all three, by the steady clock. */
  second: number;
}

const words: { readonly [name in LimitName]: string } = {
  callers: "callers in one minute",
  inFlight: "calls at the same time",
  callsPerMinute: "calls a minute",
  looksPerMinute: "lists and looks a minute",
  requests: "requests at the same time",
  bytesPerMinute: "bytes of answers a minute",
};

export function openLimits({ limits, now, exceeded, mostCallers = 10_000 }: LimitOptions): Limits {
  /** In order of last use: the first was quiet longest. */
  const callers = new Map<string, Caller>();
  const steady = steadyClock(now);

  /** The caller's counts as of this moment; null where too many others are in the middle of their minute, since to forget one of them would give it new room. */
  function at(principal: PrincipalFields, second: number): Caller | null {
    const key = roomOf(principal);
    const found = callers.get(key);
    if (found === undefined && callers.size >= mostCallers && !forgetQuietest(second)) return null;
    const fresh = (): Caller => ({
      inFlight: 0,
      calls: new Float64Array(slots),
      looks: new Float64Array(slots),
      bytes: new Float64Array(slots),
      second,
    });
    const caller = found ?? fresh();
    callers.delete(key);
    callers.set(key, caller);
    forward(caller, second);
    return caller;
  }
  function forgetQuietest(second: number): boolean {
    for (const [key, { second: last, inFlight }] of callers) {
      if (second - last < slots) return false;
      if (inFlight === 0) return callers.delete(key);
    }
    return false;
  }
  function mostOf(limit: Exclude<LimitName, "requests">): number {
    if (limit === "callers") return mostCallers;
    return limit === "looksPerMinute" ? limits.callsPerMinute * looksPerCall : limits[limit];
  }
  function beyond(limit: Exclude<LimitName, "requests">, seconds: number): Fault["detail"] {
    const most = mostOf(limit);
    return { limit: `${most} ${words[limit]}`, bound: limit, most, seconds };
  }
  function roomIn(caller: Caller, second: number): Room {
    caller.inFlight += 1;
    caller.calls[second % slots] = (caller.calls[second % slots] ?? 0) + 1;
    let inside = true;
    const leave = (): void => {
      if (inside) caller.inFlight -= 1;
      inside = false;
    };
    return {
      leave,
      on: (stages) => ({
        ...stages,
        async seek(...asked) {
          leave();
          return await stages.seek(...asked);
        },
      }),
    };
  }

  function place(principal: PrincipalFields): Room | Full {
    const time = steady();
    const second = Math.floor(time / 1000);
    const caller = at(principal, second);
    if (caller === null) return { limit: "callers", seconds: slots };
    if (caller.inFlight >= limits.inFlight) return { limit: "inFlight", seconds: 1 };
    return (
      full("callsPerMinute", caller.calls, time) ?? full("bytesPerMinute", caller.bytes, time) ?? roomIn(caller, second)
    );
  }
  function full(limit: Full["limit"], counts: Float64Array, time: number): Full | null {
    const wait = untilBelow(counts, Math.floor(time / 1000), mostOf(limit)) * 1000 - (time % 1000);
    return wait > 0 ? { limit, seconds: Math.ceil(wait / 1000) } : null;
  }
  function refuse(principal: PrincipalFields, { limit, seconds }: Full): never {
    exceeded(principal, limit);
    throw new Faulted(fault("limit_exceeded", beyond(limit, seconds)));
  }

  return {
    enter(principal) {
      const found = place(principal);
      return "limit" in found ? refuse(principal, found) : found;
    },
    look(principal) {
      const time = steady();
      const second = Math.floor(time / 1000);
      const caller = at(principal, second);
      if (caller === null) return refuse(principal, { limit: "callers", seconds: slots });
      const over = full("looksPerMinute", caller.looks, time);
      if (over !== null) return refuse(principal, over);
      caller.looks[second % slots] = (caller.looks[second % slots] ?? 0) + 1;
    },
    room(principal) {
      const found = place(principal);
      if (!("limit" in found)) return found;
      exceeded(principal, found.limit);
      return null;
    },
    enterApproved(principal) {
      const second = Math.floor(steady() / 1000);
      const caller = at(principal, second);
      return caller === null ? { on: (stages) => stages, leave: () => undefined } : roomIn(caller, second);
    },
    answered(principal, outcome) {
      if (outcome.kind !== "completed") return;
      const second = Math.floor(steady() / 1000);
      const caller = at(principal, second);
      const { headline, blocks } = outcome.output;
      if (caller !== null)
        caller.bytes[second % slots] = (caller.bytes[second % slots] ?? 0) + bytesIn([headline, blocks]);
    },
  };
}

/** Milliseconds that never go back: after a step back of the clock the minute goes on from where it stood, so that no step gives new room or locks a caller out. */
function steadyClock(now: () => number): () => number {
  let last = now();
  let steady = last;
  return () => {
    const read = now();
    steady += Math.max(0, read - last);
    last = read;
    return steady;
  };
}

/** Empties the slots of the seconds that went by. */
function forward(caller: Caller, second: number): void {
  const gone = Math.min(second - caller.second, slots);
  for (let step = 1; step <= gone; step++)
    for (const counts of [caller.calls, caller.looks, caller.bytes]) counts[(caller.second + step) % slots] = 0;
  caller.second = second;
}

/** Whole seconds until the sum is below the limit; 0 where it is now. */
function untilBelow(counts: Float64Array, second: number, most: number): number {
  let sum = counts.reduce((total, one) => total + one, 0);
  // The oldest first: the slot after the newest, round the ring.
  for (let passed = 0; passed < slots; passed++) {
    if (sum < most) return passed;
    sum -= counts[(second + 1 + passed) % slots] ?? 0;
  }
  return slots;
}

/** Bytes of all texts in an answer. */
function bytesIn(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return value === null || value === undefined ? 0 : 4;
  let sum = 0;
  if (Array.isArray(value)) for (const one of value as readonly unknown[]) sum += bytesIn(one);
  else
    for (const key of Object.keys(value))
      sum += Buffer.byteLength(key) + bytesIn((value as Readonly<Record<string, unknown>>)[key]);
  return sum;
}
