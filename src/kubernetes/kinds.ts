// Resolves what an agent writes to one kind: a custom resource never shadows a built-in one, and what stays unclear is asked back.

import { Faulted } from "../domain/fault.ts";
import type { ResourceKind } from "../tool.ts";
import { clusterFault } from "./faults.ts";

/** A kind with what only its resolution needs. */
export interface ServedKind extends ResourceKind {
  /** Singular name, for example `deployment`. */
  readonly singular: string;
  /** The version that the server prefers for this resource? */
  readonly preferred: boolean;
}

/** The API groups that Kubernetes itself serves with a dot in their names; any other `*.k8s.io` may be a custom resource. */
const builtIn = new Set(
  [
    "admissionregistration apiextensions apiregistration authentication authorization certificates coordination discovery",
    "events flowcontrol.apiserver internal.apiserver networking node rbac.authorization resource scheduling storage",
    "storagemigration",
  ]
    .join(" ")
    .split(" ")
    .map((name) => `${name}.k8s.io`),
);

/** Lower goes first: core, the groups without a dot (no custom resource can have one), Kubernetes' own, its projects', all others. */
function rank(group: string): number {
  if (group === "") return 0;
  if (!group.includes(".")) return 1;
  if (builtIn.has(group)) return 2;
  return group.endsWith(".k8s.io") ? 3 : 4;
}

/** Does Kubernetes itself serve this group? */
export function isBuiltIn(group: string): boolean {
  return rank(group) <= 2;
}

/** What is served, by each name that an agent may write for it, in lower case. */
export type KindsByName = ReadonlyMap<string, readonly ServedKind[]>;

export function byName(served: readonly ServedKind[]): KindsByName {
  const found = new Map<string, ServedKind[]>();
  for (const kind of served)
    for (const name of new Set([kind.resource, kind.kind.toLowerCase(), kind.singular, ...kind.shortNames])) {
      const named = found.get(name);
      if (named === undefined) found.set(name, [kind]);
      else named.push(kind);
    }
  return found;
}

/** The one kind that the text means, undefined where none is served. Faults: invalid_input (ambiguous, or no kind's name at all). */
export function resolveKind(text: string, served: KindsByName): ResourceKind | undefined {
  if (!/^[A-Za-z][A-Za-z0-9.-]{0,159}$/.test(text))
    throw invalid("a kind's name, as in Pod, deployments or Certificate.cert-manager.io");
  const [name = "", ...rest] = text.toLowerCase().split(".");
  const named = served.get(name) ?? [];
  const found = rest.length === 0 ? named.filter((kind) => kind.preferred) : inGroup(rest.join("."), named);
  const best = found.filter((kind) => found.every((other) => !goesBefore(name, other, kind)));
  if (best.length > 1)
    throw invalid(
      "ambiguous: add its group",
      best.map((kind) => qualified(kind)),
    );
  return best[0] === undefined ? undefined : plain(best[0]);
}

/** `deployments.apps`: the group first; `deployments.v1.apps` and `pods.v1`: a version before it. */
function inGroup(rest: string, named: readonly ServedKind[]): readonly ServedKind[] {
  const whole = named.filter((kind) => kind.preferred && kind.group === rest);
  if (whole.length > 0) return whole;
  return named.filter((kind) => rest === (kind.group === "" ? kind.version : `${kind.version}.${kind.group}`));
}

/** A full name counts more than a short one. */
function strength(name: string, kind: ServedKind): number {
  return name === kind.resource || name === kind.kind.toLowerCase() || name === kind.singular ? 2 : 1;
}

function goesBefore(name: string, a: ServedKind, b: ServedKind): boolean {
  const [rankA, rankB] = [rank(a.group), rank(b.group)];
  return rankA === rankB ? strength(name, a) > strength(name, b) : rankA < rankB;
}

function qualified(kind: ResourceKind): string {
  return kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
}

/** Without what only the resolution needs. */
export function plain(served: ServedKind): ResourceKind {
  const { singular: _singular, preferred: _preferred, ...kind } = served;
  return kind;
}

/** The fault for a kind that is not served, with the nearest names by edit distance. */
export function unknownKind(text: string, served: readonly ServedKind[]): Faulted {
  const asked = text.toLowerCase();
  const near = served
    .filter((kind) => kind.preferred)
    .map((kind) => ({ name: qualified(kind), distance: nearest(asked, kind) }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(asked.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3);
  return new Faulted(clusterFault("unknown_kind", { near: near.map(({ name }) => name) }, "kind not in discovery"));
}

function nearest(asked: string, kind: ServedKind): number {
  const bare = asked.split(".")[0] ?? "";
  const names = [kind.kind.toLowerCase(), kind.resource];
  return Math.min(...names.map((name) => editDistance(bare, name)), editDistance(asked, qualified(kind).toLowerCase()));
}

/** Levenshtein's distance: how many characters must be put in, left out or replaced. */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const here = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      here.push(Math.min(replaced, (above[column] ?? 0) + 1, (here[column - 1] ?? 0) + 1));
    }
    above = here;
  }
  return above[b.length] ?? 0;
}

function invalid(rule: string, candidates: readonly string[] = []): Faulted {
  const problems = [{ path: "kind", rule }];
  const detail = candidates.length === 0 ? { problems } : { problems, candidates };
  return new Faulted(clusterFault("invalid_input", detail, "no one kind"));
}
