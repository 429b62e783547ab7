// What a caller may know of its own standing: answers of the policy that decides, without rules, people or other callers.

import { sameAccess } from "../domain/access.ts";
import type { CallRequest, PlannedCall } from "../domain/call.ts";
import type { ChangeFact, Decision } from "../domain/decision.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { agentOf } from "../domain/principal.ts";
import { changeFact } from "../execution/change-fact.ts";
import type { Stages } from "../pipeline.ts";
import { withPerson } from "../policy/always-ask.ts";
import { argumentsOf } from "../policy/plan.ts";
import { possible } from "../policy/possible.ts";
import { commandRisks, type ReviewAnswer, type Standing } from "../tool.ts";
import type { Parts } from "./parts.ts";

/** The policy's answer for exactly these arguments, in the review's own cluster where they name none: planned, resolved and decided, never run and never previewed. Faults: denied, for a tool that is hidden from the caller and for one that does not exist. */
export async function reviewCall(parts: Parts, stages: Stages, request: CallRequest): Promise<ReviewAnswer> {
  const known = parts.tools.get(request.tool);
  if (known === undefined || parts.permitted(request.principal, known).length === 0)
    throw new Faulted(fault("denied", {}, "not a tool of the caller's"));
  const call = await stages.plan(request);
  const ruled = stages.decide(call, await stages.resolve(call));
  const decision = withPerson(ruled, { change: knownOf(call) }, call.effect);
  const answer = { allow: "allowed", "require-approval": "needs approval", deny: "denied" } as const;
  return { answer: answer[decision.effect], final: isFinal(parts, call, decision), tell: decision.tell };
}

/** What of a change needs no preview to be known: the words of a command. */
function knownOf({ effect, arguments: given }: PlannedCall): ChangeFact | null {
  const words = effect === "execute" && Array.isArray(given["command"]) ? (given["command"] as readonly Json[]) : [];
  const command = words.filter((word) => typeof word === "string");
  return command.length === 0 ? null : { ...changeFact([]), alwaysAsks: commandRisks(command) };
}

/** Of a change only its preview tells what it does: whom it runs as, what owns it, what the rules ask of it. */
function isFinal(parts: Parts, call: PlannedCall, decision: Decision): boolean {
  if (call.effect === "read" || decision.effect === "deny") return true;
  if (decision.effect === "allow") return false;
  const asked = new Set(decision.rules);
  return !parts.policy().rules.some((rule) => asked.has(rule.id) && rule.when?.names.has("change") === true);
}

/** The namespaces in which a read would be answered now, "" for the whole cluster: planned and decided as the call itself would be, with nothing run and nobody asked. Empty where it would not. */
export async function readableIn(stages: Stages, request: CallRequest): Promise<readonly string[]> {
  try {
    return await reachedBy(stages, request);
  } catch (thrown) {
    if (thrown instanceof Faulted) return [];
    throw thrown;
  }
}

async function reachedBy(stages: Stages, request: CallRequest): Promise<readonly string[]> {
  const call = await stages.plan(request);
  const decision = stages.decide(call, await stages.resolve(call));
  if (call.effect !== "read" || decision.effect !== "allow") return [];
  const kept = call.accesses.filter((access) => !decision.dropped.some((one) => sameAccess(one, access)));
  return [...new Set(kept.map((access) => access.namespace))];
}

/** The call that a review asks about, in the review's own cluster unless its arguments name another. */
export function reviewed(
  { tools, clusters }: Parts,
  request: CallRequest,
  cluster: string,
  asked: { readonly tool: string; readonly arguments: JsonObject },
): CallRequest {
  const named = asked.arguments["cluster"] !== undefined;
  const call = { ...asked, cluster };
  return {
    ...request,
    tool: asked.tool,
    arguments: named ? asked.arguments : argumentsOf(call, { tools, clusters: clusters.names }),
  };
}

/** What shows which namespaces the caller may see: what may not list their pods learns nothing of them. */
export const listingPods = { tool: "objects_list", arguments: { kind: "pods", namespace: "*" } };

/**
 * Who the caller acts as, the namespaces that it may see, and the best answer that each tool of its list could get there.
 * `listing` is the call that lists all pods, and `stages` are its own. Faults: denied, for a namespace that is not the caller's and for one that does not exist.
 */
export async function standingOf(
  parts: Parts,
  stages: Stages,
  listing: CallRequest,
  cluster: string,
  namespace: string,
): Promise<Standing> {
  const { principal } = listing;
  const namespaces = await visibleTo(parts, stages, listing);
  if (namespace !== "" && !namespaces.includes(namespace))
    throw new Faulted(fault("denied", {}, "not a namespace of the caller's"));
  const listed = [...parts.tools.values()].filter((tool) => parts.permitted(principal, tool).length > 0);
  return {
    actsAs: principal.subject,
    agent: agentOf(principal),
    namespaces: namespace === "" ? namespaces : [namespace],
    tools: listed.map((tool) => ({ name: tool.name, answer: possible(parts.policy(), principal, tool, [cluster]) })),
    unlisted: parts.tools.size - listed.length,
  };
}

async function visibleTo(parts: Parts, stages: Stages, listing: CallRequest): Promise<readonly string[]> {
  const tool = parts.tools.get(listing.tool);
  if (tool === undefined || parts.permitted(listing.principal, tool).length === 0) return [];
  try {
    return await reachedBy(stages, listing);
  } catch (thrown) {
    // That nothing may be listed in this cluster is an answer; that it can't be asked is none.
    if (thrown instanceof Faulted && thrown.fault.code === "denied") return [];
    throw thrown;
  }
}
