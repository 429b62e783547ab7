// ServiceAccount tokens (Kubernetes TokenRequest API): ES256 JWTs bound to their account and, where asked, to a Secret or Pod.

import { createHash, generateKeyPairSync, randomUUID, sign, verify, type KeyObject } from "node:crypto";
import { at, isJsonObject, listAt, numberAt, textAt, textsAt, timestamp, type Json, type JsonObject } from "./json.ts";
import { kindFor, type Kind } from "./kinds.ts";
import { badRequest, conflict, invalid, invalidValue, notFound } from "./status.ts";
import type { Storage } from "./storage.ts";

const issuer = "https://kubernetes.default.svc";
const leastSeconds = 600;
const mostSeconds = 2 ** 32;

export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface User {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: { readonly [key: string]: readonly string[] };
}

/** A fresh P-256 key: it lives as long as the cluster, so no token outlives a restart. */
export function makeSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = publicKey.export({ type: "spki", format: "der" });
  return { id: createHash("sha256").update(der).digest("base64url"), privateKey, publicKey };
}

const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function decode(part: string | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? "", "base64url").toString("utf8"));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Answers a TokenRequest for this account: the request with its defaults, the token and the token's id. */
export function issueToken(
  storage: Storage,
  key: SigningKey,
  account: JsonObject,
  request: JsonObject,
  now: number,
): { readonly answer: JsonObject; readonly jti: string } {
  const seconds = at(request, "spec", "expirationSeconds") ?? 3600;
  if (typeof seconds !== "number") throw badRequest("spec.expirationSeconds of a TokenRequest must be a number");
  if (seconds < leastSeconds || seconds > mostSeconds) {
    const why = seconds > mostSeconds ? "larger than 2^32 seconds" : "less than 10 minutes";
    const cause = invalidValue("spec.expirationSeconds", seconds, `may not specify a duration ${why}`);
    throw invalid("TokenRequest", "authentication.k8s.io", "", [cause]);
  }
  const audiences = textsAt(request, "spec", "audiences");
  const bound = boundObject(storage, account, at(request, "spec", "boundObjectRef"));
  const issuedAt = Math.floor(now / 1000);
  const jti = randomUUID();
  const [namespace, name, uid] = ["namespace", "name", "uid"].map((field) => textAt(account, "metadata", field));
  const claims = {
    aud: audiences.length === 0 ? [issuer] : audiences,
    exp: issuedAt + seconds,
    iat: issuedAt,
    iss: issuer,
    jti,
    "kubernetes.io": { namespace: namespace ?? "", ...bound, serviceaccount: { name: name ?? "", uid: uid ?? "" } },
    nbf: issuedAt,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  const unsigned = `${encode({ alg: "ES256", kid: key.id })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(unsigned), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  const answer = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name: name ?? "", namespace: namespace ?? "", uid: uid ?? "", creationTimestamp: timestamp(now) },
    spec: {
      audiences: claims.aud,
      expirationSeconds: seconds,
      boundObjectRef: at(request, "spec", "boundObjectRef") ?? null,
    },
    status: {
      token: `${unsigned}.${signature.toString("base64url")}`,
      expirationTimestamp: timestamp(claims.exp * 1000),
    },
  };
  return { answer, jti };
}

const bindable: { readonly [kind: string]: Kind } = { Secret: kindFor("secrets"), Pod: kindFor("pods") };

function boundObject(storage: Storage, account: JsonObject, reference: Json | undefined): JsonObject {
  if (!isJsonObject(reference)) return {};
  const [kindName, name, uid] = ["kind", "name", "uid"].map((field) => textAt(reference, field));
  const kind = bindable[kindName ?? ""];
  if (kind === undefined || name === undefined) {
    throw badRequest(`cannot bind token to object of type ${textAt(reference, "apiVersion")}, Kind=${kindName}`);
  }
  const found = storage.get(kind, textAt(account, "metadata", "namespace"), name);
  if (found === undefined) throw notFound(kind, name);
  const foundUid = textAt(found, "metadata", "uid");
  if (uid !== "" && uid !== foundUid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: "", resource: kind.kind }, name, why);
  }
  return { [kind.kind.toLowerCase()]: { name, uid: foundUid } };
}

/** The account behind a token, or undefined: signature, issuer, audience and times hold, and all that it is bound to still exists. */
export function userOfToken(storage: Storage, key: SigningKey, token: string, now: number): User | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  const head = decode(header);
  const claims = decode(payload);
  if (rest.length > 0 || head === undefined || claims === undefined) return undefined;
  if (textAt(head, "alg") !== "ES256" || textAt(head, "kid") !== key.id) return undefined;
  const sealed = Buffer.from(signature ?? "", "base64url");
  const publicKey = { key: key.publicKey, dsaEncoding: "ieee-p1363" } as const;
  if (!verify("sha256", Buffer.from(`${header}.${payload}`), publicKey, sealed)) return undefined;
  const seconds = now / 1000;
  if (textAt(claims, "iss") !== issuer || !listAt(claims, "aud").includes(issuer)) return undefined;
  if (seconds >= numberAt(claims, "exp") || seconds < numberAt(claims, "nbf")) return undefined;
  const namespace = textAt(claims, "kubernetes.io", "namespace");
  for (const kind of [kindFor("serviceaccounts"), ...Object.values(bindable)]) {
    const bound = at(claims, "kubernetes.io", kind.kind.toLowerCase());
    if (bound === undefined) continue;
    const found = storage.get(kind, namespace, textAt(bound, "name"));
    if (textAt(found, "metadata", "uid") !== textAt(bound, "uid")) return undefined;
    if (at(found, "metadata", "deletionTimestamp") !== undefined) return undefined;
  }
  return {
    username: textAt(claims, "sub"),
    uid: textAt(claims, "kubernetes.io", "serviceaccount", "uid"),
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`JTI=${textAt(claims, "jti")}`] },
  };
}
