// The proxy that the environment names for a server, by the same rules as kubectl: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

import { BlockList, isIP } from "node:net";

type Environment = { readonly [name: string]: string | undefined };

/**
 * The proxy's URL, or null where the server is asked directly. As Go's golang.org/x/net/http/httpproxy, which kubectl uses: capitals go first, an address
 * without a scheme is http, and this machine itself is never asked through a proxy. Throws a `TypeError` where the variable holds no http or https URL.
 */
export function proxyFromEnvironment(server: string, env: Environment): string | null {
  const url = new URL(server);
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const named = valueOf(env, name);
  if (named === "" || !goesThrough(url, valueOf(env, "NO_PROXY"))) return null;
  const proxy = named.includes("://") ? named : `http://${named}`;
  if (!isProxyUrl(proxy)) throw new TypeError(`${name} is no http or https URL`);
  return proxy;
}

/** Is it a URL of a proxy, whose name and password can be read? (`%zz` in them is none to Go either.) */
export function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ["http:", "https:"].includes(protocol) && isText(username) && isText(password);
}

function isText(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

function valueOf(env: Environment, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

function goesThrough(url: URL, except: string): boolean {
  const host = hostOf(url);
  if (host === "localhost" || isInList(loopback, host)) return false;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return !except
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => isExcepted(entry, host, port));
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function isInList(list: BlockList, host: string): boolean {
  return isIP(host) > 0 && list.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}

/** Lower case, without the brackets of an IPv6 address and without a root's dot. */
function hostOf({ hostname }: URL): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

/** `*`, an address, a range of addresses, a domain with all below it, or (with a dot or `*.` before it) only what is below it; each but a range with a port or without. */
function isExcepted(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (entry.includes("/")) return isInRange(entry, host);
  const [name, onlyPort] = splitPort(entry);
  if (onlyPort !== "" && onlyPort !== port) return false;
  if (isIP(name) > 0) return sameAddress(name, host);
  if (isIP(host) > 0) return false;
  const below = name.replace(/^\*(?=\.)/, "");
  if (below.startsWith(".")) return host.endsWith(below);
  return host === below || host.endsWith(`.${below}`);
}

/** `host:port`, `[::1]:port`, or a bare host, which an IPv6 address may be. */
function splitPort(entry: string): readonly [name: string, port: string] {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return [bracketed[1] ?? "", bracketed[2] ?? ""];
  if (isIP(entry) > 0) return [entry, ""];
  const [, name = entry, port = ""] = /^([^:]*):(\d+)$/.exec(entry) ?? [];
  return [name, port];
}

function sameAddress(a: string, b: string): boolean {
  if (isIP(a) !== isIP(b)) return false;
  const list = new BlockList();
  list.addAddress(a, isIP(a) === 6 ? "ipv6" : "ipv4");
  return isInList(list, b);
}

function isInRange(entry: string, host: string): boolean {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const [family, most] = isIP(address) === 6 ? (["ipv6", 128] as const) : (["ipv4", 32] as const);
  if (isIP(address) === 0 || isIP(host) !== isIP(address) || Number(bits) > most) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return isInList(list, host);
}
