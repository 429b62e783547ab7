// Who stands at the other end of a connection: what a proxy says of that is believed only where the configuration names the proxy.

import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP } from "node:net";

/** Is this address one of the proxies that are named? */
export type Trusted = (address: string) => boolean;

/** From addresses and networks in CIDR notation. Throws on anything else. */
export function trustedProxies(named: readonly string[]): Trusted {
  const list = new BlockList();
  for (const one of named) {
    const [address = "", bits] = one.split("/");
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

/** An address as it stands in a configuration: IPv4 that arrived on an IPv6 socket is IPv4. */
export function plainAddress(address: string | undefined): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address ?? "");
  return mapped?.[1] ?? address ?? "";
}

export function isLoopback(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/**
 * The address that the request comes from: the peer's, or, where that is a named proxy, the last one in
 * `X-Forwarded-For` that is none. Everything left of it is the caller's own word.
 */
export function callerAddress(peer: string, headers: IncomingHttpHeaders, trusted: Trusted): string {
  let nearest = peer;
  const said = headers["x-forwarded-for"];
  const hops = (Array.isArray(said) ? said.join(",") : (said ?? "")).split(",").map((one) => plainAddress(one.trim()));
  while (trusted(nearest)) {
    const next = hops.pop();
    if (next === undefined || isIP(next) === 0) return nearest;
    nearest = next;
  }
  return nearest;
}

const forwarding = [
  "cf-connecting-ip",
  "forwarded",
  "true-client-ip",
  "via",
  "x-client-ip",
  "x-envoy-external-address",
  "x-real-ip",
];

/** Does the request say that it was handed on? Nobody has to be believed for that: it only takes a right away. */
export function isForwarded(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => forwarding.includes(name) || name.startsWith("x-forwarded-"));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
