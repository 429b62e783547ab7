// Custom resources that an administrator lets agents reach: how they are named, which may never be, and what an enrolment of them gives.

import type { Access } from "../domain/access.ts";
import type { Fault } from "../domain/fault.ts";
import { textAt } from "../domain/json.ts";
import { openDiscovery } from "../kubernetes/discovery.ts";
import { isBuiltIn, type ServedKind } from "../kubernetes/kinds.ts";
import type { Reach } from "./enrolment.ts";
import type { PolicyRule } from "./grant-objects.ts";
import type { Sender } from "./send.ts";

/** Two parts of an enrolment, each a sorted list of `certificates.cert-manager.io`. */
export type CustomKinds = Pick<Reach, "kinds" | "clusterKinds">;

const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
/** A plural and a group with a dot in it: no custom resource has another (apiextensions.k8s.io/v1, CustomResourceDefinitionSpec). */
const shape = new RegExp(`^${label}(?:\\.${label}){2,}$`);

/** What the fences of grants refuse in every group, and what hands out rights elsewhere than in Kubernetes' own groups. */
const neverResources = new Set(["namespaces", "secrets", "serviceaccounts"]);
const neverGroups = new Set(["authorization", "oauth", "security", "user"].map((name) => `${name}.openshift.io`));

/** Why this can't be enrolled by its name alone, in a sentence; null where nothing speaks against it. */
export function kindNameObjection(name: string): string | null {
  if (!shape.test(name))
    return `${JSON.stringify(name)} is no custom resource: write its plural and its group, as in certificates.cert-manager.io.`;
  const { resource, group } = partsOf(name);
  if (isBuiltIn(group) || group === "metrics.k8s.io")
    return `${name} belongs to Kubernetes itself: the reader and the ceiling already hold what may ever be granted of it.`;
  if (neverResources.has(resource) || neverGroups.has(group))
    return `${name} can't be enrolled: it hands out rights or credentials.`;
  return null;
}

/** The same of a whole enrolment, without a look at any cluster. */
export function kindNamesObjection({ kinds, clusterKinds }: CustomKinds): string | null {
  for (const name of [...kinds, ...clusterKinds]) {
    const objection = kindNameObjection(name);
    if (objection !== null) return objection;
  }
  return null;
}

/** Only kinds that this cluster serves, each in its own scope. What was enrolled before may be gone meanwhile: that keeps nothing else out. */
export async function kindObjection(
  sender: Sender,
  asked: CustomKinds,
  before: CustomKinds | null,
  now: () => number,
): Promise<string | null> {
  const objection = kindNamesObjection(asked);
  if (objection !== null) return objection;
  const fresh = (list: keyof CustomKinds): readonly string[] =>
    asked[list].filter((name) => before?.[list].includes(name) !== true);
  const [kinds, clusterKinds] = [fresh("kinds"), fresh("clusterKinds")];
  if (kinds.length + clusterKinds.length === 0) return null;
  const served = await openDiscovery(sender.client, async () => sender.authorization, now).kinds();
  for (const [names, namespaced] of [[kinds, true] as const, [clusterKinds, false] as const])
    for (const name of names) {
      const found = servedObjection(name, namespaced, served);
      if (found !== null) return found;
    }
  return null;
}

type Served = Pick<ServedKind, "group" | "resource" | "kind" | "namespaced" | "shortNames">;

function servedObjection(name: string, namespaced: boolean, served: readonly Served[]): string | null {
  const { resource, group } = partsOf(name);
  const found = served.find((kind) => kind.group === group && kind.resource === resource);
  if (found === undefined) {
    const meant = served.find(
      (kind) => kind.group === group && [kind.kind.toLowerCase(), ...kind.shortNames].includes(resource),
    );
    const hint = meant === undefined ? "" : ` Its plural is ${meant.resource}.${group}.`;
    return `This cluster serves no ${name}.${hint}`;
  }
  if (found.namespaced === namespaced) return null;
  return namespaced
    ? `${name} stands outside all namespaces: --cluster-kind lets it be read, and nothing lets it be changed.`
    : `${name} stands in namespaces: name it with --kind.`;
}

const read = ["get", "list", "watch"];

/** Each kind is named, and nothing below it but its scale: a status is for its controller to write. */
export function readerKindRules(kinds: readonly string[]): readonly PolicyRule[] {
  return kinds.map((name) => ruleFor(name, "", read));
}

/** The most that a grant can hold of these kinds; as with the built-in ones, reading stands in it too. */
export function ceilingKindRules(kinds: readonly string[]): readonly PolicyRule[] {
  return kinds.flatMap((name) => [
    ruleFor(name, "", [...read, "create", "patch", "update", "delete"]),
    ruleFor(name, "/scale", ["get", "patch", "update"]),
  ]);
}

function ruleFor(name: string, subresource: string, verbs: readonly string[]): PolicyRule {
  const { resource, group } = partsOf(name);
  return { apiGroups: [group], resources: [`${resource}${subresource}`], verbs };
}

function partsOf(name: string): { readonly resource: string; readonly group: string } {
  const dot = name.indexOf(".");
  return { resource: name.slice(0, dot), group: name.slice(dot + 1) };
}

/** What is to be said of a change to a custom resource outside all namespaces: no enrolment allows it; "" where there is none among them. */
export function clusterScopeNeeds(accesses: readonly Access[]): string {
  const atLarge = accesses.some(
    ({ namespace, resource, group, optional }) =>
      namespace === "" && !optional && kindNameObjection(`${resource}.${group}`) === null,
  );
  return atLarge ? "another way than Sallyport: outside namespaces it changes nothing but nodes" : "";
}

/**
 * What an administrator would do about Kubernetes' refusal: the command where it is a custom kind that is not enrolled, "" where it is anything else,
 * a kind that stands in a ceiling that was edited by hand among it.
 */
export function kindNeeds(refused: Fault, enrolled: CustomKinds): string {
  const [name = "", subresource = ""] = textAt(refused.detail, "kind").split("/");
  if (refused.code !== "cluster_denied" || kindNameObjection(name) !== null) return "";
  if (![...read, "create", "patch", "update", "delete"].includes(textAt(refused.detail, "verb"))) return "";
  if (!["", "scale"].includes(subresource) || enrolled.kinds.includes(name) || enrolled.clusterKinds.includes(name))
    return "";
  if (textAt(refused.detail, "namespace") !== "") return `sallyport enroll --kind ${name}`;
  return read.includes(textAt(refused.detail, "verb")) ? `sallyport enroll --cluster-kind ${name}` : "";
}
