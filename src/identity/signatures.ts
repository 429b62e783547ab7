// Public keys and signatures, by OpenSSL as Node brings it: the few kinds that an issuer may sign with, and no other.

import { constants, createPublicKey, verify, type KeyObject } from "node:crypto";
import type { JsonObject } from "../domain/json.ts";

/** The algorithms that count (RFC 7518, section 3.1; RFC 8037, section 3.1), each with the keys it needs and how it checks. */
const algorithms: { readonly [alg: string]: Algorithm } = {
  RS256: { family: "RSA", digest: "sha256", options: { padding: constants.RSA_PKCS1_PADDING } },
  // The salt is as long as the digest, 32 bytes (RFC 7518, section 3.5).
  PS256: {
    family: "RSA",
    digest: "sha256",
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  },
  // R and S one behind the other, 32 bytes each (RFC 7518, section 3.4).
  ES256: { family: "P-256", digest: "sha256", options: { dsaEncoding: "ieee-p1363" } },
  EdDSA: { family: "Ed25519", digest: null, options: {} },
};

interface Algorithm {
  readonly family: Family;
  readonly digest: "sha256" | null;
  readonly options: {
    readonly padding?: number;
    readonly saltLength?: number;
    readonly dsaEncoding?: "ieee-p1363";
  };
}

export type Family = "RSA" | "P-256" | "Ed25519";

/** The family of keys that an algorithm needs; null for one that does not count here. */
export function familyFor(alg: string): Family | null {
  return Object.hasOwn(algorithms, alg) ? (algorithms[alg]?.family ?? null) : null;
}

/** The key that a JWK describes (RFC 7517), from the parts that make it alone; null where OpenSSL takes them for none. */
export function publicKeyOf({ kty, n, e, crv, x, y }: JsonObject): KeyObject | null {
  const parts = Object.entries({ kty, n, e, crv, x, y }).filter(([, part]) => typeof part === "string");
  try {
    return createPublicKey({ key: Object.fromEntries(parts), format: "jwk" });
  } catch {
    return null;
  }
}

/**
 * Does the last part of a compact JWS sign the two before it (RFC 7515, section 5.2)? The algorithm is one that counts,
 * and `key` of its family: which may be asked of which issuer has been decided before.
 */
export function signatureHolds(token: string, alg: string, key: KeyObject): boolean {
  const how = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined;
  if (how === undefined) return false;
  const at = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(at + 1), "base64url");
  // Bits that say nothing would give one signature several spellings.
  if (signature.toString("base64url") !== token.slice(at + 1)) return false;
  try {
    return verify(how.digest, Buffer.from(token.slice(0, at), "latin1"), { key, ...how.options }, signature);
  } catch {
    // OpenSSL throws for what is no signature at all, such as one of a wrong length.
    return false;
  }
}
