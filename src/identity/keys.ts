// An issuer's public keys: which of them may check which signature (RFC 7517, RFC 7518).

import type { KeyObject } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { familyFor, publicKeyOf, type Family } from "./signatures.ts";
import type { Header } from "./token.ts";

/** A key that may check signatures. */
export interface PublicKey {
  readonly kid: string | null;
  /** The one algorithm that the issuer allows it, or null. */
  readonly alg: string | null;
  readonly family: Family;
  readonly key: KeyObject;
}

export interface KeySet {
  readonly keys: readonly PublicKey[];
  /** How many stood there that can't be used. */
  readonly unusable: number;
}

const mostKeys = 100;

/** The keys of a JWK set, or null where it is none. What no allowed algorithm could use is left out. */
export function keysOf(set: JsonObject): KeySet | null {
  const listed = set["keys"];
  if (!Array.isArray(listed) || listed.length > mostKeys) return null;
  const keys = listed.flatMap((jwk: Json) => (isJsonObject(jwk) ? keyOf(jwk) : []));
  return { keys, unusable: listed.length - keys.length };
}

function keyOf(jwk: JsonObject): readonly PublicKey[] {
  const { kid = null, alg = null, use = "sig", key_ops: operations = ["verify"] } = jwk;
  const family = familyOf(jwk);
  // A private key that was published proves nothing any more.
  if (family === null || Object.hasOwn(jwk, "d")) return [];
  if (use !== "sig" || !Array.isArray(operations) || !operations.includes("verify")) return [];
  if ((kid !== null && typeof kid !== "string") || (alg !== null && typeof alg !== "string")) return [];
  const key = publicKeyOf(jwk);
  return key === null ? [] : [{ kid, alg, family, key }];
}

/**
 * null for what can't sign here: secrets, other curves, RSA below 2048 bits (RFC 7518, section 3.3) or beyond 8192, or
 * with an exponent that is even or not above 2^16 (FIPS 186-5, appendix A.1.1): with 1, anybody signs.
 */
function familyOf({ kty, crv, n, e }: JsonObject): Family | null {
  if (kty === "EC" && crv === "P-256") return crv;
  if (kty === "OKP" && crv === "Ed25519") return crv;
  if (kty !== "RSA" || typeof n !== "string" || typeof e !== "string" || e.length > 6) return null;
  const bits = bitsOf(Buffer.from(n, "base64url"));
  const exponent = Number(`0x0${Buffer.from(e, "base64url").toString("hex")}`);
  return bits >= 2048 && bits <= 8192 && exponent > 0x1_0000 && exponent % 2 === 1 ? kty : null;
}

function bitsOf(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}

/** Why no key was chosen: `unknown` where a newer set may have it. */
export type Chosen = { readonly kind: "key"; readonly key: PublicKey } | { readonly kind: "unknown" | "unfit" };

/** The key that the header names, if it may be used with the header's algorithm; the only fitting one where it names none. */
export function keyFor({ keys }: KeySet, { alg, kid }: Header): Chosen {
  const named = kid === null ? keys : keys.filter((one) => one.kid === kid);
  if (named.length === 0) return { kind: "unknown" };
  const fitting = named.filter((one) => one.family === familyFor(alg) && (one.alg === null || one.alg === alg));
  const [key] = fitting;
  // Two keys of one name: which of them is meant can't be told.
  return key === undefined || fitting.length > 1 ? { kind: "unfit" } : { kind: "key", key };
}
