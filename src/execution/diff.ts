// What a write does to one object: live against the server's answer, noise removed, by path (tools.md, section 5). Long: one walk, and each case in which two states would else read alike.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { isCustom } from "../domain/access.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { DiffLine } from "../domain/output.ts";
import { shownJson, writtenOut } from "../domain/unseen.ts";
import { groupOf, ownAnnotations } from "../tool.ts";
import { withoutDefaults } from "./defaults.ts";

/** Fields that the server writes by itself and that say nothing about the change. */
const noise = [
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.uid",
  "metadata.creationTimestamp",
  "status",
  ...ownAnnotations.map((name) => `metadata.annotations.${name}`),
];

/** Lists whose members are told apart by a key rather than by their place. */
export const memberKeys = ["name", "containerPort", "port", "mountPath", "key", "type", "ip"];

/** Fields that touch code, privilege, identity, exposure or data (tools.md, section 5), at whatever depth. */
const risky = [
  "image imagePullPolicy command args lifecycle",
  "securityContext hostNetwork hostPID hostIPC hostPath privileged hostUsers hostPort shareProcessNamespace capabilities",
  "runtimeClassName nodeName tolerations",
  "serviceAccountName serviceAccount automountServiceAccountToken imagePullSecrets",
  "selector podSelector namespaceSelector type externalIPs loadBalancerIP loadBalancerSourceRanges externalTrafficPolicy",
  "host hosts rules backend backendRefs defaultBackend tls ingress egress policyTypes hostAliases dnsConfig",
  "env envFrom volumes volumeMounts volumeClaimTemplates data stringData binaryData ownerReferences finalizers",
].flatMap((line) => line.split(" "));
const risks = new RegExp(`(^|[."])(${risky.join("|")})([."[]|$)`);

/**
 * The lines of a change, risks first; both sides are masked. `sent` is the body that was written, as far as it is known:
 * of a created object only what was sent shows, and a hidden value that was written to always shows as changed, or the
 * diff would say whether a guess of it is right (masking.md).
 */
export function diffObjects(was: JsonObject | null, is: JsonObject | null, sent?: Json): DiffLine[] {
  const [before, after] = [was, is].map((object) => (object === null ? null : withCount(object))) as [
    JsonObject | null,
    JsonObject | null,
  ];
  const name = (object: JsonObject): string => shownJson(textAt(object, "metadata", "name"));
  if (after === null)
    return before === null ? [] : [{ sign: "-", risk: true, path: "metadata.name", before: name(before), after: null }];
  const lines: DiffLine[] = [];
  const group = groupOf(textAt(after, "apiVersion"));
  const found: Found = { lines, isFree: isCustom(group) };
  if (before === null) lines.push({ sign: "+", risk: false, path: "metadata.name", before: null, after: name(after) });
  walk("", before ?? undefined, before === null ? sentOf(after, sent) : after, sent, found);
  const scaledAway = withoutDefaults(lines, after).map((line) => (losesData(line) ? { ...line, risk: true } : line));
  return scaledAway.sort((a, b) => Number(b.risk) - Number(a.risk) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** A Scale of none has no count at all (autoscaling/v1 leaves zero out): it would read as a field that goes. */
function withCount(object: JsonObject): JsonObject {
  if (textAt(object, "apiVersion") !== "autoscaling/v1" || textAt(object, "kind") !== "Scale") return object;
  const spec = at(object, "spec");
  return { ...object, spec: { replicas: 0, ...(isJsonObject(spec) ? spec : {}) } };
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
    const here = below(path, key);
    if (noise.includes(here)) return [];
    const rest = withoutNoise(here, inner);
    // Annotations that hold nothing but the server's own are as good as none.
    const nothing = isJsonObject(rest) && Object.keys(rest).length === 0 && JSON.stringify(inner) !== "{}";
    return nothing ? [] : [[key, rest] as const];
  });
  return Object.fromEntries(kept);
}

/**
 * Where a field stands. A name that holds what parts names is quoted where any name may be: it would else pass for a
 * field inside another, which at the root may be one that is left out.
 */
