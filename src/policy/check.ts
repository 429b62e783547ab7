// The linter of one expression: what it names must exist, what it compares must be comparable, and what may be missing should be asked for first.

import { ending } from "./problems.ts";
import { nearest } from "./nearest.ts";
import { pathOf, type Node, type Remark } from "./syntax.ts";
import { andGuards, orGuards } from "./guards.ts";
import {
  checkFits,
  checkNamedIn,
  checkPattern,
  mayBeMissing,
  noFunction,
  noteKey,
  shown,
  type Scope,
  type State,
} from "./remarks.ts";
import {
  anything,
  bool,
  comparisons,
  functions,
  int,
  isAny,
  isBool,
  isNumber,
  isString,
  string,
  words,
  type Type,
} from "./types.ts";

export interface Checked {
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
  /** The facts that it names. */
  readonly names: readonly string[];
  /** The keys that it asks of mappings that are `named`, by the mapping's path. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** Checks an expression against the facts there are. `tell` is what happens to the rule when something is missing. */
export function checkExpression(root: Node, facts: { readonly [name: string]: Type }, tell: string): Checked {
  const problems: Remark[] = [];
  const warnings: Remark[] = [];
  const names = new Set<string>();
  const keys = new Map<string, string[]>();
  const wrong = (node: Node, sentence: string): Type => {
    problems.push({ offset: node.offset, sentence });
    return anything;
  };
  const state: State = { facts, tell, wrong, warnings, names, keys };
  const result = typeOf(state, root, { locals: new Map(), guards: new Set(), looping: false });
  if (!isBool(result)) wrong(root, `The expression must be true or false, and is ${words(result)}.`);
  return { problems, warnings, names: [...names], keys };
}

function typeOf(state: State, node: Node, scope: Scope): Type {
  switch (node.kind) {
    case "literal":
      return literalType(node.value);
    case "name":
      return nameType(state, node, scope);
    case "field":
      return fieldType(state, node, scope);
    case "call":
      return callType(state, node, scope);
    case "list":
      return listType(state, node, scope);
    case "each":
      return eachType(state, node, scope);
    case "other":
      return state.wrong(node, `A rule has no use for ${node.what}.`);
  }
}

function literalType(value: string | bigint | number | boolean | null): Type {
  if (value === null) return { kind: "null" };
  if (typeof value === "bigint") return int;
  if (typeof value === "number") return { kind: "double" };
  return typeof value === "string" ? string : bool;
}

function nameType(state: State, node: Node & { kind: "name" }, scope: Scope): Type {
  const local = scope.locals.get(node.name);
  if (local !== undefined) return local;
  if (Object.hasOwn(state.facts, node.name)) {
    state.names.add(node.name);
    return state.facts[node.name] ?? anything;
  }
  const meant = nearest(node.name, [...Object.keys(state.facts), ...scope.locals.keys()]);
  return state.wrong(node, `There is no fact ${JSON.stringify(node.name)}${ending(meant)}`);
}

function fieldType(state: State, node: Node & { kind: "field" }, scope: Scope): Type {
  const of = typeOf(state, node.of, scope);
  return stepType(state, node, { of, holder: node.of, key: node.field, asked: node.tested }, scope);
}

/** The type behind `holder.key`, and whether it is there at all. */
function stepType(
  state: State,
  node: Node,
  { of, holder, key, asked }: { of: Type; holder: Node; key: string; asked: boolean },
  scope: Scope,
): Type {
  switch (of.kind) {
    case "struct": {
      const field = Object.hasOwn(of.fields, key) ? of.fields[key] : undefined;
      if (field === undefined) {
        const whole = pathOf(holder) ?? "this";
        const meant = nearest(key, Object.keys(of.fields));
        return state.wrong(node, `${whole} has no ${JSON.stringify(key)}${ending(meant)}`);
      }
      if (asked) return bool;
      if (field.optional === true) mayBeMissing(state, node, scope);
      return field.type;
    }
    case "map":
      noteKey(state, of, holder, key);
      if (asked) return bool;
      mayBeMissing(state, node, scope);
      return of.of;
    case "any":
      if (asked) return bool;
      mayBeMissing(state, node, scope);
      return anything;
    case "bool":
    case "int":
    case "double":
    case "string":
    case "null":
    case "list":
      return state.wrong(node, `${pathOf(holder) ?? "This"} is ${words(of)} and has no ${JSON.stringify(key)}.`);
  }
}

function listType(state: State, node: Node & { kind: "list" }, scope: Scope): Type {
  const types = node.items.map((item) => typeOf(state, item, scope));
  const [first = anything] = types;
  const odd = types.findIndex((type) => type.kind !== first.kind);
  const item = node.items[odd];
  if (item !== undefined && types.every((type) => !isAny(type)))
    state.wrong(item, "The items of a list must be of one type.");
  return { kind: "list", of: first };
}

function eachType(state: State, node: Node & { kind: "each" }, scope: Scope): Type {
  const range = typeOf(state, node.range, scope);
  if (scope.looping)
    return state.wrong(node, `${node.macro}() inside another macro is refused: the work would multiply.`);
  if (Object.hasOwn(state.facts, node.name))
    return state.wrong(node, `${node.name} is the name of a fact: take another.`);
  if (range.kind !== "list" && range.kind !== "map" && range.kind !== "any")
    return state.wrong(node.range, `${node.macro}() goes through a list or a mapping, and this is ${words(range)}.`);
  if (range.kind === "map" && range.named === true)
    return state.wrong(node.range, `${pathOf(node.range) ?? "It"} is only read by the names of its keys.`);
  const item = range.kind === "list" ? range.of : range.kind === "map" ? string : anything;
  const inside: Scope = { ...scope, locals: new Map([...scope.locals, [node.name, item]]), looping: true };
  const bodies = node.bodies.map((body) => typeOf(state, body, inside));
  const tests = node.macro === "map" ? bodies.slice(0, -1) : bodies;
  if (!tests.every(isBool))
    state.wrong(node.bodies[0] ?? node, `What ${node.macro}() asks of each must be true or false.`);
  if (node.macro === "map") return { kind: "list", of: bodies.at(-1) ?? anything };
  return node.macro === "filter" ? { kind: "list", of: item } : bool;
}

function callType(state: State, node: Node & { kind: "call" }, scope: Scope): Type {
  const { name } = node;
  if (name === "_[_]") return indexType(state, node, scope);
  const target = node.target === null ? null : typeOf(state, node.target, scope);
  const parts = node.arguments.map((part, index) => {
    const others = node.arguments.filter((_, at) => at !== index);
    return typeOf(state, part, { ...scope, guards: guardsFor(name, others, index, scope.guards) });
  });
  const rule = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (rule === undefined) return state.wrong(node, noFunction(name));
  if (name === "matches") checkPattern(state, node);
  if (name === "@in") checkNamedIn(state, node, parts[1]);
  if (comparisons.has(name)) checkFits(state, node, parts);
  const type = rule(target, parts);
  if (type !== undefined) return type;
  const types = [...(target === null ? [] : [target]), ...parts].map(words);
  return state.wrong(node, `${shown(name)} does not take ${types.join(" and ") || "nothing"}.`);
}

/** What `&&`, `||` and `?:` make sure of before they need this part. The order does not matter: CEL's `false && error` is false. */
function guardsFor(
  name: string,
  others: readonly Node[],
  index: number,
  before: ReadonlySet<string>,
): ReadonlySet<string> {
  if (name === "_&&_") return new Set([...before, ...others.flatMap(andGuards)]);
  if (name === "_||_") return new Set([...before, ...others.flatMap(orGuards)]);
  const [condition] = others;
  if (name !== "_?_:_" || index === 0 || condition === undefined) return before;
  return new Set([...before, ...(index === 1 ? andGuards(condition) : orGuards(condition))]);
}

function indexType(state: State, node: Node & { kind: "call" }, scope: Scope): Type {
  const [holder, key] = node.arguments;
  if (holder === undefined || key === undefined) return anything;
  const of = typeOf(state, holder, scope);
  const by = typeOf(state, key, scope);
  if (key.kind === "literal" && typeof key.value === "string")
    return stepType(state, node, { of, holder, key: key.value, asked: false }, scope);
  if (of.kind === "list" && isNumber(by)) return of.of;
  if (of.kind === "map" && of.named === true)
    return state.wrong(
      key,
      `${pathOf(holder) ?? "It"} is only read by the names of its keys: write the key in quotes.`,
    );
  if ((of.kind === "map" && isString(by)) || of.kind === "any") {
    mayBeMissing(state, node, scope);
    return of.kind === "map" ? of.of : anything;
  }
  return state.wrong(node, `${words(of)} has nothing at ${words(by)}.`);
}
