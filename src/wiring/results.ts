// A call's end as it waits for its caller: masked already, kept sealed, told once.

import type { StoredResult } from "../domain/approval.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { WaitAnswer } from "../tool.ts";

/** The masked answer, as it waits for its caller. */
export function resultOf(outcome: Outcome): StoredResult {
  switch (outcome.kind) {
    case "completed":
      return { kind: "completed", output: outcome.output, effect: outcome.effect, delivered: false };
    case "failed":
    case "refused": {
      const { code, detail, effect } = outcome.fault;
      return { kind: "failed", code, detail, effect, delivered: false };
    }
    case "suspended":
    case "running":
      return cutOff;
  }
}

/** The answer of a call that had begun when its process ended. */
export const cutOff: StoredResult = {
  kind: "failed",
  code: "internal",
  detail: {},
  effect: "unknown",
  delivered: false,
};

/** What `approval_wait` tells of it. Faults: the call's own, with what it left. */
export function answerOf(result: StoredResult): WaitAnswer {
  if (result.kind === "completed") return { kind: "completed", output: result.output, effect: result.effect };
  throw new Faulted(fault(result.code, result.detail, "", result.effect));
}
