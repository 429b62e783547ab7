// Who watches a gateway, by its configuration: metrics where HTTP serves, traces where they have somewhere to go. What nobody asked for is not loaded.

import { tools } from "../../tools/index.ts";
import type { Config } from "../config/schema.ts";
import { readOwnFile } from "../identity/verifiers/index.ts";
import { maskTypes } from "../masking/token.ts";
import { together, type Observed } from "../telemetry/contract.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface TelemetryOptions {
  readonly tracing: Config["tracing"];
  /** Does somebody come for the metrics? */
  readonly metrics: boolean;
  readonly version: string;
  /** The user that this process runs as. */
  readonly uid: number;
  /** Milliseconds since 1970, with fractions. */
  readonly clock: () => number;
}

export type Telemetry =
  | {
      readonly kind: "opened";
      /** undefined where nobody watches. */
      readonly observed: Observed | undefined;
      readonly metrics: Metrics | null;
      close(): Promise<void>;
    }
  | { readonly kind: "refused"; readonly sentence: string };

/** Refused with a sentence: a headers file that others can read, or that holds something else than headers. */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { tracing, version, clock } = options;
  const headers = tracing?.headersFile === undefined ? {} : await headersIn(tracing.headersFile, options.uid);
  if (typeof headers === "string") return { kind: "refused", sentence: headers };
  const metrics = options.metrics ? await metricsOf() : null;
  const traces =
    tracing === undefined
      ? null
      : (await import("../telemetry/traces.ts")).openTraces({ endpoint: tracing.endpoint, headers, version });
  const observers = [metrics, traces].flatMap((one) => (one === null ? [] : [one.observer]));
  return {
    kind: "opened",
    observed: observers.length === 0 ? undefined : { observer: together(observers), clock },
    metrics,
    close: async () => await traces?.close(),
  };
}

async function metricsOf(): Promise<Metrics> {
  const { openMetrics } = await import("../telemetry/metrics.ts");
  return openMetrics({ tools: tools.map((tool) => tool.name), maskTypes, ofProcess: true });
}

/** `name: value`, one a line; empty lines and lines with # are left out. The sentence where it can't be used. */
export async function headersIn(file: string, uid: number): Promise<{ readonly [name: string]: string } | string> {
  const read = await readOwnFile(file, uid);
  if (read.kind === "refused") return read.sentence;
  const headers: Record<string, string> = {};
  for (const line of read.text.split(/\r?\n/).map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", value = ""] =
      /^([A-Za-z0-9-]{1,100}):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/.exec(line) ?? [];
    if (name === "") return `${file} holds a line that is no header: each must be "name: value".`;
    headers[name.toLowerCase()] = value;
  }
  return headers;
}
