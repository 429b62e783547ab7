// Which network addresses identity traffic may go to: a name that leads inside the own network would make the gateway a way into it.

import { BlockList, isIP } from "node:net";

export interface Reach {
  /** The setting's own address is on this machine: then what it names may be too. */
  readonly loopback: boolean;
  /** The setting's own address is plain http, which only loopback may be. */
  readonly plain: boolean;
  /** The provider stands on a private address, as the configuration says. */
  readonly privateAddresses: boolean;
}

/** What an address is, as far as it matters here. */
export type AddressKind = "public" | "private" | "loopback" | "never";

/** RFC 1918, RFC 6598 (shared by carriers), RFC 4193 (unique local). */
const inside = listOf(["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"], ["fc00::/7"]);
const loopback = listOf(["127.0.0.0/8"], ["::1/128"]);
/** Where clouds serve credentials to whoever asks from inside, beside 169.254.0.0/16. */
const metadata = listOf(
  ["100.100.100.200/32", "168.63.129.16/32"],
  ["fd00:ec2::254/128", "fd20:ce::254/128", "fd00:42::42/128"],
);
/** IANA's special-purpose IPv4 addresses (RFC 6890) that are no host of the internet, multicast and what is reserved. */
const special = listOf(
  [
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
  ],
  // Of 2000::/3: protocol assignments with Teredo, documentation, 6to4 (which carries any IPv4 address inside).
  ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
);
/** All of IPv6 that is given out to hosts (RFC 4291, section 2.4; IANA): what lies outside is refused without being named. */
const given = listOf([], ["2000::/3"]);
/** RFC 6052: the last 32 bits are the IPv4 address that is really reached. */
const translated = listOf([], ["64:ff9b::/96"]);

/** RFC 4291, section 2.5.5.2. What the system makes of an IPv4 address in this writing differs: none is taken. */
const mapped = listOf([], ["::ffff:0:0/96"]);

/** Says what an address is; whatever is not plainly one of the others is `never`, what is no address too. */
export function kindOf(address: string): AddressKind {
  const family = isIP(address);
  // A zone (`fe80::1%eth0`) names a link, never a host elsewhere.
  if (family === 0 || address.includes("%")) return "never";
  const within = (list: BlockList): boolean => list.check(address, family === 4 ? "ipv4" : "ipv6");
  if (family === 6 && within(mapped)) return "never";
  if (within(metadata) || within(special)) return "never";
  if (within(loopback)) return "loopback";
  if (within(inside)) return "private";
  if (family === 4) return "public";
  if (within(translated)) {
    const behind = kindOf(lastFour(address));
    return behind === "public" || behind === "private" ? "private" : "never";
  }
  return within(given) ? "public" : "never";
}

/** May a connection be made to this address, at all and (`secure` false) without TLS? */
export function mayReach(address: string, reach: Reach, secure: boolean): boolean {
  const kind = kindOf(address);
  if (!secure) return kind === "loopback" && reach.loopback && reach.plain;
  switch (kind) {
    case "public":
      return true;
    case "private":
      return reach.privateAddresses;
    case "loopback":
      return reach.loopback;
    case "never":
      return false;
  }
}

/** What the setting's own address allows of the addresses that it names in turn. */
export function reachOf(issuer: string, privateAddresses: boolean): Reach {
  const url = URL.parse(issuer);
  const local = url !== null && isLoopbackHost(url.hostname);
  return { loopback: local, plain: local && url.protocol === "http:", privateAddresses };
}

/** `localhost`, or an address of loopback as a URL has it (IPv6 in brackets). */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || kindOf(bare(hostname)) === "loopback";
}

/** A URL's host without the brackets of IPv6. */
export function bare(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** The last 32 bits of an IPv6 address, as IPv4; the address is valid. */
function lastFour(address: string): string {
  // The URL parser writes the shortest form, without dots.
  const short = bare(new URL(`http://[${address}]`).hostname);
  const [low = "0", high = "0"] = short.split(":").toReversed();
  const bits = Number.parseInt(high || "0", 16) * 65_536 + Number.parseInt(low || "0", 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join(".");
}

function listOf(four: readonly string[], six: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (network: string, family: "ipv4" | "ipv6"): void => {
    const [address = "", bits = ""] = network.split("/");
    list.addSubnet(address, Number(bits), family);
  };
  for (const one of four) add(one, "ipv4");
  for (const one of six) add(one, "ipv6");
  return list;
}
