// Names, owners and dependents of objects, and the objects and events that the controllers make.

import { randomUUID } from "node:crypto";
import { at, listAt, textAt, timestamp, type JsonObject } from "./json.ts";
import { groupVersionOf, kindFor, type Kind } from "./kinds.ts";
import type { Storage } from "./storage.ts";

export const nameOf = (object: JsonObject): string => textAt(object, "metadata", "name");
export const uidOf = (object: JsonObject): string => textAt(object, "metadata", "uid");
export const namespaceOf = (object: JsonObject): string => textAt(object, "metadata", "namespace");
export const isEnding = (object: JsonObject): boolean => at(object, "metadata", "deletionTimestamp") !== undefined;

/** A new object with the metadata that the server gives. */
export function made(kind: Kind, namespace: string, name: string, now: number, metadata: JsonObject = {}): JsonObject {
  const counted = kind.counted ? { generation: 1 } : {};
  return {
    kind: kind.kind,
    apiVersion: groupVersionOf(kind),
    metadata: { name, namespace, uid: randomUUID(), ...counted, creationTimestamp: timestamp(now), ...metadata },
  };
}

/** The reference of an owner that controls. */
export function ownedBy(kind: Kind, owner: JsonObject): JsonObject {
  return {
    apiVersion: groupVersionOf(kind),
    kind: kind.kind,
    name: nameOf(owner),
    uid: uidOf(owner),
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The objects of a kind that name this owner. */
export const dependents = (storage: Storage, kind: Kind, owner: JsonObject): readonly JsonObject[] =>
  storage
    .list(kind, namespaceOf(owner))
    .filter((object) =>
      listAt(object, "metadata", "ownerReferences").some((one) => textAt(one, "uid") === uidOf(owner)),
    );

/** Writes an Event about an object. */
export function record(
  storage: Storage,
  kind: Kind,
  object: JsonObject,
  reason: string,
  message: string,
  now: number,
  more: JsonObject = {},
): void {
  const events = kindFor("events");
  const component = kind.kind === "Pod" ? "kubelet" : `${kind.kind.toLowerCase()}-controller`;
  storage.write(events, {
    ...made(events, namespaceOf(object), `${nameOf(object)}.${randomUUID().replaceAll("-", "").slice(0, 16)}`, now),
    involvedObject: {
      kind: kind.kind,
      namespace: namespaceOf(object),
      name: nameOf(object),
      uid: uidOf(object),
      apiVersion: groupVersionOf(kind),
    },
    reason,
    message,
    source: { component },
    firstTimestamp: timestamp(now),
    lastTimestamp: timestamp(now),
    count: 1,
    type: "Normal",
    eventTime: null,
    reportingComponent: component,
    reportingInstance: "",
    ...more,
  });
}
