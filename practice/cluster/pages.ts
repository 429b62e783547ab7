// Lists: selection, then pages whose later parts are of the same moment as the first, as etcd's revisions give them.

import { isJsonObject, labelsOf, numberAt, put, textAt, type Json, type JsonObject } from "./json.ts";
import { groupVersionOf, type Kind } from "./kinds.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import { badRequest, Refused, unserved } from "./status.ts";
import type { Storage } from "./storage.ts";

export interface Page {
  readonly items: readonly JsonObject[];
  /** ListMeta (meta/v1). */
  readonly metadata: JsonObject;
}

/** A number of the query, or null; Go's own words when it is none. */
export function integerOf(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null || text === "") return null;
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** One page by limit, continue, labelSelector and fieldSelector. 410 Expired for a token whose listing is forgotten. */
export function page(storage: Storage, kind: Kind, namespace: string, query: URLSearchParams): Page {
  const labels = labelSelector(query.get("labelSelector") ?? "");
  const fields = fieldSelector(kind, query.get("fieldSelector") ?? "");
  const limit = integerOf(query, "limit") ?? 0;
  const listing = startOf(storage, kind, namespace, query);
  const rest = listing.entries.filter(
    ([key, object]) => key >= listing.start && labels(labelsOf(object)) && fields(object),
  );
  const cut = limit > 0 && rest.length > limit;
  const shown = cut ? rest.slice(0, limit) : rest;
  const selected = (query.get("labelSelector") ?? "") !== "" || (query.get("fieldSelector") ?? "") !== "";
  const last = shown.at(-1)?.[0];
  if (!cut || last === undefined)
    return { items: shown.map(([, object]) => object), metadata: { resourceVersion: listing.revision } };
  storage.keep(listing.name, listing.entries);
  const token = { v: "meta.k8s.io/v1", rv: Number(listing.revision), start: `${last}\u0000`, list: listing.name };
  const metadata = {
    resourceVersion: listing.revision,
    continue: Buffer.from(JSON.stringify(token)).toString("base64url"),
    // With a selector Kubernetes does not know how many of the rest would match, and says nothing.
    ...(selected ? {} : { remainingItemCount: rest.length - limit }),
  };
  return { items: shown.map(([, object]) => object), metadata };
}

function startOf(storage: Storage, kind: Kind, namespace: string, query: URLSearchParams) {
  const token = query.get("continue") ?? "";
  const version = query.get("resourceVersion") ?? "";
  if (query.has("resourceVersionMatch")) throw unserved("serve resourceVersionMatch");
  if (token === "") {
    if (!/^\d*$/.test(version)) {
      throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(version)}`);
    }
    if (Number(version) > Number(storage.revision)) {
      const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
      const message = `Timeout: Too large resource version: ${version}, current: ${storage.revision}`;
      throw new Refused(504, "Timeout", message, { causes, retryAfterSeconds: 1 });
    }
    const name = `${storage.revision} ${groupVersionOf(kind)} ${kind.resource} ${namespace}`;
    return { entries: storage.entries(kind, namespace), revision: storage.revision, start: "", name };
  }
  if (version !== "" && version !== "0")
    throw badRequest("specifying resource version is not allowed when using continue");
  const known = decodeToken(token);
  const name = textAt(known, "list");
  if (!name.endsWith(` ${groupVersionOf(kind)} ${kind.resource} ${namespace}`))
    throw badRequest("invalid continue token");
  const entries = storage.kept(name);
  if (entries === undefined) {
    throw new Refused(
      410,
      "Expired",
      "The provided continue parameter is too old to display a consistent list result.",
    );
  }
  return { entries, revision: String(numberAt(known, "rv")), start: textAt(known, "start"), name };
}

function decodeToken(token: string): Json {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (isJsonObject(value)) return value;
  } catch {
    throw badRequest("invalid continue token: continue key is not valid");
  }
  throw badRequest("invalid continue token: continue key is not valid");
}

/** The page as `PodList`: its items go without kind and apiVersion, as Kubernetes writes them. */
export function listObject(kind: Kind, { items, metadata }: Page): JsonObject {
  const bare = items.map((item) => put(put(item, ["kind"], undefined), ["apiVersion"], undefined));
  return { kind: `${kind.kind}List`, apiVersion: groupVersionOf(kind), metadata, items: bare };
}
