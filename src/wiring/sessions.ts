// What each session has done so far: the counts and the taint that rules can ask for.

import type { SessionFact } from "../domain/decision.ts";
import type { SessionId } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";

export interface Sessions {
  /** What the session has done until now. */
  before(session: SessionId): SessionFact;
  /** Counts a call of the session that has come to its end. */
  note(session: SessionId, outcome: Outcome): void;
  end(session: SessionId): void;
}

interface Kept {
  readonly since: number;
  calls: number;
  changes: number;
  denied: number;
  tainted: boolean;
}

/** Sessions that are remembered at a time; beyond that the one that was quiet longest is forgotten. */
const mostSessions = 10_000;

export function openSessions(now: () => number): Sessions {
  const kept = new Map<SessionId, Kept>();
  return {
    before(session) {
      const found = kept.get(session);
      if (found === undefined) return { age: 0, calls: 0, changes: 0, denied: 0, tainted: false };
      const { since, ...counts } = found;
      return { age: Math.max(0, Math.floor((now() - since) / 1000)), ...counts };
    },
    note(session, outcome) {
      const found = kept.get(session) ?? { since: now(), calls: 0, changes: 0, denied: 0, tainted: false };
      kept.delete(session);
      kept.set(session, found);
      for (const oldest of kept.keys()) {
        if (kept.size <= mostSessions) break;
        kept.delete(oldest);
      }
      found.calls += 1;
      if (outcome.kind === "refused" && outcome.fault.code === "denied") found.denied += 1;
      if (leftOf(outcome) !== "none") found.changes += 1;
      if (outcome.kind === "completed" && outcome.output.untrusted) found.tainted = true;
    },
    end: (session) => void kept.delete(session),
  };
}

/** What the call left in the cluster, as far as it is known. */
function leftOf(outcome: Outcome): "none" | "applied" | "unknown" {
  switch (outcome.kind) {
    case "completed":
      return outcome.effect;
    case "failed":
    case "refused":
      return outcome.fault.effect;
    case "running":
      return "unknown";
    case "suspended":
      return "none";
  }
}
