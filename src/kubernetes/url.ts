// From a request to the URL that is sent, and back: what is parsed from the final URL must be what was asked, or nothing is sent.

import { fault, Faulted } from "../domain/fault.ts";
import type { Verb } from "../domain/access.ts";
import type { KubeRequest, SentRequest } from "./contract.ts";
import { isGroup, isLabel, nameRule, namespaceRule, queryRule, type Problem } from "./names.ts";

/** What of a request decides its URL. */
export type Target = Pick<
  KubeRequest,
  "verb" | "group" | "version" | "resource" | "subresource" | "namespace" | "name" | "query"
>;

/** One request line, and what it means to the API server. */
export interface Wire {
  readonly method: string;
  readonly origin: string;
  /** Path and query as they are sent. */
  readonly path: string;
  readonly sent: SentRequest;
}

const methods: { readonly [verb in Verb]: string } = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETE",
};

/**
 * The request line for a target on a server (`https://host:port/prefix`).
 * Faults: invalid_input (path and rule, never the value), internal (the URL would not say what was asked).
 */
export function wireOf(server: string, target: Target): Wire {
  const problems = problemsOf(target);
  if (problems.length > 0) throw new Faulted(fault("invalid_input", { problems: problems.map((one) => ({ ...one })) }));
  const base = new URL(server);
  const prefix = base.pathname.replace(/\/+$/, "");
  const path = prefix + pathOf(target);
  const query = queryOf(target);
  const final = new URL(`${base.origin}${path}${query}`);
  // A URL parser drops dot segments, tabs and line ends: whatever it changed would be sent to another place than was checked.
  const kept = final.origin === base.origin && final.pathname === path && final.search === query && final.hash === "";
  if (!kept) throw refused("the URL is not what was built");
  const method = methods[target.verb];
  const sent = requestIn(method, final, base);
  if (!means(sent, target)) throw refused("the URL means another request than was asked");
  return { method, origin: base.origin, path: `${path}${query}`, sent };
}

/** Every part of the target that Kubernetes or this client refuses. */
function problemsOf(target: Target): Problem[] {
  const { group, version, resource, subresource = "", namespace, name, query = {} } = target;
  const problems: Problem[] = [];
  const check = (path: string, rule: string | null): void => {
    if (rule !== null) problems.push({ path, rule });
  };
  check(
    "kind",
    isGroup(group) && isLabel(version) && isLabel(resource) ? null : "not an API group, version and resource",
  );
  check("subresource", subresource === "" || isLabel(subresource) ? null : "not a subresource name");
  check("namespace", namespace === "" ? null : namespaceRule(namespace));
  check("name", name === "" ? null : nameRule(name, target));
  for (const [key, value] of Object.entries(query))
    check(shownAs[key] ?? "query", /^[A-Za-z]{1,40}$/.test(key) ? queryRule(key, value) : "not a query parameter");
  return problems;
}
/** Query parameters that an agent writes, under the names that the tools give them. */
const shownAs: { readonly [key: string]: string } = {
  labelSelector: "selector",
  fieldSelector: "field_selector",
  continue: "cursor",
  container: "container",
};

function pathOf(target: Target): string {
  const { group, version, resource, subresource = "", namespace, name, verb } = target;
  const inPath = onCollection(verb) ? "" : name;
  return [
    ...(group === "" ? ["api"] : ["apis", group]),
    version,
    ...(namespace === "" ? [] : ["namespaces", namespace]),
    resource,
    ...(inPath === "" ? [] : [inPath]),
    ...(subresource === "" ? [] : [subresource]),
  ]
    .map((segment) => `/${encode(segment)}`)
    .join("");
}

/** A list or watch of one name goes to the collection, with a field selector that pins the name; RBAC then checks that name. */
function onCollection(verb: Verb): boolean {
  return verb === "list" || verb === "watch";
}

