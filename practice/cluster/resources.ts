// Requests for resources: the verb on the kind, its subresources, and the query and body that go with them.

import { admit } from "./admission.ts";
import type { User } from "./authn.ts";
import { remove } from "./deletion.ts";
import { at, numberAt, textAt, textsAt, type Json } from "./json.ts";
import { kindOfResource, type Kind } from "./kinds.ts";
import { podLog, type LogSource } from "./logs.ts";
import { create, decodeObject, existing, patched, replace, update, type Write, type Written } from "./objects.ts";
import { listObject, page } from "./pages.ts";
import { patchFor } from "./patch.ts";
import type { Attributes } from "./rbac.ts";
import { accepts, methodNotAllowed, type Reply, type Request } from "./replies.ts";
import { answerReview } from "./reviews.ts";
import { scaleOf, setScale } from "./scale.ts";
import { badRequest, invalid, Refused, unserved, unsupportedValue } from "./status.ts";
import type { Storage } from "./storage.ts";
import { tableOf } from "./tables.ts";
import { issueToken, type SigningKey } from "./tokens.ts";
import { watch } from "./watches.ts";

/** What resources are served from. */
export interface Served {
  readonly storage: Storage;
  readonly key: SigningKey;
  readonly logs: readonly LogSource[];
  readonly authenticate: (authorization: string | undefined) => User | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface ResourceRoute {
  readonly attributes: Extract<Attributes, { readonly resource: string }>;
  readonly version: string;
}

const neverServed = [
  "status",
  "exec",
  "attach",
  "portforward",
  "proxy",
  "eviction",
  "binding",
  "ephemeralcontainers",
  "resize",
  "finalize",
];

export function replyToResource(
  cluster: Served,
  request: Request,
  { attributes, version }: ResourceRoute,
  query: URLSearchParams,
  user: User,
): Reply {
  const { subresource, namespace, name, verb } = attributes;
  const kind = servedKind(attributes, version);
  if (kind.review) {
    if (verb !== "create" || subresource !== "") throw methodNotAllowed();
    const review = answerReview(cluster.storage, cluster.authenticate, user, kind, bodyOf(request), cluster.now());
    return { code: 201, body: review };
  }
  if (request.method === "HEAD") throw methodNotAllowed();
  const strict = query.get("fieldValidation") === "Strict";
  if (strict && subresource !== "scale") throw unserved("validate fields strictly, but in a Scale");
  const place = { kind, subresource, namespace: kind.namespaced ? namespace : "", name };
  const write = {
    user,
    ...place,
    now: cluster.now(),
    dryRun: isDryRun(query.getAll("dryRun"), verb),
    manager: managerOf(request, query),
  };
  if (subresource !== "") return replyToSubresource(cluster, request, write, verb, query);
  switch (verb) {
    case "get":
    case "list":
      return read(cluster, request, write, verb, query);
    case "create":
      if ((kind.namespaced && namespace === "") || name !== "") throw methodNotAllowed();
      return written(201, create(cluster.storage, write, bodyOf(request)));
    case "update":
    case "patch":
      if (name === "") throw methodNotAllowed();
      if (verb === "patch") return patch(cluster, request, write);
      return written(200, update(cluster.storage, write, bodyOf(request)));
    case "delete":
      return deletion(cluster, request, write, query);
    case "watch":
      return { code: 200, body: "", watch: watch(cluster.storage, kind, place.namespace, query) };
    case "deletecollection":
      throw unserved("delete collections", 405);
    default:
      throw methodNotAllowed();
  }
}

/** The kind at this place, or 404: a namespaced object needs its namespace, a cluster-scoped one has none. */
function servedKind({ group, resource, namespace, name, verb }: ResourceRoute["attributes"], version: string): Kind {
  const kind = kindOfResource(group, version, resource);
  const placed = kind?.namespaced
    ? namespace !== "" || name === "" || verb === "list"
    : namespace === "" || (resource === "namespaces" && namespace === name);
  if (kind !== undefined && placed) return kind;
  const what = `${resource} of ${group === "" ? "" : `${group}/`}${version} there`;
  const message = `the server could not find the requested resource: the practice cluster does not serve ${what}`;
  throw new Refused(404, "NotFound", message, {});
}

const written = (code: number, { object, warnings }: Written): Reply => ({ code, body: object, warnings });

function read(
  { storage, now }: Served,
  request: Request,
  { kind, namespace, name }: Write,
  verb: "get" | "list",
  query: URLSearchParams,
): Reply {
  const table = accepts(request.headers["accept"] ?? "", ["v1 Table"]);
  const include = query.get("includeObject") ?? "";
  if (verb === "get") {
    const object = existing(storage, kind, namespace, name);
    const metadata = { resourceVersion: textAt(object, "metadata", "resourceVersion") };
    return { code: 200, body: table ? tableOf(kind, [object], metadata, include, now()) : object };
  }
  const found = page(storage, kind, namespace, query);
  return {
    code: 200,
    body: table ? tableOf(kind, found.items, found.metadata, include, now()) : listObject(kind, found),
  };
}

function patch({ storage }: Served, request: Request, write: Write): Reply {
  const apply = patchFor(mediaType(request));
  const body = bodyOf(request, null);
  const old = existing(storage, write.kind, write.namespace, write.name);
  return written(200, replace(storage, write, old, patched(old, apply, body, write.kind.kind)));
}

function deletion({ storage }: Served, request: Request, write: Write, query: URLSearchParams): Reply {
  const options = request.body === "" ? {} : bodyOf(request);
  const policy = textAt(options, "propagationPolicy") || (query.get("propagationPolicy") ?? "");
  const policies = ["Foreground", "Background", "Orphan"];
  if (policy !== "" && !policies.includes(policy)) {
    throw invalid("DeleteOptions", "meta.k8s.io", "", [
      unsupportedValue("propagationPolicy", policy, [...policies, "nil"]),
    ]);
  }
  const asked = query.get("gracePeriodSeconds");
  const grace =
    at(options, "gracePeriodSeconds") === undefined ? asked : String(numberAt(options, "gracePeriodSeconds"));
  const dryRun = write.dryRun || isDryRun(textsAt(options, "dryRun"), "delete");
  const removed = remove(
    storage,
    { ...write, dryRun },
    {
      uid: textAt(options, "preconditions", "uid"),
      resourceVersion: textAt(options, "preconditions", "resourceVersion"),
      propagationPolicy: policy,
      gracePeriodSeconds: grace === null ? null : Number(grace),
    },
  );
  return written(200, removed);
}

function replyToSubresource(
  cluster: Served,
  request: Request,
  write: Write,
  verb: string,
  query: URLSearchParams,
): Reply {
  const { kind, subresource, namespace, name } = write;
  const found = kind.subresources.find((one) => one.name === subresource);
  if (found === undefined) {
    if (neverServed.includes(subresource)) throw unserved(`serve ${kind.resource}/${subresource}`);
    throw new Refused(404, "NotFound", "the server could not find the requested resource", {});
  }
  if (!found.verbs.includes(verb)) throw methodNotAllowed();
  const object = existing(cluster.storage, kind, namespace, name);
  switch (subresource) {
    case "log":
      return { code: 200, body: podLog(cluster.logs, object, query, cluster.now()) };
    case "token": {
      const sent = decodeObject(bodyOf(request), "TokenRequest", "authentication.k8s.io/v1");
      const warnings = admit(cluster.storage, { ...write, operation: "CREATE", object: sent, old: null });
      const { answer, jti } = issueToken(cluster.storage, cluster.key, object, sent, write.now);
      return { code: 201, body: answer, issued: `JTI=${jti}`, warnings };
    }
    default: {
      if (verb === "get") return { code: 200, body: scaleOf(object) };
      const whole = verb === "update";
      const sent = {
        strict: query.get("fieldValidation") === "Strict",
        apply: whole ? null : patchFor(mediaType(request)),
        body: whole ? bodyOf(request) : bodyOf(request, null),
      };
      return written(200, setScale(cluster.storage, write, sent));
    }
  }
}

function isDryRun(values: readonly string[], verb: string): boolean {
  const other = values.filter((value) => value !== "All");
  if (other.length === 0) return values.length > 0;
  const options = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Options`;
  throw invalid(options, "meta.k8s.io", "", [unsupportedValue("dryRun", other, ["All"])]);
}

/** The field manager: as asked, else the User-Agent's first word, as Kubernetes takes it. */
const managerOf = (request: Request, query: URLSearchParams): string =>
  query.get("fieldManager") || (request.headers["user-agent"] ?? "").split("/")[0] || "unknown";

const mediaType = (request: Request): string => (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";

/** The body as JSON. The media type is checked unless the caller has done so (null). */
function bodyOf(request: Request, checked?: null): Json | undefined {
  const type = mediaType(request);
  if (checked === undefined && type !== "" && type !== "application/json") throw unserved(`read ${type}`, 415);
  try {
    return JSON.parse(request.body) as Json;
  } catch {
    if (checked === null) throw badRequest("error decoding patch: not JSON");
    return undefined;
  }
}
