// Reads YAML documents that somebody else wrote: plain data alone, bounded, nothing that could mean two things.

import { isAlias, isMap, isNode, isScalar, Lexer, parseAllDocuments, visit, type Document, type YAMLMap } from "yaml";
import { fault, Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { isExact } from "./written.ts";

/** One document as an object, and where it stands for a problem's path. */
export interface Manifest {
  readonly object: JsonObject;
  readonly path: string;
}

/** Tokens bound the reader's work: bytes alone would let brackets and comment marks cost a second. */
const most = { bytes: 262_144, documents: 20, depth: 64, tokens: 60_000 };

/** The documents of a manifest, in their order; empty ones are left out. Faults: invalid_input naming document and rule, never a value. */
export function manifestsIn(text: string): readonly Manifest[] {
  if (Buffer.byteLength(text) > most.bytes) throw invalid("manifest", `must be at most ${most.bytes} bytes`);
  let tokens = 0;
  for (const _token of new Lexer().lex(text))
    if (++tokens > most.tokens) throw invalid("manifest", "holds too many parts: send fewer documents at a time");
  // The library's own check for keys that stand twice takes the square of their number.
  const parsed = parseAllDocuments(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    logLevel: "silent",
  });
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
  const manifests = documents.flatMap((document, index): Manifest[] => {
    const path = `manifest[${index}]`;
    const problem = document.errors[0] === undefined ? oddity(document) : syntax(document.errors[0]);
    if (problem !== null) throw invalid(path, problem);
    const value = document.toJS({ maxAliasCount: 0 }) as unknown;
    if (value === null || value === undefined) return [];
    if (!isJsonObject(value)) throw invalid(path, "must be an object");
    return [{ object: value, path }];
  });
  if (manifests.length === 0) throw invalid("manifest", "holds no document");
  if (manifests.length > most.documents) throw invalid("manifest", `must hold at most ${most.documents} documents`);
  for (const { object, path } of manifests) refuseList(object, path);
  return manifests;
}

function syntax({ linePos }: { readonly linePos?: readonly { line: number }[] | undefined }): string {
  const line = linePos?.[0]?.line;
  return `is not YAML${line === undefined ? "" : ` (line ${line})`}`;
}

/** What YAML could do besides writing data down, or null. Aliases make bombs, tags make types, a number with a leading zero is octal to one reader and decimal to another. */
function oddity(document: Document): string | null {
  let found: string | null = null;
  if (document.directives?.docStart === true && document.directives.yaml.explicit)
    found = "YAML directives are not taken";
  visit(document, {
    Node(_key, node, parents) {
      if (isAlias(node)) found = "aliases are not taken: write the value out";
      else if (isNode(node) && (node as { anchor?: string }).anchor !== undefined) found = "anchors are not taken";
      else if (node.tag !== undefined) found = "tags are not taken";
      else if (parents.length > most.depth) found = `must be at most ${most.depth} levels deep`;
      else if (isScalar(node)) found = oddScalar(node) ?? found;
      else if (isMap(node)) found = repeated(node) ?? found;
      return found === null ? undefined : visit.BREAK;
    },
    Pair(_key, pair) {
      if (isScalar(pair.key) && typeof pair.key.value === "string") return undefined;
      found = "keys must be plain text";
      return visit.BREAK;
    },
  });
  return (
    found ??
    (document.contents === null || isMap(document.contents) || isScalar(document.contents) ? null : "must be an object")
  );
}

function repeated(map: YAMLMap): string | null {
  const keys = map.items.map(({ key }) => (isScalar(key) ? key.value : null));
  return new Set(keys).size < keys.length ? "a key stands twice" : null;
}

function oddScalar(node: { readonly value: unknown; readonly source?: string; readonly type?: string }): string | null {
  if (typeof node.value === "number" && !Number.isFinite(node.value)) return "numbers must be finite";
  if (typeof node.value === "number" && !isExact(node.value))
    return "a number is too large to be exact: write it in quotes if the field takes text";
  const plain = node.type === "PLAIN" && /^[-+]?0[0-9_]+$/.test(node.source ?? "");
  return plain ? "a number with a leading zero is ambiguous: write it in decimal, or in quotes" : null;
}

/** A list hides its members from whoever looks at kinds. */
function refuseList(object: JsonObject, path: string): void {
  if (textAt(object, "kind").endsWith("List") && Array.isArray(at(object, "items")))
    throw invalid(path, "lists are not taken: one document an object");
}

function invalid(path: string, rule: string): Faulted {
  return new Faulted(fault("invalid_input", { problems: [{ path, rule }] }));
}

/**
 * The order in which documents are written: what bounds and isolates pods, what they mount and run as, the Services
 * that they look up as they start; then everything else in the order of the manifest, workloads and custom resources
 * among it; then what points at workloads and Services.
 */
export function configFirst<Item extends { readonly object: Json }>(items: readonly Item[]): readonly Item[] {
  const rank = ({ object }: Item): number => {
    const [group = ""] = textAt(object, "apiVersion").split("/").toReversed().slice(1);
    const kind = `${textAt(object, "kind")}${group === "" ? "" : `.${group}`}`;
    if (late.includes(kind)) return early.length + 1;
    const found = early.indexOf(kind);
    return found === -1 ? early.length : found;
  };
  return items.toSorted((a, b) => rank(a) - rank(b));
}
const early = [
  "ResourceQuota",
  "LimitRange",
  "NetworkPolicy.networking.k8s.io",
  "ServiceAccount",
  "ConfigMap",
  "PersistentVolumeClaim",
  "PodDisruptionBudget.policy",
  "Service",
];
const late = [
  "HorizontalPodAutoscaler.autoscaling",
  "Ingress.networking.k8s.io",
  "HTTPRoute.gateway.networking.k8s.io",
  "GRPCRoute.gateway.networking.k8s.io",
];
