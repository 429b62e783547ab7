// Runs one command in a container over a WebSocket (Kubernetes API, `v5.channel.k8s.io`): how far it got is always known, and an abort ends its socket.

import { WebSocket } from "ws";
import type { IncomingMessage } from "node:http";
import { Faulted } from "../domain/fault.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { Connection, ExecAnswer, ExecRequest, Hears } from "./contract.ts";
import { faultOfEnding } from "./endings.ts";
import { codeOf, type Exchange } from "./exchange.ts";
import { execFault, exitOf } from "./exec-status.ts";
import { execWire, type ExecWire } from "./exec-url.ts";
import type { Asked } from "./faults.ts";
import { headersOf, type AnswerHeaders } from "./headers.ts";
import { openSocket } from "./socket.ts";

/** How the exchange ended: as any does, or with the WebSocket open. */
type Ending =
  | Exchange
  | {
      readonly kind: "ran";
      readonly stdout: Buffer;
      readonly stderr: Buffer;
      /** What the command's end was told as; null where the connection was closed before. */
      readonly status: JsonObject | null;
      readonly cut: "bytes" | "time" | null;
    };

const protocol = "v5.channel.k8s.io";
/** The first byte of each message (KEP-4006). */
const channels = { stdout: 1, stderr: 2, status: 3 } as const;
/** Most bytes of one message, of the status, and of a refusal's body. */
const most = { message: 1024 * 1024, status: 64 * 1024, refusal: 64 * 1024 };
/** Milliseconds between the status and the end of the connection, which the server closes itself. */
const lastWords = 1_000;

/** Runs it. Faults: invalid_input, exec_failed, and the cluster's; from the moment that it was sent its effect is that of a write. */
export async function runCommand(connection: Connection, version: string, request: ExecRequest): Promise<ExecAnswer> {
  const wire = execWire(connection.server, request);
  const headers = headersOf(request, version, null);
  request.guard(wire.exec);
  const path = wire.path.split("?")[0] ?? "";
  // The server asks for the right to create as well, and a command is a write whatever its method (core/v1, "connect").
  const asked: Asked = { sent: { ...wire.exec.sent, verb: "create" }, method: "GET", path };
  const ending = await run(connection, wire, headers, request);
  if (ending.kind !== "ran") throw new Faulted(execFault(ending, faultOfEnding(ending, asked, request), asked));
  const text = (bytes: Buffer): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const [stdout, stderr] = [text(ending.stdout), text(ending.stderr)];
  if (ending.cut !== null) return { stdout, stderr, end: { kind: "cut", by: ending.cut } };
  return { stdout, stderr, end: { kind: "exited", code: exitOf(ending, asked) } };
}

/** Connects and runs; never throws. Whatever ends it closes the socket at once. */
async function run(
  connection: Connection,
  wire: ExecWire,
  headers: Record<string, string>,
  request: ExecRequest,
): Promise<Ending> {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), request.timeout);
  const leave = (): void => stop.abort();
  request.signal.addEventListener("abort", leave);
  if (request.signal.aborted) leave();
  try {
    const socket = await openSocket(connection, stop.signal);
    const said = new Conversation(request.maxBytes, request.hears ?? null);
    return await converse(said, stop.signal, request.signal, () => {
      const { origin, path } = wire;
      return new WebSocket(`${origin.replace(/^http/, "ws")}${path}`, [protocol], {
        headers,
        createConnection: () => socket,
        perMessageDeflate: false,
        maxPayload: most.message,
        handshakeTimeout: request.timeout,
        followRedirects: false,
      });
    });
  } catch (thrown) {
    if (request.signal.aborted) return { kind: "aborted", sent: false };
    if (stop.signal.aborted) return { kind: "late", sent: false };
    return { kind: "broken", sent: false, begun: false, code: codeOf(thrown) };
  } finally {
    clearTimeout(late);
    request.signal.removeEventListener("abort", leave);
  }
}

