// What doctor says of what operators set: the operator token's file, and where traces go with which headers.

import type { Config } from "../config/schema.ts";
import { operatorTokenOf } from "./operators.ts";
import { headersIn } from "./telemetry.ts";

export interface OperatingFound {
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

/** Nothing where nothing is set. */
export async function examineOperating(
  { http, tracing }: Pick<Config, "http" | "tracing">,
  uid: number,
): Promise<readonly OperatingFound[]> {
  const found: OperatingFound[] = [];
  if (http?.operatorToken !== undefined) {
    const token = await operatorTokenOf(http, uid);
    found.push(
      token.kind === "refused"
        ? { result: "failed", says: token.sentence, next: "docs/operating.md says how to make one" }
        : { result: "ok", says: "the operator token opens /metrics from elsewhere", next: "" },
    );
  }
  if (tracing === undefined) return found;
  const headers = tracing.headersFile === undefined ? {} : await headersIn(tracing.headersFile, uid);
  const { protocol, hostname, host } = new URL(tracing.endpoint);
  const next = "each line must be name: value, and the file yours alone";
  if (typeof headers === "string") found.push({ result: "failed", says: headers, next });
  else if (protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(hostname))
    found.push({
      result: "note",
      says: `traces go to ${host} without TLS: call ids, tools and headers can be read on the way`,
      next: "use https, or a collector on this machine",
    });
  else found.push({ result: "ok", says: `traces go to ${host}`, next: "" });
  return found;
}
