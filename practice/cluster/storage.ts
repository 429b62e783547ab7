// Everything the practice cluster knows, in memory: objects by resource, one revision counter, snapshots for paging.

import { textAt, put, type JsonObject } from "./json.ts";
import { qualified } from "./status.ts";
import type { Kind } from "./kinds.ts";

const snapshotsKept = 32;

/** A list's key as etcd orders it: `namespace/name`, compared by code unit. */
const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

export class Storage {
  #revision = 1;
  readonly #objects = new Map<string, Map<string, JsonObject>>();
  readonly #snapshots = new Map<string, readonly (readonly [string, JsonObject])[]>();
  #changed: () => void = () => undefined;

  /** The latest resourceVersion, as Kubernetes writes it. */
  get revision(): string {
    return String(this.#revision);
  }

  /** Calls this after each change; one listener, the controllers. */
  onChange(listener: () => void): void {
    this.#changed = listener;
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
    this.#of(kind).set(keyOf(textAt(stored, "metadata", "namespace"), textAt(stored, "metadata", "name")), stored);
    this.#changed();
    return stored;
  }

  remove(kind: Kind, object: JsonObject): void {
    this.#revision++;
    this.#of(kind).delete(keyOf(textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name")));
    this.#changed();
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

  #of(kind: Kind): Map<string, JsonObject> {
    const found = this.#objects.get(qualified(kind));
    if (found !== undefined) return found;
    const made = new Map<string, JsonObject>();
    this.#objects.set(qualified(kind), made);
    return made;
  }
}
