// The linter of one expression: what it names must exist, what it compares must be comparable, and what may be missing should be asked for first.

import { ending } from "./problems.ts";
import { nearest } from "./nearest.ts";
import { openPattern } from "./regex.ts";
import { pathOf, type Node, type Remark } from "./syntax.ts";
import { andGuards, orGuards } from "./guards.ts";

/** What an expression can be about. A mapping's keys may all be missing; of a struct only those fields that say so. */
export type Type =
  | { readonly kind: "bool" | "int" | "double" | "null" | "any" }
  /** `fits`: the only texts it can ever be, so that a comparison with another is a mistake. */
  | { readonly kind: "string"; readonly fits?: { readonly shape: RegExp; readonly words: string } }
  | { readonly kind: "list"; readonly of: Type }
  /** `named`: its keys are only ever asked for by name, so that no other of them is looked up. */
  | { readonly kind: "map"; readonly of: Type; readonly named?: true }
  | { readonly kind: "struct"; readonly fields: { readonly [name: string]: Field } };

export interface Field {
  readonly type: Type;
  readonly optional?: true;
}

export interface Checked {
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
  /** The facts that it names. */
  readonly names: readonly string[];
  /** The keys that it asks of mappings that are `named`, by the mapping's path. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

const anything: Type = { kind: "any" };
const bool: Type = { kind: "bool" };
const int: Type = { kind: "int" };
const string: Type = { kind: "string" };

/** How functions and operators turn types into types; undefined where they do not take them. */
const functions: { readonly [name: string]: (target: Type | null, parts: readonly Type[]) => Type | undefined } = {
  "_&&_": (_, parts) => (parts.every(isBool) ? bool : undefined),
  "_||_": (_, parts) => (parts.every(isBool) ? bool : undefined),
  "!_": (_, [one]) => (one !== undefined && isBool(one) ? bool : undefined),
  "_==_": (_, [a, b]) => (comparable(a, b) ? bool : undefined),
  "_!=_": (_, [a, b]) => (comparable(a, b) ? bool : undefined),
  "_<_": (_, [a, b]) => (ordered(a, b) ? bool : undefined),
  "_<=_": (_, [a, b]) => (ordered(a, b) ? bool : undefined),
  "_>_": (_, [a, b]) => (ordered(a, b) ? bool : undefined),
  "_>=_": (_, [a, b]) => (ordered(a, b) ? bool : undefined),
  "_+_": (_, parts) => (parts.every(isString) ? (parts.every(isAny) ? anything : string) : counted(parts)),
  "_-_": (_, parts) => counted(parts),
  "_*_": (_, parts) => counted(parts),
  "_/_": (_, parts) => counted(parts),
  "_%_": (_, parts) => counted(parts),
  "-_": (_, parts) => counted(parts),
  "@in": (_, [one, whole]) => (isIn(one, whole) ? bool : undefined),
  "_?_:_": (_, [condition, yes, no]) =>
    condition !== undefined && isBool(condition) && yes !== undefined && no !== undefined
      ? yes.kind === no.kind
        ? yes
        : anything
      : undefined,
  size: (target, parts) => {
    const of = target ?? parts[0];
    const alone = parts.length === (target === null ? 1 : 0);
    const whole = of?.kind !== "map" || of.named !== true;
    return alone && whole && of !== undefined && ["string", "list", "map", "any"].includes(of.kind) ? int : undefined;
  },
  contains: textMethod,
  startsWith: textMethod,
  endsWith: textMethod,
  matches: textMethod,
  int: (target, [one]) => (target === null && one !== undefined && isScalar(one) ? int : undefined),
  double: (target, [one]) => (target === null && one !== undefined && isScalar(one) ? { kind: "double" } : undefined),
  string: (target, [one]) => (target === null && one !== undefined && isScalar(one) ? string : undefined),
};
const macros = ["has", "all", "exists", "exists_one", "filter", "map"];
const known = [...Object.keys(functions).filter((name) => /^[a-z]/i.test(name)), ...macros];

const comparisons = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"]);

const isAny = ({ kind }: Type): boolean => kind === "any";
const isBool = ({ kind }: Type): boolean => kind === "bool" || kind === "any";
const isString = ({ kind }: Type): boolean => kind === "string" || kind === "any";
const isNumber = ({ kind }: Type): boolean => kind === "int" || kind === "double" || kind === "any";
const isScalar = ({ kind }: Type): boolean => ["bool", "int", "double", "string", "any"].includes(kind);

function textMethod(target: Type | null, [part, ...more]: readonly Type[]): Type | undefined {
  return target !== null && isString(target) && part !== undefined && isString(part) && more.length === 0
    ? bool
    : undefined;
}

function comparable(a: Type | undefined, b: Type | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const scalar = (type: Type): boolean => isScalar(type) || type.kind === "null";
  if (!scalar(a) || !scalar(b)) return false;
  return isAny(a) || isAny(b) || a.kind === b.kind || (isNumber(a) && isNumber(b));
}

function ordered(a: Type | undefined, b: Type | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return (isNumber(a) && isNumber(b)) || (isString(a) && isString(b));
}

/** Arithmetic: whole numbers with whole ones, others with others. */
function counted(parts: readonly Type[]): Type | undefined {
  if (!parts.every(isNumber)) return undefined;
  const kinds = new Set(parts.filter((part) => !isAny(part)).map(({ kind }) => kind));
  return kinds.size > 1 ? undefined : (parts.find((part) => !isAny(part)) ?? anything);
}

function isIn(one: Type | undefined, whole: Type | undefined): boolean {
  if (one === undefined || whole === undefined) return false;
  if (whole.kind === "any") return isScalar(one);
  if (whole.kind === "map") return isString(one);
  return whole.kind === "list" && comparable(one, whole.of);
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

interface State {
  readonly facts: { readonly [name: string]: Type };
  readonly tell: string;
  readonly wrong: (node: Node, sentence: string) => Type;
  readonly warnings: Remark[];
  readonly names: Set<string>;
  readonly keys: Map<string, string[]>;
}

/** What is known at one place of the expression: the names that macros gave, and what was asked for before. */
interface Scope {
  readonly locals: ReadonlyMap<string, Type>;
  readonly guards: ReadonlySet<string>;
  readonly looping: boolean;
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

function noteKey(state: State, of: Type, holder: Node, key: string): void {
  const path = pathOf(holder);
  if (of.kind !== "map" || of.named !== true || path === undefined) return;
  const noted = state.keys.get(path) ?? [];
  if (!noted.includes(key)) state.keys.set(path, [...noted, key]);
}

function mayBeMissing(state: State, node: Node, scope: Scope): void {
  const path = pathOf(node);
  if (path === undefined || scope.guards.has(path)) return;
  const ask =
    node.kind === "field" ? ` Ask has(${path}) first.` : path.endsWith('"]') ? " Ask for the key with `in` first." : "";
  state.warnings.push({
    offset: node.offset,
    sentence: `${path} may be missing: the expression then fails, and ${state.tell}.${ask}`,
  });
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

function checkNamedIn(state: State, node: Node & { kind: "call" }, whole: Type | undefined): void {
  const [key, holder] = node.arguments;
  if (key === undefined || holder === undefined || whole?.kind !== "map" || whole.named !== true) return;
  if (key.kind === "literal" && typeof key.value === "string") noteKey(state, whole, holder, key.value);
  else state.wrong(key, `${pathOf(holder) ?? "It"} is only read by the names of its keys: write the key in quotes.`);
}

/** A text that the other side can never be: `now.weekday == "fri"` would never hold, and nobody would notice. */
function checkFits(state: State, node: Node & { kind: "call" }, types: readonly Type[]): void {
  for (const [index, type] of types.entries()) {
    const other = node.arguments[1 - index];
    if (type.kind !== "string" || type.fits === undefined || other === undefined) continue;
    for (const one of other.kind === "list" ? other.items : [other])
      if (one.kind === "literal" && typeof one.value === "string" && !type.fits.shape.test(one.value))
        state.wrong(one, `${pathOf(node.arguments[index] ?? node) ?? "It"} is always ${type.fits.words}.`);
  }
}

function checkPattern(state: State, node: Node & { kind: "call" }): void {
  const [pattern] = node.arguments;
  if (pattern === undefined) return;
  if (pattern.kind !== "literal" || typeof pattern.value !== "string") {
    state.wrong(pattern, "The pattern of matches() must be written out, in quotes.");
    return;
  }
  const opened = openPattern(pattern.value);
  if ("problem" in opened) state.wrong(pattern, `The pattern ${opened.problem}.`);
}

function noFunction(name: string): string {
  if (name === "has")
    return 'has() takes a field, as in has(object.labels.team); for other keys write "a/b" in object.labels.';
  if (macros.includes(name))
    return `${name}() takes a name and what to ask of each, as in list.${name}(one, one != "").`;
  return `There is no function ${JSON.stringify(name)}${ending(nearest(name, known))}`;
}

/** `_<=_` as `<=`. */
function shown(name: string): string {
  if (name === "@in") return "in";
  return /^[a-z]/i.test(name) ? `${name}()` : name.replaceAll("_", " ").trim();
}

function words(type: Type): string {
  switch (type.kind) {
    case "bool":
      return "true or false";
    case "int":
      return "a whole number";
    case "double":
      return "a number with decimals";
    case "string":
      return "text";
    case "null":
      return "null";
    case "any":
      return "a value of any type";
    case "list":
      return "a list";
    case "map":
    case "struct":
      return "a mapping";
  }
}