function queryOf(target: Target): string {
  const query: Record<string, string> = { ...target.query };
  if (target.verb === "watch") query["watch"] = "true";
  if (onCollection(target.verb) && target.name !== "")
    query["fieldSelector"] = [`metadata.name=${target.name}`, query["fieldSelector"] ?? ""].filter(Boolean).join(",");
  const pairs = Object.entries(query).map(([key, value]) => `${encode(key)}=${encode(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** Percent-encodes all but RFC 3986's unreserved characters, so that no URL parser has anything left to change. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function means(sent: SentRequest, target: Target): boolean {
  const named = onCollection(target.verb)
    ? sent.name === "" && (target.name === "" || sent.pinned === target.name)
    : sent.name === target.name;
  return (
    named &&
    sent.verb === target.verb &&
    sent.group === target.group &&
    sent.version === target.version &&
    sent.resource === target.resource &&
    sent.subresource === (target.subresource ?? "") &&
    sent.namespace === target.namespace
  );
}

/**
 * Reads a request as the API server will (apiserver, `RequestInfoFactory.NewRequestInfo`), for resources only.
 * `url` is absolute; `server` is the cluster's own URL, whose path is no part of the request. Faults: internal.
 */
export function parseRequest(method: string, url: string, server: string): SentRequest {
  return requestIn(method, new URL(url), new URL(server));
}

function requestIn(method: string, final: URL, base: URL): SentRequest {
  const prefix = base.pathname.replace(/\/+$/, "");
  if (final.origin !== base.origin || !final.pathname.startsWith(`${prefix}/`)) throw refused("not on this server");
  const parts = segmentsOf(final.pathname.slice(prefix.length + 1));
  const query = parametersOf(final.searchParams);
  const core = parts[0] === "api";
  if (!core && parts[0] !== "apis") throw refused("not a resource path");
  const [group, version, ...rest] = core ? ["", ...parts.slice(1)] : parts.slice(1);
  const [namespace, resource, name = "", subresource = "", ...more] = placeOf(rest);
  // `watch` and `proxy` were verbs in front of a path once; the server still reads them so.
  if (!group && !core) throw refused("no group");
  if (!version || !resource || resource === "watch" || resource === "proxy" || more.length > 0)
    throw refused("not one resource");
  const verb = verbOf(method, name, query);
  const pinned = onCollection(verb) ? pinnedName(query.get("fieldSelector") ?? "") : "";
  const dryRun = query.get("dryRun") === "All";
  return { verb, group: group ?? "", version, resource, subresource, namespace: namespace ?? "", name, pinned, dryRun };
}

/** The path's segments, decoded once as the server does; any that could be read as several, or as none, refuse the whole. */
function segmentsOf(path: string): string[] {
  return path.split("/").map((segment) => {
    if (!/^(?:[A-Za-z0-9._~-]|%[0-7][0-9A-F])+$/.test(segment)) throw refused("a path segment is not plain");
    const text = decodeURIComponent(segment);
    if (/[\u0000-\u0020/\\%?#\u007f]/.test(text) || text.includes("..") || text === ".")
      throw refused("a path segment hides a separator");
    return text;
  });
}

/** Namespace, then resource, name, subresource. `namespaces/x` and its own two subresources are the Namespace object itself. */
function placeOf(rest: readonly string[]): readonly string[] {
  const within = rest[0] === "namespaces" && rest.length > 2 && rest[2] !== "status" && rest[2] !== "finalize";
  return within ? rest.slice(1) : ["", ...rest];
}

function parametersOf(search: URLSearchParams): Map<string, string> {
  const query = new Map<string, string>();
  for (const [key, value] of search) {
    if (query.has(key)) throw refused("a query parameter stands twice");
    query.set(key, value);
  }
  return query;
}

function verbOf(method: string, name: string, query: ReadonlyMap<string, string>): Verb {
  if (method === "POST") return "create";
  if (method === "PUT") return "update";
  if (method === "PATCH") return "patch";
  if (method === "DELETE") return name === "" ? "deletecollection" : "delete";
  if (method !== "GET") throw refused("not a method of the API");
  if (name !== "") return "get";
  const watch = query.get("watch");
  return watch === undefined || watch === "false" || watch === "0" ? "list" : "watch";
}

function pinnedName(selector: string): string {
  const names = selector.split(",").flatMap((term) => /^metadata\.name==?([^=!\\]+)$/.exec(term)?.slice(1, 2) ?? []);
  return names.length === 1 ? (names[0] ?? "") : "";
}

/** A path outside the resource tree. Resource paths begin alike, so the list says where each must end (`/api/v1/secrets` is none of these). Faults: internal. */
export function plainWire(server: string, path: string): Pick<Wire, "method" | "origin" | "path"> {
  if (!plainPaths.test(path) || path.includes("..")) throw refused("not a path outside the resource tree");
  const base = new URL(server);
  const whole = base.pathname.replace(/\/+$/, "") + path;
  const final = new URL(base.origin + whole);
  if (final.origin !== base.origin || final.pathname + final.search !== whole)
    throw refused("the URL is not what was built");
  return { method: "GET", origin: base.origin, path: whole };
}
const plainPaths =
  /^\/(?:version|\.well-known\/openid-configuration|openid\/v1\/jwks|api(?:\/v1)?|apis(?:\/[a-z0-9.-]+(?:\/[a-z0-9]+)?)?|openapi\/v2|openapi\/v3(?:\/(?:version|api|apis|api\/v1|apis\/[a-z0-9.-]+(?:\/[a-z0-9]+)?)(?:\?hash=[A-Za-z0-9]+)?)?)$/;

function refused(why: string): Faulted {
  return new Faulted(fault("internal", {}, `request refused before sending: ${why}`));
}
