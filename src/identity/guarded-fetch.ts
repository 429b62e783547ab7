// The one way out to addresses of the configuration and to what those name: an address that was checked is the one that is connected to, nothing is followed, size and time are capped.

import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { request as plainRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { findDuplicateKey } from "../domain/duplicate-keys.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import { bare, mayReach, type Reach } from "./addresses.ts";

export type Fetched =
  /** `date`: the answer's own clock, milliseconds since 1970; null where it names none. */
  | { readonly kind: "fetched"; readonly body: JsonObject; readonly date: number | null }
  /** `why` is for the operator: no word of the other side is in it. `status` where an answer came at all. */
  | { readonly kind: "failed"; readonly why: string; readonly status: number | null };

/** One GET. Never throws; ends by itself within the time cap. */
export type GuardedFetch = (address: string, signal: AbortSignal) => Promise<Fetched>;

/** As `dns.lookup` with `all`. */
export type LookUp = (
  hostname: string,
  done: (thrown: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface FetchOptions {
  readonly reach: Reach;
  /** PEM; absent: the certificates of the system. */
  readonly ca?: string;
  readonly lookUp?: LookUp;
  /** Milliseconds for the whole, name look-up and body with it. */
  readonly timeout?: number;
}

const maxBytes = 1_048_576;
const maxDepth = 32;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Opens the way out for one issuer. HTTPS alone, but for an issuer that itself stands on loopback without it. */
export function guardedFetch(options: FetchOptions): GuardedFetch {
  const send = wayOut<Fetched>(options, failed, (response) => readAnswer(response));
  return async (address, signal) => await send(address, { method: "GET", headers: {}, body: "" }, signal);
}

export type Posted =
  /** `body`: null where it is no JSON object. */
  | { readonly kind: "answered"; readonly status: number; readonly body: JsonObject | null }
  | { readonly kind: "failed"; readonly why: string };

/** One POST, by the same rules: nothing is followed, size and time are capped. Never throws. */
export type GuardedPost = (
  address: string,
  headers: { readonly [name: string]: string },
  body: string,
  signal: AbortSignal,
) => Promise<Posted>;

export function guardedPost(options: FetchOptions): GuardedPost {
  const broken = (why: string): Posted => ({ kind: "failed", why });
  const send = wayOut<Posted>(options, broken, async (response) => {
    const bytes = await bytesOf(response);
    if (typeof bytes === "string") return broken(bytes);
    return { kind: "answered", status: response.statusCode ?? 0, body: jsonOf(bytes) };
  });
  return async (address, headers, body, signal) => await send(address, { method: "POST", headers, body }, signal);
}

interface Outgoing {
  readonly method: "GET" | "POST";
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

function wayOut<Answer>(
  options: FetchOptions,
  fail: (why: string) => Answer,
  read: (response: IncomingMessage) => Promise<Answer>,
): (address: string, outgoing: Outgoing, signal: AbortSignal) => Promise<Answer> {
  const { reach, ca, lookUp = everyAddress, timeout = 5_000 } = options;
  return async (address, { method, headers, body }, signal) => {
    const url = URL.parse(address);
    const refusal = url === null ? "its address is no URL" : refuseUrl(url, reach);
    if (url === null || refusal !== "") return fail(refusal);
    const secure = url.protocol === "https:";
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
    const settings: RequestOptions = {
      method,
      // No pool and no environment: each request stands on the address that was checked for it.
      agent: false,
      lookup: checkedLookUp(lookUp, (found) => mayReach(found, reach, secure)),
      headers: {
        accept: "application/json, application/jwk-set+json",
        "accept-encoding": "identity",
        "user-agent": "sallyport",
        ...headers,
      },
      maxHeaderSize: 16_384,
      signal: limit,
    };
    return await new Promise<Answer>((resolve) => {
      let answered = false;
      const take = (response: IncomingMessage): void => {
        answered = true;
        void read(response).then(resolve);
      };
      const sent = secure
        ? secureRequest(url, { ...settings, ...(ca === undefined ? {} : { ca }) }, take)
        : plainRequest(url, settings, take);
      // Once an answer comes, whoever reads it tells how it broke.
      sent.on("error", (thrown) => answered || resolve(fail(limit.aborted ? tooLate : codeOf(thrown))));
      sent.on("close", () => answered || resolve(fail("it closed the connection")));
      sent.end(method === "GET" ? undefined : body);
    });
  };
}

const tooLate = "it did not answer in time";

/** What is wrong with the address before any name is looked up; "" where nothing is. */
function refuseUrl(url: URL, reach: Reach): string {
  if (url.protocol !== "https:" && !(url.protocol === "http:" && reach.plain)) return "its address is not https";
  if (url.username !== "" || url.password !== "") return "its address holds a name or a password";
  const host = bare(url.hostname);
  // An address instead of a name is never looked up, so it is checked here.
  if (isIP(host) !== 0 && !mayReach(host, reach, url.protocol === "https:")) return notThere;
  return "";
}

const notThere = "its address is one that identity traffic may not go to";

class NotThere extends Error {
  override readonly name = "NotThere";
}

/** One address that may not be reached refuses the name: whoever answers for it can't slip one in among good ones. */
function checkedLookUp(lookUp: LookUp, allowed: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, done) => {
    lookUp(hostname, (thrown, found) => {
      const [first] = found;
      if (thrown !== null || first === undefined) return done(thrown ?? new Error("no address"), "", 0);
      if (!found.every((one) => allowed(one.address))) return done(new NotThere(notThere), "", 0);
      // What is handed on here is what the socket connects to: it is not looked up again.
      if (all === true) return done(null, [...found]);
      done(null, first.address, first.family);
    });
  };
}

const everyAddress: LookUp = (hostname, done) => {
  systemLookup(hostname, { all: true }, (thrown, found) => done(thrown, thrown === null ? found : []));
};

async function readAnswer(response: IncomingMessage): Promise<Fetched> {
  const status = response.statusCode ?? 0;
  const refuse = (why: string): Fetched => {
    response.destroy();
    return failed(why, status);
  };
  // A redirect would be somebody else's choice of where to look next (OpenID Connect Discovery 1.0, section 4.2: 200).
  if (status !== 200) return refuse(`it answered ${status}`);
  const type = response.headers["content-type"] ?? "";
  if (type !== "" && !/json|text\/plain|octet-stream/i.test(type)) return refuse("its answer is no JSON");
  const bytes = await bytesOf(response);
  if (typeof bytes === "string") return failed(bytes, status);
  const date = Date.parse(response.headers.date ?? "");
  const body = jsonOf(bytes);
  return body === null ? refuse(notJson) : { kind: "fetched", body, date: Number.isNaN(date) ? null : date };
}

/** The answer's bytes, or why they are not taken. */
async function bytesOf(response: IncomingMessage): Promise<Buffer | string> {
  const refuse = (why: string): string => {
    response.destroy();
    return why;
  };
  if ((response.headers["content-encoding"] ?? "identity") !== "identity") return refuse("its answer is compressed");
  if (Number(response.headers["content-length"] ?? 0) > maxBytes) return refuse(tooLarge);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) return refuse(tooLarge);
      chunks.push(chunk);
    }
  } catch {
    return "its answer broke off, or took too long";
  }
  return Buffer.concat(chunks);
}

const tooLarge = `its answer is larger than ${maxBytes} bytes`;
const notJson = "its answer is no JSON object, or holds a key twice";

/** The bytes as a JSON object, or null: bad UTF-8, bad JSON, a key twice in one object, nesting beyond 32 levels. */
export function jsonOf(bytes: Uint8Array): JsonObject | null {
  let text: string;
  let value: unknown;
  try {
    text = strictUtf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isJsonObject(value) && findDuplicateKey(text, maxDepth).kind === "unique" ? value : null;
}

/** The system's own code alone: messages quote addresses and certificates. */
function codeOf(thrown: Error): string {
  if (thrown instanceof NotThere) return notThere;
  const code = "code" in thrown ? String(thrown.code) : thrown.name;
  return `it can't be reached (${code})`;
}

function failed(why: string, status: number | null = null): Fetched {
  return { kind: "failed", why, status };
}
