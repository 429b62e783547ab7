// What no approval lifts and only the body of a write shows (kubernetes.md, "Attack surface").

import { fault, Faulted } from "../domain/fault.ts";

export interface BodyForbid {
  /** Stands in entries as `forbid:<id>`. */
  readonly id: string;
  /** For the agent: what is refused. */
  readonly sentence: string;
  /** For people: why nobody may allow it. */
  readonly reason: string;
}

export const hostNamespaces: BodyForbid = {
  id: "host-namespaces",
  sentence: "Pods in the node's network, process or IPC namespace (hostNetwork, hostPID, hostIPC) can't be written",
  reason: "Such a pod sees the traffic and the processes of every other pod of its node.",
};
export const hostFiles: BodyForbid = {
  id: "host-path",
  sentence: "Volumes of the node's own files (hostPath) can't be written",
  reason: "The node's files hold the credentials of its kubelet and of every pod that runs there.",
};
export const privileged: BodyForbid = {
  id: "privileged",
  sentence: "Privileged containers can't be written",
  reason: "A privileged container is the node's root.",
};
export const absentOwner: BodyForbid = {
  id: "absent-owner",
  sentence:
    "An owner that does not exist in this namespace can't be written (Kubernetes would delete the object at once)",
  reason: "It deletes an object without a deletion that anybody would be asked about.",
};

export const tokenSecrets: BodyForbid = {
  id: "token-secrets",
  sentence: "Secrets of the type that holds a service account's token can't be read or written",
  reason: "Kubernetes itself fills such a Secret with a token that does not expire.",
};
/** `type` of such a Secret. */
export const tokenType = "kubernetes.io/service-account-token";

export const bodyForbids: readonly BodyForbid[] = [hostNamespaces, hostFiles, privileged, absentOwner, tokenSecrets];

/** Fault: denied, where there is a forbid. */
export function refuse(forbid: BodyForbid | null): void {
  if (forbid !== null) throw new Faulted(fault("denied", { tell: forbid.sentence }, `forbid:${forbid.id}`));
}