function below(path: string, key: string, isFree = false): string {
  const odd = path === "" || (isFree && !path.startsWith("metadata"));
  const name = odd && /[.[\]"]/.test(key) ? JSON.stringify(key) : key;
  return path === "" ? name : `${path}.${name}`;
}

/** Scaling to nothing stops the workload. */
function losesData(line: DiffLine): boolean {
  return line.path === "spec.replicas" && line.after === "0";
}

/** What a walk finds. */
interface Found {
  readonly lines: DiffLine[];
  /** Of a custom resource only its controller knows which lists are read in their order, and which names it may hold. */
  readonly isFree: boolean;
}
const startsInOrder = /(^|\.)(initContainers|containers)$/;

function walk(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
  sent: Json | undefined,
  found: Found,
): void {
  if (noise.includes(path)) return;
  // Emptied is not gone: a selector of nothing selects everything, and where none is it may be nothing.
  if (after !== undefined && isEmpty(after) && shapeOf(before ?? null) === (isList(after) ? "list" : "object"))
    found.lines.push({ sign: "+", risk: risks.test(path), path: writtenOut(path), before: null, after: show(after) });
  if (isBranch(before, after, isJsonObject)) {
    const [old, now] = [isJsonObject(before) ? before : {}, isJsonObject(after) ? after : {}];
    for (const key of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().filter(isOwn(old, now)))
      walk(below(path, key, found.isFree), at(old, key), at(now, key), at(sent, key), found);
    return;
  }
  if (isBranch(before, after, isList)) return walkLists(path, before ?? [], after ?? [], sent, found);
  // What takes another shape goes and comes: in one line nobody would find the fields of either.
  if (before !== undefined && after !== undefined && shapeOf(before) !== shapeOf(after)) {
    walk(path, before, undefined, undefined, found);
    walk(path, undefined, after, sent, found);
    return;
  }
  // Where null was sent nothing was written: a place that was kept, or one that was taken away.
  const wrote = sent !== undefined && sent !== null;
  const hidden = wrote && after !== undefined && JSON.stringify(after).includes("[MASKED:");
  if (JSON.stringify(before) === JSON.stringify(after) && !hidden) return;
  if (before === undefined && identity.includes(path)) return;
  const sign = before === undefined ? "+" : after === undefined ? "-" : "~";
  found.lines.push({ sign, risk: risks.test(path), path: writtenOut(path), before: show(before), after: show(after) });
}

/** Kubernetes writes `serviceAccount` beside `serviceAccountName`, always the same. */
const isOwn =
  (old: JsonObject, now: JsonObject) =>
  (key: string): boolean =>
    key !== "serviceAccount" || [old, now].some((side) => side["serviceAccount"] !== side["serviceAccountName"]);

/** What a created object shows besides: its name stands in a line of its own. */
const identity = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

const isEmpty = (value: Json): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** An empty object or list has nothing in it to be found. */
function shapeOf(value: Json): "list" | "object" | "value" {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) return "value";
  return Array.isArray(value) ? "list" : "object";
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** Are both sides of this shape, or one of them where the other has nothing? An empty one on its own is a value. */
function isBranch(before: Json | undefined, after: Json | undefined, of: (value: unknown) => boolean): boolean {
  const fits = (value: Json | undefined): boolean => of(value) && Object.keys(value as object).length > 0;
  return before === undefined ? fits(after) : after === undefined ? fits(before) : of(before) && of(after);
}

function walkLists(path: string, old: Json, now: Json, sent: Json | undefined, found: Found): void {
  const [before, after] = [isList(old) ? old : [], isList(now) ? now : []];
  const written = isList(sent) ? sent : [];
  const key = keyOf(before, after);
  // Which member of the answer a written one became, only its key would tell: Kubernetes may have put it elsewhere.
  const placed = key !== undefined && written.every((item) => at(item, key) !== undefined);
  const anywhere = placed ? undefined : saidByAny(written);
  if (key === undefined) {
    const longest = Math.max(before.length, after.length);
    for (let index = 0; index < longest; index++)
      walk(`${path}[${index}]`, before[index], after[index], anywhere ?? written[index], found);
    return;
  }
  const [was, is, named] = [byName(before, key), byName(after, key), byName(written, key)];
  for (const name of new Set([...was.keys(), ...is.keys()])) {
    const [one, other] = [was.get(name), is.get(name)];
    const both = one !== undefined && other !== undefined;
    // Of a whole member its key stands in the path already.
    const [old_, now_] = both ? [one, other] : [withoutKey(one, key), withoutKey(other, key)];
    const here = `${path}[${name.replaceAll('"', "")}]`;
    // A variable without its value is another thing than none of that name.
    if (both && isBare(other) && !isBare(one)) walk(`${here}.${key}`, undefined, at(other, key), undefined, found);
    walk(here, old_, now_, anywhere ?? named.get(name), found);
  }
  const order = orderOf([...was.keys()], [...is.keys()], found.isFree || startsInOrder.test(path));
  if (order === null) return;
  const sign = order.before === null ? "+" : "~";
  found.lines.push({ sign, risk: risks.test(path), path: writtenOut(path), ...order });
}

/**
 * The order on both sides, where the other lines do not tell it: of the members that stay, for variables are read in
 * theirs; with `all` of the new ones too, which a reader takes to come by name after those that stay.
 */
function orderOf(
  was: readonly string[],
  is: readonly string[],
  all: boolean,
): { readonly before: string | null; readonly after: string } | null {
  const told = (labels: readonly string[]): string =>
    shownJson(labels.map((label) => JSON.parse(label.replace(/#\d+$/, "")) as Json));
  const [stood, stand] = [was.filter((label) => is.includes(label)), is.filter((label) => was.includes(label))];
  const fresh = is.filter((label) => !was.includes(label)).toSorted();
  if (all && !isSame(is, [...stand, ...fresh])) return { before: was.length === 0 ? null : told(was), after: told(is) };
  return isSame(stood, stand) ? null : { before: told(stood), after: told(stand) };
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((label, index) => label === other[index]);

/** What at least one of these objects says, together; undefined where none is an object. */
function saidByAny(members: readonly Json[]): JsonObject | undefined {
  const objects = members.filter(isJsonObject);
  if (objects.length === 0) return undefined;
  const fields = new Map<string, Json>();
  for (const [key, value] of objects.flatMap((one) => Object.entries(one))) {
    const known = fields.get(key);
    if (known === undefined || known === null) fields.set(key, value);
    else if (isJsonObject(known) && isJsonObject(value)) fields.set(key, saidByAny([known, value]) ?? known);
    else if (isList(known) && isList(value)) fields.set(key, [...known, ...value]);
  }
  return Object.fromEntries(fields);
}

/** Members by their key. A key may stand twice (Kubernetes takes two variables of one name): the second is `NAME#2`, or it would be written unseen. */
function byName(list: readonly Json[], key: string): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const item of list) {
    const name = JSON.stringify(at(item, key) ?? null);
    let label = name;
    for (let count = 2; found.has(label); count++) label = `${name}#${count}`;
    found.set(label, item);
  }
  return found;
}

/** A member that has nothing but its key. */
const isBare = (member: Json): boolean => Object.keys(member as object).length === 1;

function withoutKey(member: Json | undefined, key: string): Json | undefined {
  if (!isJsonObject(member) || Object.keys(member).length === 1) return member;
  return Object.fromEntries(Object.entries(member).filter(([name]) => name !== key));
}

/** The key that all these members have, and that tells those of each side apart where one does: two mounts of one volume differ by their path. */
function keyOf(...sides: readonly (readonly Json[])[]): string | undefined {
  const members = sides.flat();
  const keys = memberKeys.filter((name) => members.length > 0 && members.every((item) => at(item, name) !== undefined));
  const distinct = (side: readonly Json[], name: string): boolean =>
    new Set(side.map((item) => JSON.stringify(at(item, name)))).size === side.length;
  return keys.find((name) => sides.every((side) => distinct(side, name))) ?? keys[0];
}

/** What of an object stands in the body that was sent; all of it where the body is not known. */
function sentOf(after: Json, sent: Json | undefined): Json {
  if (sent === undefined) return after;
  if (isJsonObject(after) && isJsonObject(sent)) {
    const kept = Object.entries(after).filter(([key]) => Object.hasOwn(sent, key));
    return Object.fromEntries(kept.map(([key, value]) => [key, sentOf(value, at(sent, key) ?? null)]));
  }
  if (!isList(after) || !isList(sent)) return after;
  const key = keyOf(after, sent);
  const named = key === undefined ? null : byName(sent, key);
  const own = named === null ? null : new Map([...byName(after, key ?? "")].map(([name, item]) => [item, name]));
  return after.map((item, index) => {
    const written = named === null ? sent[index] : named.get(own?.get(item) ?? "");
    return written === undefined ? item : sentOf(item, written);
  });
}

function show(value: Json | undefined): string | null {
  return value === undefined ? null : shownJson(value);
}
