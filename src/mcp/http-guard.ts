// What an HTTP request must look like before anything of it is believed: single headers, Host, Origin, address, method, token.

import type { IncomingMessage } from "node:http";
import { plainAddress } from "./forwarded.ts";
import { pagesAt } from "./pages.ts";

export interface Allowed {
  /** Host names without ports; IPv6 in brackets. */
  readonly hosts: readonly string[];
  /** Origins in full, beside those of loopback. */
  readonly origins: readonly string[];
  /** Where the resource's metadata is served. */
  readonly metadata: readonly string[];
  /** Paths below which pages answer for themselves. */
  readonly pages: readonly { readonly path: string }[];
  /** Are there answers for operators beside /healthz? */
  readonly operators: boolean;
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: { readonly [name: string]: string };
  /** Someone who was not let in, rather than a caller's mistake. */
  readonly stranger?: boolean;
}

/** What the request's address and method ask for. */
export type Asked =
  | { readonly kind: "mcp" }
  /** A browser asks whether its page may send the request that it is about to send (Fetch, section 3.3.6, "CORS-preflight fetch"). */
  | { readonly kind: "preflight" }
  | { readonly kind: "metadata" }
  | { readonly kind: "alive" }
  | { readonly kind: "page"; readonly path: string }
  | { readonly kind: "operators"; readonly path: string }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Headers that decide something: a second one would be read by whoever stands before us and not by us, or the other way round. */
const single = [
  "access-control-request-method",
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
  "transfer-encoding",
];

/** What a request with this head asks for, or why it is turned away. */
export function askedOf(request: IncomingMessage, allowed: Allowed): Asked {
  const names = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const twice = single.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined)
    return refused({ status: 400, message: `The header ${twice} stands twice.`, stranger: true });
  if (request.headers.host === undefined)
    return refused({ status: 400, message: "The header host is missing.", stranger: true });
  // Any other coding is one more thing that somebody before us may read in another way (RFC 9112, section 6.1).
  if (!["chunked", undefined].includes(request.headers["transfer-encoding"]?.toLowerCase()))
    return refused({ status: 400, message: "Only chunked is a transfer coding here.", stranger: true });
  if (!["100-continue", undefined].includes(request.headers.expect?.toLowerCase()))
    return refused({ status: 417, message: "Nothing is expected here but 100-continue.", stranger: true });
  const asked = addressOf(request, allowed);
  // A page in a browser can reach us under a name of its own (DNS rebinding): only known names are served.
  if (!isAllowedHost(request, asked, allowed))
    return refused({ status: 403, message: "This Host is not served here.", stranger: true });
  // Pages are opened from everywhere, and check themselves whose form it was that came.
  if (asked.kind !== "page" && !isAllowedOrigin(request.headers.origin, allowed))
    return refused({ status: 403, message: "This Origin may not call.", stranger: true });
  return asked;
}

function addressOf(request: IncomingMessage, allowed: Allowed): Asked {
  const { headers, method = "" } = request;
  const [path = "", query] = (request.url ?? "").split("?", 2);
  const page = pagesAt(allowed.pages, path);
  if (page !== undefined) {
    if (!["GET", "HEAD", "POST"].includes(method)) return notAllowed("GET, HEAD, POST");
    return { kind: "page", path: page.path };
  }
  // Addresses end up in logs and histories; a token in one is lost.
  if (query !== undefined)
    return refused({
      status: 400,
      message: "No parameters in the address: a token belongs in the Authorization header.",
    });
  const isPreflight = method === "OPTIONS" && headers.origin !== undefined;
  if (path === "/mcp") {
    if (isPreflight) return { kind: "preflight" };
    if (method !== "POST") return notAllowed("POST");
    if ((headers["content-encoding"] ?? "identity") !== "identity")
      return refused({ status: 415, message: "The body must not be compressed." });
    return { kind: "mcp" };
  }
  const reads = method === "GET" || method === "HEAD";
  if (allowed.metadata.includes(path)) {
    if (isPreflight) return { kind: "preflight" };
    return reads ? { kind: "metadata" } : notAllowed("GET, HEAD");
  }
  if (path === "/healthz") return reads ? { kind: "alive" } : notAllowed("GET, HEAD");
  if (allowed.operators && reads && path.startsWith("/")) return { kind: "operators", path };
  return refused(nothingHere);
}

export const nothingHere: Refusal = { status: 404, message: "There is nothing here; MCP is served at /mcp." };

function notAllowed(allow: string): Asked {
  return refused({ status: 405, message: `Only ${allow} is served here.`, headers: { allow } });
}

function refused(refusal: Refusal): Asked {
  return { kind: "refused", refusal };
}

function isAllowedHost(request: IncomingMessage, asked: Asked, allowed: Allowed): boolean {
  const name = hostName(request.headers.host);
  if (allowed.hosts.includes(name)) return true;
  // Probes and scrapers call the address itself. No page can have that one for its own name, so it can't be rebound.
  const own = plainAddress(request.socket.localAddress);
  const local = own.includes(":") ? `[${own}]` : own;
  return (asked.kind === "alive" || asked.kind === "operators") && name === local;
}

/** The host's name as a URL has it, without its port; "" where it is none. */
function hostName(host: string | undefined): string {
  const url = URL.parse(`http://${host ?? ""}`);
  return url !== null && url.host === (host ?? "").toLowerCase().replace(/:80$/, "") ? url.hostname : "";
}

/** Is it by a name of loopback that this machine is called? */
export function isCalledLocally(host: string | undefined): boolean {
  return loopbackNames.includes(hostName(host));
}

const loopbackNames = ["127.0.0.1", "[::1]", "localhost"];

/** Programs send no Origin; a page on this machine (an inspector) has one of loopback. */
function isAllowedOrigin(origin: string | undefined, allowed: Allowed): boolean {
  if (origin === undefined) return true;
  if (allowed.origins.includes(origin)) return true;
  const url = URL.parse(origin);
  return (
    url !== null &&
    url.origin === origin &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    loopbackNames.includes(url.hostname)
  );
}

/** The token of the `Authorization` header (RFC 6750, section 2.1); null where there is none that could be one. */
export function bearerOf(request: IncomingMessage): string | null {
  const match = /^bearer +([A-Za-z0-9._~+/-]{1,16384}=*)$/i.exec(request.headers.authorization ?? "");
  return match?.[1] ?? null;
}
