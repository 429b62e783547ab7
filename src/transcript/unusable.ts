// The one fault that a transcript has: it can't be used, and why.

import { fault, Faulted } from "../domain/fault.ts";

/** A `transcript_unavailable` fault with its cause, a sentence for the operator. */
export function unusable(cause: string): Faulted {
  return new Faulted(fault("transcript_unavailable", {}, cause));
}

/** The entries are on record, and what they refer to is not: whoever is refused for it does not put them there again. */
export class BodyLost extends Faulted {
  constructor(cause: string) {
    super(fault("transcript_unavailable", {}, cause));
  }
}
