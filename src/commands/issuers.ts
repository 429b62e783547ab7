// The issuers of the configuration as verifiers: what each needs from outside (files, clusters, a log) is given to it here.

import { readFile } from "node:fs/promises";
import { prefixesBeside, type IssuerSetting, type OidcSetting, type ServiceAccountSetting } from "../config/issuers.ts";
import { create } from "../credentials/send.ts";
import { idsFrom } from "../domain/ids.ts";
import { textAt, type JsonObject } from "../domain/json.ts";
import { reachOf } from "../identity/addresses.ts";
import type { ClusterIssuer } from "../identity/cluster-issuer.ts";
import { guardedFetch, type GuardedFetch } from "../identity/guarded-fetch.ts";
import { refused, rollUp, sentenceOf, type Told } from "../identity/refused.ts";
import { unknownIssuer } from "../identity/unknown-issuer.ts";
import type { Verifier } from "../identity/verifiers/contract.ts";
import { issuers as kinds, type OidcRules } from "../identity/verifiers/index.ts";
import type { Connection } from "../kubernetes/contract.ts";
import type { Log } from "../log.ts";
import { clientOf } from "./clusters.ts";
import { CommandFailed, type Io } from "./io.ts";
import type { ReadConfig } from "./setting.ts";

export interface IssuersMatter {
  readonly io: Io;
  readonly read: ReadConfig;
  readonly connections: readonly Connection[];
  readonly log: Log;
  /** Aborted when the gateway closes: what is fetched ends with it. */
  readonly closing: AbortSignal;
}

/**
 * One verifier an issuer, in the order of the configuration, and last the one that tells of tokens which nobody
 * answers for. Nothing is asked of an issuer here. Throws with the place of a cluster or a file that is not there.
 */
export async function issuerVerifiers(matter: IssuersMatter): Promise<readonly Verifier[]> {
  const { io, read, log } = matter;
  const { issuers } = read.config;
  if (issuers.length === 0) return [];
  // A cluster's own name as an issuer is known only once it was asked.
  const names = new Set(issuers.flatMap((one) => (one.kind === "oidc" ? [one.issuer] : [])));
  const verifiers = await Promise.all(issuers.map((one, index) => verifierOf(matter, names, one, index)));
  const strangers = unknownIssuer((issuer) => names.has(issuer), rollUp(io.now, tellRefused(log, "")));
  return [...verifiers, strangers];
}

function tellRefused(log: Log, issuer: string): (told: Told) => void {
  return (told) => log.warn({ issuer, cause: sentenceOf(told) }, "a token was refused");
}

function tellAway(log: Log, issuer: string): (told: Told) => void {
  return ({ why }) => log.warn({ issuer, cause: why }, "an issuer could not be asked");
}

async function verifierOf(
  matter: IssuersMatter,
  names: Set<string>,
  issuer: IssuerSetting,
  index: number,
): Promise<Verifier> {
  const { io, log, closing } = matter;
  const told = rollUp(io.now, tellRefused(log, issuer.name));
  const tell = rollUp(io.now, tellAway(log, issuer.name));
  const common = { now: io.now, told, away: (why: string) => tell(refused(why)), closing };
  switch (issuer.kind) {
    case "oidc": {
      const oidc = await kinds.oidc();
      const fetch = await fetchOf(matter.read, issuer, index);
      return oidc({ ...common, rules: rulesOf(matter.read, issuer), fetch });
    }
    case "service-account": {
      const serviceAccount = await kinds.serviceAccount();
      const connection = connectionOf(matter, issuer, index);
      const several = matter.read.config.issuers.filter((one) => one.kind === "service-account").length > 1;
      const { name, audience, prefix, review } = issuer;
      const rules = { name, audience, prefix, review, suffix: several ? `#${connection.cluster}` : "" };
      return serviceAccount({ ...common, rules, cluster: naming(clusterIssuer(io, connection, closing), names) });
    }
  }
}

/** One provider's rules as the configuration as a whole has them: for whom its tokens are, and which names are other issuers'. */
export function rulesOf(read: Pick<ReadConfig, "config">, issuer: OidcSetting): OidcRules {
  const others = prefixesBeside(read.config.issuers, issuer.name);
  return { ...issuer, audience: audienceOf(read, issuer), others };
}

/** The way out to one provider, on the certificates that its setting names. Throws with the place of a file that can't be read. */
export async function fetchOf(read: ReadConfig, issuer: OidcSetting, index: number): Promise<GuardedFetch> {
  const reach = reachOf(issuer.issuer, issuer.privateAddresses);
  if (issuer.ca === undefined) return guardedFetch({ reach });
  let ca: string;
  try {
    ca = await readFile(issuer.ca, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    throw mistake(read, index, "ca", `${issuer.ca} can't be read (${code}).`);
  }
  if (!ca.includes("-----BEGIN CERTIFICATE-----"))
    throw mistake(read, index, "ca", `${issuer.ca} holds no certificate.`);
  return guardedFetch({ reach, ca });
}

/** The configuration's check made sure that one of the two is there. */
function audienceOf({ config }: Pick<ReadConfig, "config">, { audience }: OidcSetting): readonly string[] {
  return audience ?? (config.http?.url === undefined ? [] : [config.http.url]);
}

function connectionOf({ read, connections }: IssuersMatter, issuer: ServiceAccountSetting, index: number): Connection {
  const [only, ...others] = connections;
  if (issuer.cluster === undefined) {
    if (only !== undefined && others.length === 0) return only;
    throw mistake(read, index, "cluster", "is missing: this gateway has several clusters.");
  }
  const found = connections.find((one) => one.cluster === issuer.cluster);
  if (found !== undefined) return found;
  const known = connections.map((one) => one.cluster).join(", ");
  throw mistake(read, index, "cluster", `there is no cluster ${issuer.cluster}; this gateway has ${known}.`);
}

function mistake({ path, placeOf }: ReadConfig, index: number, field: string, sentence: string): CommandFailed {
  const { line, column } = placeOf(["issuers", index, field]);
  return new CommandFailed(`${path}:${line}:${column}: issuers.${index}.${field}: ${sentence}`, 3);
}

/** Keeps the name that the cluster gives itself as an issuer. */
function naming(cluster: ClusterIssuer, names: Set<string>): ClusterIssuer {
  return {
    ...cluster,
    async discovery(signal) {
      const found = await cluster.discovery(signal);
      names.add(textAt(found, "issuer"));
      return found;
    },
  };
}

const tokenReviews = { group: "authentication.k8s.io", version: "v1", resource: "tokenreviews" };

/** One cluster as an issuer, asked with the kubeconfig's own identity over a client of its own that ends with the gateway. */
export function clusterIssuer(
  io: Pick<Io, "version" | "now" | "random">,
  connection: Connection,
  closing: AbortSignal,
): ClusterIssuer {
  const client = clientOf(io, connection);
  closing.addEventListener("abort", () => void client.close(), { once: true });
  const call = idsFrom(io.now, io.random).call();
  let sent = 0;
  const path = async (where: string, accept: string, signal: AbortSignal): Promise<JsonObject> =>
    await client.path(where, { authorization: await connection.authorization(), accept, signal });
  return {
    discovery: (signal) => path("/.well-known/openid-configuration", "application/json", signal),
    keys: (signal) => path("/openid/v1/jwks", "application/jwk-set+json", signal),
    async review(token, audiences, signal) {
      const authorization = await connection.authorization();
      const sender = { client, authorization, nextAuditId: () => `${call}.${++sent}`, agent: "identity", signal };
      const spec = { token, audiences };
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec };
      return await create(sender, tokenReviews, body);
    },
  };
}
