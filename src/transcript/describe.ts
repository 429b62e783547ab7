// One entry in words for people: a line of a list, or all that it says.

import { offsetText } from "../domain/clock.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { canonical } from "./canonical.ts";
import type { Kept } from "./read.ts";

/** How an entry reads at a glance: well, badly, not yet, or neither. */
export type Mood = "good" | "bad" | "open" | "plain";

export interface Described {
  /** `2026-11-21 12:05:03`, UTC. */
  readonly when: string;
  readonly kind: string;
  readonly mood: Mood;
  /** Who, through which software; "" for the gateway itself. */
  readonly who: string;
  readonly says: string;
}

export function describeEntry({ entry }: Kept): Described {
  const { ts, kind, principal } = entry;
  const who = principal === null ? "" : [principal, ...principal.act].map((one) => one.sub).join(" via ");
  const says = plainText(sayings(kind, entry.details));
  return {
    when: ts.slice(0, 19).replace("T", " "),
    kind,
    mood: moodOf(kind, entry.details),
    who: plainText(who),
    says,
  };
}

/** The parts that say something, two spaces between. */
const said = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("  ");

function sayings(kind: Kept["entry"]["kind"], details: JsonObject): string {
  const text = (key: string): string => textAt(details, key);
  const inCluster = text("cluster") === "" ? "" : `in ${text("cluster")}`;
  const list = (key: string, most = 3): string => listed(details[key], most);
  switch (kind) {
    case "gateway.started":
      return `version ${text("version")}`;
    case "gateway.stopped":
    case "call.unknown":
    case "audit.degraded":
      return text("reason");
    case "session.opened":
      return `${text("door")} ${text("client")}`;
    case "identity.refused":
      return `${showValue(details["count"])} since ${text("since")}`;
    case "call.received":
      return said(`${text("tool")} ${showValue(details["arguments"])}`, inCluster);
    case "call.decided":
      return said(text("decision"), text("tool"), list("accesses"), text("forbid") || list("rules"), text("code"));
    case "call.previewed":
      return said(text("tool"), list("diff"));
    case "call.settled":
      return said(text("outcome"), text("tool"), text("code"), `effect ${text("effect")}`, maskedIn(details));
    case "stream.segment":
      return said(
        text("stream"),
        `${showValue(details["from"])} to ${showValue(details["to"])} ms`,
        `${showValue(details["bytes"])} bytes`,
        maskedIn(details),
      );
    case "approval.requested":
      return `${text("approval")}  until ${text("expires")}`;
    case "approval.decided":
      return said(text("approval"), text("answer"), `by ${approverIn(details)}`, text("reason"));
    case "approval.notified":
      return said(text("approval"), `after ${showValue(details["after"])} s also`, list("to"));
    case "approval.expired":
    case "approval.withdrawn":
    case "approval.spent":
      return text("approval");
    case "approval.stale":
      return said(text("approval"), text("changed"));
    case "grant.issued":
      return said(text("account") || text("issuer"), list("accesses"), text("expires"));
    case "grant.revoked":
      return `${text("grant")}${details["complete"] === true ? "" : "  not complete: the sweep goes on"}`;
    case "grant.swept":
      return said(text("grant"), text("why"), list("objects"), inCluster);
    case "session.closed":
      return said(text("reason"), `${showValue(details["calls"])} calls`, `${showValue(details["changes"])} changes`);
    case "evidence.exported":
      return said(`${showValue(details["count"])} ${text("what")}`, `to ${text("to")}`, text("query"), text("why"));
    case "retention.purged":
      return said(
        entriesIn(details["entries"]) ||
          `${Array.isArray(details["keys"]) ? details["keys"].length : 0} keys of bodies`,
        list("classes"),
        text("before"),
        text("session"),
        text("why"),
      );
    case "hold.placed":
      return said(text("hold"), `covers ${coversIn(details)}`, text("reason"));
    case "hold.asked":
      return said(text("hold"), text("reason"), `until ${text("expires")} another person may agree`);
    case "hold.released":
      return said(text("hold"), `asked for in entry ${showValue(details["asked"])}`, text("reason"));
    case "evidence.searched":
      return said(text("what"), text("query"), `${showValue(details["count"])} entries`);
    case "evidence.verified":
      return said(text("what"), `${showValue(details["entries"])} entries`, details["ok"] === true ? "" : "failed");
    case "reconcile.ran":
      return said(text("cluster"), `${text("from")} to ${text("to")}`, reconciledIn(details));
    case "clock.checked":
      return said(text("source"), offsetIn(details), details["within"] === false ? "beyond what it may be" : "");
    case "review.completed":
      return said(`${showValue(details["entries"])} entries`, asksIn(details["scope"]), text("findings"));
    case "checkpoint.anchored":
      return said(text("anchor"), `${showValue(details["size"])} entries`, text("destination"), text("place"));
    case "policy.changed":
    case "config.changed":
    case "tool.changed":
    case "key.rotated":
      return `${text("from")} to ${text("to")}`;
    case "alert.raised":
      return `${text("alert")}  ${showValue(details["about"])}`;
    case "evidence.viewed":
      if (text("what") !== "") return said(text("what"), text("query"), `${showValue(details["count"])} shown`);
      return said(text("call"), details["found"] === true ? "" : "not shown: no call of this caller");
    case "agent.registered":
      return said(text("agent"), identityIn(details), `owner ${text("owner")}`, `until ${text("expires")}`);
    case "agent.disabled":
      return said(
        text("agent"),
        identityIn(details),
        details["now"] === true ? "with all that it ran" : "",
        text("reason"),
      );
    case "agent.enabled":
      return said(text("agent"), identityIn(details), `until ${text("expires")}`);
    case "agent.reviewed":
      return said(text("agent"), identityIn(details), `again by ${text("reviewBy")}`, text("note"));
    case "identity.linked":
      return said(`${text("team")}/${text("user")}`, identityIn(details), `until ${text("until")}`);
    case "identity.unlinked":
      return said(`${text("team")}/${text("user")}`, identityIn(details), text("why"));
    case "limit.exceeded":
      return said(text("limit"), `${showValue(details["count"])} since ${text("since")}`);
    case "audit.recovered":
      return details["repaired"] === 0
        ? ""
        : `${showValue(details["repaired"])} bytes of an unfinished entry were cut off`;
  }
}

