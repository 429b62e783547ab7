// What a write does to one object: live against the server's answer, noise removed, by path (tools.md, section 5).

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { at, isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
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
  /(^|\.)(image|command|args|securityContext|serviceAccountName|hostNetwork|hostPID|hostIPC|hostPath|privileged|capabilities|env|envFrom|volumes|volumeMounts|selector|type|externalIPs|loadBalancerIP|ownerReferences|finalizers|data|stringData|binaryData)(\.|\[|$)/;

/** The lines of a change, risks first. A masked value always shows as changed when it was written to, so lines compare masked text. */
export function diffObjects(before: JsonObject | null, after: JsonObject | null): DiffLine[] {
  const lines: DiffLine[] = [];
  walk("", before ?? {}, after ?? {}, lines);
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
    return noise.includes(here) ? [] : [[key, withoutNoise(here, inner)] as const];
  });
  return Object.fromEntries(kept);
}

/** Scaling to nothing stops the workload. */
function losesData(line: DiffLine): boolean {
  return line.path === "spec.replicas" && line.after === "0";
}

function walk(path: string, before: Json | undefined, after: Json | undefined, lines: DiffLine[]): void {
  if (noise.some((prefix) => path === prefix || path.startsWith(`${prefix}.`))) return;
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort())
      walk(path === "" ? key : `${path}.${key}`, before[key], after[key], lines);
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) return walkLists(path, before, after, lines);
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  const sign = before === undefined ? "+" : after === undefined ? "-" : "~";
  lines.push({ sign, risk: risks.test(path), path, before: show(before), after: show(after) });
}

function walkLists(path: string, before: readonly Json[], after: readonly Json[], lines: DiffLine[]): void {
  const key = keys.find(
    (name) => [...before, ...after].every((item) => at(item, name) !== undefined) && before.length + after.length > 0,
  );
  if (key === undefined) {
    const longest = Math.max(before.length, after.length);
    for (let index = 0; index < longest; index++) walk(`${path}[${index}]`, before[index], after[index], lines);
    return;
  }
  const names = [...before, ...after].map((item) => JSON.stringify(at(item, key)));
  const find = (list: readonly Json[], name: string): Json | undefined =>
    list.find((item) => JSON.stringify(at(item, key)) === name);
  for (const name of new Set(names))
    walk(`${path}[${name.replaceAll('"', "")}]`, find(before, name), find(after, name), lines);
}

function show(value: Json | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
