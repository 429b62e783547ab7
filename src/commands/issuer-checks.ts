// Doctor's look at the issuers: do they answer, with which keys, and does their clock agree with ours?

import type { OidcSetting, ServiceAccountSetting } from "../config/issuers.ts";
import type { Config } from "../config/schema.ts";
import { Faulted } from "../domain/fault.ts";
import { textAt } from "../domain/json.ts";
import type { Loaded } from "../identity/kept.ts";
import { fetchPublished, publishedBy, type Published } from "../identity/published.ts";
import { familyFor } from "../identity/signatures.ts";
import type { Connection } from "../kubernetes/contract.ts";
import { isLoopback } from "../mcp/forwarded.ts";
import type { ClusterFound } from "./clusters.ts";
import { sentenceOf, type Io } from "./io.ts";
import { clusterIssuer, fetchOf } from "./issuers.ts";
import type { ReadConfig } from "./setting.ts";

/** As doctor prints it. */
export interface IssuerCheck {
  readonly name: string;
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

/** Milliseconds that clocks may differ, and that an issuer has to answer. */
const clockTolerance = 30_000;
const patience = 10_000;

/** One check an issuer, all at the same time; one more where its clock differs. */
export async function issuerChecks(
  io: Io,
  read: ReadConfig,
  clusters: readonly ClusterFound[],
): Promise<readonly IssuerCheck[]> {
  const checks = read.config.issuers.map(async (issuer, index) => {
    const name = `issuer ${issuer.name}`;
    try {
      return issuer.kind === "oidc"
        ? await oidcChecks(io, read, issuer, index, name)
        : await clusterChecks(io, clusters, issuer, name);
    } catch (thrown) {
      const says = thrown instanceof Faulted ? thrown.fault.cause : sentenceOf(thrown);
      return [failed(name, says, "correct the setting that is named; docs/identity.md says what each is")];
    }
  });
  return (await Promise.all(checks)).flat();
}

/** What a setting of the issuers lets in that somebody may not have meant. `registered`: how many agents have an account. */
export function issuerRemarks({ issuers, http }: Config, registered: number): readonly IssuerCheck[] {
  const remark = (name: string, says: string, next: string): IssuerCheck => ({ name, result: "note", says, next });
  const oidc = issuers.filter((one) => one.kind === "oidc");
  const open = oidc.filter(({ peopleWhere }) => peopleWhere === undefined);
  const bare = oidc.filter(({ subject, groups }) => subject.prefix === "" || groups?.prefix === "");
  const local = (http?.tokens ?? []).length > 0;
  return [
    ...(issuers.length === 0 || registered > 0
      ? []
      : [
          remark(
            "agents",
            "no agent is registered: every token of an issuer that is software's own, or of a person's agent, meets a plain 401",
            "sallyport agents register; the log names each that was kept out",
          ),
        ]),
    ...open.map(({ name }) =>
      remark(
        `issuer ${name}`,
        "whoever nothing marks as software is a person, and people may approve",
        "name in peopleWhere what only a person's token shows, or in agentsWhere what marks your software",
      ),
    ),
    ...(local ? bare : []).map(({ name }) =>
      remark(
        `issuer ${name}`,
        "its names have no prefix and may be those of http.tokens: rules and approvers know names alone",
        "give subject and groups a prefix, as it may be where both speak of the same people",
      ),
    ),
    ...(local && issuers.length > 0 && http !== undefined && http.host !== "localhost" && !isLoopback(http.host)
      ? [
          remark(
            "http tokens",
            `the tokens of http.tokens never end and are taken from everywhere that reaches ${http.host}`,
            "take them out where an issuer can vouch instead",
          ),
        ]
      : []),
  ];
}

async function oidcChecks(
  io: Io,
  read: ReadConfig,
  issuer: OidcSetting,
  index: number,
  name: string,
): Promise<readonly IssuerCheck[]> {
  const fetch = await fetchOf(read, issuer, index);
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(patience)]);
  const found = await fetchPublished(issuer.issuer, fetch, signal);
  const next = "look at the address, the network, ca and privateAddresses; its tokens are refused until it answers";
  return found.kind === "failed"
    ? [failed(name, `${issuer.issuer}: ${found.why}`, next)]
    : [keysCheck(name, found.value, issuer.algorithms), ...clockChecks(name, found.value.date, io.now())];
}

async function clusterChecks(
  io: Io,
  clusters: readonly ClusterFound[],
  issuer: ServiceAccountSetting,
  name: string,
): Promise<readonly IssuerCheck[]> {
  const connection = connectionFor(clusters, issuer);
  if (connection === null)
    return [failed(name, "its cluster is not one that can be used", "name one of clusters, or correct it there")];
  const closing = new AbortController();
  const cluster = clusterIssuer(io, connection, closing.signal);
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(patience)]);
  try {
    const [metadata, set] = [await cluster.discovery(signal), await cluster.keys(signal)];
    // Any text will do: whether the kubeconfig's user may ask is what this asks.
    if (issuer.review) await cluster.review("none", issuer.audience, signal);
    const found: Loaded<Published> = publishedBy(textAt(metadata, "issuer"), set, null);
    if (found.kind === "failed") return [failed(name, found.why, "look at the cluster's --service-account-* settings")];
    return [keysCheck(name, found.value, ["RS256", "ES256"])];
  } catch (thrown) {
    const says = thrown instanceof Faulted ? thrown.fault.cause : sentenceOf(thrown);
    const roles = "system:service-account-issuer-discovery and, with review, system:auth-delegator";
    return [failed(name, says, `the kubeconfig's user needs the ClusterRoles ${roles}`)];
  } finally {
    closing.abort();
  }
}

function connectionFor(clusters: readonly ClusterFound[], { cluster }: ServiceAccountSetting): Connection | null {
  const usable = clusters.flatMap((one) => (one.kind === "found" ? [one.connection] : []));
  if (cluster !== undefined) return usable.find((one) => one.cluster === cluster) ?? null;
  return clusters.length === 1 ? (usable[0] ?? null) : null;
}

/** Keys that none of the setting's algorithms could use let nobody in. */
function keysCheck(name: string, { issuer, keys, unusable }: Published, algorithms: readonly string[]): IssuerCheck {
  const fits = (alg: string): boolean =>
    keys.some((key) => key.family === familyFor(alg) && (key.alg === null || key.alg === alg));
  const usable = algorithms.filter(fits);
  const aside = unusable === 0 ? "" : `, ${unusable} more that check no signatures`;
  const says = `${issuer} publishes ${keys.length} key${keys.length === 1 ? "" : "s"}${aside}`;
  return usable.length === 0
    ? failed(name, `${says}, none of them for ${algorithms.join(", ")}`, "name its algorithm in algorithms")
    : { name, result: "ok", says: `${says}, for ${usable.join(", ")}`, next: "" };
}

function clockChecks(name: string, date: number | null, now: number): readonly IssuerCheck[] {
  if (date === null || Math.abs(now - date) <= clockTolerance) return [];
  const says = `its clock differs from this machine's by ${Math.round(Math.abs(now - date) / 1000)} s`;
  return [failed(name, says, "synchronise the clocks: tokens are checked to the minute")];
}

function failed(name: string, says: string, next: string): IssuerCheck {
  return { name, result: "failed", says, next };
}
