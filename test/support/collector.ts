// An OpenTelemetry collector's receiving end on loopback: takes OTLP over HTTP as JSON (opentelemetry-proto, trace/v1) and keeps every byte.

import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";

export interface Received {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: JsonObject;
  readonly error: boolean;
  /** Nanoseconds since 1970. */
  readonly began: bigint;
  readonly ended: bigint;
}

export interface Collector {
  readonly endpoint: string;
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  spans(): readonly Received[];
  /** The attributes of the process that sent. */
  resource(): JsonObject;
  close(): Promise<void>;
}

/** `answer`: the status of every answer; null never answers. */
export async function openCollector(answer: number | null = 200): Promise<Collector> {
  const requests: Collector["requests"] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      requests.push({ headers: request.headers, body });
      if (answer !== null) response.writeHead(answer, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const resources = (): readonly Json[] =>
    requests.flatMap(({ body }) => listAt(JSON.parse(body) as JsonObject, "resourceSpans"));
  return {
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
    requests,
    spans: () =>
      resources()
        .flatMap((one) => listAt(one, "scopeSpans"))
        .flatMap((one) => listAt(one, "spans"))
        .map(spanOf),
    resource: () => attributesOf(at(resources()[0], "resource", "attributes")),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listAt(value: Json | undefined, key: string): readonly Json[] {
  const found = at(value, key);
  return Array.isArray(found) ? found : [];
}

function spanOf(span: Json): Received {
  return {
    traceId: textAt(span, "traceId"),
    spanId: textAt(span, "spanId"),
    parentSpanId: textAt(span, "parentSpanId"),
    name: textAt(span, "name"),
    attributes: attributesOf(at(span, "attributes")),
    error: at(span, "status", "code") === 2,
    began: BigInt(textAt(span, "startTimeUnixNano")),
    ended: BigInt(textAt(span, "endTimeUnixNano")),
  };
}

function attributesOf(listed: Json | undefined): JsonObject {
  const all = Array.isArray(listed) ? listed.filter(isJsonObject) : [];
  return Object.fromEntries(all.map((one) => [textAt(one, "key"), Object.values(at(one, "value") ?? {})[0] as Json]));
}
