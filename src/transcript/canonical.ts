// RFC 8785 canonical JSON: one text for one value, so that its hash means something.

/** Deeper values are refused: no entry needs them, and a hostile one must not exhaust the stack. */
export const deepest = 64;

/**
 * The value as RFC 8785 canonical JSON. Throws a TypeError for everything that JSON would drop or bend in silence:
 * undefined, functions, symbols, bigints, NaN and infinities, lone surrogates, holes in lists, objects that are not
 * plain (dates, maps, `toJSON`), and values nested deeper than `deepest`, which cycles are too.
 */
export function canonical(value: unknown, depth = 0): string {
  switch (typeof value) {
    case "string":
      return text(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      // RFC 8785, section 3.2.2.3: numbers are written as ECMAScript writes them; "-0" becomes "0".
      if (!Number.isFinite(value)) throw new TypeError("not JSON: a number that is not finite");
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (depth >= deepest) throw new TypeError(`not JSON: nested deeper than ${deepest}`);
      return Array.isArray(value) ? list(value, depth) : plainObject(value, depth);
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      throw new TypeError(`not JSON: ${typeof value}`);
  }
}

/** Is this text exactly what `canonical` makes of the value that it parses to? `value` must be `JSON.parse(line)`. */
export function isCanonical(line: string, value: unknown): boolean {
  // Most lines take the short way: `JSON.stringify` repeats them, their keys are sorted and no surrogate was escaped.
  if (JSON.stringify(value) === line && hasSortedKeys(value, 0) && !line.includes("\\ud")) return true;
  try {
    return canonical(value) === line;
  } catch {
    return false; // Parsed JSON that RFC 8785 has no text for, for example a lone surrogate.
  }
}

/** Printable ASCII without the quote and the backslash: stands in JSON as it is. */
const plain = /^[ !#-[\]-~]*$/;

function text(value: string): string {
  if (plain.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new TypeError("not JSON: a lone surrogate");
  return JSON.stringify(value);
}

function list(value: readonly unknown[], depth: number): string {
  let out = "[";
  for (let index = 0; index < value.length; index++) {
    if (index > 0) out += ",";
    out += canonical(value[index], depth + 1);
  }
  return `${out}]`;
}

function plainObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError("not JSON: not a plain object");
  if (Object.getOwnPropertySymbols(value).length > 0) throw new TypeError("not JSON: a symbol as a key");
  const record = value as Record<string, unknown>;
  // Array.prototype.sort without a comparator orders by UTF-16 code units, as section 3.2.3 asks.
  const keys = Object.keys(record).sort();
  let out = "{";
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    out += `${index > 0 ? "," : ""}${text(key)}:${canonical(record[key], depth + 1)}`;
  }
  return `${out}}`;
}

function hasSortedKeys(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth >= deepest) return false;
  if (Array.isArray(value)) return value.every((item) => hasSortedKeys(item, depth + 1));
  const record = value as Record<string, unknown>;
  let previous: string | null = null;
  for (const key of Object.keys(record)) {
    if (previous !== null && previous >= key) return false;
    const item = record[key];
    if (typeof item === "object" && item !== null && !hasSortedKeys(item, depth + 1)) return false;
    previous = key;
  }
  return true;
}
