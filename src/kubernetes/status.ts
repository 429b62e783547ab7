// Reads a Status object (meta.k8s.io/v1) and says what it means in our codes.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { FaultCode } from "../domain/fault.ts";
import { isShowable } from "./names.ts";

/** A code and the detail that faults.ts documents for it. */
export interface Refusal {
  readonly code: FaultCode;
  readonly detail: { readonly [key: string]: Json };
}

/** One cause of a Status (meta.k8s.io/v1, StatusCause). */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface Status {
  /** The HTTP status. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly Cause[];
  /** The name and kind of the object that it is about, or "". */
  readonly name: string;
  readonly kind: string;
  readonly group: string;
  readonly retryAfterSeconds: number | null;
}

/** A Status as it came; absent parts are "". Null where the body is no JSON object. */
export function readStatus(code: number, body: JsonObject | null): Status | null {
  if (body === null) return null;
  const seconds = at(body, "details", "retryAfterSeconds");
  return {
    code,
    reason: textAt(body, "reason"),
    message: textAt(body, "message"),
    causes: causesOf(body),
    name: showable(textAt(body, "details", "name")),
    kind: showable(textAt(body, "details", "kind")),
    group: showable(textAt(body, "details", "group")),
    retryAfterSeconds: typeof seconds === "number" && seconds > 0 ? Math.ceil(seconds) : null,
  };
}

function causesOf(body: JsonObject): Cause[] {
  const causes = at(body, "details", "causes");
  if (!Array.isArray(causes)) return [];
  return causes.filter(isJsonObject).map((cause) => ({
    reason: textAt(cause, "reason"),
    message: textAt(cause, "message"),
    field: textAt(cause, "field"),
  }));
}

/** The name, or "" where it is not one that may stand bare. */
export function showable(name: string): string {
  return isShowable(name) ? name : "";
}
