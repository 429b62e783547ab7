// Which pods of a node a drain evicts, which stay, and what goes with them (Kubernetes documentation, "Safely Drain a Node").

import { at, textAt, type JsonObject } from "../domain/json.ts";
import { listAt } from "./selector.ts";

/** One pod of a node as a drain sees it. */
export interface DrainedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pod: JsonObject;
  /** Why a drain leaves it: its DaemonSet would put it back at once; a mirror of a static pod is the kubelet's own; "" for one that goes. */
  readonly stays: "" | "DaemonSet" | "mirror";
  /** It has run to its end, or is on its way out: nothing of it is lost. */
  readonly over: boolean;
  readonly leaving: boolean;
  /** Nothing makes it anew elsewhere. */
  readonly alone: boolean;
  /** The names of its emptyDir volumes: what is in them goes with the pod. */
  readonly emptyDirs: readonly string[];
}

const mirrorAnnotation = "kubernetes.io/config.mirror";

/** What decides, by metadata alone, whether a pod is evicted at all. */
interface Marks {
  readonly annotations: readonly string[];
  readonly controller: { readonly kind: string } | null;
}

function staysOf({ annotations, controller }: Marks): DrainedPod["stays"] {
  if (annotations.includes(mirrorAnnotation)) return "mirror";
  return controller?.kind === "DaemonSet" ? "DaemonSet" : "";
}

/** Is the pod one that a drain must evict? */
export function isEvictable(marks: Marks & { readonly leaving: boolean }): boolean {
  return staysOf(marks) === "" && !marks.leaving;
}

/** The pods of a node, in the order of namespace and name. */
export function drainedPods(pods: readonly JsonObject[]): readonly DrainedPod[] {
  return pods.map(drainedPod).sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const key = ({ namespace, name }: Pick<DrainedPod, "namespace" | "name">): string => `${namespace}/${name}`;

function drainedPod(pod: JsonObject): DrainedPod {
  const controller = listAt(pod, "metadata", "ownerReferences").find((one) => at(one, "controller") === true);
  const annotations = Object.keys((at(pod, "metadata", "annotations") ?? {}) as JsonObject);
  const leaving = textAt(pod, "metadata", "deletionTimestamp") !== "";
  const kind = controller === undefined ? null : { kind: textAt(controller, "kind") };
  return {
    namespace: textAt(pod, "metadata", "namespace"),
    name: textAt(pod, "metadata", "name"),
    uid: textAt(pod, "metadata", "uid"),
    pod,
    stays: staysOf({ annotations, controller: kind }),
    over: leaving || ["Succeeded", "Failed"].includes(textAt(pod, "status", "phase")),
    leaving,
    alone: controller === undefined,
    emptyDirs: listAt(pod, "spec", "volumes")
      .filter((volume) => at(volume, "emptyDir") !== undefined)
      .map((volume) => textAt(volume, "name")),
  };
}
