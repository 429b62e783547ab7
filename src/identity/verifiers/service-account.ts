// Projected tokens of a cluster's ServiceAccounts (Kubernetes documentation, "Managing Service Accounts: bound tokens").

import { everyScope } from "../../domain/evidence.ts";
import { Faulted } from "../../domain/fault.ts";
import { at, textAt, type Json, type JsonObject } from "../../domain/json.ts";
import type { ClusterIssuer } from "../cluster-issuer.ts";
import { keepFresh, type Kept, type Loaded } from "../kept.ts";
import { publishedBy, type Published } from "../published.ts";
import { refused, type Refused } from "../refused.ts";
import { remember } from "../remembered.ts";
import { proveSignature } from "../signed.ts";
import { issuerOf, objectClaim, readTimes, readToken, refuseAudience, type Token } from "../token.ts";
import type { Accepted, Verified, Verifier } from "./contract.ts";

export interface ServiceAccountRules {
  readonly name: string;
  readonly audience: readonly string[];
  /** Goes before names and groups. */
  readonly prefix: string;
  /** Asks the cluster of each token besides, so that a deleted account or pod counts at once. */
  readonly review: boolean;
  /** Goes behind the issuer's name where several clusters are issuers: they are often called alike. "" where one is. */
  readonly suffix: string;
}

export interface ServiceAccountOptions {
  readonly rules: ServiceAccountRules;
  readonly cluster: ClusterIssuer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For the operator. Never the token. */
  readonly told: (why: Refused) => void;
  /** For the operator: its metadata or keys can't be had. */
  readonly away: (why: string) => void;
  /** Aborted when the gateway closes. */
  readonly closing: AbortSignal;
}

/** What API servers sign with (kube-apiserver, --service-account-signing-key-file), of what is allowed anywhere here. */
const algorithms = ["RS256", "ES256"];
/** Milliseconds that a review counts, and that a cluster has to answer. */
const reviewed = 10_000;
const patience = 5_000;

/** Accepts tokens that are bound to an object and to one of the audiences. Legacy tokens, which never end, are refused. */
export function serviceAccount(options: ServiceAccountOptions): Verifier {
  const { rules, cluster, now, told, away, closing } = options;
  const keys = keepFresh<Published>({
    load: () => published(cluster, AbortSignal.any([closing, AbortSignal.timeout(patience)])),
    now,
    failed: away,
  });
  const remembered = remember();
  const name = (issuer: string): string => issuer + rules.suffix;
  return {
    name: `service-account:${rules.name}`,
    async verify(evidence) {
      if (evidence.kind !== "bearer") return null;
      const counting = keys.current();
      const known = counting === null ? null : remembered.find(evidence.token, counting, now());
      if (known !== null) return known;
      const read = readToken(evidence.token);
      if (read.kind !== "token" || objectClaim(read.token.payload, "kubernetes.io") === null) return null;
      const found = await examine(read.token, options, keys);
      if (found === null) return null;
      if (found.kind === "refused") {
        told(found);
        return null;
      }
      const accepted = { verified: verifiedOf(found.account, name(found.by.issuer), rules.prefix), scopes: everyScope };
      const until = rules.review ? Math.min(found.expires, found.at + reviewed) : found.expires;
      const whole: Accepted = { ...accepted, expires: found.expires };
      remembered.keep(evidence.token, found.by, until, whole);
      return whole;
    },
    async stillAccepts(verified) {
      const set = await keys.get();
      if (set === null || !verified.subject.startsWith(rules.prefix)) return false;
      const account = accountNamed(verified.subject.slice(rules.prefix.length));
      if (account === null || verified.issuer !== name(set.issuer)) return false;
      const would = verifiedOf(account, verified.issuer, rules.prefix);
      return verified.kind === would.kind && verified.groups.join("\n") === would.groups.join("\n");
    },
    standing: () => keys.standing(),
  };
}

interface Account {
  readonly namespace: string;
  readonly name: string;
}

type Examined =
  | {
      readonly kind: "accepted";
      readonly account: Account;
      readonly expires: number;
      readonly by: Published;
      /** When it was looked at, milliseconds since 1970. */
      readonly at: number;
    }
  | Refused;

