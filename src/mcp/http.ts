// The HTTP door on loopback: MCP at /mcp for callers with a token, /healthz for whoever watches the process.

import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler, type NodeMcpRequestHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, type AuthInfo } from "@modelcontextprotocol/server";
import type { About, Door } from "./door.ts";
import { bearerOf, refuseHeaders, type Allowed, type Refusal } from "./http-guard.ts";
import { keptAnswers } from "./kept-answers.ts";
import type { Beat } from "./progress.ts";
import { runningCalls } from "./running.ts";
import { mcpServer } from "./server.ts";
import { sessionsByCaller } from "./sessions.ts";
import { errorReply, readMessage } from "./strict-json.ts";

export interface HttpOptions {
  readonly door: Door;
  readonly about: About;
  /** An address of this machine's loopback. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Host names beyond those of loopback, without ports. */
  readonly allowedHosts?: readonly string[];
  /** Origins beyond those of loopback, as browsers send them. */
  readonly allowedOrigins?: readonly string[];
  /** Called for each stranger that was turned away: counted and rolled up, never an entry each. */
  readonly refused: () => void;
  readonly beat?: Beat;
  /** Milliseconds that running calls get to finish at close. */
  readonly grace?: number;
}

export type Listening =
  | { readonly kind: "listening"; readonly url: string; readonly close: () => Promise<void> }
  | { readonly kind: "refused"; readonly sentence: string };

const maxBody = 1_048_576;
/** Milliseconds that calls which were cut off get to record their end. */
const lastCalls = 3_000;
const loopback = ["127.0.0.1", "::1", "localhost"];

/** Opens the door. Refused with a sentence: an address beyond loopback, an address in use. */
export async function serveHttp(options: HttpOptions): Promise<Listening> {
  const { host, port } = options;
  if (!loopback.includes(host))
    return refused(
      `Sallyport listens on loopback only (127.0.0.1, ::1 or localhost), not on ${host}: other addresses need an identity provider.`,
    );
  const sessions = sessionsByCaller();
  const running = runningCalls();
  const mcp = createMcpHandler(
    mcpServer({
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
    }),
    { maxRequestBodySize: maxBody },
  );
  const serveMcp = toNodeHandler(mcp, { maxRequestBodySize: maxBody });
  const allowed = {
    hosts: ["127.0.0.1", "[::1]", "localhost", ...(options.allowedHosts ?? [])],
    origins: options.allowedOrigins ?? [],
  };
  const server = createServer(limits, (request, response) => {
    serve(options, allowed, serveMcp, request, response).catch((thrown: unknown) => {
      options.door.broke(options.door.newCallId(), thrown);
      if (!response.headersSent) send(response, { status: 500, message: "The door broke." });
      else response.destroy();
    });
  });
  const opened = await listen(server, host, port);
  if (opened !== "") return refused(opened);
  const { address, family, port: taken } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${taken}/mcp`;
  const close = async (): Promise<void> => {
    await closeServer(server, options.grace ?? 5_000);
    await mcp.close();
    await running.settled(lastCalls);
    await sessions.end();
  };
  return { kind: "listening", url, close };
}

/** Slow or idle strangers lose their connection; a caller's answer may take as long as it takes. */
const limits = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
};

async function serve(
  options: HttpOptions,
  allowed: Allowed,
  serveMcp: NodeMcpRequestHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const turnedAway = (refusal: Refusal): void => {
    if (refusal.stranger === true) options.refused();
    send(response, refusal);
  };
  const wrong = refuseHeaders(request, allowed);
  if (wrong !== null) return turnedAway(wrong);
  if (request.url === "/healthz") return void response.writeHead(200, plain).end("ok\n");

  // Who calls is asked before the body is read: a stranger can't make us hold a megabyte.
  const bearer = bearerOf(request);
  if (bearer.kind === "refused") return turnedAway(bearer.refusal);
  const client = request.headers["user-agent"] ?? "";
  const found = await options.door.identify({ kind: "bearer", token: bearer.token, client });
  if (found.kind === "refused") return turnedAway(unknownToken);

  const body = await readBody(request);
  if (body === null) return turnedAway({ status: 413, message: `The body is larger than ${maxBody} bytes.` });
  const read = readMessage(body);
  if (read.kind === "refused") return sendJson(response, 400, {}, read.reply);
  const auth: AuthInfo = { token: bearer.token, clientId: "", scopes: [] };
  const { headers } = request;
  await serveMcp({ method: "POST", url: "/mcp", headers, auth, [Symbol.asyncIterator]: nothing }, response, read.value);
}

/** The body was read above and is handed over parsed. */
async function* nothing(): AsyncGenerator<never> {}

const plain = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
const unknownToken: Refusal = {
  status: 401,
  message: "The token is not accepted.",
  headers: { "www-authenticate": 'Bearer realm="sallyport", error="invalid_token"' },
  stranger: true,
};

/** The whole body, or null beyond the limit; nothing more of it is read then. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBody) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Turned away before the body was read, the connection can't be used again. */
function send(response: ServerResponse, { status, message, headers }: Refusal): void {
  sendJson(response, status, { ...headers, connection: "close" }, errorReply(-32000, message));
}

function sendJson(response: ServerResponse, status: number, headers: Refusal["headers"], body: object): void {
  response.writeHead(status, { ...headers, "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

function refused(sentence: string): Listening {
  return { kind: "refused", sentence };
}

/** "" once the server listens, else why it can't. */
async function listen(server: HttpServer, host: string, port: number): Promise<string> {
  return await new Promise((resolve) => {
    server.once("error", (thrown: NodeJS.ErrnoException) =>
      resolve(`Nothing can listen on ${host}:${port} (${thrown.code ?? thrown.message}).`),
    );
    server.listen(port, host, () => resolve(""));
  });
}

/** Takes no new request, lets running ones end for `grace` milliseconds, then cuts what is left. */
async function closeServer(server: HttpServer, grace: number): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), grace);
  await ended;
  clearTimeout(cut);
}
