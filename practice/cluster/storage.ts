// Everything the practice cluster knows, in memory: objects by resource, one revision counter, snapshots for paging.

import { textAt, put, type JsonObject } from "./json.ts";
import { qualified } from "./status.ts";
import type { Kind } from "./kinds.ts";

const snapshotsKept = 32;
const changesKept = 2_000;

/** One change of one object, for watches. */
export interface ObjectChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  /** Of a deleted one its last state, under the revision of its deletion. */
  readonly object: JsonObject;
}

/** A list's key as etcd orders it: `namespace/name`, compared by code unit. */
const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

export class Storage {
  #revision = 1;
  readonly #objects = new Map<string, Map<string, JsonObject>>();
  readonly #snapshots = new Map<string, readonly (readonly [string, JsonObject])[]>();
  readonly #listeners = new Set<() => void>();
  #changes: (ObjectChange & { readonly kind: string; readonly namespace: string })[] = [];

  /** The latest resourceVersion, as Kubernetes writes it. */
  get revision(): string {
    return String(this.#revision);
  }

  /** Calls this after each change, until what is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The revision of the oldest change that is still known; the next one where none is. */
  get oldestChange(): number {
    return this.#changes[0]?.revision ?? this.#revision + 1;
  }

  /** The changes of a kind after a revision, oldest first; namespace "" for all. */
  changesAfter(revision: number, kind: Kind, namespace: string): readonly ObjectChange[] {
    const name = qualified(kind);
    return this.#changes.filter(
      (one) => one.revision > revision && one.kind === name && (namespace === "" || one.namespace === namespace),
    );
  }

  get(kind: Kind, namespace: string, name: string): JsonObject | undefined {
    return this.#of(kind).get(keyOf(namespace, name));
  }

  /** In the order of their keys; namespace "" lists all. */
  list(kind: Kind, namespace = ""): readonly JsonObject[] {
    return this.entries(kind, namespace).map(([, object]) => object);
  }

  entries(kind: Kind, namespace = ""): readonly (readonly [string, JsonObject])[] {
    const prefix = namespace === "" ? "" : `${namespace}/`;
    return [...this.#of(kind)].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Stores the object under the next revision and returns it as stored. */
  write(kind: Kind, object: JsonObject): JsonObject {
    this.#revision++;
    const stored = put(object, ["metadata", "resourceVersion"], this.revision);
    const key = keyOf(textAt(stored, "metadata", "namespace"), textAt(stored, "metadata", "name"));
    const type = this.#of(kind).has(key) ? "MODIFIED" : "ADDED";
    this.#of(kind).set(key, stored);
    this.#note(type, kind, stored);
    return stored;
  }

  remove(kind: Kind, object: JsonObject): void {
    this.#revision++;
    const key = keyOf(textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name"));
    const last = this.#of(kind).get(key);
    this.#of(kind).delete(key);
    this.#note("DELETED", kind, put(last ?? object, ["metadata", "resourceVersion"], this.revision));
  }

  /** Keeps a listing for its later pages; the oldest are forgotten, as etcd compacts. */
  keep(name: string, entries: readonly (readonly [string, JsonObject])[]): void {
    this.#snapshots.set(name, entries);
    for (const oldest of this.#snapshots.keys()) {
      if (this.#snapshots.size <= snapshotsKept) break;
      this.#snapshots.delete(oldest);
    }
  }

  kept(name: string): readonly (readonly [string, JsonObject])[] | undefined {
    return this.#snapshots.get(name);
  }

  #note(type: ObjectChange["type"], kind: Kind, object: JsonObject): void {
    const namespace = textAt(object, "metadata", "namespace");
    this.#changes.push({ type, revision: this.#revision, object, kind: qualified(kind), namespace });
    if (this.#changes.length > changesKept) this.#changes = this.#changes.slice(-changesKept / 2);
    for (const listener of this.#listeners) listener();
  }

  #of(kind: Kind): Map<string, JsonObject> {
    const found = this.#objects.get(qualified(kind));
    if (found !== undefined) return found;
    const made = new Map<string, JsonObject>();
    this.#objects.set(qualified(kind), made);
    return made;
  }
}
