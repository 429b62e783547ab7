// The MCP server of one connection or one HTTP request, for the 2026-07-28 revision and the 2025 ones alike.

import {
  CLIENT_INFO_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type JSONRPCRequest,
  type McpRequestContext,
  type McpServerFactory,
  type Result,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { CallRequest } from "../domain/call.ts";
import type { Evidence } from "../domain/evidence.ts";
import { isJsonObject } from "../domain/json.ts";
import type { Principal } from "../domain/principal.ts";
import type { About, Door } from "./door.ts";
import { cutBytes, oneLine } from "./layout.ts";
import { silent, standardBeat, startProgress, type Beat, type Reporter } from "./progress.ts";
import type { Running } from "./running.ts";
import type { Sessions } from "./sessions.ts";

export interface McpServerOptions {
  readonly about: About;
  /** May still be on its way: `initialize` is answered without it. */
  readonly door: Door | Promise<Door>;
  /** What was shown on this connection or request; `client` is the name that the client claims. */
  readonly evidence: (context: McpRequestContext, client: string) => Evidence;
  readonly sessions: Sessions;
  readonly running: Running;
  readonly beat?: Beat;
}

/**
 * Makes the factory that the SDK's stdio and HTTP entries ask for a server.
 *
 * The low-level `Server` with one fallback for all requests: the SDK's own `tools/call` path checks the arguments
 * first and words the refusal itself, but a call with bad arguments has to reach the transcript.
 */
export function mcpServer(options: McpServerOptions): McpServerFactory {
  return (context) => {
    const server = new Server(
      { name: "sallyport", title: "Sallyport", version: options.about.version },
      { capabilities: { tools: {} }, instructions: options.about.instructions },
    );
    const exchange: Exchange = { options, context, server, calls: 0 };
    server.fallbackRequestHandler = (request, ctx) => answer(exchange, request, ctx);
    // A 2025-era cancel notice over HTTP comes as a request of its own; elsewhere the SDK aborts the call itself.
    if (context.era === "legacy" && context.requestInfo !== undefined)
      server.setNotificationHandler("notifications/cancelled", async ({ params }) => {
        if (params.requestId === undefined) return;
        const door = await options.door;
        options.running.cancel(await identified(door, exchange, undefined), params.requestId);
      });
    return server;
  };
}

/** One server instance and what it serves. */
interface Exchange {
  readonly options: McpServerOptions;
  readonly context: McpRequestContext;
  readonly server: Server;
  /** Calls that this instance is answering now. */
  calls: number;
}

async function answer(exchange: Exchange, request: JSONRPCRequest, ctx: ServerContext): Promise<Result> {
  switch (request.method) {
    case "tools/list":
      return await behindTheDoor(exchange, async (door) => {
        const tools = await door.listTools(await identified(door, exchange, ctx));
        return { tools: tools.map((tool) => ({ ...tool })) };
      });
    case "tools/call":
      return await behindTheDoor(exchange, (door, id) => call(exchange, door, id, request.params ?? {}, ctx));
    default:
      throw new ProtocolError(ProtocolErrorCode.MethodNotFound, "There is no such method here.");
  }
}

/** Gives the door and a fresh call id to the body. What breaks in there is told by that id alone; the cause goes to the operator. */
async function behindTheDoor(
  exchange: Exchange,
  body: (door: Door, id: CallRequest["id"]) => Promise<Result>,
): Promise<Result> {
  let door: Door;
  try {
    door = await exchange.options.door;
  } catch {
    // Whoever made the promise has the cause and reports it; the client learns only that nothing can run.
    throw new ProtocolError(ProtocolErrorCode.InternalError, "The gateway could not start; its own output says why.");
  }
  let id: CallRequest["id"] | undefined;
  try {
    id = door.newCallId();
    return await body(door, id);
  } catch (thrown) {
    if (thrown instanceof ProtocolError) throw thrown;
    if (id === undefined) throw new ProtocolError(ProtocolErrorCode.InternalError, "internal");
    door.broke(id, thrown);
    throw new ProtocolError(ProtocolErrorCode.InternalError, `internal: ${id}`);
  }
}

async function call(
  exchange: Exchange,
  door: Door,
  id: CallRequest["id"],
  params: Record<string, unknown>,
  ctx: ServerContext,
): Promise<Result> {
  const { options, server, context } = exchange;
  const principal = await identified(door, exchange, ctx);
  const tool = params["name"];
  const listed = await door.listTools(principal);
  // Hidden and nonexistent answer alike, or the answer would tell which tools exist for others.
  if (typeof tool !== "string" || !listed.some((one) => one.name === tool))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown tool: tools/list names the ones there are.");

  // While the gateway loaded, the client may have left: what nobody waits for any more is not begun.
  if (ctx.mcpReq.signal.aborted) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, "The call was cancelled.");
  const running = options.running.begin(principal, ctx.mcpReq.id);
  const reporter = reporterOf(door, ctx, options.beat ?? standardBeat);
  exchange.calls += 1;
  try {
    const outcome = await door.governCall({
      id,
      principal,
      session: options.sessions.of(door, principal),
      tool,
      arguments: params["arguments"] === undefined ? {} : params["arguments"],
      receivedAt: door.now(),
      signal: AbortSignal.any([ctx.mcpReq.signal, running.signal]),
      hold: door.hold,
      progress: reporter.report,
    });
    // A cancelled request gets no response (MCP 2025-11-25, "Cancellation"): closing this instance ends its stream,
    // unless another call of the same batch is still being answered on it.
    if (running.signal.aborted && context.requestInfo !== undefined && exchange.calls === 1) await server.close();
    // Loaded with the first answer: a client waits for `initialize`, and that needs none of it.
    const { renderOutcome } = await import("./render.ts");
    return { ...renderOutcome(outcome, door) };
  } finally {
    exchange.calls -= 1;
    reporter.stop();
    running.end();
  }
}

/** The caller behind this message. The evidence is looked at each time: what was valid a moment ago may be revoked. */
const identified = async (door: Door, exchange: Exchange, ctx: ServerContext | undefined): Promise<Principal> => {
  const found = await door.identify(exchange.options.evidence(exchange.context, claimedClient(exchange.server, ctx)));
  if (found.kind === "identified") return found.principal;
  throw new ProtocolError(ProtocolErrorCode.InvalidRequest, "The caller is not identified.");
};

/** The client program's name for itself: from the request's envelope (2026-07-28), else from `initialize`. */
function claimedClient(server: Server, ctx: ServerContext | undefined): string {
  const envelope: unknown = ctx?.mcpReq.envelope;
  const claimed: unknown = isJsonObject(envelope) ? envelope[CLIENT_INFO_META_KEY] : server.getClientVersion();
  if (!isJsonObject(claimed)) return "";
  const { name, version } = claimed;
  if (typeof name !== "string") return "";
  return typeof version === "string" ? `${name}/${version}` : name;
}

function reporterOf(door: Door, ctx: ServerContext, beat: Beat): Reporter {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return silent;
  const send = (progress: number, words: string): Promise<void> => {
    const message = cutBytes(oneLine(words), 300);
    return ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } });
  };
  return startProgress(send, () => door.now(), beat);
}
