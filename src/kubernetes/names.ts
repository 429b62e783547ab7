// Which names, namespaces and selectors may become part of a request: the API server decodes %2F before it routes, so only this keeps a name a name.

/** One reason why an input was refused: where and which rule, never the value. (A type alias, so that it is JSON as it stands.) */
export type Problem = { readonly path: string; readonly rule: string };

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
/** The path-safe rule (apimachinery, IsValidPathSegmentName), narrowed to ASCII that no URL parser reads as anything else. */
const pathSafe = /^[A-Za-z0-9][A-Za-z0-9._:@+=,~-]*$/;

const labelRule = "lower-case letters, digits and '-', at most 63, beginning and ending with a letter or digit";
const subdomainRule =
  "lower-case letters, digits, '-' and '.', at most 253, each part beginning and ending with a letter or digit";
const pathSafeRule =
  "letters, digits and . _ : @ + = , ~ -, at most 253, beginning with a letter or digit, without '..'";

/** Resources whose names Kubernetes only asks to be path-safe: RBAC has `system:node`, an APIService is `v1.`, an IPAddress may hold ':'. */
const pathNamed = new Map<string, readonly string[] | "all">([
  ["rbac.authorization.k8s.io", "all"],
  ["apiregistration.k8s.io", ["apiservices"]],
  ["certificates.k8s.io", ["certificatesigningrequests", "clustertrustbundles"]],
  ["networking.k8s.io", ["ipaddresses"]],
  ["flowcontrol.apiserver.k8s.io", "all"],
]);

/** Why this can't name an object of this resource, or null. RFC 1123 subdomain; path-safe where Kubernetes asks no more. */
export function nameRule(text: string, of: { readonly group: string; readonly resource: string }): string | null {
  if (of.group === "" && of.resource === "namespaces") return namespaceRule(text);
  const named = pathNamed.get(of.group);
  if (named === "all" || named?.includes(of.resource))
    return text.length <= 253 && pathSafe.test(text) && !text.includes("..") ? null : pathSafeRule;
  return text.length <= 253 && subdomain.test(text) ? null : subdomainRule;
}

/** Why this can't be a namespace, or null: an RFC 1123 label. */
export function namespaceRule(text: string): string | null {
  return isLabel(text) ? null : labelRule;
}

/** Why this can't be a container's name, or null: an RFC 1123 label. */
export function containerRule(text: string): string | null {
  return isLabel(text) ? null : labelRule;
}

/** Why this can't be a word of a command, or null: what is shown to an approver must be what runs, so nothing that can't be seen. */
export function wordRule(text: string): string | null {
  const seen = !/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(text.replace(/[\t\n]/g, ""));
  return text.length <= 1024 && seen ? null : "at most 1024 characters, no control or invisible characters";
}

/** Why this can't be a label or field selector, or null: up to 500 characters, none of them invisible. Its grammar is the server's to judge. */
export function selectorRule(text: string): string | null {
  return text.length <= 500 && !unseen.test(text) ? null : "at most 500 characters, no control or invisible characters";
}
/** Control, format (bidi, zero-width), lone surrogate, private use, unassigned; line and paragraph separators. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Why this can't be a value of the query, or null. Continue tokens are long, so the cap is only against absurdity. */
export function queryRule(key: string, text: string): string | null {
  if (key === "labelSelector" || key === "fieldSelector") return selectorRule(text);
  if (key === "container") return containerRule(text);
  return text.length <= 4096 && !unseen.test(text)
    ? null
    : "at most 4096 characters, no control or invisible characters";
}

/** An API group: "" for core, else an RFC 1123 subdomain. */
export function isGroup(text: string): boolean {
  return text === "" || (text.length <= 253 && subdomain.test(text));
}

/** A version, a plural resource name or a subresource: an RFC 1123 label. */
export function isLabel(text: string): boolean {
  return text.length <= 63 && label.test(text);
}

/** A kind's name, for example `Deployment`. */
export function isKind(text: string): boolean {
  return text.length <= 63 && /^[A-Za-z][A-Za-z0-9-]*$/.test(text);
}

/** A name that is safe to show bare wherever it came from; used for names in the server's answers. */
export function isShowable(text: string): boolean {
  return text.length <= 253 && pathSafe.test(text);
}
