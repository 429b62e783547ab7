// Role-based access control as Kubernetes' RBAC authorizer does it, and the check that nobody grants more than they hold.

import { listAt, textAt, textsAt, type Json, type JsonObject } from "./json.ts";
import type { User } from "./authn.ts";
import { kindFor, type Kind } from "./kinds.ts";
import { forbidden, notFound } from "./status.ts";
import type { Storage } from "./storage.ts";

/** What is asked for. A path instead of a resource is a non-resource request. */
export type Attributes =
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly verb: string; readonly path: string };

export type Verdict = { readonly allowed: true; readonly reason: string } | { readonly allowed: false };

interface Granted {
  readonly rule: Json;
  readonly reason: string;
}

/** May the user do this? The reason is worded as in Kubernetes' audit log. */
export function authorize(storage: Storage, user: User, asked: Attributes): Verdict {
  if (user.groups.includes("system:masters")) return { allowed: true, reason: "" };
  const namespace = "path" in asked ? "" : asked.namespace;
  const found = granted(storage, user, namespace).find(({ rule }) => allows(rule, asked));
  return found === undefined ? { allowed: false } : { allowed: true, reason: `RBAC: allowed by ${found.reason}` };
}

/** Every rule that bindings give the user, cluster-wide ones first; namespace "" leaves out RoleBindings. */
export function granted(storage: Storage, user: User, namespace: string): readonly Granted[] {
  const bindings = storage
    .list(kindFor("clusterrolebindings"))
    .map((binding) => ({ binding, kind: "ClusterRoleBinding" }));
  if (namespace !== "") {
    for (const binding of storage.list(kindFor("rolebindings"), namespace))
      bindings.push({ binding, kind: "RoleBinding" });
  }
  return bindings.flatMap(({ binding, kind }) => {
    const subject = listAt(binding, "subjects").find((one) => isSubject(user, one, namespace));
    const role = subject === undefined ? undefined : roleOf(storage, binding);
    if (subject === undefined || role === undefined) return [];
    const place = kind === "RoleBinding" ? `/${namespace}` : "";
    const subjectPlace = textAt(subject, "namespace") === "" ? "" : `/${textAt(subject, "namespace")}`;
    const reason =
      `${kind} "${textAt(binding, "metadata", "name")}${place}" of ${textAt(binding, "roleRef", "kind")} ` +
      `"${textAt(binding, "roleRef", "name")}" to ${textAt(subject, "kind")} "${textAt(subject, "name")}${subjectPlace}"`;
    return listAt(role, "rules").map((rule) => ({ rule, reason }));
  });
}

function isSubject(user: User, subject: Json, namespace: string): boolean {
  const name = textAt(subject, "name");
  switch (textAt(subject, "kind")) {
    case "User":
      return name === user.username;
    case "Group":
      return user.groups.includes(name);
    case "ServiceAccount":
      return user.username === `system:serviceaccount:${textAt(subject, "namespace") || namespace}:${name}`;
    default:
      return false;
  }
}

function roleOf(storage: Storage, binding: JsonObject): JsonObject | undefined {
  const name = textAt(binding, "roleRef", "name");
  if (textAt(binding, "roleRef", "kind") === "ClusterRole") return storage.get(kindFor("clusterroles"), "", name);
  return storage.get(kindFor("roles"), textAt(binding, "metadata", "namespace"), name);
}

const holds = (list: readonly string[], one: string): boolean => list.includes("*") || list.includes(one);

function allows(rule: Json, asked: Attributes): boolean {
  if (!holds(textsAt(rule, "verbs"), asked.verb)) return false;
  if ("path" in asked) {
    return textsAt(rule, "nonResourceURLs").some(
      (url) => url === asked.path || (url.endsWith("*") && asked.path.startsWith(url.slice(0, -1))),
    );
  }
  const names = textsAt(rule, "resourceNames");
  return (
    holds(textsAt(rule, "apiGroups"), asked.group) &&
    holdsResource(textsAt(rule, "resources"), asked.resource, asked.subresource) &&
    (names.length === 0 || names.includes(asked.name))
  );
}

function holdsResource(held: readonly string[], resource: string, subresource: string): boolean {
  if (subresource === "") return holds(held, resource);
  return holds(held, `${resource}/${subresource}`) || held.includes(`*/${subresource}`);
}

