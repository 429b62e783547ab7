// The console's desk on the real store: what one signed-in person may see, and their answer as verdict.ts judges it.

import { mayNotAnswer, maySee, tally, type Mode, type Voter } from "../approval/ballot.ts";
import type { Desk } from "../approval/desk.ts";
import { neutralise } from "../approval/neutral.ts";
import type { People } from "../approval/people.ts";
import { refusals } from "../approval/refusals.ts";
import { isEnd } from "../approval/states.ts";
import type { ApprovalStore, KeptRequest } from "../approval/stores/contract.ts";
import { approvalStates } from "../domain/approval.ts";
import type { Assurance } from "../domain/decision.ts";
import { parseApprovalId } from "../domain/ids.ts";
import { textAt } from "../domain/json.ts";
import type { PrincipalFields, Subject } from "../domain/principal.ts";
import type { Kept } from "../transcript/read.ts";

/** Who asks, as the console signed them in. */
export interface Visitor extends Subject {
  readonly groups: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ConsoleMatter {
  readonly store: ApprovalStore;
  readonly desk: Desk;
  readonly people: People;
  readonly mode: Mode;
  /** The last entries that tell of the object of this uid, as the transcript has them. */
  readonly about: (uid: string) => Promise<readonly Kept[]>;
  /** Puts on record who is shown what of the record. Faults: transcript_unavailable. */
  readonly viewed: (by: PrincipalFields, query: string, call: string, count: number) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A name by an identity provider, as it can be looked at. */
export const shown = (name: string): string => neutralise(name, 260);

const day = 24 * 3_600_000;
const mostHistory = 10;
const askAgain = "Your groups were told more than 15 minutes ago: sign out and in again to answer.";

export function consoleDesk({ store, desk, people, mode, about, viewed, now }: ConsoleMatter) {
  const voterOf = (visitor: Visitor, assurance: Assurance): Voter =>
    people.voter({ ...visitor, channel: "console", assurance }, now());
  const moment = () => ({ mode, now: now() });

  function seen(request: KeptRequest, visitor: Visitor) {
    const voter = voterOf(visitor, "chat");
    const code = mayNotAnswer(request, voter, moment());
    const stale = code === "not_an_approver" && people.isStale({ ...visitor, channel: "", assurance: "chat" }, now());
    const { id, state, why, card, requirements, approvalDigest, requestedAt, expiresAt, ran } = request;
    const verdicts = request.verdicts.map((one) => ({ ...one, by: { ...one.by, subject: shown(one.by.subject) } }));
    return {
      id,
      state,
      why,
      card,
      requirements,
      verdicts,
      approvalDigest,
      requestedAt,
      expiresAt,
      ...tally(request, mode),
      barred: code === null ? "" : stale ? askAgain : refusals[code],
      stepUp: code === null && needsStepUp(request, voter),
      ran: ran === undefined ? "" : ran.kind === "completed" ? `ran: effect ${ran.effect}` : `failed: ${ran.code}`,
    };
  }

  /** Does a requirement that names this person ask for a fresh login? One login then meets all that name them. */
  function needsStepUp(request: KeptRequest, voter: Voter): boolean {
    return request.requirements.some(
      (one) =>
        one.assurance === "step-up" && mayNotAnswer({ ...request, requirements: [one] }, voter, moment()) === null,
    );
  }

  return {
    async list(visitor: Visitor, ended: boolean) {
      const states = ended ? null : approvalStates.filter((state) => !isEnd(state));
      const requests = await store.list(states);
      return requests
        .filter((one) => one.endedAt === null || now() - one.endedAt < day)
        .filter((one) => maySee(one, voterOf(visitor, "chat"), moment()))
        .map((one) => seen(one, visitor));
    },

    async show(visitor: Visitor, text: string) {
      const id = parseApprovalId(text);
      const request = id === undefined ? undefined : await store.get(id);
      if (request === undefined || !maySee(request, voterOf(visitor, "chat"), moment())) return null;
      return seen(request, visitor);
    },

    /** What was done to the same objects, by their uids: a name that was given anew has another history. */
    async history(visitor: Visitor, { id }: { readonly id: KeptRequest["id"] }) {
      const request = await store.get(id);
      const uids = [...new Set((request?.preconditions ?? []).map((one) => one.uid).filter((uid) => uid !== ""))];
      const found = await Promise.all(uids.slice(0, 5).map(about));
      const told = found
        .flat()
        .filter(({ entry }) => entry.kind === "call.settled" && textAt(entry.details, "effect") !== "none")
        .toSorted((a, b) => b.index - a.index)
        .slice(0, mostHistory);
      if (uids.length > 0) await viewed(readerOf(visitor), `objects of ${id}`, request?.call.id ?? "", told.length);
      return told.map(earlier);
    },

    async answer(
      visitor: Visitor,
      given: {
        readonly id: KeptRequest["id"];
        readonly answer: "approve" | "reject";
        readonly reason: string;
        readonly tellAgent: boolean;
        readonly fresh: boolean;
      },
    ) {
      const { id, answer, reason, tellAgent, fresh } = given;
      const by = voterOf(visitor, fresh ? "step-up" : "chat");
      const decided = await desk.vote({ id, by, answer, reason, tellAgent });
      if (decided.kind !== "refused") return { kind: "counted" as const };
      return { kind: "refused" as const, says: refusals[decided.code] };
    },
  };
}

/** Whoever looks, as entries name them. */
function readerOf({ issuer, subject, groups }: Visitor): PrincipalFields {
  return { issuer, subject, kind: "person", groups, actors: [], client: "console", verifier: "console" };
}

function earlier({ entry }: Kept) {
  const { principal, details, ts } = entry;
  const agent = principal?.act[0]?.sub;
  const who = shown(principal?.sub ?? "the gateway") + (agent === undefined ? "" : ` through ${shown(agent)}`);
  const [tool, outcome, code] = [textAt(details, "tool"), textAt(details, "outcome"), textAt(details, "code")];
  return {
    at: Date.parse(ts),
    who,
    says: `${tool} ${outcome}${code === "" ? "" : ` (${code})`}, effect ${textAt(details, "effect")}`,
  };
}
