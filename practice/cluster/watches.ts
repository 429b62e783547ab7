// Watches: what happened to the objects of a list after a revision, one event a line, for as long as somebody listens.

import { labelsOf, type JsonObject } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { integerOf } from "./pages.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import { badRequest, Refused } from "./status.ts";
import type { Storage } from "./storage.ts";

/** One watch: each asking gives the events since the last (meta/v1 WatchEvent). */
export interface Watch {
  next(): readonly JsonObject[];
  /** Seconds after which the server ends it. */
  readonly seconds: number;
}

/** kube-apiserver's own least, when the caller names none. */
const longest = 1800;

/** From `resourceVersion` on; without one, or with 0, the objects that there are come first. 410 Expired where the storage no longer knows so far back. */
export function watch(storage: Storage, kind: Kind, namespace: string, query: URLSearchParams): Watch {
  const labels = labelSelector(query.get("labelSelector") ?? "");
  const fields = fieldSelector(kind, query.get("fieldSelector") ?? "");
  const selected = (object: JsonObject): boolean => labels(labelsOf(object)) && fields(object);
  const version = query.get("resourceVersion") ?? "";
  if (!/^\d{0,15}$/.test(version))
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(version)}`);
  const seconds = integerOf(query, "timeoutSeconds") ?? longest;
  let from = Number(version);
  let first: readonly JsonObject[] = [];
  if (from === 0) {
    from = Number(storage.revision);
    first = storage
      .list(kind, namespace)
      .filter(selected)
      .map((object) => ({ type: "ADDED", object }));
  } else if (from < storage.oldestChange - 1)
    throw new Refused(410, "Expired", `too old resource version: ${version} (${storage.revision})`);
  return {
    seconds: seconds > 0 ? seconds : longest,
    next() {
      const changes = storage.changesAfter(from, kind, namespace).filter(({ object }) => selected(object));
      from = Number(storage.revision);
      const events = [...first, ...changes.map(({ type, object }) => ({ type, object }))];
      first = [];
      return events;
    },
  };
}
