// What the writes of one call would do together, as facts that policy can ask for: read from the diff's own lines, so that nothing is a fact that nobody is shown.

import type { ChangeFact } from "../domain/decision.ts";
import { at, type Json } from "../domain/json.ts";
import type { Change, DiffLine } from "../domain/output.ts";

/** The facts of a rehearsal's changes. */
export function changeFact(changes: readonly Change[]): ChangeFact {
  const lines = changes.flatMap((change) => change.lines);
  const scaled = changes
    .filter((change) => change.lines.some((line) => line.path === "spec.replicas"))
    .map(({ before, after }) => ({ from: countOf(before), to: countOf(after) }));
  const touches = (field: string): boolean =>
    lines.some((line) => new RegExp(`(^|\\.)${field}(\\.|\\[|$)`).test(line.path));
  return {
    replicas: scaled.length === 1 ? (scaled[0] ?? null) : null,
    paths: lines.map((line) => line.path),
    scaled,
    // A container's, and one that is mounted (core/v1 ImageVolumeSource).
    images: sides(lines, /(^|\.)image(\.reference)?$/),
    envNames: envNames(lines),
    securityContext: touches("securityContext"),
    serviceAccounts: sides(lines, /(^|\.)serviceAccount(Name|Ref)?(\.name)?$/),
    volumes: members(lines, /(?:^|\.)volumes\[(.*?)\](?=\.|$)/),
    owners: touches("ownerReferences"),
    finalizers: touches("finalizers"),
  };
}

/** A Scale of none has no count at all (autoscaling/v1 leaves zero out). */
const countOf = (side: Change["before"]): number => Number(at(side ?? {}, "spec", "replicas") ?? 0);

/** The text on both sides of each line at such a path, each pair once. */
function sides(lines: readonly DiffLine[], path: RegExp): { from: string; to: string }[] {
  const text = (value: string | null): string => {
    const parsed = value === null ? "" : (JSON.parse(value) as Json);
    return typeof parsed === "string" ? parsed : (value ?? "");
  };
  const found = lines
    .filter((line) => path.test(line.path))
    .map((line) => ({ from: text(line.before), to: text(line.after) }));
  // Kubernetes writes some of them twice (serviceAccount beside serviceAccountName).
  return [...new Map(found.map((side) => [JSON.stringify(side), side])).values()];
}

/** The names between the brackets of a list's members, each once; `NAME#2` is NAME's second and stands for both. */
function members(lines: readonly DiffLine[], path: RegExp): string[] {
  const found = lines.map((line) => path.exec(line.path)?.[1]).filter((name) => name !== undefined);
  return [...new Set(found.flatMap((name) => [name.replace(/#\d+$/, ""), name]))].filter(
    (name, index, all) => !/#\d+$/.test(name) || !all.slice(0, index).includes(name.replace(/#\d+$/, "")),
  );
}

function envNames(lines: readonly DiffLine[]): string[] {
  const names = members(lines, /(?:^|\.)env\[(.*?)\](?=\.|$)/);
  return lines.some((line) => /(^|\.)envFrom(\[|$)/.test(line.path)) ? [...names, "envFrom"] : names;
}

/**
 * Why such a change needs a person whatever the rules allow (kubernetes.md, "Attack surface"). A Job that jobs_run makes
 * is its CronJob's own and runs as what the CronJob says: it brings neither an owner nor an identity that is new.
 */
export function asksOf(fact: ChangeFact, tool: string): readonly string[] {
  const made = tool === "jobs_run";
  return [
    ...(fact.serviceAccounts.length > 0 && !made ? ["pods run as another ServiceAccount than today"] : []),
    ...(fact.owners && !made ? ["owners decide what is deleted with what"] : []),
    ...(fact.finalizers ? ["finalizers decide what may be deleted"] : []),
  ];
}
