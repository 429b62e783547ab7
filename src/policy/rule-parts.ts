// The words that rules and their examples are written with: names, durations, plain sentences.

import * as z from "zod";

export const refuse = (problemOf: (text: string) => string | undefined) => (text: string, context: z.RefinementCtx) => {
  const problem = problemOf(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
};
export const shaped = (pattern: RegExp, problem: string) =>
  z.string().superRefine(refuse((text) => (pattern.test(text) ? undefined : problem)));
export const some = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(500).optional();
// Printable, on one line: what a person reads here is what a terminal shows.
export const words = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+$/u, "must be one line of plain text");
/** An expression may be written on several lines. What can't be seen has no place in it either. */
export const expression = z
  .string("must be a CEL expression in quotes or after |")
  .min(1)
  .regex(/^[^\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]*$/u, "must be without invisible characters")
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$/, "must be without control characters");
export const exactName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^*\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+$/u, "must be an exact name, without `*` or invisible characters");

const secondsPer: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `10m`, `1h`, `7d` as seconds. */
export const duration = (least: number, most: number, range: string) =>
  z
    .string("must be a number and its unit, for example 10m")
    .regex(/^[1-9][0-9]{0,6}[smhd]$/, "must be a number and s, m, h or d, for example 10m")
    .transform((text) => Number(text.slice(0, -1)) * (secondsPer[text.slice(-1)] ?? Number.NaN))
    .refine((seconds) => seconds >= least && seconds <= most, `must lie between ${range}`);

export const toolName = shaped(/^[a-z][a-z0-9_]{0,63}$/, "must be the exact name of a tool");
