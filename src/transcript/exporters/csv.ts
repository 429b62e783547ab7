// CSV for auditors' spreadsheets: RFC 4180, the same columns always, and no cell that a spreadsheet would run.

import { at, isJsonObject, textAt, type Json } from "../../domain/json.ts";
import { canonical } from "../canonical.ts";
import type { Exported, Exporter } from "./contract.ts";

/** The columns in their order. New ones are added before `details`, which stays the last. */
const columns: readonly (readonly [name: string, cell: (one: Exported) => Json | undefined])[] = [
  ["index", ({ index }) => index],
  ["time", ({ entry }) => entry.ts],
  ["kind", ({ entry }) => entry.kind],
  ["session", ({ entry }) => entry.sid],
  ["session_number", ({ entry }) => entry.sseq],
  ["call", ({ entry }) => entry.call],
  ["principal_issuer", ({ entry }) => entry.principal?.iss],
  ["principal", ({ entry }) => entry.principal?.sub],
  ["actors", ({ entry }) => entry.principal?.act.map((one) => one.sub)],
  ["client", ({ entry }) => entry.client],
  ["cluster", detail("cluster")],
  ["tool", detail("tool")],
  ["decision", detail("decision")],
  ["rules", detail("rules")],
  ["forbid", detail("forbid")],
  ["outcome", detail("outcome")],
  ["code", detail("code")],
  ["effect", detail("effect")],
  ["accesses", detail("accesses")],
  ["objects", ({ entry }) => objectsIn(entry.details["objects"])],
  ["approval", detail("approval")],
  ["answer", detail("answer")],
  ["approver", ({ entry }) => approverIn(entry.details["approver"])],
  ["reason", detail("reason")],
  ["grant", detail("grant")],
  ["account", detail("account")],
  ["masked", ({ entry }) => maskedIn(entry.details["masked"])],
  ["policy", ({ entry }) => entry.gateway.policy],
  ["config", ({ entry }) => entry.gateway.config],
  ["gateway", ({ entry }) => entry.gateway.id],
  ["version", ({ entry }) => entry.gateway.version],
  ["leaf", ({ leaf }) => leaf],
  ["details", ({ entry }) => canonical(entry.details)],
];

export const csv: Exporter = {
  head: () => csvLine(columns.map(([name]) => name)),
  record: (one) => csvLine(columns.map(([, cell]) => cellText(cell(one)))),
  tail: () => "",
};

function detail(key: string): (one: Exported) => Json | undefined {
  return ({ entry }) => entry.details[key];
}

/** Several values stand in one cell, `; ` between them. */
function cellText(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return (value as readonly Json[]).map(cellText).join("; ");
  return typeof value === "string" ? value : canonical(value);
}

function objectsIn(objects: Json | undefined): Json | undefined {
  if (!Array.isArray(objects)) return undefined;
  return (objects as readonly Json[]).map((one) => {
    if (!isJsonObject(one)) return cellText(one);
    const place = [textAt(one, "cluster"), textAt(one, "namespace"), textAt(one, "name")];
    return `${textAt(one, "kind")} ${place.filter((part) => part !== "").join("/")}`;
  });
}

function approverIn(approver: Json | undefined): string {
  return textAt(approver, "subject") || textAt(approver, "sub");
}

function maskedIn(rows: Json | undefined): Json | undefined {
  if (!Array.isArray(rows)) return undefined;
  return (rows as readonly Json[]).map((row) => `${cellText(at(row, "count"))} ${textAt(row, "type")}`);
}

/** One record of RFC 4180, line end included. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(",")}\r\n`;
}

/**
 * A cell as RFC 4180, section 2 writes it. One that a spreadsheet would take for a formula gets an apostrophe before it,
 * which spreadsheets show as text (OWASP, "CSV Injection").
 */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
