// The client of one API server: it sends only what was checked and parsed back from its final URL, and any other ending is a fault.

import type { Dispatcher } from "undici";
import { isWrite } from "../domain/access.ts";
import { Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import type { Connection, KubeClient, KubeRequest, SentRequest } from "./contract.ts";
import { answerOf, objectOf, type Answered } from "./endings.ts";
import { exchange, openPool, type Ask, type Exchange } from "./exchange.ts";
import { clusterFault, mostBodyBytes, type Asked } from "./faults.ts";
import { dateOf, headersOf, warningsOf } from "./headers.ts";
import { plainWire, wireOf } from "./url.ts";

export interface ClientOptions {
  /** Sallyport's own version, for the User-Agent. */
  readonly version: string;
  /** Sees each request just before it is sent; throws `Faulted` to refuse it. */
  readonly guard?: (sent: SentRequest, request: KubeRequest) => void;
}

/** Opens a pool of keep-alive connections to one API server. Nothing is sent before the first request. */
export function openClient(connection: Connection, options: ClientOptions): KubeClient {
  const pool = openPool(connection);
  return {
    cluster: connection.cluster,
    async request(request) {
      const { answer, asked, ask } = await send(pool, connection, options, request);
      return { status: answer.status, body: objectOf(answer, asked, ask), warnings: warningsOf(answer.headers) };
    },
    async text(request) {
      const { answer } = await send(pool, connection, options, request);
      // Cut bytes may end inside a character: a streaming decoder holds the torn one back.
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(answer.body, { stream: answer.cut !== null });
      return { text, cut: answer.cut !== null, why: answer.cut };
    },
    async watch(request, take) {
      if (request.verb !== "watch") throw refused("a watch that is none");
      const { ask, asked } = prepare(connection, options, request);
      const ending = await exchange(pool, { ...ask, take });
      // A watch ends when its time is over, and a connection may break at any time: who watches looks again and learns why there.
      const over = ending.kind === "late" || (ending.kind === "broken" && ending.begun);
      if (!over) answerOf(ending, asked, ask);
    },
    async exec(request) {
      const { runCommand } = await import("./exec.ts");
      return await runCommand(connection, options.version, request);
    },
    async path(path, { authorization, signal, accept, auditId = "", agent = "", dated }) {
      const wire = plainWire(connection.server, path);
      const whom = { authorization, auditId, agent, ...(accept === undefined ? {} : { accept }) };
      const headers = headersOf(whom, options.version, null);
      const ask: Ask = { ...wire, headers, body: null, signal, timeout: 30_000, maxBytes: 64 * 1024 * 1024 };
      const asked: Asked = { sent: plainRead, method: "GET", path };
      const answer = answerOf(await attempt(pool, ask, true), asked, ask);
      dated?.(dateOf(answer.headers));
      return objectOf(answer, asked, ask);
    },
    close: () => pool.destroy(),
  };
}
/** What a path outside the resource tree counts as: a read. */
const plainRead: SentRequest = {
  verb: "get",
  group: "",
  version: "",
  resource: "",
  subresource: "",
  namespace: "",
  name: "",
  pinned: "",
  dryRun: false,
};

interface Sent {
  readonly answer: Answered;
  readonly asked: Asked;
  readonly ask: Ask;
}

async function send(
  pool: Dispatcher,
  connection: Connection,
  options: ClientOptions,
  request: KubeRequest,
): Promise<Sent> {
  const { ask, asked } = prepare(connection, options, request);
  return { answer: answerOf(await attempt(pool, ask, !isWrite(asked.sent.verb)), asked, ask), asked, ask };
}

/** One request, after every check on what it would really send. */
function prepare(connection: Connection, options: ClientOptions, request: KubeRequest): Pick<Sent, "ask" | "asked"> {
  // They open a connection into a pod or a node: nothing here asks for one but `exec`, which goes another way.
  if (tunnels.includes(request.subresource ?? "")) throw refused("a connection, not a request");
  const { method, origin, path, sent } = wireOf(connection.server, request);
  const body = bodyOf(request, method, sent.dryRun);
  const headers = headersOf(request, options.version, body === null ? null : contentTypeOf(request));
  options.guard?.(sent, request);
  request.guard?.(sent);
  const { signal, timeout = 30_000, maxBytes = 16 * 1024 * 1024 } = request;
  const ask: Ask = { origin, method, path, headers, body, signal, timeout, maxBytes };
  const pages = request.query?.["continue"] !== undefined;
  return { ask, asked: { sent, method, path: path.split("?")[0] ?? "", pages } };
}
const tunnels: readonly string[] = ["exec", "attach", "portforward", "proxy"];

/** A kept connection may die just as it is taken up again: then a read is sent once more, a write never. */
async function attempt(pool: Dispatcher, ask: Ask, mayRepeat: boolean): Promise<Exchange> {
  const first = await exchange(pool, ask);
  const stale = first.kind === "broken" && first.sent && !first.begun && resets.includes(first.code);
  return stale && mayRepeat ? await exchange(pool, ask) : first;
}
const resets: readonly string[] = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];

/** The body as JSON text, or null. Faults: invalid_input (too large), internal. */
function bodyOf(request: KubeRequest, method: string, dryRun: boolean): string | null {
  if (request.body === undefined) return null;
  if (method === "GET") throw refused("a read with a body");
  const text = JSON.stringify(method === "DELETE" ? deleteOptions(request.body, dryRun) : request.body);
  if (Buffer.byteLength(text) <= mostBodyBytes) return text;
  const problems = [{ path: "", rule: "too large" }];
  throw new Faulted(clusterFault("invalid_input", { problems, limit: mostBodyBytes }, "body over the server's limit"));
}

/** A DELETE that has a body ignores its query's `dryRun` and would delete for real: the body must say the same as the query. */
function deleteOptions(body: Json, dryRun: boolean): Json {
  if (!isJsonObject(body)) throw refused("delete options are no object");
  if (dryRun) return { ...body, dryRun: ["All"] };
  if (body["dryRun"] !== undefined) throw refused("a dry run that the query does not show");
  return body;
}

/** Kubernetes API concepts, "Patch"; a patch without its type would be a guess. */
function contentTypeOf(request: KubeRequest): string {
  const type = request.contentType ?? (request.verb === "patch" ? "" : "application/json");
  if (!(request.verb === "patch" ? patchTypes : ["application/json"]).includes(type)) throw refused("its content type");
  return type;
}
const patchTypes: readonly string[] = [
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/json-patch+json",
  "application/apply-patch+yaml",
];

function refused(why: string): Faulted {
  return new Faulted(clusterFault("internal", {}, `request refused before sending: ${why}`));
}
