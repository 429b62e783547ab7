// The operator's log: JSON lines on standard error. A line is one of our own events with the few fields below; text that is not ours passes the masker on its way in, so that no caller can forget it.

import { isIP } from "node:net";
import { pino } from "pino";
import { faultCodes, type EffectLeft, type FaultCode } from "./domain/fault.ts";
import { parseApprovalId, parseCallId } from "./domain/ids.ts";

/** What there is to tell, in our words. A new event is a new line here. */
export const logEvents = [
  "fault",
  "the transcript",
  "an anchor",
  "an export",
  "the sweep could not read everything",
  "the sweep will be tried again",
  "a channel could not be told",
  "Slack",
  "an agent's last use",
  "an agent was kept out",
  "a session's beginning could not be recorded",
  "an issuer could not be asked",
  "a token was refused",
  "the certificate could not be read again",
  "somebody was not signed in",
  "the console",
  "a stranger was turned away",
  "the owner's socket",
  "a client's stream",
  "the policy could not be reloaded",
  "the masking profiles could not be reloaded",
  "could not be closed",
] as const;
export type LogEvent = (typeof logEvents)[number];

/** All that a line can hold besides its event. Whatever else hangs on the object that is passed is not looked at. */
export interface LogFields {
  /** A call's id, or an approval's. */
  readonly call?: string;
  readonly code?: FaultCode;
  readonly effect?: EffectLeft;
  /** Names from the configuration. */
  readonly cluster?: string;
  readonly channel?: string;
  readonly issuer?: string;
  /** The other end of a connection, and whom a named proxy says that it forwards for: IP addresses. */
  readonly peer?: string;
  readonly address?: string;
  /** Of an HTTP answer. */
  readonly status?: number;
  /** Why, for the operator. May hold words of others: a server's, a library's, a stack. */
  readonly cause?: string;
}

/** Writes one event. */
export type Tell = (fields: LogFields, event: LogEvent) => void;
export interface Log {
  readonly info: Tell;
  readonly warn: Tell;
  readonly error: Tell;
}

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const effects: readonly EffectLeft[] = ["none", "applied", "unknown"];
/** Characters of a field that are looked at, and that are kept of what the masker left: a secret that the first cut splits lies beyond the second. */
const [longestRead, longestKept] = [65_536, 8_192];

/**
 * Opens the log; an unknown level is `warn`. `write` gets one line at a time and must not lose it. `mask` hides what
 * must not be seen in a text; what it can't mask is left out.
 */
export function openLog(level: string | undefined, write: (line: string) => void, mask: (text: string) => string): Log {
  const known = level !== undefined && levels.includes(level) ? level : "warn";
  const lines = pino({ level: known, base: null }, { write });
  const text = (given: string): string => {
    if (given === "") return "";
    try {
      return mask(given.slice(0, longestRead)).slice(0, longestKept);
    } catch {
      return "(could not be masked)";
    }
  };
  const at =
    (severity: "info" | "warn" | "error"): Tell =>
    (fields, event) => {
      if (lines.isLevelEnabled(severity)) lines[severity](lineOf(fields, text), nameOf(event));
    };
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/** The fields by name, each held to what it may be: an object that only looks like them brings nothing else in, and what logs never throws. */
function lineOf(fields: LogFields, text: (given: string) => string): LogFields {
  const { call, code, effect, cluster, channel, issuer, peer, address, status, cause } = fields;
  const texts = Object.entries({ cluster, channel, issuer, cause }).flatMap(([name, given]) =>
    isText(given) ? [[name, text(given)] as const] : [],
  );
  return {
    ...(isText(call) && (parseCallId(call) ?? parseApprovalId(call)) !== undefined ? { call } : {}),
    ...(isText(code) && Object.hasOwn(faultCodes, code) ? { code } : {}),
    ...(isText(effect) && effects.includes(effect) ? { effect } : {}),
    ...(isAddress(peer) ? { peer } : {}),
    ...(isAddress(address) ? { address } : {}),
    ...(Number.isInteger(status) ? { status } : {}),
    ...Object.fromEntries(texts),
  };
}

/** Without a zone, which may be any text. */
function isAddress(given: string | undefined): given is string {
  return isText(given) && isIP(given) !== 0 && !given.includes("%");
}

function isText<T extends string>(given: T | undefined): given is T {
  return typeof given === "string";
}

function nameOf(event: LogEvent): LogEvent | "an event without a name" {
  return logEvents.includes(event) ? event : "an event without a name";
}
