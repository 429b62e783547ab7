// The headers of a request, each checked so that no value can begin another, and what is read from an answer's.

import { Faulted } from "../domain/fault.ts";
import type { KubeRequest } from "./contract.ts";
import { clusterFault } from "./faults.ts";

/** `Audit-ID` and `User-Agent` join the API server's audit log with our transcript (kubernetes.md). Faults: internal, credential_unavailable. */
export function headersOf(
  request: Pick<KubeRequest, "authorization" | "auditId" | "agent" | "accept">,
  version: string,
  contentType: string | null,
): Record<string, string> {
  const { authorization, auditId, agent, accept = "application/json" } = request;
  if (authorization !== null && (authorization === "" || !plain.test(authorization)))
    throw new Faulted(clusterFault("credential_unavailable", { why: "source" }, "the credential fits in no header"));
  if (!/^[A-Za-z0-9_.-]{0,100}$/.test(auditId) || !plain.test(accept) || !plain.test(version))
    throw new Faulted(clusterFault("internal", {}, "a header's value is not plain"));
  const call = auditId.slice(0, Math.max(0, auditId.lastIndexOf(".")));
  return {
    accept,
    "user-agent": `sallyport/${version}${call === "" ? "" : ` (call=${call}; agent=${safeAgent(agent)})`}`,
    ...(authorization === null ? {} : { authorization }),
    ...(auditId === "" ? {} : { "audit-id": auditId }),
    ...(contentType === null ? {} : { "content-type": contentType }),
  };
}
/** Printable ASCII: no line end, no control character, nothing that a proxy could read otherwise. */
const plain = /^[\u0020-\u007e]*$/;

/** The agent's name in characters that end no comment (RFC 9110, section 5.6.5). */
function safeAgent(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._@:/-]/g, "_").slice(0, 64);
  return safe === "" ? "unknown" : safe;
}

/** One header's values, however many there are. */
function valuesOf(headers: AnswerHeaders, name: string): readonly string[] {
  const value = headers[name];
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The texts of `Warning: 299 - "…"` headers (RFC 7234, section 5.5), at most 20 of at most 1,000 characters. */
export function warningsOf(headers: AnswerHeaders): string[] {
  return (
    valuesOf(headers, "warning")
      .flatMap((value) => Array.from(value.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g), ([, text]) => text ?? ""))
      .slice(0, 20)
      .map((text) => text.replace(/\\(.)/g, "$1"))
      // Half of a secret is no longer known as one: what is cut is cut between words.
      .map((text) => (text.length > 1000 ? text.slice(0, 1000).replace(/\S*$/, "") : text))
  );
}

/**
 * When the answer was made (RFC 9110, section 6.6.1): milliseconds since 1970, of whole seconds; null where it has no `Date`,
 * several, or one that is not in the form that servers must write (section 5.6.7).
 */
export function dateOf(headers: AnswerHeaders): number | null {
  const [value = "", ...more] = valuesOf(headers, "date");
  const at = Date.parse(value);
  // Written back it must be the same text: a parser that guesses would make a time of almost anything.
  return more.length > 0 || Number.isNaN(at) || new Date(at).toUTCString() !== value ? null : at;
}

/** Seconds of `Retry-After`, at most an hour; null where it is absent or a date. */
export function retryAfter(headers: AnswerHeaders): number | null {
  const [value = ""] = valuesOf(headers, "retry-after");
  return /^\d{1,6}$/.test(value) ? Math.min(Number(value), 3600) : null;
}
