// The HTTP door: where it may listen, with which limits, and how it opens and closes. What a request is answered is http-answer.ts's. Long, because all that it may be told stands here with its reasons.

import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createTlsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { toNodeHandler, type NodeMcpRequestHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { isJsonObject } from "../domain/json.ts";
import { boundConnections, type Connections } from "./connections.ts";
import type { About, Door } from "./door.ts";
import { isLoopback, trustedProxies } from "./forwarded.ts";
import { answerer, maxBody } from "./http-answer.ts";
import { keptAnswers } from "./kept-answers.ts";
import type { Beat } from "./progress.ts";
import type { Pages } from "./pages.ts";
import { metadataPaths, type Resource } from "./resource-metadata.ts";
import { runningCalls } from "./running.ts";
import { mcpServer } from "./server.ts";
import { sessionsByCaller } from "./sessions.ts";
import { keepPair, oldestTls, readPair, type TlsFiles } from "./tls.ts";

export interface HttpOptions {
  readonly door: Door;
  readonly about: About;
  /** An address, or `localhost`; beyond loopback only with an issuer, and with TLS or a proxy that is named. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The address that clients call, if it is not the one that is listened on. */
  readonly url?: string;
  /** Is there an issuer at all whose tokens are verified? Tokens made by hand are for this machine alone. */
  readonly vouched?: boolean;
  /** Issuer identifiers that clients are sent to for a token. */
  readonly authorizationServers?: readonly string[];
  readonly tls?: TlsFiles & { readonly uid: number };
  /** Addresses and networks whose word on a caller's address is believed. */
  readonly trustedProxies?: readonly string[];
  /** Host names beyond those of loopback and of `url`, without ports. */
  readonly allowedHosts?: readonly string[];
  /** Origins beyond those of loopback, as browsers send them. */
  readonly allowedOrigins?: readonly string[];
  /** Called for each stranger that was turned away: counted and rolled up, never an entry each. */
  readonly refused: (stranger: Stranger) => void;
  /** What the operator should hear: a certificate that was reloaded, or could not be. */
  readonly say?: (sentence: string) => void;
  readonly beat?: Beat;
  /** What operators ask by GET beside /healthz (/readyz, /metrics); null where there is nothing at that path. */
  readonly operators?: (path: string, asked: OperatorAsk) => Promise<OperatorAnswer | null>;
  /** Pages beside MCP; the hosts of their origins are served too. */
  readonly pages?: readonly Pages[];
  /** Milliseconds that running calls get to finish at close. */
  readonly grace?: number;
  readonly limits?: Partial<HttpLimits>;
}

/** Who asks for what operators may see. */
export interface OperatorAsk {
  /** The peer is this machine, and no header says that it forwards for another. */
  readonly local: boolean;
  /** The token of the Authorization header, not checked by anybody yet; null where there is none. */
  readonly bearer: string | null;
}
export interface OperatorAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Somebody who was not let in, for the operator's log. */
export interface Stranger {
  /** The other end of the connection. */
  readonly peer: string;
  /** The same, or whom a named proxy says that it forwards for. */
  readonly address: string;
  readonly status: number;
  readonly why: string;
}

/** Connections and milliseconds. */
export interface HttpLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** For a request's head, and for a TLS handshake. */
  readonly head: number;
  /** For a request with its body; an answer may take as long as it takes. */
  readonly request: number;
  /** Between two requests. */
  readonly idle: number;
  /** In which a client has to take some of its answer. */
  readonly stall: number;
  /** Between two comments on an answer that is still to come. */
  readonly comment: number;
  /** Between two looks at the certificate's files. */
  readonly reload: number;
}

const standard: HttpLimits = {
  connections: 4_096,
  head: 10_000,
  request: 30_000,
  idle: 30_000,
  stall: 30_000,
  comment: 15_000,
  reload: 10_000,
};

export type Listening =
  | { readonly kind: "listening"; readonly url: string; readonly close: () => Promise<void> }
  | { readonly kind: "refused"; readonly sentence: string };

/** Milliseconds that running calls get to finish, and that those which were cut off then get to record their end. */
const finishing = 3_000;
const lastCalls = 2_000;

/** Opens the door. Refused with a sentence: an address that needs more than is configured, a certificate that can't be used, an address in use. */
export async function serveHttp(options: HttpOptions): Promise<Listening> {
  const { host, port } = options;
  const missing = missingFor(options);
  if (missing !== "") return refused(missing);
  const limits = { ...standard, ...options.limits };
  const made = await makeServer(options, limits);
  if (made.kind === "refused") return made;
  const { server } = made;
  const opened = await listen(server, host, port);
  if (opened !== "") {
    await made.stop();
    return refused(opened);
  }
  const { address, family, port: taken } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? "http" : "https";
  const url = options.url ?? `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${taken}/mcp`;
  const resource: Resource = { url, authorizationServers: options.authorizationServers ?? [] };
  const connections = boundConnections(server, { most: limits.connections, stall: limits.stall });
  const mcp = openMcp(options, limits);
  const closing = new AbortController();
  const { pages = [] } = options;
  const answer = answerer({
    door: options.door,
    allowed: {
      hosts: [
        ...loopbackNames(host),
        ...[url, ...pages.map((one) => one.origin)].map(hostOf),
        ...(options.allowedHosts ?? []),
      ],
      origins: options.allowedOrigins ?? [],
      metadata: metadataPaths(resource),
      pages,
      operators: options.operators !== undefined,
    },
    resource,
    connections,
    proxies: trustedProxies(options.trustedProxies ?? []),
    sealed: options.tls !== undefined,
    serveMcp: mcp.serve,
    pages,
    operators: options.operators ?? null,
    refused: options.refused,
    closing: closing.signal,
  });
  server.on("request", answer);
  // An expectation that nobody here can meet is turned away like any other head, so that nothing behind it is served.
  server.on("checkExpectation", answer);
  const close = async (): Promise<void> => {
    closing.abort();
    await closeServer(server, connections, options.grace ?? finishing);
    await made.stop();
    await mcp.close();
  };
  return { kind: "listening", url, close };
}

