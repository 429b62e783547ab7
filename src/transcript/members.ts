// Finds the members of an object that are asked for, and proves on the way that it is canonical: most members stand byte for byte in an object before it that began alike.

import { isBefore, textEnd, valueEnd } from "./plain.ts";
import { isSame } from "./same-bytes.ts";

/** How many objects are remembered, each by how it begins, and how many members of each: bounds the memory. */
const [mostObjects, mostMembers] = [16, 32];
/** What is kept of a member: its start, where the comma or brace behind it ends, where its value starts, what its name is. */
const width = 4;

export interface Members {
  /**
   * Where the object that begins here ends, or -1 where it is not canonical or not plain. Puts into `rows`, from `first`
   * on, the start and end of each value that is asked for: where it stands, or where it stood in an object before.
   */
  end(buffer: Buffer, from: number, view: DataView, rows: Int32Array, first: number): number;
  /** Nothing is known any more: to be called before the bytes change in which objects stood, or another buffer comes. */
  forget(): void;
}

/** `find` knows the names that are asked for by their number from 0 on; -1 is any other. `depth` is the object's. */
export function openMembers(find: (buffer: Buffer, name: number, nameEnd: number) => number, depth: number): Members {
  const known = new Int32Array(mostObjects * mostMembers * width);
  const counts = new Int32Array(mostObjects);

  /** Where the member that begins here ends, its comma or brace with it, or -1; it is then kept at `place`. */
  function know(buffer: Buffer, from: number, place: number): number {
    const nameEnd = textEnd(buffer, from);
    if (nameEnd < 0 || buffer[nameEnd] !== 0x3a) return -1;
    const end = valueEnd(buffer, nameEnd + 1, depth + 1);
    if (end < 0 || (buffer[end] !== 0x2c && buffer[end] !== 0x7d)) return -1;
    known[place] = from;
    known[place + 1] = end + 1;
    known[place + 2] = nameEnd + 1;
    known[place + 3] = find(buffer, from + 1, nameEnd - 1);
    return end + 1;
  }
  return {
    end(buffer, from, view, rows, first) {
      if (buffer[from] !== 0x7b) return -1;
      if (buffer[from + 1] === 0x7d) return from + 2;
      // Enough to tell objects apart that calls have. Where it is not, less is known again, and nothing wrongly.
      const like = ((buffer[from + 5] as number) + (buffer[from + 6] as number)) % mostObjects;
      let before = -1;
      for (let member = 0, at = from + 1; member < mostMembers; member++) {
        if (before >= 0 && !isBefore(buffer, before, at)) return -1;
        before = at;
        const place = (like * mostMembers + member) * width;
        const start = known[place] as number;
        const length = (known[place + 1] as number) - start;
        if (member < (counts[like] as number) && isSame(view, at, view, start, length)) at += length;
        else {
          at = know(buffer, at, place);
          if (at < 0) return -1;
          counts[like] = Math.max(counts[like] as number, member + 1);
        }
        const asked = known[place + 3] as number;
        if (asked >= 0) {
          rows[first + 2 * asked] = known[place + 2] as number;
          rows[first + 2 * asked + 1] = (known[place + 1] as number) - 1;
        }
        if (buffer[at - 1] === 0x7d) return at;
      }
      return -1;
    },
    forget: () => void counts.fill(0),
  };
}
