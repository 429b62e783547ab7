// What a caller may know of its own standing: answers of the policy that decides, without rules, people or other callers.

import type { CallRequest } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import { agentOf } from "../domain/principal.ts";
import type { Stages } from "../pipeline.ts";
import { possible } from "../policy/possible.ts";
import type { ReviewAnswer, Standing } from "../tool.ts";
import type { Parts } from "./stages.ts";

/** The policy's answer for exactly these arguments: planned, resolved and decided, never run and never previewed. Faults: denied, for a tool that is hidden from the caller and for one that does not exist. */
export async function reviewCall(
  parts: Parts,
  stages: Stages,
  request: CallRequest,
  tool: string,
  arguments_: JsonObject,
): Promise<ReviewAnswer> {
  const asked: CallRequest = { ...request, tool, arguments: arguments_ };
  const known = parts.tools.get(tool);
  if (known === undefined || possible(parts.policy(), request.principal, known, [parts.reach.cluster]) === "denied")
    throw new Faulted(fault("denied", {}, "not a tool of the caller's"));
  const call = await stages.plan(asked);
  const decision = stages.decide(call, await stages.resolve(call));
  const answer = { allow: "allowed", "require-approval": "needs approval", deny: "denied" } as const;
  return { answer: answer[decision.effect], tell: decision.tell };
}

/** Who the caller acts as, the namespaces it may read in, and the best answer that each tool could get. */
export async function standingOf(parts: Parts, request: CallRequest, namespace: string): Promise<Standing> {
  const { principal, signal } = request;
  const namespaces = await parts.reach.namespaces(signal);
  if (namespace !== "" && !namespaces.includes(namespace))
    throw new Faulted(fault("denied", {}, "not a namespace of the caller's"));
  return {
    actsAs: principal.subject,
    agent: agentOf(principal),
    namespaces: namespace === "" ? namespaces : [namespace],
    tools: [...parts.tools.values()].map((tool) => ({
      name: tool.name,
      answer: possible(parts.policy(), principal, tool, [parts.reach.cluster]),
    })),
  };
}
