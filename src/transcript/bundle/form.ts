// What a bundle looks like: which names may stand in it, and its manifest.

import { bodyClasses, type BodyClass } from "../../domain/entry.ts";
import { isJsonObject, type Json, type JsonObject } from "../../domain/json.ts";
import { canonical, isCanonical } from "../canonical.ts";
import { fields, type Query } from "../searchable.ts";

export const form = "sallyport.dev/bundle/v1";

/** Every name that a bundle may hold, with `/` between a folder and a file; nothing else in it is opened. */
export const names = {
  readMe: "README.md",
  trust: "trust.txt",
  manifest: "manifest.json",
  entries: "entries.ndjson",
  proofs: "proofs.txt",
  checkpoint: "checkpoint",
  vkey: "log.vkey",
  verifier: "verify.mjs",
  keys: "bodies/keys.ndjson",
  handedOut: "handed-out.tlog-proof",
  handedOutSince: "handed-out.consistency",
} as const;
/** These tell of the manifest itself, and so can't stand in it. */
export const beyondManifest: ReadonlySet<string> = new Set([names.manifest, names.handedOut, names.handedOutSince]);
export const folders: ReadonlySet<string> = new Set(["heads", "rotations", "policies", "bodies"]);
const fixed: ReadonlySet<string> = new Set(Object.values(names));
export const headName = /^heads\/(0|[1-9]\d{0,15})\.(checkpoint|consistency)$/;
export const rotationName = /^rotations\/\d{4}\.tlog-proof$/;
export const policyFileName = /^policies\/([0-9a-f]{64})\.json$/;
export const sealedName = /^bodies\/\d{8}\.sealed$/;

export function isBundleName(name: string): boolean {
  return fixed.has(name) || [headName, rotationName, policyFileName, sealedName].some((one) => one.test(name));
}

/** Kinds of entries that stand in a bundle beside those that were asked for, because they explain something of them. */
export const besideKinds: ReadonlySet<string> = new Set([
  "retention.purged",
  "audit.recovered",
  "audit.degraded",
  "reconcile.ran",
  "checkpoint.anchored",
]);

export interface BundleFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface Manifest {
  /** RFC 3339, when it was made; and by which version. */
  readonly at: string;
  readonly version: string;
  /** The query in the command's own words, and as it is asked of each entry. */
  readonly asked: string;
  readonly query: Query;
  /** All entries of the calls that entries of the query belong to are there too. */
  readonly wholeCalls: boolean;
  readonly why: string;
  /** The head that all is proven under; the root in base64. */
  readonly log: { readonly origin: string; readonly size: number; readonly root: string };
  /** The log's verifier keys, oldest first. */
  readonly keys: readonly string[];
  readonly entries: { readonly chosen: number; readonly beside: number };
  readonly bodies: {
    /** Bodies of these classes are there; of others they were left out. */
    readonly classes: readonly BodyClass[];
    /** The id of the key that opens them, or "". */
    readonly recipient: string;
  };
  /** Policies that entries name, and whose text was not kept. */
  readonly policiesMissing: readonly string[];
  readonly files: readonly BundleFile[];
}

export function manifestText(manifest: Manifest): string {
  const { query } = manifest;
  return `${canonical({ form, ...manifest, query: { ...query } })}\n`;
}

/** The manifest that a file's text holds, or null where it is none. */
export function parseManifest(text: string): Manifest | null {
  const value = parsed(text);
  if (!isJsonObject(value) || value["form"] !== form) return null;
  if (!text.endsWith("\n") || !isCanonical(text.slice(0, -1), value)) return null;
  const { log, entries, bodies, files, keys, policiesMissing, wholeCalls } = value;
  const texts = ["at", "version", "asked", "why"].every((key) => typeof value[key] === "string");
  if (!texts || typeof wholeCalls !== "boolean" || !isQuery(value["query"])) return null;
  if (!hasTexts(log, "origin", "root") || !hasCounts(log, "size") || !hasCounts(entries, "chosen", "beside"))
    return null;
  if (!hasTexts(bodies, "recipient") || !isTexts(bodies["classes"])) return null;
  if (!bodies["classes"].every((one) => (bodyClasses as readonly string[]).includes(one))) return null;
  if (!isTexts(keys) || !isTexts(policiesMissing) || !Array.isArray(files)) return null;
  if (!files.every((one: Json) => hasTexts(one, "name", "sha256") && hasCounts(one, "bytes"))) return null;
  const { form: _, ...manifest } = value;
  return manifest as JsonObject & Manifest;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function hasTexts(value: Json | undefined, ...keys: readonly string[]): value is JsonObject {
  return isJsonObject(value) && keys.every((key) => typeof value[key] === "string");
}

function hasCounts(value: Json | undefined, ...keys: readonly string[]): value is JsonObject {
  return isJsonObject(value) && keys.every((key) => Number.isSafeInteger(value[key]) && Number(value[key]) >= 0);
}

function isTexts(value: Json | undefined): value is readonly string[] & Json {
  return Array.isArray(value) && value.every((one: Json) => typeof one === "string");
}

const texts: ReadonlySet<string> = new Set([...fields, "resource", "namespace", "name"]);

function isQuery(value: Json | undefined): boolean {
  if (!isJsonObject(value)) return false;
  return Object.entries(value).every(([key, asked]) =>
    texts.has(key) ? typeof asked === "string" : ["since", "until"].includes(key) && typeof asked === "number",
  );
}

/** What the query is, where the selection itself can show that it left nothing out. */
export type Wholeness =
  | { readonly kind: "session"; readonly sid: string }
  | { readonly kind: "period" }
  | { readonly kind: "part" };

/** A session asked for by its id alone, a period or everything; else a part of which nothing shows that it is whole. */
export function wholenessOf(query: Query): Wholeness {
  const { since: _, until: __, ...rest } = query;
  const asked = Object.keys(rest);
  if (asked.length === 0) return { kind: "period" };
  const { session } = query;
  const alone = Object.keys(query).length === 1 && session !== undefined && !session.includes("*");
  return alone ? { kind: "session", sid: session } : { kind: "part" };
}

/** One entry's proof: its index and the hashes from its leaf's sibling up, as in c2sp.org/tlog-proof, on one line. */
export function proofLine(index: number, hashes: readonly Uint8Array[]): string {
  return [index, ...hashes.map((one) => Buffer.from(one).toString("base64"))].join(" ");
}

export function parseProofLine(
  line: string,
): { readonly index: number; readonly hashes: readonly Uint8Array[] } | null {
  const [first = "", ...rest] = line.split(" ");
  if (!/^(0|[1-9]\d{0,15})$/.test(first) || !Number.isSafeInteger(Number(first)) || rest.length > 63) return null;
  const hashes = rest.map(hashOf);
  const whole = hashes.filter((one) => one !== null);
  return whole.length === hashes.length ? { index: Number(first), hashes: whole } : null;
}

/** A consistency proof's file: its hashes in base64, a line each. */
export function consistencyText(hashes: readonly Uint8Array[]): string {
  return hashes.map((one) => `${Buffer.from(one).toString("base64")}\n`).join("");
}

export function parseConsistency(text: string): readonly Uint8Array[] | null {
  const hashes = text.split("\n").slice(0, -1).map(hashOf);
  const whole = hashes.filter((one) => one !== null);
  return whole.length === hashes.length && (text === "" || text.endsWith("\n")) && whole.length <= 128 ? whole : null;
}

function hashOf(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === 32 && bytes.toString("base64") === text ? bytes : null;
}
