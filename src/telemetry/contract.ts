// What the gateway tells whoever watches it: how long what took and how it ended; never what was asked, of which object, or by whom.

import type { FaultCode } from "../domain/fault.ts";
import type { CallId } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";

/** The stations of the line, as `src/pipeline.ts` names them; `approve` waits for a person, `revoke` takes the credential back. */
export const stageNames = [
  "plan",
  "resolve",
  "decide",
  "record",
  "preview",
  "approve",
  "spend",
  "authorize",
  "issue",
  "execute",
  "mask",
  "revoke",
] as const;
export type StageName = (typeof stageNames)[number];

/** One passage of a call through the line. Times are milliseconds since 1970, with fractions. */
export interface LineWatch {
  /** The cluster's name is the operator's own, from the configuration. */
  planned(cluster: string): void;
  /** `broke`: the code of the fault that ended the stage, or null. */
  stage(name: StageName, began: number, ended: number, broke: FaultCode | null): void;
  ended(outcome: Outcome, at: number): void;
}

/** Watches every call of a gateway. Nothing in here may throw or wait: a call never depends on who looks on. `tool` is one of the catalogue, or `unknown`. */
export interface Observer {
  line(call: CallId, tool: string, began: number): LineWatch;
  /** What a caller was answered; the only count of calls. */
  answered(tool: string, outcome: Outcome): void;
  /** How a call ended that ran because a person agreed, or that ran on after its caller was answered. */
  ranLater(tool: string, outcome: Outcome): void;
  /** One durable append to the transcript: milliseconds, and whether it became durable. */
  appended(took: number, durable: boolean): void;
  /** Somebody was turned away at the door. */
  stranger(): void;
}

/** An observer with the clock that it is told by. */
export interface Observed {
  readonly observer: Observer;
  /** Milliseconds since 1970, with fractions; never runs backwards. */
  readonly clock: () => number;
}

/** Several observers as one. */
export function together(observers: readonly Observer[]): Observer {
  return {
    line(call, tool, began) {
      const watches = observers.map((one) => one.line(call, tool, began));
      return {
        planned: (cluster) => watches.forEach((one) => one.planned(cluster)),
        stage: (...told) => watches.forEach((one) => one.stage(...told)),
        ended: (...told) => watches.forEach((one) => one.ended(...told)),
      };
    },
    answered: (...told) => observers.forEach((one) => one.answered(...told)),
    ranLater: (...told) => observers.forEach((one) => one.ranLater(...told)),
    appended: (...told) => observers.forEach((one) => one.appended(...told)),
    stranger: () => observers.forEach((one) => one.stranger()),
  };
}
