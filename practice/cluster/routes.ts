// What a request asks for, read from its method and path as Kubernetes reads them.

import type { Attributes } from "./rbac.ts";
import { pinnedName } from "./selectors.ts";

export interface Route {
  readonly attributes: Attributes;
  readonly version: string;
}

/**
 * The path is decoded before it is split, as the real API server does: `namespaces/x%2Fsecrets%2Fdb` is the Secret db.
 * A client that trusts encoding alone must fail here too.
 */
export function route(method: string, encodedPath: string, query: URLSearchParams): Route | null {
  let path: string;
  try {
    path = decodeURIComponent(encodedPath);
  } catch {
    return null;
  }
  const parts = path.replace(/^\//, "").replace(/\/$/, "").split("/");
  const grouped = parts[0] === "apis";
  const start = grouped ? 3 : 2;
  if ((parts[0] !== "api" && !grouped) || parts.length <= start) {
    return { attributes: { verb: method.toLowerCase(), path }, version: "" };
  }
  const [resource = "", name = "", subresource = "", namespace = ""] = placeOf(parts.slice(start));
  const verb = verbOf(method, name, query);
  const pinned = name === "" ? pinnedName(query.get("fieldSelector") ?? "") : name;
  const group = grouped ? (parts[1] ?? "") : "";
  return {
    attributes: { verb, group, resource, subresource, namespace, name: verb === "create" ? name : pinned },
    version: parts[start - 1] ?? "",
  };
}

function placeOf(rest: readonly string[]): readonly string[] {
  const [first, namespace = "", third] = rest;
  const ofNamespace = first === "namespaces" && namespace !== "";
  // `namespaces/x` and `namespaces/x/status` are about the Namespace itself, and authorised inside it.
  if (ofNamespace && (third === undefined || third === "status" || third === "finalize")) {
    return ["namespaces", namespace, third ?? "", namespace];
  }
  const [resource = "", name = "", subresource = ""] = ofNamespace ? rest.slice(2) : rest;
  return [resource, name, subresource, ofNamespace ? namespace : ""];
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  const one = name !== "";
  const watches = ["true", "1"].includes(query.get("watch") ?? "");
  const verbs: { readonly [method: string]: string } = {
    POST: "create",
    GET: one ? "get" : watches ? "watch" : "list",
    HEAD: one ? "get" : "list",
    PUT: "update",
    PATCH: "patch",
    DELETE: one ? "delete" : "deletecollection",
  };
  return verbs[method] ?? method.toLowerCase();
}
