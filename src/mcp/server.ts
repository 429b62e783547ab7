// The MCP server of one connection or one HTTP request, for the 2026-07-28 revision and the 2025 ones alike: which method asks what of the door.

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
  type StandardSchemaV1,
} from "@modelcontextprotocol/server";
import type { CallRequest } from "../domain/call.ts";
import type { Evidence, Scope } from "../domain/evidence.ts";
import { Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Principal } from "../domain/principal.ts";
import { capOf, hardCap } from "./caps.ts";
import type { About, Door } from "./door.ts";
import { keptAnswers, type KeptAnswers } from "./kept-answers.ts";
import { cutBytes, oneLine } from "./layout.ts";
import { silent, standardBeat, startProgress, type Beat, type Reporter, type SendProgress } from "./progress.ts";
import type { Running } from "./running.ts";
import { insufficientScope, missingScopes, scopeFor, type Scoped } from "./scopes.ts";
import type { Sessions } from "./sessions.ts";
import {
  declaresTasks,
  noSuchTask,
  requireTasks,
  taskHandle,
  taskMethods,
  taskResult,
  tasksExtension,
} from "./tasks.ts";

export interface McpServerOptions {
  readonly about: About;
  /** May still be on its way: `initialize` is answered without it. */
  readonly door: Door | Promise<Door>;
  /** What was shown on this connection or request; `client` is the name that the client claims. */
  readonly evidence: (context: McpRequestContext, client: string) => Evidence;
  readonly sessions: Sessions;
  readonly running: Running;
  readonly kept: KeptAnswers;
  readonly beat?: Beat;
}

/**
 * Makes the factory that the SDK's stdio and HTTP entries ask for a server.
 *
 * The low-level `Server` with one fallback for all requests: the SDK's own `tools/call` path checks the arguments
 * first and words the refusal itself, but a call with bad arguments has to reach the transcript.
 */
export function mcpServer(options: McpServerOptions): McpServerFactory {
  const ended = keptAnswers();
  return (context) => {
    const server = new Server(
      { name: "sallyport", title: "Sallyport", version: options.about.version },
      {
        capabilities: {
          tools: {},
          prompts: {},
          resources: {},
          completions: {},
          // Of the 2026-07-28 revision: a client of the 2025 ones has no way to declare it with each request.
          ...(context.era === "legacy" ? {} : { extensions: { [tasksExtension]: {} } }),
        },
        instructions: options.about.instructions,
      },
    );
    const exchange: Exchange = { options, context, server, calls: 0, ended };
    // What has no handler the SDK itself answers as no method, with the status that the 2026-07-28 revision asks for
    // (404); what comes out of one is 200. The header is the message's own method there: another is refused before.
    const method = context.requestInfo?.headers.get("mcp-method") ?? null;
    if (method === null || answered.includes(method))
      server.fallbackRequestHandler = (request, ctx) => answer(exchange, request, ctx);
    // An extension's methods reach no fallback: the SDK refuses what its revision does not name.
    for (const method of taskMethods)
      server.setRequestHandler(method, { params: asSent }, (params, ctx) =>
        answer(exchange, { jsonrpc: "2.0", id: ctx.mcpReq.id, method, params }, ctx),
      );
    // A 2025-era cancel notice over HTTP comes as a request of its own; elsewhere the SDK aborts the call itself.
    if (context.era === "legacy" && context.requestInfo !== undefined)
      server.setNotificationHandler("notifications/cancelled", async ({ params }) => {
        if (params.requestId === undefined) return;
        const door = await options.door;
        const { principal } = await identified(door, exchange, undefined);
        options.running.cancel(principal, params.requestId);
      });
    return server;
  };
}

/** Parameters as they came: whoever takes them looks at each. */
const asSent: StandardSchemaV1<unknown, Record<string, unknown>> = {
  "~standard": {
    version: 1,
    vendor: "sallyport",
    validate: (value) => ({ value: isJsonObject(value) ? { ...value } : {} }),
  },
};

/** One server instance and what it serves. */
interface Exchange {
  readonly options: McpServerOptions;
  readonly context: McpRequestContext;
  readonly server: Server;
  /** Calls that this instance is answering now. */
  calls: number;
  /** Results of tasks that ended, for whoever asks again. */
  readonly ended: KeptAnswers;
}

/** The methods of the protocol that are answered here. */
const answered: readonly string[] = [
  "tools/list",
  "tools/call",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "completion/complete",
];

