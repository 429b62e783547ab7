// What the gateway lends a channel that carries answers: reading requests, and one person's verified answer to one.

import type { Append } from "../domain/entry.ts";
import type { ApprovalId } from "../domain/ids.ts";
import { mayNotAnswer, maySee, tally, type Mode, type RefusalCode, type Voter } from "./ballot.ts";
import type { ApprovalStore, KeptRequest } from "./stores/contract.ts";
import { decideRequest, revoke, type Decided, type Revoked } from "./verdict.ts";

export interface Vote {
  readonly id: ApprovalId;
  readonly by: Voter;
  readonly answer: "approve" | "reject";
  /** The person's own words, not yet masked. */
  readonly reason: string;
  readonly tellAgent: boolean;
}

export interface Desk {
  /** For showing it where its card is; what a person may see of it `seen` says. */
  request(id: ApprovalId): Promise<KeptRequest | undefined>;
  /** All that are pending or approved, oldest first. */
  open(): Promise<readonly KeptRequest[]>;
  /** The request, if this person may see it, and why they may not answer it; null when they may. */
  seen(
    id: ApprovalId,
    by: Voter,
  ): Promise<{ readonly request: KeptRequest; readonly barred: RefusalCode | null } | null>;
  /** `have` people of `need` so far. */
  tally(request: KeptRequest): { readonly have: number; readonly need: number };
  /** Counts an answer as verdict.ts judges it. A no to what is approved takes it back. Fault: transcript_unavailable. */
  vote(vote: Vote): Promise<Decided | Revoked>;
  readonly append: Append;
}

/** The desk of one gateway; `mask` makes a person's words fit for the record, `now` is in milliseconds since 1970. */
export function openDesk(given: {
  readonly store: ApprovalStore;
  readonly append: Append;
  readonly mode: Mode;
  readonly mask: (text: string) => string;
  readonly now: () => number;
}): Desk {
  const { store, append, mode, mask, now } = given;
  return {
    append,
    request: (id) => store.get(id),
    open: () => store.list(["pending", "approved"]),
    async seen(id, by) {
      const request = await store.get(id);
      const moment = { mode, now: now() };
      if (request === undefined || !maySee(request, by, moment)) return null;
      return { request, barred: mayNotAnswer(request, by, moment) };
    },
    tally: (request) => tally(request, mode),
    async vote({ id, by, answer, reason, tellAgent }) {
      const ballot = { id, by, answer, reason: mask(reason), tellAgent, mode, now: now() };
      const takesBack = answer === "reject" && (await store.get(id))?.state === "approved";
      return await (takesBack ? revoke : decideRequest)(store, append, ballot);
    },
  };
}
