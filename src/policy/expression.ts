// CEL, and its only home: parses a `when`, and evaluates it within a bounded amount of work. Long: the library has no such bound, and none of it leaves this file.

import {
  celEnv,
  celError,
  celFunc,
  celMap,
  celMethod,
  celList,
  CelScalar,
  isCelError,
  isCelList,
  isCelMap,
  listType,
  parse,
  plan,
  type CelError,
  type CelInput,
  type CelValue,
} from "@bufbuild/cel";
import type { Node, Remark } from "./syntax.ts";
import { openPattern, type Pattern } from "./regex.ts";

/** Bounds of one expression. The parser works on the text that is left again and again, and by recursion. */
const most = { characters: 2000, nesting: 24, nodes: 600 };

/**
 * Units of work that one evaluation may do, and all those of one decision together. A unit is about one node evaluated
 * in a loop, or sixteen characters compared; a thousand of them take about a millisecond.
 */
const mostWork = 10_000;
const mostTogether = 50_000;

/** What is left of the work that one decision may cause. */
export interface Room {
  left: number;
}
export const openRoom = (): Room => ({ left: mostTogether });

type Expr = ReturnType<typeof parse>["expr"];

export interface ParsedExpression {
  readonly kind: "parsed";
  readonly root: Node;
  readonly expr: Expr;
}

/** Plain values: text, numbers (whole ones as bigint), lists, and mappings as `Map`. */
export type Value = string | bigint | number | boolean | null | readonly Value[] | ReadonlyMap<string, Value>;

/** A fact that is not known, and why. Whatever depends on it fails; what does not is decided all the same. */
export interface Unknown {
  readonly unknown: string;
}

export type Evaluated =
  | { readonly kind: "answered"; readonly answer: boolean }
  /** `message` may hold values of the call: for people, never for the agent. */
  | { readonly kind: "failed"; readonly message: string };

export type Evaluate = (valueOf: (name: string) => Value | Unknown, room: Room) => Evaluated;

/** CEL keeps this word for itself, and Kubernetes' people would miss it: it is parsed and bound under another of its length. */
const reserved = "namespace";
const standIn = "Namespace";

