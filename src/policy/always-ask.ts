// What needs a person whatever the rules allow: a command that could be anything or reaches for credentials (tools.md, `pods_exec`), another identity, owners, finalizers (kubernetes.md, "Attack surface").

import type { Effect } from "../domain/call.ts";
import type { Decision, Facts, Requirement } from "../domain/decision.ts";

/** Stands in decisions and entries where no rule had asked for a person. */
export const alwaysAskRule = "built-in:always-ask";
/** The same for what a write changes. */
export const alwaysAskChange = "built-in:change";

/** The people that the shipped policy asks; a rule of one's own that asks for approval comes before it. Seconds. */
const requirement: Omit<Requirement, "rule"> = {
  approvers: ["owner", "group:approvers"],
  count: 1,
  expires: 1800,
  validFor: 300,
  assurance: "same-device",
};

/** The decision with a person put before it, where the rehearsal found what must not run without one and the rules would have let it. */
export function withPerson(decision: Decision, { change }: Pick<Facts, "change">, effect: Effect): Decision {
  const asks = change?.alwaysAsks ?? [];
  if (asks.length === 0 || decision.effect !== "allow") return decision;
  const rule = effect === "execute" ? alwaysAskRule : alwaysAskChange;
  const told = effect === "execute" ? "this command could do more than its words say" : asks.join("; ");
  return {
    ...decision,
    effect: "require-approval",
    rules: [...decision.rules, rule],
    requirements: [{ rule, ...requirement }],
    tell: decision.tell ?? `A person is asked: ${told}.`,
  };
}
