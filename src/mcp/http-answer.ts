// One request at the HTTP door: who asks, for what, and with which of the door's answers it ends. Long: one station of a request after the other.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { NodeMcpRequestHandler } from "@modelcontextprotocol/node";
import type { AuthInfo } from "@modelcontextprotocol/server";
import type { Scope } from "../domain/evidence.ts";
import { isJsonObject } from "../domain/json.ts";
import { roomOf } from "../domain/principal.ts";
import { boundBodies, maxBody, type Bodies, type Body } from "./bodies.ts";
import type { Connections } from "./connections.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import type { Door } from "./door.ts";
import { callerAddress, isForwarded, isLoopback, plainAddress, type Trusted } from "./forwarded.ts";
import { askedOf, bearerOf, isCalledLocally, nothingHere, type Allowed, type Refusal } from "./http-guard.ts";
import type { OperatorAnswer, OperatorAsk, Stranger } from "./http.ts";
import { answerPage, pagesAt, type Pages } from "./pages.ts";
import { challenge, resourceMetadata, type Resource } from "./resource-metadata.ts";
import { insufficientScope, missingScopes } from "./scopes.ts";
import { errorReply, readMessage, type ErrorReply } from "./strict-json.ts";

export { maxBody } from "./bodies.ts";

/** What every request is answered with. */
export interface Answering {
  readonly door: Pick<Door, "identify" | "effectsOf" | "listTools" | "crowded" | "broke" | "newCallId">;
  readonly allowed: Allowed;
  readonly resource: Resource;
  readonly connections: Connections;
  readonly proxies: Trusted;
  /** Tokens may come over this connection as it is; else only a named proxy or this machine may bring them. */
  readonly sealed: boolean;
  readonly serveMcp: NodeMcpRequestHandler;
  readonly pages: readonly Pages[];
  readonly operators: ((path: string, asked: OperatorAsk) => Promise<OperatorAnswer | null>) | null;
  readonly refused: (stranger: Stranger) => void;
  /** The door closes: what runs may end, and nothing begins. */
  readonly closing: AbortSignal;
}

/** Requests that one connection may have sent ahead of the answers to those before them. */
const mostAhead = 8;

/** The server's listener. The requests of one connection are answered one after the other, and none after a refusal. */
export function answerer(answering: Answering): (request: IncomingMessage, response: ServerResponse) => void {
  const bodies = boundBodies();
  const lines = new WeakMap<Socket, { last: Promise<void>; ahead: number; over: boolean }>();
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket) ?? { last: Promise.resolve(), ahead: 0, over: false };
    lines.set(socket, line);
    if (line.ahead >= mostAhead) return void socket.destroy();
    line.ahead += 1;
    const turn = async (): Promise<void> => {
      if (line.over || socket.destroyed) return;
      await answer({ ...answering, bodies }, request, response).catch((thrown: unknown) => {
        const { door } = answering;
        const call = door.newCallId();
        door.broke(call, thrown);
        if (response.headersSent) response.destroy();
        else end(response, { status: 500, message: `internal: ${call}` });
      });
      line.ahead -= 1;
      line.over = response.getHeader("connection") === "close";
    };
    line.last = line.last.then(turn);
  };
}

/** One door's answering, with the bodies that it holds. */
interface Station extends Answering {
  readonly bodies: Bodies;
}

/** Ends the request; `cause` is for the operator alone. */
type Turn = (refusal: Refusal, cause?: string) => void;

async function answer(answering: Station, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const turnedAway: Turn = (refusal, cause = refusal.message) => {
    if (refusal.stranger === true) answering.refused(strangerOf(answering, request, refusal.status, cause));
    end(response, refusal);
  };
  const asked = askedOf(request, answering.allowed);
  // Not for pages of our own: any origin may open them, and none may read them.
  const readable = asked.kind === "refused" ? asked.refusal.stranger !== true : asked.kind !== "page";
  if (readable) for (const [name, value] of corsHeaders(request.headers.origin)) response.setHeader(name, value);
  switch (asked.kind) {
    case "refused":
      return turnedAway(asked.refusal);
    case "alive":
      return void response.writeHead(200, plain).end("ok\n");
    case "preflight":
      return void response.writeHead(204, preflightHeaders).end();
    case "metadata":
      return json(response, 200, { "cache-control": "public, max-age=300" }, resourceMetadata(answering.resource));
    case "page":
      return await forPage(answering, asked.path, request, response, turnedAway);
    case "operators":
      return await forOperators(answering, asked.path, request, response);
    case "mcp":
      return await forCaller(answering, request, response, turnedAway);
  }
}