/** What is not needed for `initialize` is loaded with the first request that asks for it. */
async function answer(exchange: Exchange, request: JSONRPCRequest, ctx: ServerContext): Promise<Result> {
  const params = request.params ?? {};
  const asking = (body: (asked: Asked) => Promise<Result>, isCall = false): Promise<Result> =>
    behindTheDoor(exchange, async (door, id) => {
      const found = await identified(door, exchange, ctx);
      // The HTTP door has looked already; a way in that did not must not be one round it.
      const missing = await missingScopes(door, found, [request]);
      if (missing !== null) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, insufficientScope(missing));
      const { principal, scopes } = found;
      // A call is counted where it is governed.
      if (!isCall) await within(() => door.look(principal));
      return await body({ exchange, door, id, principal, scopes, params, ctx });
    });
  switch (request.method) {
    case "tools/list":
      return await asking(listTools);
    case "tools/call":
      return await asking(call, true);
    case "prompts/list":
      return await asking(async ({ door, principal }) => {
        const { listPrompts } = await import("./prompts.ts");
        return { prompts: listPrompts(await door.listTools(principal)).map((prompt) => ({ ...prompt })) };
      });
    case "prompts/get":
      return await asking(prompt);
    case "resources/list":
      // A call is found by its id alone: a list of them would be one more way to read the record.
      return await asking(async () => ({ resources: [] }));
    case "resources/templates/list":
      return await asking(async () => ({ resourceTemplates: [(await import("./resources.ts")).callTemplate] }));
    case "resources/read":
      return await asking(readCall, true);
    case "completion/complete":
      return await asking(completion);
    case "tasks/get":
    case "tasks/update":
    case "tasks/cancel":
      requireTasks(ctx.mcpReq.envelope);
      return await asking(
        request.method === "tasks/get" ? task : request.method === "tasks/cancel" ? cancelTask : updateTask,
      );
    default:
      throw new ProtocolError(ProtocolErrorCode.MethodNotFound, "There is no such method here.");
  }
}

/** One request of a caller who is known. */
interface Asked {
  readonly exchange: Exchange;
  readonly door: Door;
  readonly id: CallRequest["id"];
  readonly principal: Principal;
  readonly scopes: readonly Scope[];
  readonly params: Record<string, unknown>;
  readonly ctx: ServerContext;
}

async function listTools({ door, principal }: Asked): Promise<Result> {
  const tools = await door.listTools(principal);
  if (door.output === "text") return { tools: tools.map((tool) => ({ ...tool })) };
  const { outputSchema } = await import("./structured.ts");
  return { tools: tools.map((tool) => ({ ...tool, outputSchema })) };
}

async function prompt({ door, principal, params }: Asked): Promise<Result> {
  const { getPrompt } = await import("./prompts.ts");
  const got = getPrompt(params["name"], params["arguments"], await door.listTools(principal));
  switch (got.kind) {
    case "got":
      return { description: got.description, messages: [{ role: "user", content: { type: "text", text: got.text } }] };
    case "unknown":
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        "Unknown prompt: prompts/list names the ones there are.",
      );
    case "refused":
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `invalid_input: ${got.problem}.`);
  }
}

async function readCall({ exchange, door, principal, params, ctx }: Asked): Promise<Result> {
  const { callOf, callTemplate, noSuchCall, receiptText } = await import("./resources.ts");
  const { uri } = params;
  const wanted = callOf(uri);
  if (typeof uri !== "string" || wanted === undefined) throw noSuchCall(uri);
  if (ctx.mcpReq.signal.aborted) throw cancelled;
  const { sessions, kept } = exchange.options;
  const receipt = await within(() => door.ownCall(wanted, principal, sessions.of(door, principal)));
  if (receipt === null) throw noSuchCall(uri);
  const text = receiptText(receipt, kept.of(principal, wanted, door.now()));
  return { contents: [{ uri, mimeType: callTemplate.mimeType, text }] };
}

/** What is no call has no outcome: what is in its way is told as an error of the protocol, in our words and with the time to come back. */
async function within<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    const { code, detail } = thrown.fault;
    const isLimit = code === "limit_exceeded";
    const words = isLimit
      ? `You have reached your limit of ${textAt(detail, "limit")}; try again later.`
      : "The record can't be read or written now, so nothing of it is shown; try again later.";
    const seconds = isLimit ? at(detail, "seconds") : undefined;
    const data = typeof seconds === "number" ? { retry_after: seconds } : undefined;
    throw new ProtocolError(ProtocolErrorCode.InternalError, `${code}: ${words}`, data);
  }
}

async function completion({ exchange, door, principal, scopes, params, ctx }: Asked): Promise<Result> {
  const { complete } = await import("./completions.ts");
  const { sessions, kept } = exchange.options;
  const found = await complete(
    {
      door,
      principal,
      session: sessions.of(door, principal),
      tools: await door.listTools(principal),
      reads: scopes.includes(scopeFor("read")),
      signal: ctx.mcpReq.signal,
      calls: kept.calls(principal, door.now()),
    },
    params as JsonObject,
  );
  return { completion: { values: [...found.values], hasMore: found.hasMore } };
}

const cancelled = new ProtocolError(ProtocolErrorCode.InvalidRequest, "The call was cancelled.");

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

