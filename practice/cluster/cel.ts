// The part of CEL (Common Expression Language) that the practice cluster's admission policies may use; all else is refused. Long: a tokenizer, a parser and an evaluator of one small language.
//
// In it: true false null, numbers, strings, [lists]; request object oldObject variables; a.b a[b] a.?b x.orValue(y) has(a.b);
// ! && || == != < <= > >= in ?: ( ); size(x) x.size() .startsWith() .endsWith() .contains(); .all(v, p) .exists(v, p).
// Two hundred and some lines, because a tokenizer, a precedence parser and CEL's error rules belong together.

import { isDeepStrictEqual } from "node:util";
import { isJsonObject, textOf, type Json, type JsonObject } from "./json.ts";

/** The expression is not in the set, or is no expression: told when the policy is created. */
export class OutsideSubset extends Error {}
/** The expression failed on this request, for example on an absent field. */
export class EvaluationFailed extends Error {}

type Value = Json | Optional;
type Scope = { readonly [name: string]: Json };
type Run = (scope: Scope) => Value;

/** CEL's optional value, of a class of its own so that no object of the cluster can pass for one. */
class Optional {
  readonly value: Json | undefined;
  constructor(value: Json | undefined) {
    this.value = value;
  }
}

/** A parsed part: how to run it, the fields it is known to have (null: any), and what it selects, for has(). */
interface Part {
  readonly run: Run;
  readonly fields: JsonObject | null;
  readonly selects: { readonly from: Run; readonly field: string } | null;
}
const part = (run: Run, fields: JsonObject | null = null, selects: Part["selects"] = null): Part => ({
  run,
  fields,
  selects,
});

/** The fields of AdmissionRequest (admission/v1) that an expression may name; null ends what is known. */
const requestFields: JsonObject = {
  operation: null,
  name: null,
  namespace: null,
  dryRun: null,
  subResource: null,
  resource: { group: null, version: null, resource: null },
  kind: { group: null, version: null, kind: null },
  userInfo: { username: null, uid: null, groups: null, extra: null },
};

interface Token {
  readonly kind: "number" | "text" | "name" | "sign" | "end";
  readonly text: string;
}

const tokenKinds = ["number", "text", "name", "sign"] as const;
const tokenPattern =
  /\s*(?:(?<number>\d+(?:\.\d+)?)|(?<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<name>[A-Za-z_]\w*)|(?<sign>&&|\|\||==|!=|<=|>=|\.\?|[<>!?:.,()[\]]))/y;

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const text = source.trimEnd();
  const pattern = new RegExp(tokenPattern);
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    const kind = tokenKinds.find((one) => groups?.[one] !== undefined);
    if (kind === undefined) throw new OutsideSubset(`unexpected ${JSON.stringify(text.slice(from, from + 12))}`);
    tokens.push({ kind, text: groups?.[kind] ?? "" });
  }
  return [...tokens, { kind: "end", text: "" }];
}

