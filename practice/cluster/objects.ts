// Create, update, patch and delete, in the order Kubernetes goes: decode, namespace, defaults, RBAC escalation, validation, policy, store.

import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { admit, checkAdmissionObject } from "./admission.ts";
import type { User } from "./authn.ts";
import { withDefaults } from "./defaults.ts";
import { own } from "./fields.ts";
import {
  at,
  isJsonObject,
  listAt,
  mapAt,
  numberAt,
  put,
  textAt,
  timestamp,
  type Json,
  type JsonObject,
} from "./json.ts";
import { groupVersionOf, kindFor, type Kind } from "./kinds.ts";
import { refuseEscalation } from "./rbac.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  invalidValue,
  modified,
  notFound,
  Refused,
  unserved,
} from "./status.ts";
import type { Storage } from "./storage.ts";
import { typeFault, validate } from "./validate.ts";

/** One write as the door understood it. */
export interface Write {
  readonly user: User;
  readonly kind: Kind;
  readonly subresource: string;
  readonly namespace: string;
  /** "" on a create. */
  readonly name: string;
  readonly dryRun: boolean;
  readonly manager: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Written {
  readonly object: JsonObject;
  /** For `Warning:` headers. */
  readonly warnings: readonly string[];
}

/** What generated names are written in: no vowels, so no words. */
export const letters = "bcdfghjklmnpqrstvwxz2456789";
/** Five characters as Kubernetes appends to generated names. */
export const nameSuffix = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join("");

/** The body as an object of this kind, its kind and apiVersion filled in; throws 400 for another kind or a wrong JSON type. */
export function decodeObject(body: Json | undefined, kind: string, groupVersion: string): JsonObject {
  if (!isJsonObject(body)) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error`,
    );
  }
  const sent = { kind: textAt(body, "kind") || kind, apiVersion: textAt(body, "apiVersion") || groupVersion };
  if (sent.kind !== kind || sent.apiVersion !== groupVersion) {
    throw badRequest(`${sent.kind} in version "${sent.apiVersion}" cannot be handled as a ${kind}`);
  }
  const fault = typeFault(kind, body);
  if (fault !== null)
    throw badRequest(`${kind} in version "${versionIn(groupVersion)}" cannot be handled as a ${kind}: ${fault}`);
  return { ...body, ...sent };
}

const versionIn = (groupVersion: string): string => groupVersion.split("/").at(-1) ?? "";

export function create(storage: Storage, write: Write, body: Json | undefined): Written {
  const { kind, namespace } = write;
  const sent = placed(decodeObject(body, kind.kind, groupVersionOf(kind)), write);
  if (textAt(sent, "metadata", "resourceVersion") !== "") {
    throw new Refused(500, "", "resourceVersion should not be set on objects to be created");
  }
  if (textAt(sent, "type") === "kubernetes.io/service-account-token")
    throw unserved("make long-lived ServiceAccount tokens", 422);
  if (kind.namespaced) requireNamespace(storage, write, textAt(sent, "metadata", "name"));
  const object = own(undefined, fresh(withDefaults(kind, sent), write), writer(write));
  const name = textAt(object, "metadata", "name");
  refuseEscalation(storage, write.user, kind, object);
  validate(kind, object);
  checkAdmissionObject(kind, object);
  const warnings = admit(storage, { ...write, name, operation: "CREATE", object, old: null });
  if (storage.get(kind, namespace, name) !== undefined) throw alreadyExists(kind, name);
  return { object: write.dryRun ? object : storage.write(kind, object), warnings };
}

/** The namespace of the URL goes into the object; another one in the object is a mistake. */
function placed(object: JsonObject, write: Write): JsonObject {
  const namespace = textAt(object, "metadata", "namespace");
  const expected = write.kind.namespaced ? write.namespace : "";
  if (namespace !== "" && namespace !== expected) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return put(object, ["metadata", "namespace"], expected === "" ? undefined : expected);
}

function requireNamespace(storage: Storage, write: Write, name: string): void {
  const namespace = storage.get(kindFor("namespaces"), "", write.namespace);
  if (namespace === undefined) throw notFound(kindFor("namespaces"), write.namespace);
  if (textAt(namespace, "status", "phase") !== "Terminating") return;
  const causes = [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${write.namespace} is being terminated`,
      field: "metadata.namespace",
    },
  ];
  throw forbidden(
    write.kind,
    name,
    `unable to create new content in namespace ${write.namespace} because it is being terminated`,
    { causes },
  );
}

