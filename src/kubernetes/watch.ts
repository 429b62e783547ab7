// Follows one object by its name: of whatever comes only the newest state is kept, unread until somebody looks, so a storm of changes costs no more than its bytes.

import { Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { KubeClient, KubeRequest } from "./contract.ts";
import { clusterFault, faultOf } from "./faults.ts";

export interface WatchOptions {
  /** Where to go on from: the resourceVersion of the state that is known. */
  readonly resourceVersion: string;
  /** After these the watch ends, here and at the server. */
  readonly milliseconds: number;
}

export type WatchNews =
  | { readonly kind: "state"; readonly object: JsonObject }
  | { readonly kind: "deleted"; readonly object: JsonObject }
  /** The server no longer knows what came after the known state (410): look anew, and watch from there. */
  | { readonly kind: "expired" };

/** Most bytes of one event (etcd holds no object of half that), and of a whole watch: beyond, it ends and who watches looks anew. */
const most = { event: 4 * 1024 * 1024, watch: 64 * 1024 * 1024 };

/**
 * Gives the newest state each time that it is asked for, once there is one that was not given before; done when the watch is over. `request` is
 * a `watch` of one name. Leaving the loop closes the connection at once. Faults: the cluster's; cancelled.
 */
export async function* watchObject(
  client: Pick<KubeClient, "watch">,
  request: KubeRequest,
  { resourceVersion, milliseconds }: WatchOptions,
): AsyncGenerator<WatchNews, void, undefined> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort(request.signal.reason);
  request.signal.addEventListener("abort", leave);
  if (request.signal.aborted) leave();
  const news = newestOf(request);
  const query = {
    ...request.query,
    resourceVersion,
    allowWatchBookmarks: "true",
    timeoutSeconds: String(Math.max(1, Math.ceil(milliseconds / 1000))),
  };
  const asked = { ...request, query, signal: leaving.signal, timeout: Math.max(1, milliseconds) };
  const flight = client
    .watch(asked, (chunk) => news.take(chunk))
    .then(
      () => news.end(),
      (thrown: unknown) => news.fail(thrown),
    );
  try {
    for (;;) {
      const one = await news.next();
      if (one === null) return;
      yield one;
      if (one.kind === "expired") return;
    }
  } finally {
    leaving.abort();
    await flight;
    request.signal.removeEventListener("abort", leave);
  }
}

/** Cuts a watch into events and keeps the newest. */
function newestOf(request: KubeRequest) {
  let parts: Buffer[] = [];
  let [partial, total] = [0, 0];
  let newest: Buffer | null = null;
  let special: WatchNews | Faulted | null = null;
  let over = false;
  let failure: unknown = null;
  let woken = Promise.withResolvers<void>();

  /** An event that says more than a state is read as it comes; the others only when somebody looks. */
  function line(bytes: Buffer): void {
    if (isState(bytes)) newest = bytes;
    else {
      const read = newsIn(bytes, request);
      if (read === "bookmark") return;
      if (read instanceof Faulted || read.kind === "expired") special = read;
      else newest = bytes;
    }
    woken.resolve();
  }
  return {
    take(chunk: Buffer): boolean {
      total += chunk.length;
      let from = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
        const whole = Buffer.concat([...parts, chunk.subarray(from, end)]);
        parts = [];
        partial = 0;
        from = end + 1;
        if (whole.length > 0) line(whole);
      }
      if (from < chunk.length) parts.push(chunk.subarray(from));
      partial += chunk.length - from;
      if (partial > most.event) special = unreadable("an event is too large");
      return special === null && partial <= most.event && total <= most.watch;
    },
    end(): void {
      over = true;
      woken.resolve();
    },
    fail(thrown: unknown): void {
      failure = thrown;
      over = true;
      woken.resolve();
    },
    async next(): Promise<WatchNews | null> {
      for (;;) {
        const bytes = newest;
        newest = null;
        if (bytes !== null) {
          const read = newsIn(bytes, request);
          if (read instanceof Faulted) throw read;
          if (read !== "bookmark") return read;
          continue;
        }
        if (special instanceof Faulted) throw special;
        if (special !== null) return special;
        if (isExpired(failure)) return { kind: "expired" };
        if (failure !== null) throw failure;
        if (over) return null;
        await woken.promise;
        woken = Promise.withResolvers();
      }
    },
  };
}

/** As Kubernetes writes it (meta/v1 WatchEvent): the type comes first. Another order is read at once. */
const states = ["ADDED", "MODIFIED", "DELETED"].map((type) => ({
  type,
  head: Buffer.from(`{"type":"${type}","object":{`),
}));
const isState = (bytes: Buffer): boolean => states.some(({ head }) => bytes.subarray(0, head.length).equals(head));

function isAbout({ namespace, name }: KubeRequest, object: JsonObject): boolean {
  const place = textAt(object, "metadata", "namespace");
  return textAt(object, "metadata", "name") === name && (place === "" || place === namespace);
}

function newsIn(bytes: Buffer, request: KubeRequest): WatchNews | "bookmark" | Faulted {
  const event = parsed(bytes);
  const object = at(event ?? undefined, "object");
  if (event === null || !isJsonObject(object)) return unreadable("an event is no JSON object");
  const type = textAt(event, "type");
  // A server that overlooks the field selector would tell of others, and their end would be taken for this one's.
  if (states.some((one) => one.type === type) && !isAbout(request, object))
    return unreadable("an event of another object");
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "state", object };
    case "DELETED":
      return { kind: "deleted", object };
    case "BOOKMARK":
      return "bookmark";
    case "ERROR": {
      const code = at(object, "code");
      const found = faultOf(
        { status: typeof code === "number" ? code : 500, body: object, retryAfter: null },
        askedBy(request),
      );
      return found.code === "cursor_expired" ? { kind: "expired" } : new Faulted(found);
    }
  }
  return unreadable("an event of no known type");
}

function parsed(bytes: Buffer): JsonObject | null {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isExpired(thrown: unknown): boolean {
  return thrown instanceof Faulted && thrown.fault.code === "cursor_expired";
}

function unreadable(what: string): Faulted {
  return new Faulted(clusterFault("cluster_unavailable", { why: "answer" }, `watch: ${what}`));
}

function askedBy({ group, version, resource, namespace, name }: KubeRequest): Parameters<typeof faultOf>[1] {
  const sent = {
    verb: "watch",
    group,
    version,
    resource,
    subresource: "",
    namespace,
    name,
    pinned: name,
    dryRun: false,
  } as const;
  return { sent, method: "GET", path: `watch of ${resource}` };
}
