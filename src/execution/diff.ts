// What a write does to one object: live against the server's answer, noise removed, by path (tools.md, section 5).

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { DiffLine } from "../domain/output.ts";

/** Fields that the server writes by itself and that say nothing about the change. */
const noise = [
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.uid",
  "metadata.creationTimestamp",
  "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
  "metadata.annotations.deployment.kubernetes.io/revision",
  "status",
];

/** Lists whose members are told apart by a key rather than by their place. */
const keys = ["name", "containerPort", "port", "mountPath", "key", "type", "ip"];

/** Touches code, privilege, identity, exposure or data (tools.md, section 5). */
const risks =
  /(^|\.)(image|command|args|securityContext|serviceAccountName|serviceAccount|hostNetwork|hostPID|hostIPC|hostPath|privileged|hostUsers|hostPort|runtimeClassName|nodeName|tolerations|automountServiceAccountToken|capabilities|env|envFrom|volumes|volumeMounts|selector|type|externalIPs|loadBalancerIP|ownerReferences|finalizers|data|stringData|binaryData)(\.|\[|$)/;

/**
 * The lines of a change, risks first; both sides are masked. `sent` is the body that was written, as far as it is known:
 * of a created object only what was sent shows, and a hidden value that was written to always shows as changed, or the
 * diff would say whether a guess of it is right (masking.md).
 */
export function diffObjects(before: JsonObject | null, after: JsonObject | null, sent?: Json): DiffLine[] {
  const name = (object: JsonObject): string => JSON.stringify(textAt(object, "metadata", "name"));
  if (after === null)
    return before === null ? [] : [{ sign: "-", risk: true, path: "metadata.name", before: name(before), after: null }];
  const lines: DiffLine[] = [];
  if (before === null) lines.push({ sign: "+", risk: false, path: "metadata.name", before: null, after: name(after) });
  walk("", before ?? undefined, before === null ? sentOf(after, sent) : after, sent, lines);
  const scaledAway = lines.map((line) => (losesData(line) ? { ...line, risk: true } : line));
  return scaledAway.sort((a, b) => Number(b.risk) - Number(a.risk) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** SHA-256 of an object without what the server alone writes, hex. */
export function substanceOf(object: JsonObject): string {
  return createHash("sha256")
    .update(canonicalize(withoutNoise("", object)) ?? "")
    .digest("hex");
}

function withoutNoise(path: string, value: Json): Json {
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, inner]) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (noise.includes(here)) return [];
    const rest = withoutNoise(here, inner);
    // Annotations that hold nothing but the server's own are as good as none.
    const nothing = isJsonObject(rest) && Object.keys(rest).length === 0 && JSON.stringify(inner) !== "{}";
    return nothing ? [] : [[key, rest] as const];
  });
  return Object.fromEntries(kept);
}

/** Scaling to nothing stops the workload. */
function losesData(line: DiffLine): boolean {
  return line.path === "spec.replicas" && line.after === "0";
}

function walk(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
  sent: Json | undefined,
  lines: DiffLine[],
): void {
  if (noise.some((prefix) => path === prefix || path.startsWith(`${prefix}.`))) return;
  if (isBranch(before, after, isJsonObject)) {
    const [old, now] = [isJsonObject(before) ? before : {}, isJsonObject(after) ? after : {}];
    for (const key of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort())
      walk(path === "" ? key : `${path}.${key}`, at(old, key), at(now, key), at(sent, key), lines);
    return;
  }
  if (isBranch(before, after, isList)) return walkLists(path, before ?? [], after ?? [], sent, lines);
  const hidden = sent !== undefined && after !== undefined && JSON.stringify(after).includes("[MASKED:");
  if (JSON.stringify(before) === JSON.stringify(after) && !hidden) return;
  if (before === undefined && identity.includes(path)) return;
  const sign = before === undefined ? "+" : after === undefined ? "-" : "~";
  lines.push({ sign, risk: risks.test(path), path, before: show(before), after: show(after) });
}

/** What a created object shows besides: its name stands in a line of its own. */
const identity = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** Are both sides of this shape, or one of them where the other has nothing? An empty one on its own is a value. */
function isBranch(before: Json | undefined, after: Json | undefined, of: (value: unknown) => boolean): boolean {
  const fits = (value: Json | undefined): boolean => of(value) && Object.keys(value as object).length > 0;
  return before === undefined ? fits(after) : after === undefined ? fits(before) : of(before) && of(after);
}

function walkLists(path: string, old: Json, now: Json, sent: Json | undefined, lines: DiffLine[]): void {
  const [before, after] = [isList(old) ? old : [], isList(now) ? now : []];
  const written = isList(sent) ? sent : [];
  const key = keyOf([...before, ...after]);
  if (key === undefined) {
    const longest = Math.max(before.length, after.length);
    for (let index = 0; index < longest; index++)
      walk(`${path}[${index}]`, before[index], after[index], written[index], lines);
    return;
  }
  const names = [...before, ...after].map((item) => JSON.stringify(at(item, key)));
  for (const name of new Set(names)) {
    const [one, other] = [ofName(before, key, name), ofName(after, key, name)];
    const both = one !== undefined && other !== undefined;
    // Of a whole member its key stands in the path already.
    const [was, is] = both ? [one, other] : [withoutKey(one, key), withoutKey(other, key)];
    walk(`${path}[${name.replaceAll('"', "")}]`, was, is, ofName(written, key, name), lines);
  }
}

function withoutKey(member: Json | undefined, key: string): Json | undefined {
  if (!isJsonObject(member) || Object.keys(member).length === 1) return member;
  return Object.fromEntries(Object.entries(member).filter(([name]) => name !== key));
}

/** The key that tells all these members apart, where there is one. */
function keyOf(members: readonly Json[]): string | undefined {
  return keys.find((name) => members.length > 0 && members.every((item) => at(item, name) !== undefined));
}

function ofName(list: readonly Json[], key: string, name: string): Json | undefined {
  return list.find((item) => JSON.stringify(at(item, key)) === name);
}

/** What of an object stands in the body that was sent; all of it where the body is not known. */
function sentOf(after: Json, sent: Json | undefined): Json {
  if (sent === undefined) return after;
  if (isJsonObject(after) && isJsonObject(sent)) {
    const kept = Object.entries(after).filter(([key]) => Object.hasOwn(sent, key));
    return Object.fromEntries(kept.map(([key, value]) => [key, sentOf(value, at(sent, key) ?? null)]));
  }
  if (!isList(after) || !isList(sent)) return after;
  const key = keyOf([...after, ...sent]);
  return after.map((item, index) => {
    const written = key === undefined ? sent[index] : ofName(sent, key, JSON.stringify(at(item, key)));
    return written === undefined ? item : sentOf(item, written);
  });
}

function show(value: Json | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
