// The few shapes of request that this stage makes, and what all of them share.

import { Faulted, type Fault } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { KubeClient, KubeRequest } from "../kubernetes/contract.ts";
import { gatewayLabel, grantLabel, callAnnotation, type ResourceAddress } from "./names.ts";

/** As whom, for what and until when a request of this stage is sent. */
export interface Sender {
  readonly client: KubeClient;
  /** The `Authorization` header's value; null leaves it to the connection's own certificate. */
  readonly authorization: string | null;
  readonly nextAuditId: () => string;
  readonly agent: string;
  readonly signal: AbortSignal;
}

/** One object by its address. */
export interface Located {
  readonly address: ResourceAddress;
  /** "" for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
}

/** What a list tells of a grant's object: metadata alone, never what it holds. */
export interface FoundObject extends Located {
  readonly grant: string;
  readonly gateway: string;
  readonly call: string;
}

/** Milliseconds for one request: these are small objects, and a call waits for them. */
const patience = 10_000;

function requestOf(
  sender: Sender,
  verb: KubeRequest["verb"],
  place: Located,
  more: Partial<KubeRequest> = {},
): KubeRequest {
  const { authorization, agent, signal } = sender;
  return {
    verb,
    ...place.address,
    namespace: place.namespace,
    name: place.name,
    authorization,
    auditId: sender.nextAuditId(),
    agent,
    signal,
    timeout: patience,
    ...more,
  };
}

/** POSTs an object into the namespace that its own metadata names. */
export async function create(sender: Sender, address: ResourceAddress, object: JsonObject): Promise<JsonObject> {
  const place = { address, namespace: textAt(object, "metadata", "namespace"), name: "" };
  return (await sender.client.request(requestOf(sender, "create", place, { body: object }))).body;
}

/** POSTs to a subresource of one named object. */
export async function createUnder(
  sender: Sender,
  place: Located,
  subresource: string,
  body: JsonObject,
): Promise<JsonObject> {
  return (await sender.client.request(requestOf(sender, "create", place, { subresource, body }))).body;
}

/** The object, or null where there is none. */
export async function find(sender: Sender, place: Located): Promise<JsonObject | null> {
  try {
    return (await sender.client.request(requestOf(sender, "get", place))).body;
  } catch (thrown) {
    if (faultIn(thrown).code === "not_found") return null;
    throw thrown;
  }
}

export async function replace(sender: Sender, place: Located, object: JsonObject): Promise<JsonObject> {
  return (await sender.client.request(requestOf(sender, "update", place, { body: object }))).body;
}

/** A real JSON merge patch (RFC 7386), never a dry run. */
export async function mergePatch(sender: Sender, place: Located, patch: JsonObject): Promise<JsonObject> {
  const contentType = "application/merge-patch+json";
  return (await sender.client.request(requestOf(sender, "patch", place, { contentType, body: patch }))).body;
}

/** Deletes; an object that is already gone counts as deleted. */
export async function remove(sender: Sender, place: Located): Promise<"removed" | "absent"> {
  try {
    await sender.client.request(requestOf(sender, "delete", place));
    return "removed";
  } catch (thrown) {
    if (faultIn(thrown).code === "not_found") return "absent";
    throw thrown;
  }
}

/** Is the object gone now? A fault counts as no: the sweep comes back for it. */
export async function isGone(sender: Sender, place: Located): Promise<boolean> {
  try {
    await remove(sender, place);
    return true;
  } catch (thrown) {
    faultIn(thrown);
    return false;
  }
}

const asTable = "application/json;as=Table;g=meta.k8s.io;v=v1";

/** The objects that a label selector finds, as server-side Tables with metadata alone: no Secret's data travels. Faults: internal where the server answers with whole objects. */
export async function listFound(
  sender: Sender,
  address: ResourceAddress,
  namespace: string,
  labelSelector: string,
): Promise<readonly FoundObject[]> {
  const found: FoundObject[] = [];
  let next = "";
  do {
    const query = {
      labelSelector,
      includeObject: "Metadata",
      limit: "500",
      ...(next === "" ? {} : { continue: next }),
    };
    const place = { address, namespace, name: "" };
    const { body } = await sender.client.request(requestOf(sender, "list", place, { accept: asTable, query }));
    if (textAt(body, "kind") !== "Table") throw new TypeError(`${address.resource}: not a Table`);
    const rows = at(body, "rows");
    for (const row of Array.isArray(rows) ? rows : []) found.push(foundIn(address, namespace, row));
    next = textAt(body, "metadata", "continue");
  } while (next !== "");
  return found;
}

/** The objects of all namespaces, whole, page by page; `label` asks for those that bear it, "" for all. */
export async function* list(sender: Sender, address: ResourceAddress, label: string): AsyncGenerator<JsonObject> {
  let next = "";
  do {
    const query = {
      limit: "500",
      ...(label === "" ? {} : { labelSelector: label }),
      ...(next === "" ? {} : { continue: next }),
    };
    const { body } = await sender.client.request(
      requestOf(sender, "list", { address, namespace: "", name: "" }, { query }),
    );
    const items = at(body, "items");
    for (const item of Array.isArray(items) ? items : []) if (isJsonObject(item)) yield item;
    next = textAt(body, "metadata", "continue");
  } while (next !== "");
}

function foundIn(address: ResourceAddress, namespace: string, row: unknown): FoundObject {
  const metadata = isJsonObject(row) ? at(row, "object", "metadata") : undefined;
  return {
    address,
    namespace,
    name: textAt(metadata, "name"),
    grant: textAt(metadata, "labels", grantLabel),
    gateway: textAt(metadata, "labels", gatewayLabel),
    call: textAt(metadata, "annotations", callAnnotation),
  };
}

/** The fault that was thrown; anything else is a programming error and goes on up. */
export function faultIn(thrown: unknown): Fault {
  if (thrown instanceof Faulted) return thrown.fault;
  throw thrown;
}

/** The same fault with effect `none`: what this stage writes is its own and is taken back, whatever the call was about was not touched. */
export function withoutEffect(thrown: unknown): Faulted {
  return new Faulted({ ...faultIn(thrown), effect: "none" });
}

/** Did Kubernetes refuse the token itself (401)? */
export function isRefused({ code, detail }: Fault): boolean {
  return code === "credential_unavailable" && detail["why"] === "refused";
}

/** A fault in a line for the operator: `cluster_denied: …`. */
export function causeOf({ code, cause }: Fault): string {
  return cause === "" ? code : `${code}: ${cause}`;
}