const moods: { readonly [word: string]: Mood } = {
  allow: "good",
  completed: "good",
  approve: "good",
  deny: "bad",
  refused: "bad",
  failed: "bad",
  reject: "bad",
  "require-approval": "open",
};

function moodOf(kind: string, details: JsonObject): Mood {
  if (["call.unknown", "alert.raised", "audit.degraded", "agent.disabled", "limit.exceeded"].includes(kind))
    return "bad";
  if (kind === "approval.requested") return "open";
  if (kind === "clock.checked") return details["within"] === true ? "good" : "bad";
  const word = textAt(details, "decision") || textAt(details, "outcome") || textAt(details, "answer");
  return Object.hasOwn(moods, word) ? (moods[word] ?? "plain") : "plain";
}

/** `session ses_…, since 2026-01-01T00:00:00.000Z`, or everything. */
function entriesIn(purged: Json | undefined): string {
  return isJsonObject(purged) ? `${showValue(purged["count"])} entries, whose leaves stand` : "";
}

function coversIn(details: JsonObject): string {
  return asksIn(details["covers"]) || "everything";
}

function asksIn(query: Json | undefined): string {
  const asks = isJsonObject(query) ? Object.entries(query) : [];
  return asks.map(([key, value]) => `${key} ${showValue(value)}`).join(", ");
}

/** The four findings, or that there were none; and how much was not looked at. */
function reconciledIn(details: JsonObject): string {
  const names = ["theft", "bypass", "missing", "differ"];
  const found = names.filter((name) => details[name] !== 0).map((name) => `${name} ${showValue(details[name])}`);
  const { notJudged, purgedBefore } = details;
  const rest = notJudged === undefined ? "" : `${showValue(notJudged)} not judged, before ${showValue(purgedBefore)}`;
  return said(found.length === 0 ? "nothing differs" : found.join(", "), rest);
}

function offsetIn({ offset, uncertainty }: JsonObject): string {
  if (typeof offset !== "number" || typeof uncertainty !== "number") return "";
  return offsetText({ offset, uncertainty });
}

function identityIn(details: JsonObject): string {
  return `${textAt(details, "subject")} of ${textAt(details, "issuer")}`;
}

function approverIn(details: JsonObject): string {
  const approver = details["approver"];
  const name = textAt(approver, "subject") || textAt(approver, "sub");
  return [name, textAt(approver, "channel"), textAt(approver, "assurance")].filter((part) => part !== "").join(", ");
}

function maskedIn(details: JsonObject): string {
  const rows = details["masked"];
  if (!Array.isArray(rows) || rows.length === 0) return "";
  const says = (row: Json): string =>
    `${showValue(at(row, "count"))} ${textAt(row, "type")}${placesIn(at(row, "places"))}`;
  return `masked: ${(rows as readonly Json[]).map(says).join(", ")}`;
}

/** ` (spec.containers[api].env[DB_PASSWORD].value and 2 more)` */
function placesIn(places: Json | undefined): string {
  const told = listed(places, 1);
  return told === "" ? "" : ` (${told})`;
}

function listed(value: Json | undefined, most: number): string {
  if (!Array.isArray(value)) return "";
  const items = (value as readonly Json[]).slice(0, most).map(showValue);
  return value.length > most ? `${items.join(", ")} and ${value.length - most} more` : items.join(", ");
}

/** All that an entry's details say, a line each. */
export function detailLines({ entry }: Kept): readonly string[] {
  const { details } = entry;
  const width = Math.max(0, ...Object.keys(details).map((key) => key.length));
  return Object.keys(details).flatMap((key) => {
    const value = details[key] as Json;
    const lines =
      Array.isArray(value) && value.length > 0 ? (value as readonly Json[]).map(showValue) : [showValue(value)];
    return lines.map((line, number) => plainText(`${(number === 0 ? key : "").padEnd(width)}  ${line}`));
  });
}

function showValue(value: Json | undefined): string {
  if (typeof value === "string") return value === "" ? "-" : value;
  if (value === null || value === undefined) return "-";
  if (Array.isArray(value) && value.length === 0) return "-";
  return isJsonObject(value) && Object.keys(value).length === 0 ? "-" : canonical(value);
}

/** Text that can do nothing to a terminal: control, formatting and line characters stand as their code points. */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16) ?? ""}}`)
    .trimEnd();
}
