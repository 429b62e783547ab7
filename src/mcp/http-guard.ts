// What an HTTP request must look like before anything of it is believed: address, method, single headers, Host, Origin, token.

import type { IncomingMessage } from "node:http";

export interface Allowed {
  /** Host names without ports; IPv6 in brackets. */
  readonly hosts: readonly string[];
  /** Origins in full, beside those of loopback. */
  readonly origins: readonly string[];
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: { readonly [name: string]: string };
  /** Someone who was not let in, rather than a caller's mistake. */
  readonly stranger?: boolean;
}

/** Headers that decide something: a second one would be read by whoever stands before us and not by us, or the other way round. */
const single = [
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
  "origin",
];

/** The reason to turn the request away by its head, or null. */
export function refuseHeaders(request: IncomingMessage, allowed: Allowed): Refusal | null {
  const names = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const twice = single.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined) return { status: 400, message: `The header ${twice} stands twice.`, stranger: true };
  // A page in a browser can reach loopback under a name of its own (DNS rebinding): only known names are served.
  if (!allowed.hosts.includes(hostName(request.headers.host)))
    return { status: 403, message: "This Host is not served here.", stranger: true };
  if (!isAllowedOrigin(request.headers.origin, allowed))
    return { status: 403, message: "This Origin may not call.", stranger: true };
  return refuseAddress(request);
}

function refuseAddress(request: IncomingMessage): Refusal | null {
  const [path, query] = (request.url ?? "").split("?", 2);
  // Addresses end up in logs and histories; a token in one is lost.
  if (query !== undefined)
    return { status: 400, message: "No parameters in the address: a token belongs in the Authorization header." };
  if (path === "/healthz")
    return request.method === "GET" || request.method === "HEAD" ? null : notAllowed("GET, HEAD");
  if (path !== "/mcp") return { status: 404, message: "There is nothing here; MCP is served at /mcp." };
  if (request.method !== "POST") return notAllowed("POST");
  if ((request.headers["content-encoding"] ?? "identity") !== "identity")
    return { status: 415, message: "The body must not be compressed." };
  return null;
}

function notAllowed(allow: string): Refusal {
  return { status: 405, message: `Only ${allow} is served here.`, headers: { allow } };
}

/** The host's name as a URL has it, without its port; "" where it is none. */
function hostName(host: string | undefined): string {
  const url = URL.parse(`http://${host ?? ""}`);
  return url !== null && url.host === (host ?? "").toLowerCase().replace(/:80$/, "") ? url.hostname : "";
}

/** Programs send no Origin; a page on this machine (an inspector) has one of loopback. */
function isAllowedOrigin(origin: string | undefined, allowed: Allowed): boolean {
  if (origin === undefined) return true;
  if (allowed.origins.includes(origin)) return true;
  const url = URL.parse(origin);
  return (
    url !== null &&
    url.origin === origin &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname)
  );
}

export type Bearer =
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** The token of the `Authorization` header (RFC 6750, section 2.1); without one, the challenge names no error (section 3.1). */
export function bearerOf(request: IncomingMessage): Bearer {
  const match = /^bearer +([A-Za-z0-9._~+/-]{1,16384}=*)$/i.exec(request.headers.authorization ?? "");
  if (match?.[1] !== undefined) return { kind: "bearer", token: match[1] };
  const headers = { "www-authenticate": 'Bearer realm="sallyport"' };
  const message = "A bearer token is needed in the Authorization header.";
  return { kind: "refused", refusal: { status: 401, message, headers, stranger: true } };
}
