// What goes on by itself: replicas are made and taken away, pods start, crash and end, owners' dependents and namespaces go.

import { end } from "./deletion.ts";
import { listAt, textAt, type Json, type JsonObject } from "./json.ts";
import { kindFor, kindNamed, kinds } from "./kinds.ts";
import { live } from "./node.ts";
import { isEnding, made, nameOf, namespaceOf, uidOf } from "./owned.ts";
import { countReplicas, keepReplicas, rollOut } from "./replicas.ts";
import type { Storage } from "./storage.ts";

const pods = kindFor("pods");
const replicaSets = kindFor("replicasets");

/** Runs one pass of every controller at this moment. Each change calls for another pass. */
function reconcile(storage: Storage, now: number): void {
  endNamespaces(storage, now);
  collectGarbage(storage, now);
  for (const namespace of storage.list(kindFor("namespaces"))) defaultAccount(storage, namespace, now);
  for (const deployment of storage.list(kindFor("deployments"))) rollOut(storage, deployment, now);
  for (const kind of [replicaSets, kindFor("statefulsets")]) {
    for (const owner of storage.list(kind)) keepReplicas(storage, kind, owner, now);
  }
  for (const pod of storage.list(pods)) live(storage, pod, now);
  for (const kind of [replicaSets, kindFor("statefulsets"), kindFor("deployments")]) {
    for (const owner of storage.list(kind)) countReplicas(storage, kind, owner, now);
  }
}

/** An ending namespace takes everything in it along, and goes when nothing is left: a finalizer inside holds it. */
function endNamespaces(storage: Storage, now: number): void {
  const inside = kinds.filter((kind) => kind.namespaced);
  for (const namespace of storage.list(kindFor("namespaces")).filter(isEnding)) {
    const name = nameOf(namespace);
    for (const kind of inside) for (const object of storage.list(kind, name)) end(storage, kind, object, now);
    if (inside.every((kind) => storage.list(kind, name).length === 0)) storage.remove(kindFor("namespaces"), namespace);
  }
}

/** An object whose every owner is gone goes too, also one that named an owner that never was. */
function collectGarbage(storage: Storage, now: number): void {
  const exists = (owner: Json, namespace: string): boolean => {
    const kind = kindNamed(textAt(owner, "apiVersion"), textAt(owner, "kind"));
    if (kind === undefined) return true;
    const found = storage.get(kind, kind.namespaced ? namespace : "", textAt(owner, "name"));
    return found !== undefined && uidOf(found) === textAt(owner, "uid");
  };
  for (const kind of kinds.filter((one) => !one.review)) {
    for (const object of storage.list(kind)) {
      const owners = listAt(object, "metadata", "ownerReferences");
      if (owners.length > 0 && !owners.some((owner) => exists(owner, namespaceOf(object))))
        end(storage, kind, object, now);
    }
  }
}

function defaultAccount(storage: Storage, namespace: JsonObject, now: number): void {
  const accounts = kindFor("serviceaccounts");
  if (isEnding(namespace) || storage.get(accounts, nameOf(namespace), "default") !== undefined) return;
  storage.write(accounts, made(accounts, nameOf(namespace), "default", now));
}

const between = 40;
const mostPasses = 50;

/** Passes until nothing changes any more: for a start in a settled state. */
export function reconcileFully(storage: Storage, now: number): void {
  for (let pass = 0; pass < mostPasses; pass++) {
    const before = storage.revision;
    reconcile(storage, now);
    if (storage.revision === before) return;
  }
}

/** Reconciles a moment after each change; returns what stops it. */
export function startControllers(storage: Storage, now: () => number): () => void {
  let timer: NodeJS.Timeout | null = null;
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      const before = storage.revision;
      reconcile(storage, now());
      if (storage.revision !== before) later();
    }, between);
  };
  const stop = storage.onChange(later);
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}
