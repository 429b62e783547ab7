// The types of an expression's parts, and how functions and operators turn types into types.

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

export const anything: Type = { kind: "any" };
export const bool: Type = { kind: "bool" };
export const int: Type = { kind: "int" };
export const string: Type = { kind: "string" };

/** How functions and operators turn types into types; undefined where they do not take them. */
export const functions: { readonly [name: string]: (target: Type | null, parts: readonly Type[]) => Type | undefined } =
  {
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
export const macros = ["has", "all", "exists", "exists_one", "filter", "map"];
export const knownFunctions = [...Object.keys(functions).filter((name) => /^[a-z]/i.test(name)), ...macros];

export const comparisons = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"]);

export const isAny = ({ kind }: Type): boolean => kind === "any";
export const isBool = ({ kind }: Type): boolean => kind === "bool" || kind === "any";
export const isString = ({ kind }: Type): boolean => kind === "string" || kind === "any";
export const isNumber = ({ kind }: Type): boolean => kind === "int" || kind === "double" || kind === "any";
export const isScalar = ({ kind }: Type): boolean => ["bool", "int", "double", "string", "any"].includes(kind);

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

export function words(type: Type): string {
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