const methods = ["startsWith", "endsWith", "contains", "orValue", "size"];
const comparisons = ["==", "!=", "<", "<=", ">", ">=", "in"];
const deepest = 40;

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #names: readonly string[];

  constructor(source: string, names: readonly string[]) {
    this.#tokens = tokenize(source);
    this.#names = names;
  }

  whole(): Run {
    const whole = this.#choice();
    if (this.#next.kind !== "end") throw new OutsideSubset(`unexpected "${this.#next.text}"`);
    return whole.run;
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  #take(text: string): boolean {
    if (this.#next.kind === "text" || this.#next.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new OutsideSubset(`expected "${text}", found "${this.#next.text}"`);
  }

  #name(): string {
    const { kind, text } = this.#next;
    if (kind !== "name") throw new OutsideSubset(`expected a name, found "${text}"`);
    this.#at++;
    return text;
  }

  #choice(): Part {
    if (++this.#depth > deepest) throw new OutsideSubset("nested too deeply");
    const condition = this.#binary(["||"], () =>
      this.#binary(["&&"], () => this.#binary(comparisons, () => this.#unary())),
    );
    this.#depth--;
    if (!this.#take("?")) return condition;
    const yes = this.#choice();
    this.#expect(":");
    const no = this.#choice();
    return part((scope) => (truth(condition.run(scope)) ? yes : no).run(scope));
  }

  #binary(operators: readonly string[], operand: () => Part): Part {
    let left = operand();
    for (;;) {
      const operator = operators.find((one) => this.#take(one));
      if (operator === undefined) return left;
      const sides = [left.run, operand().run] as const;
      left = part((scope) => binary(operator, sides, scope));
    }
  }

  #unary(): Part {
    let negations = 0;
    while (this.#take("!")) negations++;
    const of = this.#member();
    return negations === 0 ? of : part((scope) => truth(of.run(scope)) === (negations % 2 === 0));
  }

  #member(): Part {
    let on = this.#primary();
    for (;;) {
      const { run } = on;
      if (this.#take("[")) {
        const key = this.#choice();
        this.#expect("]");
        on = part((scope) => element(plain(run(scope)), plain(key.run(scope))));
      } else if (this.#take(".?")) {
        const field = this.#name();
        on = part((scope) => select(run(scope), field, true), inner(on, field));
      } else if (this.#take(".")) on = this.#selectOrCall(on);
      else return on;
    }
  }

  #selectOrCall(on: Part): Part {
    const name = this.#name();
    const { run } = on;
    if (!this.#take("(")) {
      return part((scope) => select(run(scope), name, false), inner(on, name), { from: run, field: name });
    }
    if (name === "all" || name === "exists") return this.#quantifier(run, name === "all");
    if (!methods.includes(name)) throw new OutsideSubset(`the function "${name}"`);
    const argument = name === "size" ? () => null : this.#choice().run;
    this.#expect(")");
    return part((scope) => call(run(scope), name, () => plain(argument(scope))));
  }

  #quantifier(over: Run, every: boolean): Part {
    const name = this.#name();
    this.#expect(",");
    const outside = this.#names;
    this.#names = [...outside, name];
    const body = this.#choice();
    this.#names = outside;
    this.#expect(")");
    return part((scope) => {
      const items = plain(over(scope));
      if (!isJsonObject(items) && !Array.isArray(items))
        throw new EvaluationFailed("no such overload: not a list or map");
      const each: readonly Json[] = isJsonObject(items) ? Object.keys(items) : items;
      return decided(
        each.map((item) => () => truth(body.run({ ...scope, [name]: item }))),
        !every,
      );
    });
  }

  #primary(): Part {
    if (this.#take("(")) {
      const inside = this.#choice();
      this.#expect(")");
      return part(inside.run, inside.fields);
    }
    if (this.#take("[")) return this.#list();
    const { kind, text } = this.#next;
    this.#at++;
    if (kind === "number") return part(() => Number(text));
    if (kind === "text") return constant(unquote(text));
    if (kind !== "name") throw new OutsideSubset(`unexpected "${text}"`);
    if (text === "true" || text === "false") return constant(text === "true");
    if (text === "null") return constant(null);
    if (this.#take("(")) return this.#function(text);
    if (!this.#names.includes(text)) throw new OutsideSubset(`the name "${text}"`);
    return part((scope) => scope[text] ?? null, text === "request" ? requestFields : null);
  }

  #list(): Part {
    const items: Run[] = [];
    while (!this.#take("]")) {
      if (items.length > 0) this.#expect(",");
      items.push(this.#choice().run);
    }
    return part((scope) => items.map((item) => plain(item(scope))));
  }

  #function(name: string): Part {
    const { run, selects } = this.#choice();
    this.#expect(")");
    if (name === "size") return part((scope) => call(run(scope), "size", () => null));
    if (name !== "has") throw new OutsideSubset(`the function "${name}"`);
    if (selects === null) throw new OutsideSubset("has() of what is not a field");
    return part((scope) => {
      const from = plain(selects.from(scope));
      if (!isJsonObject(from)) throw new EvaluationFailed(`no such overload: has(${selects.field})`);
      return Object.hasOwn(from, selects.field);
    });
  }
}

const constant = (value: Json): Part => part(() => value);

/** What is known of a field's own fields; a field that `request` does not have is refused, as by Kubernetes' type check. */
function inner(on: Part, field: string): JsonObject | null {
  if (on.fields === null) return null;
  const found = Object.hasOwn(on.fields, field) ? on.fields[field] : undefined;
  if (found === undefined) throw new OutsideSubset(`the field "${field}" of request`);
  return isJsonObject(found) ? found : null;
}