/** The 403 message's words for a refused request. */
export function cannot(user: User, asked: Attributes): string {
  if ("path" in asked) return `User "${user.username}" cannot ${asked.verb} path "${asked.path}"`;
  const resource = asked.subresource === "" ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const place = asked.namespace === "" ? "at the cluster scope" : `in the namespace "${asked.namespace}"`;
  return `User "${user.username}" cannot ${asked.verb} resource "${resource}" in API group "${asked.group}" ${place}`;
}

/** One verb on one resource of one group with at most one name: what escalation is checked by. */
interface Piece {
  readonly group: string;
  readonly resource: string;
  readonly name: string | null;
  readonly url: string | null;
  readonly verb: string;
}

/** Refuses (403) a Role that holds, or a binding that gives, a rule that the user does not hold, unless `escalate` or `bind` is allowed. */
export function refuseEscalation(storage: Storage, user: User, kind: Kind, object: JsonObject): void {
  if (kind.group !== "rbac.authorization.k8s.io" || user.groups.includes("system:masters")) return;
  const name = textAt(object, "metadata", "name");
  const namespace = textAt(object, "metadata", "namespace");
  const binding = kind.resource.endsWith("bindings");
  const roles = textAt(object, "roleRef", "kind") === "ClusterRole" ? "clusterroles" : "roles";
  const asked = binding
    ? { verb: "bind", resource: roles, name: textAt(object, "roleRef", "name") }
    : { verb: "escalate", resource: kind.resource, name };
  if (authorize(storage, user, { ...asked, group: kind.group, subresource: "", namespace }).allowed) return;
  const role = binding ? roleOf(storage, object) : object;
  if (role === undefined) throw notFound(kind, textAt(object, "roleRef", "name"));
  const held = granted(storage, user, namespace).map(({ rule }) => rule);
  const missing = listAt(role, "rules")
    .flatMap(pieces)
    .filter((piece) => !held.some((rule) => covers(rule, piece)));
  if (missing.length === 0) return;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
  throw forbidden(
    kind,
    name,
    `user "${user.username}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${compact(missing)}`,
  );
}

function pieces(rule: Json): readonly Piece[] {
  const names = textsAt(rule, "resourceNames");
  const resources = textsAt(rule, "apiGroups").flatMap((group) =>
    textsAt(rule, "resources").flatMap((resource) =>
      (names.length === 0 ? [null] : names).map((name) => ({ group, resource, name, url: null })),
    ),
  );
  const urls = textsAt(rule, "nonResourceURLs").map((url) => ({ group: "", resource: "", name: null, url }));
  return [...resources, ...urls].flatMap((part) => textsAt(rule, "verbs").map((verb) => ({ ...part, verb })));
}

function covers(rule: Json, { group, resource, name, url, verb }: Piece): boolean {
  if (!holds(textsAt(rule, "verbs"), verb)) return false;
  if (url !== null) {
    return textsAt(rule, "nonResourceURLs").some(
      (one) => one === url || (one.endsWith("*") && url.startsWith(one.slice(0, -1))),
    );
  }
  const names = textsAt(rule, "resourceNames");
  const [main, sub] = resource.split("/");
  return (
    holds(textsAt(rule, "apiGroups"), group) &&
    holdsResource(textsAt(rule, "resources"), main ?? "", sub ?? "") &&
    (names.length === 0 || (name !== null && names.includes(name)))
  );
}

/** The missing pieces as lines, verbs of one resource together, as Kubernetes prints them. */
function compact(missing: readonly Piece[]): string {
  const verbs = new Map<string, string[]>();
  for (const { group, resource, name, url, verb } of missing) {
    const names = name === null ? "" : `, ResourceNames:["${name}"]`;
    const what =
      url === null ? `APIGroups:["${group}"], Resources:["${resource}"]${names}` : `NonResourceURLs:["${url}"]`;
    const known = verbs.get(what) ?? [];
    if (!known.includes(verb)) verbs.set(what, [...known, verb]);
  }
  const lines = [...verbs].map(([what, some]) => `{${what}, Verbs:[${some.map((verb) => `"${verb}"`).join(" ")}]}`);
  return lines.sort().join("\n");
}
