// Times, counts and reasons as the command line takes them.

import { InvalidArgumentError } from "commander";
import { CommandFailed } from "./io.ts";

const units: { readonly [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const span = /^([1-9]\d{0,5})([smhdw])$/;
const moment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/i;

/** `7d` or `12h` before now, a date (its beginning, UTC), or a time as RFC 3339 writes it: milliseconds since 1970. */
export function timeBefore(now: () => number): (text: string) => number {
  return (text) => {
    const [, count = "", unit = ""] = span.exec(text) ?? [];
    if (unit !== "") return now() - Number(count) * (units[unit] ?? 0);
    const at = moment.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(at))
      throw new InvalidArgumentError("Give a span such as 12h or 7d, a date, or a time such as 2026-01-31T10:00:00Z.");
    return at;
  };
}

/** Is it a day of the calendar, such as `2026-02-28`? `Date.parse` takes the 31st of February for one in March. */
export function isDay(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** Nothing lies in a stretch that ends before it begins: who asks for one has mixed up the two. Throws `CommandFailed`. */
export function inOrder<T extends { readonly since?: number; readonly until?: number }>(asked: T): T {
  const { since, until } = asked;
  if (since !== undefined && until !== undefined && since >= until)
    throw new CommandFailed("--until is not after --since: nothing lies between them.", 2);
  return asked;
}

/** A reason for the record: 3 to 300 characters, as it is published. */
export function reasonText(text: string): string {
  const { length } = text.trim();
  if (length >= 3 && length <= 300) return text;
  throw new InvalidArgumentError("Give a reason of 3 to 300 characters: it goes on record.");
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give a whole number.");
  return Number(text);
}

/** `41 ms`, `2.3 s`, `4 min 5 s`, `3 h 20 min`: for people. */
export function spanText(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
