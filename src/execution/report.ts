// How writes are told, the same in a preview and in its run: one diff an object, and what each write means beyond its fields.

import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { Change, Output, Sentence } from "../domain/output.ts";
import { named, quoted, rollOf } from "../tool.ts";
import type { Write } from "./write.ts";
import { ownersOf } from "./owners.ts";

type Named = Pick<Change, "kind" | "namespace" | "name">;

/** `Deployment shop/api` */
export function objectName({ kind, namespace, name }: Named): string {
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** The objects of a headline: `Deployment shop/api`, `4 objects in shop`, `Node worker-1 and 7 pods` where pods were evicted. */
export function objectNames(changes: readonly Change[]): string {
  const evicted = changes.filter((change) => change.evicted === true).length;
  const others = namesOf(changes.filter((change) => change.evicted !== true));
  return evicted === 0 ? others : `${others} and ${evicted} ${evicted === 1 ? "pod" : "pods"}`;
}

function namesOf(objects: readonly Named[]): string {
  if (objects.length <= 2) return objects.map(objectName).join(", ");
  const namespaces = [...new Set(objects.map((one) => one.namespace))];
  const [only = ""] = namespaces;
  return `${objects.length} objects${namespaces.length === 1 && only !== "" ? ` in ${only}` : ""}`;
}

/** One diff a changed object; with several, each under its own name, and in one line those that stay as they are. */
export function changeBlocks(changes: readonly Change[]): Output["blocks"] {
  if (changes.length === 1) return changes.flatMap(diffBlocks);
  const placed = new Set(changes.map((one) => one.namespace)).size > 1 || changes.length === 2;
  const called = (one: Change): string => (placed ? objectName(one) : `${one.kind} ${one.name}`);
  const changed = changes.filter((change) => change.lines.length > 0);
  const same = changes.filter((change) => change.lines.length === 0).map(called);
  return [
    ...changed.flatMap((change): Output["blocks"] => {
      // A node runs a hundred pods: one line each.
      if (change.evicted === true) return [{ kind: "line", line: [`evict ${called(change)}`] }];
      const does = change.before === null ? "create" : change.after === null ? "delete" : "change";
      const rolls = rolling(change) === null ? "" : " (rolls)";
      // Of what is created the name stands here already.
      const lines = change.lines.filter((line) => change.before !== null || line.path !== "metadata.name");
      return [
        { kind: "line", line: [`${does} ${called(change)}${rolls}`] },
        { kind: "diff", lines },
      ];
    }),
    ...(same.length === 0 ? [] : [{ kind: "line" as const, line: [`no field changes: ${same.join(", ")}`] }]),
  ];
}

function diffBlocks({ lines }: Change): Output["blocks"] {
  return lines.length === 0 ? [{ kind: "line", line: ["no field changes"] }] : [{ kind: "diff", lines }];
}

/** What a change does to the pods that run, as a sentence; null where their template stays. */
function rolling({ kind, before, after, lines }: Change): Sentence | null {
  if (before === null || after === null) return null;
  const template = lines.filter((line) => /^spec\.(jobTemplate\.spec\.)?template(\.|$)/.test(line.path));
  if (template.length === 0 || !["Deployment", "StatefulSet", "DaemonSet", "CronJob"].includes(kind)) return null;
  const code = template.some((line) => /(^|\.)(image|command|args)(\[|$)/.test(line.path));
  const [first = "", ...rest] = rollOf(kind, after);
  if (!code) return [first, ...rest];
  const fresh = typeof first === "string" && first.startsWith("rolls ") ? `new code in ${first.slice(6)}` : first;
  return fresh === first ? ["new code; ", first, ...rest] : [fresh, ...rest];
}

/** What the writes tell besides their fields: pods that roll, who else has a say, what was taken over, the cluster's warnings. */
export function notesOf(writes: readonly Write[], changes: readonly Change[]): Sentence[] {
  const several = changes.length > 1;
  const told = changes.flatMap((change, index): Sentence[] => {
    const write = writes[index];
    const of = (sentence: Sentence): Sentence =>
      several ? [`${change.kind} ${change.name}: `, ...sentence] : sentence;
    const rolls = rolling(change);
    const untouched = change.lines.length === 0 || change.evicted === true || write?.exec !== undefined;
    const owner = untouched ? null : otherSay(change);
    return [
      ...(rolls === null ? [] : [rolls]),
      ...(owner === null ? [] : [owner]),
      ...(several ? [] : takenOver(write?.taken ?? [], 4)),
      ...(write?.warnings ?? []).map((text): Sentence => ["Kubernetes warns: ", quoted(text)]),
    ].map(of);
  });
  // What is taken over is changed, so each field stands in its diff.
  const taken = several ? writes.flatMap((write) => write.taken) : [];
  return [...told, ...takenOver(taken, 0)];
}

/** `takes over 4 fields of kubectl-client-side-apply: .data.a, …` */
function takenOver(taken: Write["taken"], most: number): Sentence[] {
  return [...new Set(taken.map((one) => one.manager))].map((manager): Sentence => {
    const fields = taken.filter((one) => one.manager === manager).map((one) => one.field);
    const shown = fields.slice(0, most).flatMap((field, index) => [index === 0 ? ": " : ", ", named(field)]);
    const count = `${fields.length} field${fields.length === 1 ? "" : "s"}`;
    return [`takes over ${count} of `, named(manager), ...shown, ...(most > 0 && fields.length > most ? [", …"] : [])];
  });
}

/** Who else writes this object and may undo what is done here: its controller, or the source that it is kept equal to. */
function otherSay({ before, after }: Change): Sentence | null {
  const object = before ?? {};
  const owner = ownersOf(object).find((one) => at(one, "controller") === true);
  if (owner !== undefined && after !== null)
    return [named(textAt(owner, "kind")), " ", named(textAt(owner, "name")), " controls it and may undo this"];
  const [tool = "", source = ""] = keptEqual(object) ?? [];
  if (tool === "") return null;
  const undone = after === null ? "brings it back" : "may undo this";
  return [
    `${tool} `,
    ...(source === "" ? [] : [named(source), " "]),
    `keeps it and ${undone}: change its source instead`,
  ];
}

/** The tools that keep objects equal to a source, by the marks that they leave (their own documentation). */
const marks: readonly (readonly [tool: string, field: "labels" | "annotations", key: string])[] = [
  ["Argo CD", "annotations", "argocd.argoproj.io/tracking-id"],
  ["Argo CD", "labels", "argocd.argoproj.io/instance"],
  ["Flux Kustomization", "labels", "kustomize.toolkit.fluxcd.io/name"],
  ["Flux HelmRelease", "labels", "helm.toolkit.fluxcd.io/name"],
  ["Helm release", "annotations", "meta.helm.sh/release-name"],
];

function keptEqual(object: JsonObject): readonly [string, string] | null {
  for (const [tool, field, key] of marks) {
    const found = at(object, "metadata", field);
    const value = isJsonObject(found) ? textAt(found, key) : "";
    if (value !== "") return [tool, value.split(":")[0] ?? ""];
  }
  return null;
}