function unquote(text: string): string {
  const escapes: { readonly [letter: string]: string } = { n: "\n", t: "\t", r: "\r" };
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => {
    if (!/[\\"'ntr]/.test(letter)) throw new OutsideSubset(`the escape "\\${letter}"`);
    return escapes[letter] ?? letter;
  });
}

function plain(value: Value): Json {
  if (value instanceof Optional) throw new EvaluationFailed("no such overload: an optional value was not unwrapped");
  return value;
}

function truth(value: Value): boolean {
  if (typeof value !== "boolean") throw new EvaluationFailed("no such overload: a condition is not a boolean");
  return value;
}

function select(from: Value, field: string, softly: boolean): Value {
  const chained = from instanceof Optional;
  if (chained && from.value === undefined) return from;
  const value = chained ? from.value : from;
  const found = isJsonObject(value) && Object.hasOwn(value, field) ? value[field] : undefined;
  if (isJsonObject(value) && (chained || softly)) return new Optional(found);
  if (found === undefined) throw new EvaluationFailed(`no such key: ${field}`);
  return found;
}

function element(from: Json, key: Json): Json {
  let found: Json | undefined;
  if (Array.isArray(from) && typeof key === "number") found = (from as readonly Json[])[key];
  else if (isJsonObject(from) && typeof key === "string" && Object.hasOwn(from, key)) found = from[key];
  if (found === undefined) throw new EvaluationFailed(`no such key: ${textOf(key)}`);
  return found;
}

/** The first part with the deciding value decides, whatever failed before it; else a failure fails the whole (CEL specification, "Logical operators"). */
function decided(parts: readonly (() => boolean)[], deciding: boolean): boolean {
  let failure: EvaluationFailed | null = null;
  for (const one of parts) {
    try {
      if (one() === deciding) return deciding;
    } catch (error) {
      if (!(error instanceof EvaluationFailed)) throw error;
      failure ??= error;
    }
  }
  if (failure !== null) throw failure;
  return !deciding;
}

function binary(operator: string, [left, right]: readonly [Run, Run], scope: Scope): Json {
  if (operator === "&&" || operator === "||") {
    return decided([() => truth(left(scope)), () => truth(right(scope))], operator === "||");
  }
  const [a, b] = [plain(left(scope)), plain(right(scope))];
  if (operator === "==" || operator === "!=") return isDeepStrictEqual(a, b) === (operator === "==");
  if (operator === "in") {
    if (Array.isArray(b)) return b.some((item: Json) => isDeepStrictEqual(item, a));
    if (isJsonObject(b) && typeof a === "string") return Object.hasOwn(b, a);
    throw new EvaluationFailed("no such overload: in");
  }
  const comparable =
    (typeof a === "number" && typeof b === "number") || (typeof a === "string" && typeof b === "string");
  if (!comparable) throw new EvaluationFailed(`no such overload: ${operator}`);
  return operator.startsWith("<") ? a < b || (operator === "<=" && a === b) : a > b || (operator === ">=" && a === b);
}

function call(on: Value, method: string, argument: () => Json): Json {
  if (method === "orValue") {
    if (!(on instanceof Optional)) throw new EvaluationFailed("no such overload: orValue");
    return on.value ?? argument();
  }
  const value = plain(on);
  if (method === "size") {
    if (typeof value === "string") return Array.from(value).length;
    if (Array.isArray(value) || isJsonObject(value)) return Object.keys(value).length;
    throw new EvaluationFailed("no such overload: size");
  }
  const other = argument();
  if (typeof value !== "string" || typeof other !== "string") throw new EvaluationFailed(`no such overload: ${method}`);
  if (method === "startsWith") return value.startsWith(other);
  return method === "endsWith" ? value.endsWith(other) : value.includes(other);
}

export type Expression = (scope: Scope) => Json;

/** Parses an expression of the set; throws OutsideSubset for every other text. Running it may throw EvaluationFailed. */
export function compile(source: string): Expression {
  const run = new Parser(source, ["request", "object", "oldObject", "variables"]).whole();
  return (scope) => plain(run(scope));
}