function fresh(object: JsonObject, { kind, now }: Write): JsonObject {
  const { managedFields: _, deletionTimestamp: __, ...sent } = object["metadata"] as JsonObject;
  const prefix = textAt(sent, "generateName");
  const name = textAt(sent, "name") || (prefix === "" ? "" : prefix + nameSuffix());
  const metadata = { ...sent, name, uid: randomUUID(), creationTimestamp: timestamp(now) };
  const made = put(object, ["metadata"], kind.counted ? { ...metadata, generation: 1 } : metadata);
  return kind.status === null ? made : put(made, ["status"], kind.status as JsonObject);
}

const writer = (write: Write) => ({
  manager: write.manager,
  apiVersion: groupVersionOf(write.kind),
  subresource: write.subresource,
  time: timestamp(write.now),
});

/** The stored object, or 404. */
export function existing(storage: Storage, kind: Kind, namespace: string, name: string): JsonObject {
  const found = storage.get(kind, namespace, name);
  if (found === undefined) throw notFound(kind, name);
  return found;
}

export function update(storage: Storage, write: Write, body: Json | undefined): Written {
  const sent = decodeObject(body, write.kind.kind, groupVersionOf(write.kind));
  requireName(write, sent);
  const old = existing(storage, write.kind, write.namespace, write.name);
  const uid = textAt(sent, "metadata", "uid");
  const known = textAt(old, "metadata", "uid");
  if (uid !== "" && uid !== known) {
    throw conflict(
      write.kind,
      write.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${known}`,
    );
  }
  return replace(storage, write, old, put(sent, ["metadata", "uid"], known));
}

export function requireName(write: Write, sent: JsonObject): void {
  const name = textAt(sent, "metadata", "name");
  if (name === "")
    throw badRequest(`the name of the object (${write.name} based on URL) was undeterminable: name must be provided`);
  if (name !== write.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${write.name})`);
}

/** Patches the object. A patch that breaks a type is answered with the whole object in the message, as Kubernetes does: callers beware. */
export function patched(
  old: JsonObject,
  apply: (target: Json | undefined, patch: Json) => Json,
  patch: Json | undefined,
  kind: string,
): JsonObject {
  if (!isJsonObject(patch)) throw badRequest("error decoding patch: not a JSON object");
  const made = apply(old, patch);
  if (!isJsonObject(made)) throw badRequest("error decoding patch");
  const fault = typeFault(kind, made);
  if (fault !== null) throw invalid("", "", "", [invalidValue("patch", JSON.stringify(made), fault)]);
  return made;
}

/** Stores the next state of an object: preconditions, immutables, escalation, policy, counters; nothing when nothing changed. */
export function replace(storage: Storage, write: Write, old: JsonObject, sent: JsonObject): Written {
  const { kind } = write;
  requireName(write, sent);
  const version = textAt(sent, "metadata", "resourceVersion");
  if (version !== "" && version !== textAt(old, "metadata", "resourceVersion"))
    throw conflict(kind, write.name, modified);
  const kept = [
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "managedFields",
  ];
  let object = placed(withDefaults(kind, sent), write);
  for (const field of kept) object = put(object, ["metadata", field], at(old, "metadata", field));
  if (kind.status !== null) object = put(object, ["status"], at(old, "status"));
  const changed = !isDeepStrictEqual(object, old);
  if (!isDeepStrictEqual([at(object, "rules"), at(object, "subjects")], [at(old, "rules"), at(old, "subjects")])) {
    refuseEscalation(storage, write.user, kind, object);
  }
  validate(kind, object, old);
  checkAdmissionObject(kind, object);
  // A Deployment counts its annotations in, as they go on to its ReplicaSets.
  const counted = (one: JsonObject) => [
    at(one, "spec"),
    kind.kind === "Deployment" ? mapAt(one, "metadata", "annotations") : null,
  ];
  if (kind.counted && !isDeepStrictEqual(counted(object), counted(old))) {
    object = put(object, ["metadata", "generation"], numberAt(old, "metadata", "generation") + 1);
  }
  if (changed) object = own(old, object, writer(write));
  const warnings = admit(storage, { ...write, operation: "UPDATE", object, old });
  if (write.dryRun || !changed) return { object, warnings };
  return { object: storeOrRelease(storage, kind, object), warnings };
}

/** An object that waits for its finalizers goes when the last of them is taken away. */
function storeOrRelease(storage: Storage, kind: Kind, object: JsonObject): JsonObject {
  const gone =
    at(object, "metadata", "deletionTimestamp") !== undefined && listAt(object, "metadata", "finalizers").length === 0;
  if (!gone || kind.kind === "Pod" || kind.kind === "Namespace") return storage.write(kind, object);
  storage.remove(kind, object);
  return object;
}
