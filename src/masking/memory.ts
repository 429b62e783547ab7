// Bounded memories of what was worked out for a name or a text: objects repeat theirs, and whoever sends ever new ones gains nothing.

/**
 * Remembers what `make` says of a name, which must follow from the name alone. At most twice `most` names are kept, none longer than
 * `longest`: once that many are new, the older half goes, so that what is in use stays whatever else is sent.
 */
export function remembering<Value extends object>(
  make: (name: string) => Value,
  most: number,
  longest: number,
): (name: string) => Value {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return (name) => {
    const known = young.get(name);
    if (known !== undefined) return known;
    const value = old.get(name) ?? make(name);
    if (name.length > longest) return value;
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(name, value);
    return value;
  };
}

/**
 * What was worked out for the texts of one call, each in the place that its length and three of its characters tell: a look there costs less than in
 * a map, which hashes every text and grows with those that never come again. Whoever makes texts that meet there gains nothing: the newest one stays.
 */
export interface Recent<Value> {
  /** What is remembered of the text, or undefined. */
  get(text: string): Value | undefined;
  set(text: string, value: Value): void;
}

/** Places at the beginning: most calls have few texts. */
const few = 32;

/** At most `most` places, a power of two: as more texts come there are more, empty ones. */
export function recent<Value>(most: number): Recent<Value> {
  let texts = Array<string>(few).fill("");
  let values = Array<Value | undefined>(few).fill(undefined);
  let left = few;
  const placeOf = (text: string): number => {
    const { length } = text;
    const [first, mid, last] = [text.charCodeAt(0), text.charCodeAt(length >> 1), text.charCodeAt(length - 1)];
    return (length * 89 + first + mid * 23 + last * 7) & (texts.length - 1);
  };
  return {
    get: (text) => {
      const place = placeOf(text);
      return texts[place] === text ? values[place] : undefined;
    },
    set: (text, value) => {
      if (left-- === 0 && texts.length < most) {
        left = 4 * texts.length;
        texts = Array<string>(Math.min(most, left)).fill("");
        values = Array<Value | undefined>(texts.length).fill(undefined);
      }
      const place = placeOf(text);
      texts[place] = text;
      values[place] = value;
    },
  };
}
