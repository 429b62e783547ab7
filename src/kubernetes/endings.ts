// How an exchange that brought no usable answer becomes a fault: what is known of its effect, and never an address.

import { Faulted, type Fault } from "../domain/fault.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { Ask, Exchange } from "./exchange.ts";
import { clusterFault, effectIfSent, faultOf, type Asked } from "./faults.ts";
import { retryAfter } from "./headers.ts";

export type Answered = Extract<Exchange, { kind: "answered" }>;

/** The 2xx answer. Throws the fault of every other ending. */
export function answerOf(ending: Exchange, asked: Asked, ask: Ask): Answered {
  if (ending.kind === "answered" && ending.status >= 200 && ending.status <= 299) return ending;
  throw new Faulted(faultOfEnding(ending, asked, ask));
}

/** Every ending but a 2xx answer as its fault. */
export function faultOfEnding(ending: Exchange, asked: Asked, ask: Pick<Ask, "signal" | "timeout">): Fault {
  if (ending.kind === "answered") return refusalOf(ending, asked);
  if (ending.kind === "aborted") return abortFault(ask.signal, asked, ending.sent);
  return ending.kind === "late" ? lateFault(asked, ask, ending.sent) : brokenFault(ending, asked);
}

/** The answer's body as a JSON object. A write whose answer can't be read may well have been applied. */
export function objectOf(answer: Answered, asked: Asked, ask: Ask): JsonObject {
  const what = `${asked.method} ${asked.path}: ${answer.status}`;
  const effect = effectIfSent(asked.sent);
  if (answer.cut === "time") throw new Faulted(lateFault(asked, ask, true));
  if (answer.cut === "bytes")
    throw new Faulted(
      clusterFault("limit_exceeded", { limit: "bytes", bytes: ask.maxBytes }, `${what}, too large`, effect),
    );
  const body = parse(answer);
  if (body !== null) return body;
  throw new Faulted(clusterFault("cluster_unavailable", { why: "answer" }, `${what}, not a JSON object`, effect));
}

function refusalOf(answer: Answered, asked: Asked): Fault {
  const body = answer.cut === null ? parse(answer) : null;
  return faultOf({ status: answer.status, body, retryAfter: retryAfter(answer.headers) }, asked);
}

function parse(answer: Answered): JsonObject | null {
  try {
    const body: unknown = JSON.parse(answer.body.toString("utf8"));
    return isJsonObject(body) ? body : null;
  } catch {
    return null;
  }
}

function lateFault(asked: Asked, ask: Pick<Ask, "timeout">, sent: boolean): Fault {
  const cause = `${asked.method} ${asked.path}: no whole answer in ${ask.timeout} ms`;
  const detail = { why: "late", waited: ask.timeout / 1000 };
  return clusterFault("deadline_exceeded", detail, cause, sent ? effectIfSent(asked.sent) : "none");
}

/** The caller's own reason, where it gave a fault or a time limit; else it went away. */
function abortFault(signal: AbortSignal, asked: Asked, sent: boolean): Fault {
  const effect = sent ? effectIfSent(asked.sent) : "none";
  const cause = `${asked.method} ${asked.path}: aborted`;
  const reason: unknown = signal.reason;
  if (reason instanceof Faulted) return { ...reason.fault, effect };
  if (reason instanceof Error && reason.name === "TimeoutError")
    return clusterFault("deadline_exceeded", { why: "late" }, cause, effect);
  return clusterFault("cancelled", {}, cause, effect);
}

/** Cut off midway, a write is reported as late rather than as an unreachable cluster: its effect is what matters (tools.md, section 4). */
function brokenFault(ending: Extract<Exchange, { kind: "broken" }>, asked: Asked): Fault {
  const effect = ending.sent ? effectIfSent(asked.sent) : "none";
  const cause = `${asked.method} ${asked.path}: ${ending.code}`;
  if (effect !== "none") return clusterFault("deadline_exceeded", { why: "cut" }, cause, effect);
  return clusterFault("cluster_unavailable", { why: whyOf(ending) }, cause);
}

/** The library's codes in our words: Node's system and TLS codes, undici's UND_ERR_*, llhttp's HPE_*. */
function whyOf({ code }: Extract<Exchange, { kind: "broken" }>): string {
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) return "name";
  if (code === "ECONNREFUSED") return "refused";
  if (code === "TUNNEL") return "proxy";
  if (code.startsWith("HPE_") || code === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW") return "answer";
  return certificate.test(code) ? "certificate" : "connection";
}
const certificate = /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_|EPROTO)/;
