// What an issuer publishes of itself: its metadata, and the keys that these name (OpenID Connect Discovery 1.0; RFC 8414).

import type { JsonObject } from "../domain/json.ts";
import type { Fetched, GuardedFetch } from "./guarded-fetch.ts";
import type { Loaded } from "./kept.ts";
import { keysOf, type KeySet } from "./keys.ts";

export interface Published extends KeySet {
  readonly issuer: string;
  /** The issuer's clock when it answered, milliseconds since 1970; null where it named none. */
  readonly date: number | null;
}

/** Looks up metadata and keys of one issuer, both anew: a moved key set is followed as a changed one is. */
export async function fetchPublished(
  issuer: string,
  fetch: GuardedFetch,
  signal: AbortSignal,
): Promise<Loaded<Published>> {
  const found = await findMetadata(issuer, fetch, signal);
  if (found.kind === "failed") return failed(`its metadata: ${found.why}`);
  // Else whoever serves one issuer's metadata could speak for another (RFC 8414, section 3.3).
  if (found.body["issuer"] !== issuer) return failed("its metadata is another issuer's");
  const address = found.body["jwks_uri"];
  if (typeof address !== "string") return failed("its metadata names no jwks_uri");
  const keys = await fetch(address, signal);
  if (keys.kind === "failed") return failed(`its keys: ${keys.why}`);
  return publishedBy(issuer, keys.body, keys.date);
}

/** A JWK set as an issuer's. */
export function publishedBy(issuer: string, set: JsonObject, date: number | null): Loaded<Published> {
  const read = keysOf(set);
  if (read === null) return failed("its keys: they are no JWK set, or more than 100");
  if (read.keys.length === 0) return failed("its keys: none of them can check a signature");
  return { kind: "loaded", value: { ...read, issuer, date } };
}

/** OpenID's place for it, then RFC 8414's where nothing is at the first. */
async function findMetadata(issuer: string, fetch: GuardedFetch, signal: AbortSignal): Promise<Fetched> {
  const [first, second] = metadataAddresses(issuer);
  const found = await fetch(first, signal);
  const absent = found.kind === "failed" && found.status !== null && found.status >= 400 && found.status < 500;
  return absent ? await fetch(second, signal) : found;
}

/** OpenID Connect Discovery 1.0, section 4 (behind the path) and RFC 8414, section 3 (before it). */
export function metadataAddresses(issuer: string): readonly [string, string] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

function failed(why: string): { readonly kind: "failed"; readonly why: string } {
  return { kind: "failed", why };
}
