// How one row of the formats' table is written down, and the alphabets that vendors use most.

import type { Format } from "./formats.ts";
import type { MaskType } from "./token.ts";

export const alnum = "A-Za-z0-9";
export const url = "A-Za-z0-9_-";
export const b64 = "A-Za-z0-9+/=";
export const hex = "0-9a-f";
export const anyHex = "0-9a-fA-F";
export const dotted = "A-Za-z0-9_.-";

export type More = Partial<Omit<Format, "id" | "type" | "keywords" | "body" | "min" | "max" | "source">>;

/** One row: id, type, keywords (space-separated), characters of the body, least and most of them, source, the rest. */
export function row(
  id: string,
  type: MaskType,
  keywords: string | readonly string[],
  body: string,
  length: number | readonly [number, number],
  source: string,
  more: More = {},
): Format {
  const [min, max] = typeof length === "number" ? [length, length] : length;
  return {
    id,
    type,
    keywords: typeof keywords === "string" ? keywords.split(" ") : keywords,
    body,
    min,
    max,
    source,
    ...more,
  };
}
