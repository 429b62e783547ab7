// A token of one ServiceAccount, by TokenRequest (Kubernetes API, authentication.k8s.io/v1).

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { accountUser, serviceAccounts } from "./names.ts";
import { createUnder, type Sender } from "./send.ts";

/** The least that Kubernetes lets a token live, in seconds. */
export const leastTokenSeconds = 600;

export interface MintedToken {
  /** The Kubernetes user that it acts as. */
  readonly account: string;
  /** `Bearer …`. A function, so that no log prints it. */
  readonly authorization: () => string;
  /** The audit log's `credential-id`. */
  readonly jti: string;
  /** Milliseconds since 1970 by our own clock: the server's may be off. */
  readonly expiresAt: number;
  /** When a fifth of its life is left. */
  readonly renewAt: number;
}

export interface TokenAsked {
  readonly namespace: string;
  readonly account: string;
  readonly seconds: number;
  /** The Secret whose deletion ends the token; null for a token that only time ends. */
  readonly anchor: { readonly name: string; readonly uid: string } | null;
  readonly now: () => number;
}

/** Whole seconds of life, never fewer than Kubernetes allows. */
export function tokenSeconds(wanted: number): number {
  return Math.max(leastTokenSeconds, Math.ceil(wanted));
}

/** Mints a token for the API server's own audience. Faults: credential_unavailable for an answer that holds no usable token; else the cluster's. */
export async function mintToken(sender: Sender, asked: TokenAsked): Promise<MintedToken> {
  const { namespace, account, anchor, now } = asked;
  const expirationSeconds = tokenSeconds(asked.seconds);
  const askedAt = now();
  const answer = await createUnder(sender, { address: serviceAccounts, namespace, name: account }, "token", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {
      expirationSeconds,
      ...(anchor === null ? {} : { boundObjectRef: { apiVersion: "v1", kind: "Secret", ...anchor } }),
    },
  });
  const token = textAt(answer, "status", "token");
  const jti = textAt(claimsOf(token), "jti");
  if (jti === "")
    throw new Faulted(fault("credential_unavailable", {}, `${account}: an answer without a usable token`));
  const life = lifeOf(answer, expirationSeconds) * 1000;
  return {
    account: accountUser(namespace, account),
    authorization: () => `Bearer ${token}`,
    jti,
    expiresAt: askedAt + life,
    renewAt: askedAt + life * 0.8,
  };
}

/** The server may grant less than was asked; never count on more. */
function lifeOf(answer: JsonObject, asked: number): number {
  const granted = at(answer, "spec", "expirationSeconds");
  return typeof granted === "number" && granted > 0 ? Math.min(granted, asked) : asked;
}

/** A JWT's claims (RFC 7519, section 7.2), unverified: only the issuer's own name for the token is taken from them. */
function claimsOf(token: string): JsonObject {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
  if (payload === undefined) return {};
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Json;
    return isJsonObject(claims) ? claims : {};
  } catch {
    return {};
  }
}
