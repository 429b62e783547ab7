// Deleting: preconditions, policies, finalizers and grace, and what is left behind on purpose.

import { admit } from "./admission.ts";
import { at, listAt, numberAt, put, textAt, timestamp, type JsonObject } from "./json.ts";
import { kindFor, type Kind } from "./kinds.ts";
import { existing, type Write, type Written } from "./objects.ts";
import { conflict, forbidden } from "./status.ts";
import type { Storage } from "./storage.ts";

const immortal = ["default", "kube-public", "kube-system"];

export interface Deletion {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly propagationPolicy: string;
  readonly gracePeriodSeconds: number | null;
}

/** Deletes, or marks for deletion what needs time; answers as Kubernetes does: a Status, or the object for some kinds. */
export function remove(storage: Storage, write: Write, deletion: Deletion): Written {
  const { kind, name } = write;
  const old = existing(storage, kind, write.namespace, name);
  requireDeletable(kind, old, deletion);
  if (kind.kind === "Namespace" && immortal.includes(name))
    throw forbidden(kind, name, "this namespace may not be deleted");
  const warnings = admit(storage, { ...write, operation: "DELETE", object: null, old });
  const marked = markDeleted(kind, old, deletion, write.now);
  if (!write.dryRun) {
    if (deletion.propagationPolicy === "Orphan") orphan(storage, textAt(old, "metadata", "uid"));
    if (marked === null) storage.remove(kind, old);
    else storage.write(kind, marked);
  }
  if (kind.returnsDeleted || marked !== null) return { object: marked ?? old, warnings };
  const details = {
    name,
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.resource,
    uid: textAt(old, "metadata", "uid"),
  };
  return { object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details }, warnings };
}

function requireDeletable(kind: Kind, old: JsonObject, { uid, resourceVersion }: Deletion): void {
  const place = { group: kind.group, resource: kind.kind };
  const known = textAt(old, "metadata", "uid");
  const version = textAt(old, "metadata", "resourceVersion");
  if (uid !== "" && uid !== known) {
    throw conflict(
      place,
      textAt(old, "metadata", "name"),
      `the UID in the precondition (${uid}) does not match the UID in record (${known}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== "" && resourceVersion !== version) {
    throw conflict(
      place,
      textAt(old, "metadata", "name"),
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`,
    );
  }
}

/** The object as it waits for its end, or null when it can go at once. The controllers take it away. */
function markDeleted(
  kind: Kind,
  old: JsonObject,
  { gracePeriodSeconds }: Pick<Deletion, "gracePeriodSeconds">,
  now: number,
): JsonObject | null {
  const runs = kind.kind === "Pod" && textAt(old, "spec", "nodeName") !== "";
  const grace = runs ? (gracePeriodSeconds ?? numberAt(old, "spec", "terminationGracePeriodSeconds")) : 0;
  if (grace === 0 && kind.kind !== "Namespace" && listAt(old, "metadata", "finalizers").length === 0) return null;
  if (at(old, "metadata", "deletionTimestamp") !== undefined) return old;
  const marked = put(old, ["metadata", "deletionTimestamp"], timestamp(now + grace * 1000));
  if (kind.kind === "Namespace") return put(marked, ["status", "phase"], "Terminating");
  return put(marked, ["metadata", "deletionGracePeriodSeconds"], grace);
}

/** The controllers' own delete: at once where nothing holds the object, else by the mark that asks its finalizers and its node. */
export function end(storage: Storage, kind: Kind, object: JsonObject, now: number): void {
  const marked = markDeleted(kind, object, { gracePeriodSeconds: null }, now);
  if (marked === null) storage.remove(kind, object);
  else if (marked !== object) storage.write(kind, marked);
}

/** Takes the owner's reference away from its dependents. */
function orphan(storage: Storage, uid: string): void {
  for (const kind of ["pods", "replicasets", "jobs"].map(kindFor)) {
    for (const object of storage.list(kind)) {
      const owners = listAt(object, "metadata", "ownerReferences");
      const others = owners.filter((owner) => textAt(owner, "uid") !== uid);
      if (others.length !== owners.length) storage.write(kind, put(object, ["metadata", "ownerReferences"], others));
    }
  }
}
