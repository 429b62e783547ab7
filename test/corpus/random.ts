// Seeded randomness for the corpus: the same seed gives the same values, none of which was ever a credential.

export interface Dice {
  /** A whole number from 0 to `below - 1`. */
  roll(below: number): number;
  one<T>(of: readonly T[]): T;
  /** Random characters of ranges such as `A-Za-z0-9_-`. */
  pick(body: string, length: number): string;
}

/** Dice from a 32-bit seed (Mulberry32 by Tommy Ettinger, public domain algorithm). */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const roll = (below: number): number => Math.floor(next() * below);
  const one = <T>(of: readonly T[]): T => {
    const chosen = of[roll(of.length)];
    if (chosen === undefined) throw new RangeError("nothing to choose from");
    return chosen;
  };
  return {
    roll,
    one,
    pick: (body, length) => {
      const from = charactersOf(body);
      return Array.from({ length }, () => from[roll(from.length)]).join("");
    },
  };
}

function charactersOf(body: string): string {
  return body.replace(/(.)-(.)/g, (whole, from: string, to: string) => {
    const [low, high] = [from.charCodeAt(0), to.charCodeAt(0)];
    if (low > high) return whole;
    return Array.from({ length: high - low + 1 }, (_, at) => String.fromCharCode(low + at)).join("");
  });
}
