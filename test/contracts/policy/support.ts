// Builds what the policy tests decide on: policies from plain rules, calls from accesses as entries write them.

import type { Access } from "../../../src/domain/access.ts";
import type { Effect } from "../../../src/domain/call.ts";
import type { Facts, NamespaceFact } from "../../../src/domain/decision.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { noFacts, type DecidedCall } from "../../../src/policy/decide.ts";
import { factTypes } from "../../../src/policy/fact-types.ts";
import { parseAccess } from "../../../src/policy/kinds.ts";
import { loadPolicy } from "../../../src/policy/load.ts";
import { indexRules, type Policy } from "../../../src/policy/policy.ts";
import { ruleFrom } from "../../../src/policy/rule.ts";
import { ruleSchema } from "../../../src/policy/rule-shape.ts";
import { openWhen, type OpenedWhen } from "../../../src/policy/when.ts";

/** A rule as a file would hold it; what is left out is filled in. */
export interface PlainRule {
  readonly id?: string;
  readonly effect: "allow" | "deny" | "require-approval";
  readonly match: { readonly [part: string]: readonly string[] };
  readonly [key: string]: unknown;
}

/** The rules with ids, reasons and approvers. */
function filled(rules: readonly PlainRule[]): object[] {
  return rules.map((rule, index) => ({
    id: `rule-${index}`,
    reason: "A reason.",
    ...(rule.effect === "require-approval" ? { approval: { approvers: ["group:approvers"] } } : {}),
    ...rule,
  }));
}

export function written(rules: readonly PlainRule[]): string {
  return JSON.stringify({ version: 1, rules: filled(rules) });
}

const openedBefore = new Map<string, OpenedWhen>();
function opened(text: string): OpenedWhen {
  const found = openedBefore.get(text) ?? openWhen(text, "UTC", factTypes, "");
  openedBefore.set(text, found);
  return found;
}

/** The policy of these rules without the way through YAML: for properties that need thousands. */
export function quickPolicy(rules: readonly PlainRule[]): Policy {
  const made = filled(rules).map((rule, order) => {
    const parsed = ruleSchema.parse(rule);
    if (parsed.when === undefined) return ruleFrom(parsed, order, null);
    const { when, problems } = opened(parsed.when);
    if (when === null) throw new Error(problems.map(({ sentence }) => sentence).join(" "));
    return ruleFrom(parsed, order, when);
  });
  return { digest: "", text: "", rules: made, index: indexRules(made), examples: 0, unexercised: [] };
}

/** The policy of these rules; throws its problems where there are any. */
export function policyOf(...rules: readonly PlainRule[]): Policy {
  const loaded = loadPolicy([{ path: "test.yaml", text: written(rules) }]);
  if (loaded.kind === "loaded") return loaded.policy;
  throw new Error(loaded.problems.map((problem) => problem.sentence).join("\n"));
}

export const allowEverything: PlainRule = { id: "allow-everything", effect: "allow", match: {} };

export function access(text: string): Access {
  const parsed = parseAccess(text, "practice");
  if (parsed === undefined) throw new Error(`Not an access: ${text}`);
  return parsed;
}

export const agent: PrincipalFields = {
  issuer: "local",
  subject: "robot",
  kind: "agent",
  groups: ["agents"],
  actors: [],
  client: "",
  verifier: "test",
};

export function call(
  effect: Effect,
  accesses: readonly (string | Access)[],
  more: Partial<Pick<DecidedCall, "tool" | "principal" | "arguments">> = {},
): DecidedCall {
  return {
    tool: "any_tool",
    effect,
    cluster: "practice",
    principal: agent,
    arguments: {},
    accesses: accesses.map((one) => (typeof one === "string" ? access(one) : one)),
    ...more,
  };
}

/** Facts that give namespaces their environments; "" is a namespace without the label, null one that does not exist. */
export function environments(by: { readonly [namespace: string]: string | null }): Facts {
  const namespaces = Object.entries(by).map(([name, environment]): NamespaceFact => ({
    cluster: "practice",
    name,
    exists: environment !== null,
    labels: {},
    environment: environment ?? "",
  }));
  return { ...noFacts, namespaces };
}