const hostOf = (url: string): string => new URL(url).hostname;

/** Why this address can't be listened on with what is configured; "" where it can. */
export function missingFor({
  host,
  url,
  vouched = false,
  tls,
  trustedProxies: proxies = [],
}: Pick<HttpOptions, "host" | "url" | "vouched" | "tls" | "trustedProxies">): string {
  if (host === "localhost" || isLoopback(host)) return "";
  const needs = [
    ...(vouched ? [] : ["an issuer that vouches for callers (issuers:; http.tokens alone are for this machine)"]),
    ...(tls === undefined && proxies.length === 0
      ? ["TLS (http.tls) or a proxy that is named (http.trustedProxies)"]
      : []),
    ...(["0.0.0.0", "::"].includes(host) && url === undefined ? ["the address that clients call (http.url)"] : []),
  ];
  if (needs.length === 0) return "";
  return `Sallyport listens on loopback only, not on ${host}: that needs ${needs.join(", and ")}.`;
}

/** Under which names this machine calls itself, where that is who is listened to. */
function loopbackNames(host: string): readonly string[] {
  return host === "localhost" || isLoopback(host) ? ["127.0.0.1", "[::1]", "localhost"] : [];
}

type Made =
  | { readonly kind: "made"; readonly server: HttpServer | HttpsServer; readonly stop: () => Promise<void> }
  | Extract<Listening, { kind: "refused" }>;

/** Slow or idle strangers lose their connection; a caller's answer may take as long as it takes. */
async function makeServer({ door, tls, say }: HttpOptions, limits: HttpLimits): Promise<Made> {
  const settings = {
    maxHeaderSize: 16_384,
    // Refused by the guard instead: what Node refuses itself does not keep it from the requests behind.
    requireHostHeader: false,
    headersTimeout: limits.head,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.idle,
    connectionsCheckingInterval: Math.min(2_000, limits.head),
  };
  if (tls === undefined) return { kind: "made", server: createServer(settings), stop: async () => undefined };
  const read = await readPair(tls, tls.uid, door.now());
  if (read.kind === "refused") return read;
  const { cert, key, digest } = read.pair;
  const server = createTlsServer({ ...settings, cert, key, minVersion: oldestTls, handshakeTimeout: limits.head });
  const keeping = { server, files: tls, uid: tls.uid, now: () => door.now(), taken: digest };
  return { kind: "made", server, stop: keepPair({ ...keeping, say: say ?? (() => undefined), every: limits.reload }) };
}

/** What speaks MCP behind the door, and how it ends. */
function openMcp(options: HttpOptions, limits: HttpLimits): { serve: NodeMcpRequestHandler; close(): Promise<void> } {
  const sessions = sessionsByCaller();
  const running = runningCalls();
  const factory = mcpServer({
    about: options.about,
    door: options.door,
    evidence: ({ authInfo, requestInfo }, client) => ({
      kind: "bearer",
      token: authInfo?.token ?? "",
      client: client === "" ? (requestInfo?.headers.get("user-agent") ?? "") : client,
    }),
    sessions,
    running,
    kept: keptAnswers(),
    ...(options.beat === undefined ? {} : { beat: options.beat }),
  });
  const common = { maxRequestBodySize: maxBody, keepAliveMs: limits.comment };
  // A call may be held for a person: only a stream can carry comments until then, and what stands between cuts silence.
  const calls = createMcpHandler(factory, { ...common, responseMode: "sse" });
  const others = createMcpHandler(factory, common);
  const serveCall = toNodeHandler(calls, common);
  const serveOther = toNodeHandler(others, common);
  return {
    serve: (request, response, message) => (isCall(message) ? serveCall : serveOther)(request, response, message),
    async close() {
      await Promise.all([calls.close(), others.close()]);
      await running.settled(lastCalls);
      await sessions.end();
    },
  };
}

const isCall = (message: unknown): boolean => isJsonObject(message) && message["method"] === "tools/call";

function refused(sentence: string): Extract<Listening, { kind: "refused" }> {
  return { kind: "refused", sentence };
}

/** "" once the server listens, else why it can't. */
async function listen(server: HttpServer | HttpsServer, host: string, port: number): Promise<string> {
  return await new Promise((resolve) => {
    server.once("error", (thrown: NodeJS.ErrnoException) =>
      resolve(`Nothing can listen on ${host}:${port} (${thrown.code ?? thrown.message}).`),
    );
    server.listen(port, host, () => resolve(""));
  });
}

/** Takes no new request, lets running ones end for `grace` milliseconds, then cuts what is left. */
async function closeServer(server: HttpServer | HttpsServer, connections: Connections, grace: number): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose answer is over would else be kept for the next request, which nobody takes.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => connections.cut(), grace);
  server.closeIdleConnections();
  await ended;
  clearInterval(idle);
  clearTimeout(cut);
  connections.stop();
}
