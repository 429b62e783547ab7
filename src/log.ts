// The operator's log: JSON lines on standard error, with the cause of each fault under its call id.

import { pino, type Logger } from "pino";

export type Log = Pick<Logger, "info" | "warn" | "error">;

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** Opens the log; an unknown level is `warn`. `write` gets one line at a time and must not lose it. */
export function openLog(level: string | undefined, write: (line: string) => void): Log {
  return pino({ level: level !== undefined && levels.includes(level) ? level : "warn", base: null }, { write });
}
