// A logger for Slack's libraries: they print to standard output, which belongs to the protocol, and at length.

import type { Logger, LogLevel } from "@slack/bolt";

/** Says nothing: whatever fails comes back to its caller, who says it once. */
export function quiet(): Logger {
  const silent = (): void => undefined;
  return {
    debug: silent,
    info: silent,
    warn: silent,
    error: silent,
    setLevel: silent,
    setName: silent,
    getLevel: () => "error" as LogLevel,
  };
}
