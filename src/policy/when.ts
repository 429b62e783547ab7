// The `when` of a rule: parsed, checked against the facts there are, and ready to be evaluated.

import { checkExpression } from "./check.ts";
import { compileExpression, parseExpression, type Evaluate } from "./expression.ts";
import type { FactName } from "./fact-types.ts";
import type { Remark } from "./syntax.ts";
import type { Type } from "./types.ts";
import { timeIn } from "./zone.ts";

export interface When {
  readonly text: string;
  readonly evaluate: Evaluate;
  /** The facts that it names. */
  readonly names: ReadonlySet<FactName>;
  /** The annotations that it asks for. */
  readonly annotations: readonly string[];
  /** The zone that its `now` is in. */
  readonly zone: string;
}

export interface OpenedWhen {
  /** null where there are problems. */
  readonly when: When | null;
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
}

/** Opens an expression about `facts`; `failing` says in words what an error does to the rule that carries it. */
export function openWhen(
  text: string,
  zone: string,
  facts: { readonly [name: string]: Type },
  failing: string,
): OpenedWhen {
  const parsed = parseExpression(text);
  if (parsed.kind === "refused") return { when: null, problems: [parsed], warnings: [] };
  const { problems, warnings, names, keys } = checkExpression(parsed.root, facts, failing);
  if (problems.length > 0) return { when: null, problems, warnings: [] };
  // The first clock of a zone takes long to make: not during a call.
  if (names.includes("now")) timeIn(zone, 0);
  const when: When = {
    text,
    evaluate: compileExpression(parsed, names),
    names: new Set(names as FactName[]),
    annotations: keys.get("object.annotations") ?? [],
    zone,
  };
  return { when, problems, warnings };
}
