// Who may answer too once nobody has for a while (policy.md, `approval.escalate`): from which moment on, on record, and told to the channels anew.

import type { Append } from "../domain/entry.ts";
import type { Escalation, Requirement } from "../domain/decision.ts";
import { announce, type Unreached } from "./announce.ts";
import type { Channel } from "./channels/contract.ts";
import { draft } from "./drafts.ts";
import { isExpired } from "./states.ts";
import type { ApprovalStore, KeptRequest } from "./stores/contract.ts";

/** Whom a requirement names at `now`. All times in milliseconds since 1970; a clock that went back names fewer. */
export function approversAt(
  { approvers, escalate = [] }: Pick<Requirement, "approvers" | "escalate">,
  requestedAt: number,
  now: number,
): readonly string[] {
  const due = escalate.filter(({ after }) => now >= requestedAt + after * 1000);
  return due.length === 0 ? approvers : [...approvers, ...due.flatMap(({ to }) => to)];
}

/** The steps of all requirements in the order of their times, each once. */
export function escalationOf({ requirements }: Pick<KeptRequest, "requirements">): readonly Escalation[] {
  const steps = requirements.flatMap(({ escalate = [] }) => escalate);
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()].sort((a, b) => a.after - b.after);
}

/** The steps that are due and not on record. */
function dueSteps(request: KeptRequest, now: number): readonly Escalation[] {
  if (request.state !== "pending" || isExpired(request, now)) return [];
  return escalationOf(request)
    .slice(request.escalated ?? 0)
    .filter(({ after }) => now >= request.requestedAt + after * 1000);
}

/**
 * Puts each step that is due on record, once, and tells the channels of its request anew. What was due while no process
 * ran is told at the next start. Fault: transcript_unavailable; the step is tried again.
 */
export async function escalateDue(
  store: ApprovalStore,
  append: Append,
  channels: readonly Channel[],
  now: number,
): Promise<readonly Unreached[]> {
  const unreached: Unreached[] = [];
  for (const { id } of (await store.list(["pending"])).filter((one) => dueSteps(one, now).length > 0)) {
    const told = await store.transition(id, async (request) => {
      const due = dueSteps(request, now);
      if (due.length === 0) return { change: null, reply: undefined };
      await append(
        due.map(({ after, to }) => draft(request, "approval.notified", { approval: request.id, after, to })),
      );
      const escalated = (request.escalated ?? 0) + due.length;
      return {
        change: { to: "pending" as const, at: now, verdict: null, why: "", escalated },
        reply: { ...request, escalated },
      };
    });
    if (told !== undefined) unreached.push(...(await announce(channels, (channel) => channel.tell(told))));
  }
  return unreached;
}
