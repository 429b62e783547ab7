// What the linter remarks on one part of an expression, once its types are known.

import { nearest } from "./nearest.ts";
import { ending } from "./problems.ts";
import { openPattern } from "./regex.ts";
import { pathOf, type Node, type Remark } from "./syntax.ts";
import { knownFunctions, macros, type Type } from "./types.ts";

export interface State {
  readonly facts: { readonly [name: string]: Type };
  readonly tell: string;
  readonly wrong: (node: Node, sentence: string) => Type;
  readonly warnings: Remark[];
  readonly names: Set<string>;
  readonly keys: Map<string, string[]>;
}

/** What is known at one place of the expression: the names that macros gave, and what was asked for before. */
export interface Scope {
  readonly locals: ReadonlyMap<string, Type>;
  readonly guards: ReadonlySet<string>;
  readonly looping: boolean;
}

export function noteKey(state: State, of: Type, holder: Node, key: string): void {
  const path = pathOf(holder);
  if (of.kind !== "map" || of.named !== true || path === undefined) return;
  const noted = state.keys.get(path) ?? [];
  if (!noted.includes(key)) state.keys.set(path, [...noted, key]);
}

export function mayBeMissing(state: State, node: Node, scope: Scope): void {
  const path = pathOf(node);
  if (path === undefined || scope.guards.has(path)) return;
  const ask =
    node.kind === "field" ? ` Ask has(${path}) first.` : path.endsWith('"]') ? " Ask for the key with `in` first." : "";
  state.warnings.push({
    offset: node.offset,
    sentence: `${path} may be missing: the expression then fails, and ${state.tell}.${ask}`,
  });
}

export function checkNamedIn(state: State, node: Node & { kind: "call" }, whole: Type | undefined): void {
  const [key, holder] = node.arguments;
  if (key === undefined || holder === undefined || whole?.kind !== "map" || whole.named !== true) return;
  if (key.kind === "literal" && typeof key.value === "string") noteKey(state, whole, holder, key.value);
  else state.wrong(key, `${pathOf(holder) ?? "It"} is only read by the names of its keys: write the key in quotes.`);
}

/** A text that the other side can never be: `now.weekday == "fri"` would never hold, and nobody would notice. */
export function checkFits(state: State, node: Node & { kind: "call" }, types: readonly Type[]): void {
  for (const [index, type] of types.entries()) {
    const other = node.arguments[1 - index];
    if (type.kind !== "string" || type.fits === undefined || other === undefined) continue;
    for (const one of other.kind === "list" ? other.items : [other])
      if (one.kind === "literal" && typeof one.value === "string" && !type.fits.shape.test(one.value))
        state.wrong(one, `${pathOf(node.arguments[index] ?? node) ?? "It"} is always ${type.fits.words}.`);
  }
}

export function checkPattern(state: State, node: Node & { kind: "call" }): void {
  const [pattern] = node.arguments;
  if (pattern === undefined) return;
  if (pattern.kind !== "literal" || typeof pattern.value !== "string") {
    state.wrong(pattern, "The pattern of matches() must be written out, in quotes.");
    return;
  }
  const opened = openPattern(pattern.value);
  if ("problem" in opened) state.wrong(pattern, `The pattern ${opened.problem}.`);
}

export function noFunction(name: string): string {
  if (name === "has")
    return 'has() takes a field, as in has(object.labels.team); for other keys write "a/b" in object.labels.';
  if (macros.includes(name))
    return `${name}() takes a name and what to ask of each, as in list.${name}(one, one != "").`;
  return `There is no function ${JSON.stringify(name)}${ending(nearest(name, knownFunctions))}`;
}

/** `_<=_` as `<=`. */
export function shown(name: string): string {
  if (name === "@in") return "in";
  return /^[a-z]/i.test(name) ? `${name}()` : name.replaceAll("_", " ").trim();
}