/** Who calls is asked before the body is read: a stranger can't make us hold a megabyte. */
async function forCaller(
  answering: Station,
  request: IncomingMessage,
  response: ServerResponse,
  turnedAway: Turn,
): Promise<void> {
  const { door, resource } = answering;
  if (answering.closing.aborted) return turnedAway({ status: 503, message: "The gateway is stopping." });
  const bare = refuseBare(answering, request);
  if (bare !== null) return turnedAway(bare);
  const unknown = (kind: "missing" | "invalid", message: string): Refusal => {
    const headers = { "www-authenticate": challenge(resource, { kind }) };
    return { status: 401, message, headers, stranger: true };
  };
  const token = bearerOf(request);
  if (token === null) return turnedAway(unknown("missing", "A bearer token is needed in the Authorization header."));
  const client = request.headers["user-agent"] ?? "";
  const found = await door.identify({ kind: "bearer", token, client });
  // One answer for every token that is not accepted: nothing tells valid from invalid subjects.
  if (found.kind === "refused") return turnedAway(unknown("invalid", "The token is not accepted."), found.cause);
  const caller = roomOf(found.principal);
  const tooMany = (): void => {
    door.crowded(found.principal);
    turnedAway(crowded);
  };
  if (!answering.connections.hold(caller, request, response)) return tooMany();
  const body = await answering.bodies.read(caller, request);
  if (body.kind === "crowded") return tooMany();
  if (body.kind !== "read") return notRead(body, response, turnedAway);
  const read = readMessage(body.bytes);
  if (read.kind === "refused") return json(response, 400, noStore, read.reply);
  const scopes = await missingScopes(door, found, messagesIn(read.value));
  if (scopes !== null) return lacksScope(response, resource, scopes, idIn(read.value));
  const auth: AuthInfo = { token, clientId: "", scopes: [...found.scopes] };
  const { headers } = request;
  const message = { method: "POST", url: "/mcp", headers, auth, [Symbol.asyncIterator]: nothing };
  await answering.serveMcp(message, response, read.value);
}

const crowded: Refusal = {
  status: 429,
  message: "limit_exceeded: as many requests of yours are open as one caller may have; wait until one of them ends.",
  headers: { "retry-after": "1" },
};

/** People bring cookies as callers bring tokens: over the same connections, and in bodies of the same bound. */
async function forPage(
  answering: Station,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  turnedAway: Turn,
): Promise<void> {
  if (answering.closing.aborted) return turnedAway({ status: 503, message: "The gateway is stopping." });
  const bare = refuseBare(answering, request);
  if (bare !== null) return turnedAway(bare);
  const pages = pagesAt(answering.pages, path);
  if (pages === undefined) return turnedAway(nothingHere);
  const { address } = strangerOf(answering, request, 0, "");
  const body = await answering.bodies.read(`page ${address}`, request);
  if (body.kind === "crowded") return turnedAway({ ...crowded, stranger: true });
  if (body.kind !== "read") return notRead(body, response, turnedAway);
  return await answerPage(pages, request, body.bytes, response);
}

function notRead({ kind }: Body, response: ServerResponse, turnedAway: Turn): void {
  if (kind === "large") return turnedAway({ status: 413, message: `The body is larger than ${maxBody} bytes.` });
  response.destroy();
}

/** Nothing secret comes over a connection that others could read. */
function refuseBare({ sealed, proxies }: Answering, request: IncomingMessage): Refusal | null {
  const peer = plainAddress(request.socket.remoteAddress);
  if (sealed || isLoopback(peer) || proxies(peer)) return null;
  return { status: 403, message: "Call through the proxy of this gateway, over TLS.", stranger: true };
}

function lacksScope(
  response: ServerResponse,
  resource: Resource,
  scopes: readonly Scope[],
  id: ErrorReply["id"],
): void {
  const headers = { ...noStore, "www-authenticate": challenge(resource, { kind: "scope", scopes }) };
  json(response, 403, headers, errorReply(-32_001, insufficientScope(scopes), id));
}

/** The messages of a body: one, or a batch (MCP 2025-03-26). */
function messagesIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** The body was read above and is handed over parsed. */
async function* nothing(): AsyncGenerator<never> {}

async function forOperators(
  { operators, closing, proxies }: Answering,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const peer = plainAddress(request.socket.remoteAddress);
  // A proxy on this machine comes from loopback too: by what it adds, by the name that it passes on, by its being named.
  const forwarded = isForwarded(request.headers) || !isCalledLocally(request.headers.host) || proxies(peer);
  const local = isLoopback(peer) && !forwarded;
  const answered = await operators?.(path, { local, bearer: bearerOf(request) });
  if (answered === null || answered === undefined) return end(response, nothingHere);
  const last = closing.aborted ? { connection: "close" } : {};
  response.writeHead(answered.status, { "cache-control": "no-store", ...answered.headers, ...last });
  response.end(answered.body);
}

function strangerOf({ proxies }: Answering, request: IncomingMessage, status: number, why: string): Stranger {
  const peer = plainAddress(request.socket.remoteAddress);
  return { peer, address: callerAddress(peer, request.headers, proxies), status, why };
}

/** The id that an answer to the whole of a message carries: a batch has none (JSON-RPC 2.0, section 5). */
function idIn(message: unknown): ErrorReply["id"] {
  const id = isJsonObject(message) ? message["id"] : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

const noStore = { "cache-control": "no-store" };
const plain = { ...noStore, "content-type": "text/plain; charset=utf-8" };

/** Turned away before the body was read, the connection can't be used again. */
function end(response: ServerResponse, { status, message, headers }: Refusal): void {
  response.setHeader("connection", "close");
  json(response, status, { ...noStore, ...headers }, errorReply(-32_000, message));
}

function json(response: ServerResponse, status: number, headers: Refusal["headers"], body: object): void {
  response.writeHead(status, { ...headers, "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
