// Why an enrolment can't go on, in sentences for the person who enrols.

import type { Fault } from "../domain/fault.ts";
import { textAt } from "../domain/json.ts";
import type { Reach } from "./enrolment.ts";
import * as names from "./names.ts";
import { find, type Sender } from "./send.ts";

/** Kubernetes 1.32 is the first whose tokens carry a JTI into the audit log by default. */
export async function versionObjection({ client, authorization, signal }: Sender): Promise<string | null> {
  const version = await client.path("/version", { authorization, signal });
  const [major, minor] = [textAt(version, "major"), textAt(version, "minor")].map((part) => Number.parseInt(part, 10));
  if (major !== undefined && minor !== undefined && (major > 1 || (major === 1 && minor >= 32))) return null;
  return `Sallyport needs Kubernetes 1.32 or later; this cluster says ${JSON.stringify(textAt(version, "gitVersion"))}.`;
}

/** RFC 1123 labels, as Kubernetes names namespaces; asked before anything is printed or sent. */
export function namespaceNameObjection(namespaces: readonly string[]): string | null {
  const wrong = namespaces.find((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
  return wrong === undefined ? null : `${JSON.stringify(wrong)} is not a namespace's name.`;
}

/** Only namespaces that exist, and never our own; nothing is begun while ours are on their way out. */
export async function namespaceObjection(sender: Sender, { namespaces }: Reach): Promise<string | null> {
  if (namespaces.length === 0) return "Name at least one namespace to enrol.";
  const misnamed = namespaceNameObjection(namespaces);
  if (misnamed !== null) return misnamed;
  for (const name of [names.systemNamespace, names.sessionsNamespace]) {
    const found = await find(sender, { address: names.namespaces, namespace: "", name });
    if (textAt(found ?? {}, "metadata", "deletionTimestamp") !== "") return stillLeaving(name);
  }
  for (const name of namespaces) {
    if (name === names.systemNamespace || name === names.sessionsNamespace)
      return `${name} is Sallyport's own namespace and can't be enrolled.`;
    const place = { address: names.namespaces, namespace: "", name };
    if ((await find(sender, place)) === null) return `Namespace ${name} does not exist in this cluster.`;
  }
  return null;
}

/** What stands in the way, in a sentence for the person who enrols; null for a fault that has nothing to do with enrolment. */
export function refusalOf(found: Fault): string | null {
  if (found.code === "cluster_denied") return missingRight(found);
  if (found.code !== "namespace_terminating") return null;
  return stillLeaving(textAt(found.detail, "namespace"));
}

const stillLeaving = (name: string): string =>
  `Namespace ${name} is still being removed: wait until it is gone, then enrol again.`;

function missingRight({ detail }: Fault): string {
  const [verb, kind, namespace, name] = ["verb", "kind", "namespace", "name"].map((key) => textAt(detail, key));
  const object = [kind, name].filter((part) => part !== "").join(" ");
  const place = namespace === "" ? "" : ` in namespace ${namespace}`;
  return `Kubernetes does not let this kubeconfig's user ${verb} ${object}${place}. Enrolment needs the rights of cluster-admin: ask for them, or give the output of --print to someone who has them.`;
}
