// A bounded memory of what was worked out for a name: objects repeat theirs, and whoever sends ever new ones gains nothing.

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
