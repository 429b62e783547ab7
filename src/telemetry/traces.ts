// OpenTelemetry traces: one span a passage of a call, one below it for each stage. The trace's id is the call's own, so that whoever has one finds the other.

import { randomBytes } from "node:crypto";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span, type Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, TracerProvider, type TracerProviderOptions } from "@opentelemetry/sdk-trace";
import type { CallId } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { LineWatch, Observer } from "./contract.ts";

export interface TracesOptions {
  /** OTLP over HTTP, JSON: the address up to and with `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: { readonly [name: string]: string };
  readonly version: string;
  /** Milliseconds between two exports. Default 5 s. */
  readonly every?: number;
  /** Milliseconds that closing waits for what is not exported yet. Default 1 s. */
  readonly patience?: number;
}

export interface Traces {
  readonly observer: Observer;
  /** Exports what is left, no longer than it may take. */
  close(): Promise<void>;
}

/** Spans that wait for their export at most; what comes on top is dropped. */
const mostWaiting = 4096;
const mostAtOnce = 512;
/** Milliseconds of one export with its repeats. */
const exportTakes = 10_000;

/** Opens the way to the collector. An export that fails is tried again for a while, then dropped: no call hears of it, and none waits. */
export function openTraces({ endpoint, headers, version, every = 5_000, patience = 1_000 }: TracesOptions): Traces {
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    headers: { ...headers },
    timeoutMillis: exportTakes,
    concurrencyLimit: 2,
  });
  const ids = idsOfCalls();
  const provider = new TracerProvider({
    resource: resourceOf({ "service.name": "sallyport", "service.version": version }),
    idGenerator: ids,
    spanLimits: { attributeValueLengthLimit: 300, eventCountLimit: 0, linkCountLimit: 0 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: mostWaiting,
        maxExportBatchSize: mostAtOnce,
        scheduledDelayMillis: every,
        exportTimeoutMillis: exportTakes,
      }),
    ],
  });
  const tracer = provider.getTracer("sallyport", version);
  return {
    observer: {
      line: (call, tool, began) => lineWatch(tracer, ids, call, tool, began),
      answered: () => undefined,
      ranLater: () => undefined,
      appended: () => undefined,
      stranger: () => undefined,
    },
    async close() {
      const left = provider.shutdown().catch(() => undefined);
      const tired = Promise.withResolvers<void>();
      const timer = setTimeout(() => tired.resolve(), patience);
      await Promise.race([left, tired.promise]);
      clearTimeout(timer);
    },
  };
}

function lineWatch(tracer: Tracer, ids: CallIds, call: CallId, tool: string, began: number): LineWatch {
  ids.next(call);
  const span = tracer.startSpan(
    `call ${tool}`,
    {
      kind: SpanKind.SERVER,
      startTime: began,
      attributes: { "sallyport.call": call, "sallyport.tool": tool },
    },
    ROOT_CONTEXT,
  );
  const inside = trace.setSpan(ROOT_CONTEXT, span);
  return {
    planned: (cluster) => void span.setAttribute("sallyport.cluster", cluster),
    stage(name, from, to, broke) {
      const stage = tracer.startSpan(name, { startTime: from }, inside);
      if (broke !== null) failed(stage, broke);
      stage.end(to);
    },
    ended(outcome, at) {
      span.setAttribute("sallyport.outcome", outcome.kind);
      const code = codeOf(outcome);
      if (code !== "") failed(span, code);
      span.end(at);
    },
  };
}

/** The code alone, never a message. */
function failed(span: Span, code: string): void {
  span.setAttribute("sallyport.code", code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function codeOf(outcome: Outcome): string {
  return outcome.kind === "refused" || outcome.kind === "failed" ? outcome.fault.code : "";
}

type IdGenerator = NonNullable<TracerProviderOptions["idGenerator"]>;

interface CallIds extends IdGenerator {
  /** The trace that begins next is this call's. */
  next(call: CallId): void;
}

/** A trace id is 16 bytes (W3C Trace Context, section 3.2.2.3), and so is the UUID of a call. */
function idsOfCalls(): CallIds {
  let traceId = "";
  return {
    next: (call) => void (traceId = call.slice("call_".length).replaceAll("-", "")),
    generateTraceId: () => traceId,
    generateSpanId: () => randomBytes(8).toString("hex"),
  };
}

type Resource = NonNullable<TracerProviderOptions["resource"]>;

/** Of this gateway just its name and version: the library's own finds host, user and command line. */
function resourceOf(attributes: { readonly [name: string]: string }): Resource {
  const resource: Resource = {
    attributes: { ...attributes },
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