async function call({ exchange, door, id, principal, params, ctx }: Asked): Promise<Result> {
  const { options, server, context } = exchange;
  const tool = params["name"];
  const listed = await door.listTools(principal);
  // Hidden and nonexistent answer alike, or the answer would tell which tools exist for others.
  if (typeof tool !== "string" || !listed.some((one) => one.name === tool))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown tool: tools/list names the ones there are.");

  // While the gateway loaded, the client may have left: what nobody waits for any more is not begun.
  if (ctx.mcpReq.signal.aborted) throw cancelled;
  const running = options.running.begin(principal, ctx.mcpReq.id);
  const signal = AbortSignal.any([ctx.mcpReq.signal, running.signal]);
  const reporter = reporterOf(door, ctx, options.beat ?? standardBeat);
  // Nobody reads the news of a call that was cancelled, while it may take its time to end.
  signal.addEventListener("abort", reporter.stop, { once: true });
  exchange.calls += 1;
  try {
    const tasks = declaresTasks(ctx.mcpReq.envelope);
    const arguments_ = params["arguments"] === undefined ? {} : params["arguments"];
    const outcome = await door.governCall({
      id,
      principal,
      session: options.sessions.of(door, principal),
      tool,
      arguments: arguments_,
      receivedAt: door.now(),
      signal,
      // Whoever can be given a handle need not be held.
      hold: tasks ? 0 : door.hold,
      progress: reporter.report,
    });
    // A cancelled request gets no response (MCP 2025-11-25, "Cancellation"): closing this instance ends its stream,
    // unless another call of the same batch is still being answered on it.
    if (running.signal.aborted && context.requestInfo !== undefined && exchange.calls === 1) await server.close();
    const handle = tasks ? taskHandle(outcome, door.now()) : null;
    return handle ?? (await rendered(exchange, door, principal, outcome, capOf(tool, arguments_)));
  } finally {
    exchange.calls -= 1;
    reporter.stop();
    running.end();
  }
}

/** How a task of the caller's own stands. Its end is told once by the gateway; here it is kept for whoever asks again. */
async function task({ exchange, door, id, principal, params, ctx }: Asked): Promise<Result> {
  const { taskId } = params;
  if (typeof taskId !== "string") throw noSuchTask;
  const known = exchange.ended.of(principal, taskId, door.now());
  if (known !== null) return JSON.parse(known) as Result;
  const state = await door.task(taskId, asker({ exchange, door, id, principal, ctx }));
  if (state === null) throw noSuchTask;
  const result = await taskResult(state, door.now(), (outcome, tool) =>
    rendered(exchange, door, principal, outcome, capOf(tool, {})),
  );
  if (state.kind === "ended") exchange.ended.keep(principal, taskId, JSON.stringify(result), door.now());
  return result;
}

async function cancelTask(asked: Asked): Promise<Result> {
  const { taskId } = asked.params;
  if (typeof taskId !== "string" || !(await asked.door.cancelTask(taskId, asker(asked)))) throw noSuchTask;
  return { resultType: "complete" };
}

/** Nothing is ever asked of a client, since a person's word does not come this way: what it sends answers nothing. */
async function updateTask(asked: Asked): Promise<Result> {
  await task(asked);
  return { resultType: "complete" };
}

/** Who asks about a task: no call of its own, and never held. */
function asker({ exchange, door, id, principal, ctx }: Omit<Asked, "params" | "scopes">): CallRequest {
  const session = exchange.options.sessions.of(door, principal);
  const { signal } = ctx.mcpReq;
  return {
    id,
    principal,
    session,
    tool: "",
    arguments: {},
    receivedAt: door.now(),
    signal,
    hold: 0,
    progress: () => undefined,
  };
}

/** The answer in the configured form; where it had to be cut, all of it is kept for its caller. */
async function rendered(
  { options }: Exchange,
  door: Door,
  principal: Principal,
  outcome: Outcome,
  answer: number,
): Promise<Result> {
  const { renderOutcome } = await import("./render.ts");
  const text = renderOutcome(outcome, door, { answer });
  if (text._meta["sallyport/facts"]["cut"] !== undefined) {
    const whole = renderOutcome(outcome, door, { answer: hardCap, whole: true }).content[0].text;
    if (whole.length > text.content[0].text.length) options.kept.keep(principal, outcome.call, whole, door.now());
  }
  if (door.output === "text") return { ...text };
  return { ...(await import("./structured.ts")).structured(outcome, text, answer) };
}

/** The caller behind this message. The evidence is looked at each time: what was valid a moment ago may be revoked. */
const identified = async (door: Door, exchange: Exchange, ctx: ServerContext | undefined): Promise<Scoped> => {
  const found = await door.identify(exchange.options.evidence(exchange.context, claimedClient(exchange.server, ctx)));
  if (found.kind === "identified") return found;
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
  const send: SendProgress = ({ message, ...count }) => {
    const words = cutBytes(oneLine(message), 300);
    return ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, ...count, message: words } });
  };
  return startProgress(send, () => door.now(), beat);
}
