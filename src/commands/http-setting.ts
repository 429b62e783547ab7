// What the configuration says of the HTTP door, as the door takes it, and what doctor finds wrong with it.

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Config } from "../config/schema.ts";
import { missingFor, type HttpOptions } from "../mcp/http.ts";
import { readPair } from "../mcp/tls.ts";
import type { Io } from "./io.ts";

export type DoorSetting = Pick<
  HttpOptions,
  | "host"
  | "port"
  | "url"
  | "vouched"
  | "authorizationServers"
  | "tls"
  | "trustedProxies"
  | "allowedHosts"
  | "allowedOrigins"
>;

/** The door's part of the configuration; `port` is the command line's, if it named one. */
export function doorSetting({ http, issuers }: Config, uid: number, port: number | undefined): DoorSetting {
  const vouchers = {
    vouched: issuers.length > 0,
    authorizationServers: issuers.flatMap((one) => (one.kind === "oidc" ? [one.issuer] : [])),
  };
  if (http === undefined) return { host: "127.0.0.1", port: port ?? 0, ...vouchers };
  const { host, url, tls, trustedProxies, allowedHosts, allowedOrigins } = http;
  return {
    host,
    port: port ?? http.port,
    ...(url === undefined ? {} : { url }),
    ...vouchers,
    ...(tls === undefined ? {} : { tls: { ...tls, uid } }),
    trustedProxies,
    allowedHosts,
    allowedOrigins,
  };
}

/** Why the door can't open as it is configured; "" where it can. */
export async function doorProblem(io: Pick<Io, "uid" | "now">, config: Config): Promise<string> {
  const setting = doorSetting(config, io.uid, undefined);
  const missing = missingFor(setting);
  if (missing !== "" || setting.tls === undefined) return missing;
  const read = await readPair(setting.tls, io.uid, io.now());
  return read.kind === "refused" ? read.sentence : "";
}

/** What nobody gets past, however well the door stands; "" where somebody can. */
export function nobodyCalls({ http, issuers }: Config): string {
  if (issuers.length > 0 || (http?.tokens.length ?? 0) > 0) return "";
  return "sallyport.yaml names no http.tokens and no issuers: whoever calls at this address is refused.";
}

/** Descriptors that stay free for files, clusters and the owner's socket. */
const reserve = 512;
const mostConnections = 4_096;

/** How many connections the door may hold: no more than this process can open files, as far as the system says (Linux: proc(5)). */
export async function connectionsThatFit(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  return Number.isNaN(soft) ? mostConnections : Math.max(64, Math.min(mostConnections, soft - reserve));
}

/** A remark on the door's configuration: doctor prints it as a check. */
export interface DoorFinding {
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

const day = 86_400_000;
/** Days before its end at which a certificate is worth a remark. */
const soon = 14;

/** What can be said of the door before it opens: its address, its URL, its certificate. */
export async function examineDoor(io: Pick<Io, "uid" | "now">, config: Config): Promise<readonly DoorFinding[]> {
  const { http } = config;
  if (http === undefined) return [];
  const setting = doorSetting(config, io.uid, undefined);
  const missing = missingFor(setting);
  const shut = nobodyCalls(config);
  return [
    missing === ""
      ? { result: "ok", says: `listens on ${http.host}, port ${http.port}`, next: "" }
      : { result: "failed", says: missing, next: "docs/http.md, Where it listens" },
    ...(shut === "" ? [] : [{ result: "note" as const, says: shut, next: "docs/http.md, Who may call" }]),
    ...urlFindings(http),
    ...(setting.tls === undefined ? [] : [await certificateFinding(io, setting, setting.tls)]),
  ];
}

/** An address that clients call and that nothing here answers: tokens for it would be for nobody. */
function urlFindings({ url, tls, trustedProxies }: NonNullable<Config["http"]>): readonly DoorFinding[] {
  if (url === undefined) return [];
  const { protocol, pathname, hostname } = new URL(url);
  const wrong = [
    ...(pathname.endsWith("/mcp") ? [] : ["does not end in /mcp, where MCP is served"]),
    ...(protocol === "http:" && tls !== undefined ? ["says http, and the door speaks TLS"] : []),
    ...(protocol === "https:" && tls === undefined && trustedProxies.length === 0
      ? ["says https, and there is neither http.tls nor a proxy in http.trustedProxies"]
      : []),
    ...(protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)
      ? ["says http beyond this machine: tokens would travel in clear"]
      : []),
  ];
  return wrong.map((says) => ({
    result: "note",
    says: `http.url ${says}`,
    next: "write it exactly as clients call it",
  }));
}

async function certificateFinding(
  io: Pick<Io, "uid" | "now">,
  { url }: DoorSetting,
  tls: NonNullable<DoorSetting["tls"]>,
): Promise<DoorFinding> {
  const read = await readPair(tls, io.uid, io.now());
  const renew = "put a new pair into the two files: it is taken without a restart";
  if (read.kind === "refused") return { result: "failed", says: read.sentence, next: renew };
  const { leaf } = read.pair;
  const days = Math.floor((Date.parse(leaf.validTo) - io.now()) / day);
  const says = `the certificate is valid for ${days} more days`;
  const name = url === undefined ? "" : new URL(url).hostname.replace(/^\[|\]$/g, "");
  const covered = isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name);
  if (name !== "" && covered === undefined)
    return { result: "failed", says: `the certificate is not for ${name}, which http.url names`, next: renew };
  return days < soon ? { result: "note", says, next: renew } : { result: "ok", says, next: "" };
}