/** What has come so far. */
class Conversation {
  readonly #chunks = { 1: [] as Buffer[], 2: [] as Buffer[], 3: [] as Buffer[] };
  readonly #maxBytes: number;
  readonly #hears: Hears | null;
  #output = 0;
  #status = 0;
  constructor(maxBytes: number, hears: Hears | null) {
    this.#maxBytes = maxBytes;
    this.#hears = hears;
  }
  began(): void {
    this.#hears?.began();
  }
  /** Takes one message: is there more to come? */
  take(message: Buffer): "more" | "full" | "ended" | "malformed" {
    const [channel] = message;
    const chunk = message.subarray(1);
    // A message without content counts too, or millions of them would be kept for nothing.
    const weight = Math.max(1, chunk.length);
    if (channel === channels.status) {
      this.#status += weight;
      if (this.#status > most.status) return "malformed";
      this.#chunks[3].push(chunk);
      return chunk.length === 0 ? "more" : "ended";
    }
    if (channel !== channels.stdout && channel !== channels.stderr) return "malformed";
    const room = this.#maxBytes - this.#output;
    this.#output += weight;
    // A copy: a part of a message keeps all of the memory that it came in.
    if (room > 0 && chunk.length > 0) {
      const kept = Buffer.from(chunk.subarray(0, room));
      this.#chunks[channel].push(kept);
      this.#hears?.took(channel === channels.stdout ? "stdout" : "stderr", kept);
    }
    return weight > room ? "full" : "more";
  }
  ran(cut: "bytes" | "time" | null): Ending {
    const [stdout, stderr] = [Buffer.concat(this.#chunks[1]), Buffer.concat(this.#chunks[2])];
    return { kind: "ran", stdout, stderr, status: cut === null ? this.#told() : null, cut };
  }
  #told(): JsonObject | null {
    try {
      const value: unknown = JSON.parse(Buffer.concat(this.#chunks[3]).toString("utf8"));
      return isJsonObject(value) ? value : null;
    } catch {
      return null;
    }
  }
}

/** Listens until the command's end is told, a limit is reached, or the connection breaks. */
function converse(said: Conversation, stop: AbortSignal, left: AbortSignal, open: () => WebSocket): Promise<Ending> {
  return new Promise((resolve) => {
    let [ended, begun] = [false, false];
    let wait: ReturnType<typeof setTimeout> | undefined;
    const socket = open();
    const end = (how: Ending): void => {
      if (ended) return;
      ended = true;
      clearTimeout(wait);
      stop.removeEventListener("abort", stopped);
      socket.terminate();
      resolve(how);
    };
    const broken = (code: string): void => end({ kind: "broken", sent: true, begun, code });
    const stopped = (): void => {
      if (left.aborted) end({ kind: "aborted", sent: true });
      else end(begun ? said.ran("time") : { kind: "late", sent: true });
    };
    const over = (): void => {
      const how = said.ran(null);
      if (how.kind === "ran" && how.status !== null) end(how);
      else broken("CLOSED");
    };
    stop.addEventListener("abort", stopped);
    socket.on("open", () => {
      begun = true;
      said.began();
    });
    socket.on("error", (error) => broken(/subprotocol/i.test(error.message) ? "SUBPROTOCOL" : codeOf(error)));
    socket.on("close", over);
    socket.on("unexpected-response", (_, answer) => void refusalOf(answer).then(end));
    socket.on("message", (data, isBinary) => {
      const more = isBinary && Buffer.isBuffer(data) ? said.take(data) : "malformed";
      if (more === "full") end(said.ran("bytes"));
      else if (more === "malformed") broken("MALFORMED");
      else if (more === "ended") wait ??= setTimeout(over, lastWords);
    });
    if (stop.aborted) stopped();
  });
}

/** The answer that came instead of a WebSocket. */
async function refusalOf(answer: IncomingMessage): Promise<Ending> {
  const chunks: Buffer[] = [];
  let size = 0;
  const headers: AnswerHeaders = answer.headers;
  const told = (cut: "bytes" | null): Ending => {
    return { kind: "answered", status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks), cut };
  };
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most.refusal) return told("bytes");
      chunks.push(chunk);
    }
    return told(null);
  } catch {
    // Cut off in the middle of its words, the number of the refusal is what is known.
    return told("bytes");
  }
}
