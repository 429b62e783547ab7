// A recorded call, decided again: what its entries still tell of it, and where they don't tell enough.

import type { z } from "zod";
import type { Access } from "../domain/access.ts";
import type { Facts } from "../domain/decision.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { decide, questionOf } from "./decide.ts";
import type { FactName } from "./fact-types.ts";
import type { DecidedCall } from "./facts.ts";
import { parseAccess } from "./kinds.ts";
import { neededFacts } from "./needed.ts";
import { visitCandidates, type Policy } from "./policy.ts";
import { decidedSchema } from "./recorded-shape.ts";
import type { RuleEffect } from "./rule.ts";

/** What the entries of one call say: who called, what was asked, what was decided on. */
export interface CallEntries {
  readonly call: string;
  readonly at: string;
  readonly principal: {
    readonly iss: string;
    readonly sub: string;
    readonly act: readonly { iss: string; sub: string }[];
    /** The client that the token was issued to; absent where none was said. */
    readonly client_id?: string;
  };
  readonly received: JsonObject;
  /** The details of its last `call.decided`. */
  readonly decided: JsonObject;
}

export interface Recorded {
  readonly call: DecidedCall;
  readonly facts: Facts;
  /** What the gateway answered then. */
  readonly decision: RuleEffect;
  /** Arguments that were masked or left out. */
  readonly partial: boolean;
  /** Groups were not on record before they were needed. */
  readonly groupsKnown: boolean;
}

/** The call as it was planned, or undefined where it never came that far (refused before it was decided). */
export function recordedCall({ principal, received, decided }: CallEntries): Recorded | undefined {
  const parsed = decidedSchema.safeParse(decided);
  if (!parsed.success) return undefined;
  const { tool, effect, cluster, approval, facts } = parsed.data;
  const decision = approval === null ? parsed.data.decision : "require-approval";
  const accesses: Access[] = [];
  for (const text of parsed.data.accesses) {
    const access = parseAccess(text, cluster);
    if (access === undefined) return undefined;
    accesses.push(access);
  }
  const given = received["arguments"] ?? {};
  const { kind = "agent", groups = [], claims } = facts.principal ?? {};
  const actors = principal.act.map(({ iss, sub }) => ({ issuer: iss, subject: sub }));
  const call: DecidedCall = {
    tool,
    effect,
    cluster,
    accesses,
    arguments: isJsonObject(given) ? given : {},
    principal: {
      issuer: principal.iss,
      subject: principal.sub,
      kind,
      groups,
      actors,
      ...(principal.client_id === undefined ? {} : { clientId: principal.client_id }),
      client: "",
      verifier: "recorded",
      ...(claims === undefined ? {} : { claims }),
    },
  };
  return {
    call,
    facts: factsFrom(facts, accesses, cluster),
    decision,
    partial: isPartial(given),
    groupsKnown: facts.principal !== undefined,
  };
}

function factsFrom(
  { namespaces, objects, change, session, now }: z.output<typeof decidedSchema>["facts"],
  accesses: readonly Access[],
  cluster: string,
): Facts {
  return {
    namespaces: namespaces.flatMap(({ labels, ...one }) => (labels === undefined ? [] : [{ cluster, ...one, labels }])),
    objects: objects.flatMap(({ labels, annotations, resource, namespace, name, exists, uid }) => {
      const access = accesses.find(
        (one) => one.resource === resource && one.name === name && one.namespace === (namespace ?? one.namespace),
      );
      if (labels === undefined || access === undefined) return [];
      const more = annotations === undefined ? {} : { annotations };
      return [{ access, exists, uid, resourceVersion: "", labels, ...more }];
    }),
    change,
    ...(session === undefined ? {} : { session }),
    ...(now === undefined ? {} : { now: Date.parse(now) }),
  };
}

/** Does the value hold what masking or the entry's size took out of it? */
function isPartial(value: Json): boolean {
  const text = JSON.stringify(value);
  return text.includes("[MASKED") || text.includes("sallyport/left_out");
}

export type Simulated =
  | {
      readonly kind: "same" | "changed";
      readonly before: RuleEffect;
      readonly after: RuleEffect;
      readonly rules: readonly string[];
    }
  | { readonly kind: "can't tell"; readonly before: RuleEffect; readonly why: string };

/** What the policy would answer to the recorded call; "can't tell" where it would ask for what is not on record. */
export function simulate(policy: Policy, recorded: Recorded): Simulated {
  const { call, facts, decision: before } = recorded;
  const missing = missingFor(policy, recorded);
  if (missing !== undefined) return { kind: "can't tell", before, why: missing };
  const { effect: after, rules } = decide(policy, call, facts);
  return { kind: before === after ? "same" : "changed", before, after, rules };
}

/** The first thing that some rule which could match asks for, and the record does not hold. */
function missingFor(policy: Policy, { call, facts, partial, groupsKnown }: Recorded): string | undefined {
  const needed = neededFacts(policy, call);
  const mentioned = mentionedBy(policy, call, facts);
  if (!groupsKnown && (mentioned.groups || mentioned.names.has("principal"))) return "the caller's groups";
  const place = needed.namespaces.find((name) => !facts.namespaces.some((one) => one.name === name));
  if (place !== undefined) return `the namespace ${place}`;
  if (needed.session && facts.session === undefined) return "the session";
  if (needed.now && facts.now === undefined) return "the time";
  if (mentioned.names.has("object")) {
    const known = (access: Access): boolean =>
      facts.objects.some(
        ({ access: one, annotations }) =>
          one.resource === access.resource &&
          one.namespace === access.namespace &&
          one.name === access.name &&
          (needed.annotations.length === 0 || annotations !== undefined),
      );
    const object = needed.objects.find((access) => !known(access));
    if (object !== undefined) return `the object ${object.namespace}/${object.name}`;
  }
  if (mentioned.names.has("change") && facts.change === null && call.effect !== "read") return "the change";
  return mentioned.names.has("call") && partial ? "arguments that were masked or left out" : undefined;
}

/** What the rules that could match name: facts in their expressions; and whether any rule asks for groups. */
function mentionedBy(
  policy: Policy,
  call: DecidedCall,
  facts: Facts,
): { readonly names: ReadonlySet<FactName>; readonly groups: boolean } {
  const names = new Set<FactName>();
  for (const access of call.accesses.length === 0 ? [null] : call.accesses)
    visitCandidates(policy.index, questionOf(call, access, facts), (rule) => {
      for (const name of rule.when?.names ?? []) names.add(name);
    });
  return { names, groups: policy.rules.some(({ match }) => match.groups !== null) };
}