/** null for a token of another issuer. Its own review is asked for last: a stranger never causes one. */
async function examine(
  token: Token,
  { rules, cluster, now, closing }: ServiceAccountOptions,
  keys: Kept<Published>,
): Promise<Examined | null> {
  // Whose token it is can't be told without them, so it may be another cluster's, which should not wait for this one.
  const set = await keys.soon();
  if (set === null) return refused("the cluster's keys are not there");
  if (issuerOf(token.payload) !== set.issuer) return null;
  if (!algorithms.includes(token.header.alg)) return refused("the algorithm is not a cluster's", token.header.alg);
  if (token.header.typ !== "" && token.header.typ !== "jwt") return refused("the typ is not a cluster's");
  const at_ = now();
  const times = readTimes(token.payload, at_);
  if (times.kind === "refused") return times;
  const wrong = refuseAudience(token.payload, rules.audience);
  if (wrong !== null) return wrong;
  const account = accountOf(token.payload);
  if (account === null) return refused("the token is not bound to a ServiceAccount");
  const signed = await proveSignature(token, keys);
  if (signed.kind === "refused") return signed;
  const limit = AbortSignal.any([closing, AbortSignal.timeout(patience)]);
  const gone = rules.review ? await refuseReview(token.text, account, rules.audience, cluster, limit) : null;
  return gone ?? { kind: "accepted", account, expires: times.expires, by: signed.by, at: at_ };
}

/** Does the cluster itself take the token, now, as this account and for one of these audiences? */
async function refuseReview(
  token: string,
  account: Account,
  audiences: readonly string[],
  cluster: ClusterIssuer,
  signal: AbortSignal,
): Promise<Refused | null> {
  let status: Json | undefined;
  try {
    status = at(await cluster.review(token, audiences, signal), "status");
  } catch {
    return refused("the cluster did not review the token");
  }
  const named = at(status, "audiences");
  const taken = at(status, "authenticated") === true && textAt(status, "error") === "";
  const forUs = Array.isArray(named) && named.some((one: Json) => typeof one === "string" && audiences.includes(one));
  return taken && forUs && textAt(status, "user", "username") === userOf(account)
    ? null
    : refused("the cluster does not take the token");
}

const userOf = ({ namespace, name }: Account): string => `system:serviceaccount:${namespace}:${name}`;

/** The account that subject and binding both name; null where they don't, or where the token is bound to nothing. */
function accountOf(payload: JsonObject): Account | null {
  const bound = objectClaim(payload, "kubernetes.io");
  const account = accountNamed(`${textAt(bound ?? {}, "namespace")}/${textAt(bound ?? {}, "serviceaccount", "name")}`);
  const uid = textAt(bound ?? {}, "serviceaccount", "uid");
  return account !== null && uid !== "" && payload["sub"] === userOf(account) ? account : null;
}

const part = "[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?";
const whole = new RegExp(`^(${part})/(${part})$`);

/** `NAMESPACE/NAME`, or null. */
function accountNamed(subject: string): Account | null {
  const [, namespace, name] = whole.exec(subject) ?? [];
  return namespace === undefined || name === undefined ? null : { namespace, name };
}

/** Kubernetes' own groups of an account, without the `system:` that only it may say. */
function verifiedOf({ namespace, name }: Account, issuer: string, prefix: string): Verified {
  const groups = ["serviceaccounts", `serviceaccounts:${namespace}`].map((one) => prefix + one);
  return { issuer, subject: `${prefix}${namespace}/${name}`, kind: "agent", groups, actors: [] };
}

/** The cluster's own word for its issuer and keys: asked over the connection that the gateway trusts it by. */
async function published(cluster: ClusterIssuer, signal: AbortSignal): Promise<Loaded<Published>> {
  try {
    const [metadata, set] = [await cluster.discovery(signal), await cluster.keys(signal)];
    const issuer = textAt(metadata, "issuer");
    return issuer === "" ? { kind: "failed", why: "it names no issuer" } : publishedBy(issuer, set, null);
  } catch (thrown) {
    const code = thrown instanceof Faulted ? thrown.fault.code : "internal";
    return { kind: "failed", why: `it does not answer with its metadata and keys (${code})` };
  }
}