/** A string of any form, whole, so that nothing inside one is taken for a word; or the word. */
const words = new RegExp(
  [
    /[rR]"""[^]*?"""|[rR]'''[^]*?'''|[rR]"[^"\n]*"|[rR]'[^'\n]*'/,
    /"""(?:\\[^]|(?!""")[^])*"""|'''(?:\\[^]|(?!''')[^])*'''/,
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/,
    /(?<![A-Za-z0-9_.])namespace(?![A-Za-z0-9_])/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** The text with each such word outside strings, and not behind a dot, replaced; all else stays at its offset. */
function parseable(text: string): string {
  return text.replaceAll(words, (found) => (found === reserved ? standIn : found));
}

/** Parses an expression. Too long or too deep is a problem like any other. */
export function parseExpression(text: string): ParsedExpression | ({ readonly kind: "refused" } & Remark) {
  const stop = (offset: number, sentence: string) => ({ kind: "refused", offset, sentence }) as const;
  if (text.length > most.characters)
    return stop(0, `The expression has ${text.length} characters; ${most.characters} are the most.`);
  const deep = tooDeep(text);
  if (deep !== null) return stop(deep, `The expression is nested more than ${most.nesting} levels deep.`);
  try {
    const { expr, sourceInfo } = parse(parseable(text));
    const size = { nodes: 0 };
    const root = reader(text, sourceInfo, size)(expr);
    if (size.nodes > most.nodes)
      return stop(
        0,
        `The expression has ${size.nodes} parts; ${most.nodes} are the most. Long lists belong in \`match\`.`,
      );
    return { kind: "parsed", root, expr };
  } catch (thrown) {
    if (thrown instanceof RangeError) return stop(0, "The expression is nested too deeply.");
    return stop(offsetIn(text, thrown), sentenceOf(text, thrown));
  }
}

/** The offset at which brackets, `!`s or minus signs stand deeper than the parser should go. Strings count too: it only has to be safe. */
function tooDeep(text: string): number | null {
  let depth = 0;
  let signs = 0;
  for (let at = 0; at < text.length; at++) {
    const one = text.charAt(at);
    if ("([{?".includes(one)) depth += 1;
    else if (")]}:".includes(one)) depth -= 1;
    signs = "!-".includes(one) ? signs + 1 : 0;
    if (depth > most.nesting || signs > most.nesting) return at;
  }
  return null;
}

/** Where the parser stopped. Its place is the end of what it could read: the words before it, not the blank. */
function offsetIn(text: string, thrown: unknown): number {
  const location: unknown =
    typeof thrown === "object" && thrown !== null && "location" in thrown ? thrown.location : null;
  if (typeof location !== "object" || location === null || !("start" in location)) return 0;
  const { start } = location;
  const offset = typeof start === "object" && start !== null && "offset" in start ? start.offset : 0;
  return typeof offset === "number" ? Math.min(offset, Math.max(0, text.length - 1)) : 0;
}

function sentenceOf(text: string, thrown: unknown): string {
  if (text.trim() === "") return "The expression is empty.";
  const offset = offsetIn(text, thrown);
  const found = text.slice(offset).trim().slice(0, 12);
  const plain = /^[\x20-\x7e]*$/.test(found) ? found : "";
  return `This is not a CEL expression: it can't be read from ${plain === "" ? "here" : JSON.stringify(plain)} on.`;
}

/** Reads the library's tree back into what was written, counting its nodes. */
function reader(text: string, source: ReturnType<typeof parse>["sourceInfo"], size: { nodes: number }) {
  const placed = (id: bigint): number => {
    let offset = source?.positions[id.toString()] ?? 0;
    while (offset < text.length - 1 && /[\s.]/.test(text.charAt(offset))) offset += 1;
    return offset;
  };
  const all = (exprs: readonly Expr[]): Node[] => exprs.map(read);
  function read(expr: Expr): Node {
    size.nodes += 1;
    const offset = placed(expr.id);
    const macro = source?.macroCalls[expr.id.toString()]?.exprKind;
    const kind = macro ?? expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return literal(offset, kind.value.constantKind);
      case "identExpr":
        return { offset, kind: "name", name: text.startsWith(reserved, offset) ? reserved : kind.value.name };
      case "selectExpr": {
        const { operand, field, testOnly } = kind.value;
        if (operand === undefined) return { offset, kind: "other", what: "an empty field access" };
        return { offset, kind: "field", of: read(operand), field, tested: testOnly };
      }
      case "callExpr":
        return macro === undefined ? call(offset, kind.value) : expanded(offset, kind.value);
      case "listExpr":
        return { offset, kind: "list", items: all(kind.value.elements) };
      case "structExpr":
        return { offset, kind: "other", what: "a mapping in braces" };
      case "comprehensionExpr":
      case undefined:
        return { offset, kind: "other", what: "this construct" };
    }
  }
  type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];
  function call(offset: number, { function: name, target, args }: Call): Node {
    return { offset, kind: "call", name, target: target === undefined ? null : read(target), arguments: all(args) };
  }
  /** `has(a.b)`, and the macros that go through a list. */
  function expanded(offset: number, { function: macro, target, args }: Call): Node {
    const [first, ...rest] = args;
    if (first === undefined) return { offset, kind: "other", what: macro };
    if (macro === "has") {
      const tested = read(first);
      return tested.kind === "field" ? { ...tested, tested: true } : { offset, kind: "other", what: macro };
    }
    if (target === undefined || first.exprKind.case !== "identExpr") return { offset, kind: "other", what: macro };
    const { name } = first.exprKind.value;
    return { offset, kind: "each", macro, range: read(target), name, bodies: all(rest) };
  }
  return read;
}

function literal(
  offset: number,
  constant: Extract<Expr["exprKind"], { case: "constExpr" }>["value"]["constantKind"],
): Node {
  switch (constant.case) {
    case "stringValue":
    case "boolValue":
    case "int64Value":
    case "doubleValue":
      return { offset, kind: "literal", value: constant.value };
    case "nullValue":
      return { offset, kind: "literal", value: null };
    case "uint64Value":
      return { offset, kind: "other", what: "an unsigned number" };
    case "bytesValue":
    case "durationValue":
    case "timestampValue":
    case undefined:
      return { offset, kind: "other", what: "a value of this type" };
  }
}

/** What is left of the evaluation that runs now. Evaluation is synchronous, so that one at a time is all there is. */
const meter = { left: 0, stopped: false, patterns: [] as readonly Pattern[] };

function charge(units: number): void {
  meter.left -= units;
  if (meter.left >= 0) return;
  meter.stopped = true;
  throw new Error("more work than a rule may ask for");
}

const { BOOL, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);

/** Scalars alone are compared: lists and mappings, which an agent can make as large as it likes, are looked through with macros. */
function same(a: CelValue, b: CelValue): boolean {
  if (typeof a === "string" && typeof b === "string") charge(1 + (a.length >> 10));
  if (isCelList(a) || isCelMap(a) || isCelList(b) || isCelMap(b))
    throw new Error("lists and mappings can't be compared");
  if ((typeof a === "number" && typeof b === "bigint") || (typeof a === "bigint" && typeof b === "number"))
    return a == b;
  return a === b;
}

const tick = "@work";
const search = "@search";
/** Over the library's own: the same answers, with their work counted. */
const metered = [
  celFunc(tick, [BOOL, INT], BOOL, (go, units) => {
    charge(Number(units));
    return go;
  }),
  celFunc("_==_", [DYN, DYN], BOOL, same),
  celFunc("_!=_", [DYN, DYN], BOOL, (a, b) => !same(a, b)),
  celFunc("@in", [DYN, LIST], BOOL, (one, list) => {
    charge(1 + (list.size >> 1));
    for (const other of list) if (!isCelError(other) && same(one, other)) return true;
    return false;
  }),
  // Only what macros gather: the linter lets no rule add lists. A list in one piece, as the library's own nests.
  celFunc("_+_", [LIST, LIST], LIST, (a, b) => {
    charge(1 + ((a.size + b.size) >> 2));
    return celList([...a, ...b]);
  }),
  celFunc("_+_", [STRING, STRING], STRING, (a, b) => {
    charge(1 + ((a.length + b.length) >> 4));
    return a + b;
  }),
  celMethod("contains", STRING, [STRING], BOOL, function (part) {
    charge(1 + Math.floor((this.length * part.length) / 1024));
    return this.includes(part);
  }),
  celMethod("size", STRING, [], INT, function () {
    charge(1 + (this.length >> 4));
    return BigInt(Array.from(this).length);
  }),
  celFunc("size", [STRING], INT, (text) => {
    charge(1 + (text.length >> 4));
    return BigInt(Array.from(text).length);
  }),
  celFunc(search, [STRING, INT], BOOL, (text, index) => {
    const pattern = meter.patterns[Number(index)];
    if (pattern === undefined) throw new Error("an unknown pattern");
    charge(1 + Math.floor((text.length * pattern.size) / 32));
    return pattern.finds(text);
  }),
];
const env = celEnv({ funcs: metered });

/**
 * An expression that can be evaluated again and again. `names` are the facts that it may ask for; whatever else it
 * mentions fails. Throws nothing: a fault of the evaluation is an answer.
 */
export function compileExpression({ expr }: ParsedExpression, names: readonly string[]): Evaluate {
  const patterns: Pattern[] = [];
  rewrite(expr, patterns);
  const run = plan(env, expr);
  return (valueOf, room) => {
    const bound = Object.create(null) as Record<string, CelInput>;
    for (const name of names) bind(bound, name === reserved ? standIn : name, valueOf(name));
    const given = Math.min(mostWork, room.left);
    meter.left = given;
    meter.stopped = given <= 0;
    meter.patterns = patterns;
    const result = run(bound);
    room.left -= 1 + given - meter.left;
    // An `||` may have swallowed the error: over the bound is an error of the rule all the same.
    if (meter.stopped) return { kind: "failed", message: "it asks for more work than a rule may" };
    if (typeof result === "boolean") return { kind: "answered", answer: result };
    if (isCelError(result)) return { kind: "failed", message: result.message };
    return { kind: "failed", message: "its result is not true or false" };
  };
}

/** Binds a fact. One that is not known is bound to an error, which the library carries along until something does not depend on it. */
function bind(bound: Record<string, CelInput>, name: string, value: Value | Unknown): void {
  if (typeof value !== "object" || value === null || !("unknown" in value)) bound[name] = inputOf(value);
  // The library's types know errors as results only; its evaluation takes them as variables too.
  else Object.defineProperty(bound, name, { value: celError(value.unknown), enumerable: true });
}

/** An error value may stand in a mapping of facts, too. */
function inputOf(value: Value): CelInput {
  if (!(value instanceof Map)) return value;
  const known = celMap(value as ReadonlyMap<string, CelInput>);
  const errors = new Map<unknown, CelError>();
  for (const [key, one] of value as ReadonlyMap<string, Value | Unknown>)
    if (typeof one === "object" && one !== null && "unknown" in one) errors.set(key, celError(one.unknown));
  if (errors.size === 0) return known;
  const get = known.get.bind(known);
  const has = known.has.bind(known);
  // Asked with has(), too, what is not known is an error: neither there nor missing.
  return Object.defineProperties(known, {
    get: { value: (key: Parameters<typeof get>[0]) => errors.get(key) ?? get(key) },
    has: { value: (key: Parameters<typeof has>[0]) => errors.get(key) ?? has(key) },
  });
}

/** Counts each turn of a loop by the size of its body, and puts compiled patterns in the place of written ones. */
function rewrite(expr: Expr, patterns: Pattern[]): number {
  const kind = expr.exprKind;
  const sum = (exprs: readonly (Expr | undefined)[]): number =>
    exprs.reduce((size, one) => size + (one === undefined ? 0 : rewrite(one, patterns)), 1);
  switch (kind.case) {
    case "selectExpr":
      return sum([kind.value.operand]);
    case "listExpr":
      return sum(kind.value.elements);
    case "callExpr": {
      const { target, args } = kind.value;
      const size = sum([target, ...args]);
      const pattern = kind.value.function === "matches" ? literalPattern(args[0]) : null;
      if (pattern === null || target === undefined) return size;
      kind.value.args = [target, numberExpr(patterns.push(pattern) - 1)];
      kind.value.function = search;
      delete kind.value.target;
      return size;
    }
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      const body = sum([loopCondition, loopStep]);
      if (loopCondition !== undefined) kind.value.loopCondition = callExpr(tick, [loopCondition, numberExpr(body)]);
      return body + sum([iterRange, accuInit, result]);
    }
    case "constExpr":
    case "identExpr":
    case "structExpr":
    case undefined:
      return 1;
  }
}

function literalPattern(expr: Expr | undefined): Pattern | null {
  if (expr?.exprKind.case !== "constExpr" || expr.exprKind.value.constantKind.case !== "stringValue") return null;
  const opened = openPattern(expr.exprKind.value.constantKind.value);
  return "problem" in opened ? null : opened;
}

function callExpr(name: string, args: Expr[]): Expr {
  return {
    $typeName: "cel.expr.Expr",
    id: 0n,
    exprKind: { case: "callExpr", value: { $typeName: "cel.expr.Expr.Call", function: name, args } },
  };
}

function numberExpr(value: number): Expr {
  const constantKind = { case: "int64Value", value: BigInt(value) } as const;
  return {
    $typeName: "cel.expr.Expr",
    id: 0n,
    exprKind: { case: "constExpr", value: { $typeName: "cel.expr.Constant", constantKind } },
  };
}
