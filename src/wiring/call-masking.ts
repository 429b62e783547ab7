// One call's masking: the configured profile, and from its decision on what policy asks besides.

import type { PlannedCall } from "../domain/call.ts";
import type { Obligations } from "../domain/decision.ts";
import { Faulted } from "../domain/fault.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { MaskedOutput, Output } from "../domain/output.ts";
import type { Session } from "../domain/principal.ts";
import type { MaskIncoming } from "../execution/contract.ts";
import type { Masking } from "../masking/mask.ts";

export interface CallMasking {
  /** What policy asks of the answer. Of the profiles those of every decision of the call count: it only ever shows less. */
  oblige(asked: Obligations): void;
  json(value: JsonObject): JsonObject;
  /** The call with the agent's own words as approvers and the record see them; the exact ones stay in the arguments, which are sealed. */
  spoken(call: PlannedCall): PlannedCall;
  /** What broke, for the operator: hidden as the answer is. */
  cause(text: string): string;
  incoming(): MaskIncoming;
  /** The last pass over an answer, with the bytes that it may take. */
  output(output: Output): MaskedOutput;
}

export function openCallMasking(masking: Masking, session: Session, supplied: Json): CallMasking {
  let masker = masking.forCall(session, supplied);
  let maxBytes: number | null = null;
  const also = new Set<string>();
  return {
    oblige(asked) {
      ({ maxBytes } = asked);
      if (asked.mask.every((name) => also.has(name))) return;
      for (const name of asked.mask) also.add(name);
      masker = masking.forCall(session, supplied, [...also]);
    },
    json: (value) => masker.json(value),
    spoken: (call) => (call.reason === null ? call : Object.freeze({ ...call, reason: masker.text(call.reason) })),
    cause(text) {
      try {
        return masker.text(text);
      } catch (thrown) {
        return thrown instanceof Faulted ? thrown.fault.code : "could not be masked";
      }
    },
    incoming() {
      // What earlier answers showed was tagged without regard for what this call holds.
      const unnamed = masking.forCall(session, {}, [...also]);
      return { ...masker, asRead: (value) => unnamed.object(value) };
    },
    output: (output) => masker.output(maxBytes === null ? output : { ...output, maxBytes }),
  };
}
