// CEF, the Common Event Format (version 0), one event a line: what syslog receivers of every age take in.

import { at, isJsonObject, textAt, type Json } from "../../domain/json.ts";
import { severityOf } from "../severity.ts";
import type { Exported, Exporter } from "./contract.ts";

/** Longer values are cut: receivers keep at most 1,023 characters of most fields. */
const longest = 1000;

export const cef: Exporter = {
  head: () => "",
  record: (one) => `${cefLine(one)}\n`,
  tail: () => "",
};

/** `CEF:0|vendor|product|version|kind|name|severity|extension`, without a newline. */
export function cefLine({ index, leaf, entry }: Exported): string {
  const { kind, details, principal, client, gateway, sid, call, ts } = entry;
  const text = (key: string): string => textAt(details, key);
  const head = [
    "Sallyport",
    "Sallyport",
    gateway.version,
    kind,
    nameOf(kind, text("tool")),
    String(severityOf(entry) * 2),
  ];
  const extension: readonly (readonly [key: string, value: string])[] = [
    ["rt", String(Date.parse(ts))],
    ["externalId", String(index)],
    ["cat", kind.slice(0, kind.indexOf("."))],
    ["act", text("decision") || text("answer") || text("outcome")],
    ["outcome", text("outcome") || text("state")],
    ["reason", text("code") || text("reason")],
    ["suser", principal?.sub ?? ""],
    ["suid", principal?.iss ?? ""],
    ["sproc", principal?.act[0]?.sub ?? client],
    ["duser", textAt(details, "approver", "subject") || text("account")],
    ["requestMethod", text("tool")],
    ["dhost", text("cluster")],
    ["deviceExternalId", gateway.id],
    ...labelled("cs1", "rules", textsOf(details["rules"]) || text("forbid")),
    ...labelled("cs2", "objects", objectsOf(details["objects"]) || textsOf(details["accesses"])),
    ...labelled("cs3", "session", sid ?? ""),
    ...labelled("cs4", "call", call ?? ""),
    ...labelled("cs5", "effect", text("effect")),
    ...labelled("cs6", "leaf", leaf),
    ...labelled("cn1", "masked", maskedOf(details["masked"])),
  ];
  const told = extension.filter(([, value]) => value !== "");
  return `CEF:0|${head.map(headerText).join("|")}|${told.map(([key, value]) => `${key}=${extensionText(value)}`).join(" ")}`;
}

const labelled = (key: string, label: string, value: string): readonly (readonly [string, string])[] =>
  value === ""
    ? []
    : [
        [`${key}Label`, label],
        [key, value],
      ];

function nameOf(kind: string, tool: string): string {
  return [kind.replace(".", " "), tool].filter((part) => part !== "").join(" ");
}

/** In the header a backslash and a bar are escaped, and no line ends. */
function headerText(text: string): string {
  return plain(text)
    .replaceAll(/[\\|]/g, "\\$&")
    .replaceAll(/[\r\n]+/g, " ");
}

/** In the extension a backslash and an equals sign are escaped, and line ends are written out. */
function extensionText(text: string): string {
  return plain(text).replaceAll(/[\\=]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}

/** Cut, well-formed, and without control characters but line ends. */
function plain(text: string): string {
  const kept = text.length > longest ? `${text.slice(0, longest).toWellFormed()}…` : text.toWellFormed();
  return kept.replaceAll(/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/g, " ");
}

function textsOf(list: Json | undefined): string {
  if (!Array.isArray(list)) return "";
  return (list as readonly Json[]).filter((one) => typeof one === "string").join(", ");
}

function objectsOf(list: Json | undefined): string {
  if (!Array.isArray(list)) return "";
  return (list as readonly Json[])
    .filter(isJsonObject)
    .map((one) => `${textAt(one, "kind")} ${textAt(one, "namespace")}/${textAt(one, "name")}`)
    .join(", ");
}

function maskedOf(list: Json | undefined): string {
  if (!Array.isArray(list) || list.length === 0) return "";
  return String((list as readonly Json[]).reduce((sum: number, row) => sum + Number(at(row, "count") ?? 0), 0));
}
