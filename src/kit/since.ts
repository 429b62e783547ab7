// Spans of time as agents write them (15m, 2h, RFC 3339), and times as answers show them.

import * as z from "zod";

/** The wire form of a span; the default belongs to the tool. */
export const since = () =>
  z
    .string()
    .max(40)
    .regex(
      /^(\d{1,6}[smhd]|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))$/,
      "must be 15m, 2h or RFC 3339",
    )
    // The pattern lets the 45th of a month through.
    .refine((span) => Number.isFinite(startOf(span, 0)), "must be 15m, 2h or RFC 3339");

/** The start of a span, in milliseconds since 1970. */
export function startOf(span: string, now: number): number {
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[span.at(-1) ?? ""];
  return unit === undefined ? Date.parse(span) : now - Number(span.slice(0, -1)) * unit;
}

/** `since 1h (13:04:05Z to 14:04:05Z)`: what was looked at, by the gateway's clock. */
export function windowText(span: string, now: number): string {
  const from = new Date(startOf(span, now)).toISOString();
  const to = new Date(now).toISOString();
  const shown = from.slice(0, 10) === to.slice(0, 10) ? from.slice(11, 19) : from.slice(0, 19);
  return `since ${span} (${shown}Z to ${to.slice(11, 19)}Z)`;
}

/** `45s`, `7m`, `3h`, `12d`: how long ago, rounded down; a time of the future counts as now. */
export function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - time) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
