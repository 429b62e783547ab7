// What enrolment says of itself: one ConfigMap that lists the enrolled namespaces and what was allowed with them.

import { textAt, type JsonObject } from "../domain/json.ts";
import { configMaps, enrolmentName, systemNamespace } from "./names.ts";
import { find, type Sender } from "./send.ts";

/** The version of the manifests below; a gateway tells an older enrolment by it. */
export const manifestVersion = "1";

/** What an enrolment reaches. Everything beyond the namespaces is off unless it was asked for. */
export interface Reach {
  readonly namespaces: readonly string[];
  /** Nodes, persistent volumes, storage classes and all namespaces may be read. */
  readonly clusterRead: boolean;
  /** Secrets of the namespaces may be read by a grant, where a rule asked for approval and got it. */
  readonly secrets: boolean;
  /** Nodes may be cordoned and drained by a grant: pods of every namespace can be evicted, by name. */
  readonly nodes: boolean;
  /** Commands may be run in the namespaces' pods by a grant, each pod by its name. */
  readonly exec: boolean;
  /** Custom resources of the namespaces, `certificates.cert-manager.io`: read by the reader, changed by a grant where a rule of their own allows it. */
  readonly kinds: readonly string[];
  /** Custom resources outside all namespaces: read, never changed. */
  readonly clusterKinds: readonly string[];
}

export interface Enrolment extends Reach {
  readonly version: string;
}

/** The cluster's enrolment, or null where there is none. */
export async function readEnrolment(sender: Sender): Promise<Enrolment | null> {
  const found = await find(sender, { address: configMaps, namespace: systemNamespace, name: enrolmentName });
  return found === null ? null : parseEnrolment(found);
}

/** Reads the ConfigMap; what it does not say in so many words is off. */
export function parseEnrolment(configMap: JsonObject): Enrolment {
  const text = (key: string): string => textAt(configMap, "data", key);
  return {
    version: text("version"),
    namespaces: sortedNames(text("namespaces").split(",")),
    clusterRead: text("clusterRead") === "true",
    secrets: text("secrets") === "true",
    nodes: text("nodes") === "true",
    exec: text("exec") === "true",
    kinds: sortedNames(text("kinds").split(",")),
    clusterKinds: sortedNames(text("clusterKinds").split(",")),
  };
}

export function enrolmentText(reach: Reach): Record<string, string> {
  return {
    version: manifestVersion,
    namespaces: reach.namespaces.join(","),
    clusterRead: String(reach.clusterRead),
    secrets: String(reach.secrets),
    nodes: String(reach.nodes),
    exec: String(reach.exec),
    // Absent where there are none, as in the record of an older version.
    ...(reach.kinds.length === 0 ? {} : { kinds: reach.kinds.join(",") }),
    ...(reach.clusterKinds.length === 0 ? {} : { clusterKinds: reach.clusterKinds.join(",") }),
  };
}

/** What was enrolled before stays; what is asked now comes to it. */
export function widen(before: Reach | null, asked: Reach): Reach {
  return {
    namespaces: sortedNames([...(before?.namespaces ?? []), ...asked.namespaces]),
    clusterRead: asked.clusterRead || (before?.clusterRead ?? false),
    secrets: asked.secrets || (before?.secrets ?? false),
    nodes: asked.nodes || (before?.nodes ?? false),
    exec: asked.exec || (before?.exec ?? false),
    kinds: sortedNames([...(before?.kinds ?? []), ...asked.kinds]),
    clusterKinds: sortedNames([...(before?.clusterKinds ?? []), ...asked.clusterKinds]),
  };
}

export function sortedNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ""))].sort();
}
