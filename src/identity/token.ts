// Reads a signed token before any key is fetched for it: form, header and times (RFC 7515, RFC 7519, RFC 8725).

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { jsonOf } from "./guarded-fetch.ts";
import { refused, type Refused } from "./refused.ts";

export interface Token {
  readonly text: string;
  readonly header: Header;
  readonly payload: JsonObject;
}

export interface Header {
  readonly alg: string;
  /** null where the token names no key. */
  readonly kid: string | null;
  /** In small letters, without `application/`; "" where there is none. */
  readonly typ: string;
}

/** `other`: no signed token at all, so another verifier's to judge. */
export type ReadToken = { readonly kind: "token"; readonly token: Token } | { readonly kind: "other" } | Refused;

const longest = 16_384;
const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Takes a compact JWS apart. Nothing of it is proven yet. */
export function readToken(text: string): ReadToken {
  if (text.length > longest) return text.split(".", 4).length === 3 ? refused(tooLong) : { kind: "other" };
  const [, head = "", body = ""] = compact.exec(text) ?? [];
  if (head === "") return { kind: "other" };
  const [header, payload] = [jsonOf(Buffer.from(head, "base64url")), jsonOf(Buffer.from(body, "base64url"))];
  if (header === null) return { kind: "other" };
  if (payload === null) return refused("the payload is no JSON object, or holds a claim twice");
  const read = readHeader(header);
  return read.kind === "refused" ? read : { kind: "token", token: { text, header: read.header, payload } };
}

const tooLong = `the token is longer than ${longest} characters`;

/** They bring a key, say where to get one, or change what a signature means (RFC 8725, sections 3.1 and 3.10; RFC 7515, section 4.1.11). */
const bringing = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"];

function readHeader(header: JsonObject): { readonly kind: "header"; readonly header: Header } | Refused {
  const { alg, kid = null, typ = "" } = header;
  const brought = bringing.find((one) => Object.hasOwn(header, one));
  if (brought !== undefined) return refused("the header brings a key or changes what is signed", brought);
  if (typeof alg !== "string") return refused("the header names no algorithm");
  if (typeof typ !== "string") return refused("the header's typ is no text");
  if (kid !== null && (typeof kid !== "string" || !/^[\x20-\x7e]{1,200}$/.test(kid)))
    return refused("the header's kid is no short printable text");
  return { kind: "header", header: { alg, kid, typ: plainType(typ) } };
}

/** Media types are compared without case, and `application/` may be left out (RFC 7515, section 4.1.9). */
export function plainType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, "");
}

/** Seconds that clocks may differ. */
const leeway = 60;
/** The end of the year 9999: beyond, a time is no date any more. */
const latest = 253_402_300_799;

export type Times = { readonly kind: "times"; /** Milliseconds since 1970. */ readonly expires: number } | Refused;

/** Checks `exp` (required), `nbf` and `iat` against `now`, milliseconds since 1970 (RFC 7519, section 4.1). */
export function readTimes(payload: JsonObject, now: number): Times {
  const { exp, nbf, iat } = payload;
  const seconds = now / 1000;
  if (!isTime(exp)) return refused("exp is missing or no number");
  if (exp + leeway <= seconds) return refused("the token has expired");
  if (nbf !== undefined && !isTime(nbf)) return refused("nbf is no number");
  if (nbf !== undefined && nbf - leeway > seconds) return refused("the token is not valid yet");
  if (iat !== undefined && !isTime(iat)) return refused("iat is no number");
  if (iat !== undefined && iat - leeway > seconds) return refused("the token was issued in the future");
  return { kind: "times", expires: exp * 1000 };
}

function isTime(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= latest;
}

/** Is the token for one of these (RFC 7519, section 4.1.3)? null where it is. */
export function refuseAudience({ aud }: JsonObject, ours: readonly string[]): Refused | null {
  const named = typeof aud === "string" ? [aud] : aud;
  if (!Array.isArray(named) || !named.every((one: Json) => typeof one === "string"))
    return refused("aud is missing or no text");
  return named.some((one: string) => ours.includes(one)) ? null : refused("the token is for somebody else (aud)", aud);
}

/** The issuer as the token has it, not proven; "" where it has none. */
export function issuerOf({ iss }: JsonObject): string {
  return typeof iss === "string" ? iss : "";
}

/** A claim that is an object, or null. */
export function objectClaim(payload: JsonObject, name: string): JsonObject | null {
  const value = Object.hasOwn(payload, name) ? payload[name] : undefined;
  return isJsonObject(value) ? value : null;
}
