// Requests and replies as the parts of the door pass them, and what the caller accepts.

import type { JsonObject } from "./json.ts";
import { Refused } from "./status.ts";
import type { Watch } from "./watches.ts";

export interface Request {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: string;
  readonly sourceIp: string;
}

/** An answer before it is bytes. Text is for logs and health. */
export interface Reply {
  readonly code: number;
  readonly body: JsonObject | string;
  readonly warnings?: readonly string[];
  readonly contentType?: string;
  readonly issued?: string;
  /** Its events follow for as long as the caller listens. */
  readonly watch?: Watch;
}

/** Does the first media range that this server can serve carry one of these forms (`v1 Table`)? 406 when it can serve none. */
export function accepts(header: string, forms: readonly string[]): boolean {
  const ranges = header.trim() === "" ? ["*/*"] : header.split(",");
  for (const range of ranges) {
    const [type = "", ...parameters] = range.split(";").map((text) => text.trim());
    const values = new Map(parameters.map((text) => text.split("=", 2) as [string, string]));
    if (!["*/*", "application/*", "application/json"].includes(type)) continue;
    const as = values.get("as");
    if (as === undefined) return false;
    if (forms.includes(`${values.get("v")} ${as}`)) return true;
  }
  throw new Refused(406, "NotAcceptable", "406: Not Acceptable\n\nAvailable representations: application/json", {});
}

export const methodNotAllowed = (): Refused =>
  new Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
