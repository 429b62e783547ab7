// An expression as the linter reads it: what its author wrote, without the evaluator's expansions.

/** `offset` counts UTF-16 units into the expression's text, at the word that a problem would point to. */
export type Node = { readonly offset: number } & (
  | { readonly kind: "literal"; readonly value: string | bigint | number | boolean | null }
  | { readonly kind: "name"; readonly name: string }
  /** `of.field`, or `has(of.field)` where it is only tested. */
  | { readonly kind: "field"; readonly of: Node; readonly field: string; readonly tested: boolean }
  /** Functions and operators, the latter under CEL's own names: `_&&_`, `@in`, `_[_]`. */
  | {
      readonly kind: "call";
      readonly name: string;
      readonly target: Node | null;
      readonly arguments: readonly Node[];
    }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  /** `range.macro(name, body)`. */
  | {
      readonly kind: "each";
      readonly macro: string;
      readonly range: Node;
      readonly name: string;
      readonly bodies: readonly Node[];
    }
  /** What policies have no use for, in words. */
  | { readonly kind: "other"; readonly what: string }
);

/** What is wrong with an expression, or odd in it, and where. */
export interface Remark {
  readonly offset: number;
  readonly sentence: string;
}

/** The parts of a node. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "name":
    case "other":
      return [];
    case "field":
      return [node.of];
    case "call":
      return node.target === null ? node.arguments : [node.target, ...node.arguments];
    case "list":
      return node.items;
    case "each":
      return [node.range, ...node.bodies];
  }
}

/**
 * Where a value comes from, in one form for each way to write it: `object.labels.team`, also for
 * `object.labels["team"]`. Undefined for what is no plain path.
 */
export function pathOf(node: Node): string | undefined {
  if (node.kind === "name") return node.name;
  if (node.kind === "field") return stepInto(node.of, node.field);
  if (node.kind !== "call" || node.name !== "_[_]") return undefined;
  const [of, key] = node.arguments;
  if (of === undefined || key === undefined) return undefined;
  if (key.kind === "literal" && typeof key.value === "string") return stepInto(of, key.value);
  const inner = key.kind === "literal" ? String(key.value) : pathOf(key);
  const outer = pathOf(of);
  return inner === undefined || outer === undefined ? undefined : `${outer}[${inner}]`;
}

function stepInto(of: Node, key: string): string | undefined {
  const outer = pathOf(of);
  if (outer === undefined) return undefined;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `${outer}.${key}` : `${outer}[${JSON.stringify(key)}]`;
}
