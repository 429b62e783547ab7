// An MCP transport over two streams, one JSON message a line, that reads strictly (MCP 2025-11-25, "Transports: stdio").

import type { Readable, Writable } from "node:stream";
import { parseJSONRPCMessage, type JSONRPCMessage, type Transport } from "@modelcontextprotocol/server";
import { errorReply, invalidRequest, readMessage, type ErrorReply, type ReadMessage } from "./strict-json.ts";

/** The SDK's own stdio transport takes an object with a key that stands twice, and answers nothing to a line that is no JSON. */
export interface LineTransport extends Transport {
  /** Settles once the transport is closed, from whichever side. */
  readonly closed: Promise<void>;
}

const maxLine = 1_048_576;
const newline = 0x0a;
const carriageReturn = 0x0d;

export function lineTransport(input: Readable, output: Writable): LineTransport {
  const ended = Promise.withResolvers<void>();
  let isClosed = false;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    input.off("data", take).off("end", close).off("close", close).off("error", fail);
    output.off("error", fail);
    // A write that was on its way may still fail, with nobody left to tell.
    output.on("error", () => ended.resolve());
    input.pause();
    ended.resolve();
    transport.onclose?.();
  }
  function fail(error: Error): void {
    transport.onerror?.(error);
    close();
  }
  async function write(message: JSONRPCMessage | ErrorReply): Promise<void> {
    if (isClosed || output.write(`${JSON.stringify(message)}\n`)) return;
    await Promise.race([new Promise((resolve) => output.once("drain", resolve)), ended.promise]);
  }
  const take = splitLines((line) => {
    if (isClosed || line?.length === 0) return;
    const read = line === null ? tooLong : asMessage(readMessage(line));
    if (read.kind === "message") transport.onmessage?.(read.value);
    else void write(read.reply);
  });
  const transport: LineTransport = {
    closed: ended.promise,
    async start() {
      output.on("error", fail);
      input.on("error", fail).on("end", close).on("close", close).on("data", take).resume();
      if (input.readableEnded || input.destroyed) setImmediate(close);
    },
    send: write,
    close: async () => close(),
  };
  return transport;
}

/** Gives each line without its end; null for one beyond the limit, of which nothing is kept. */
function splitLines(line: (bytes: Uint8Array | null) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let size = 0;
  const keep = (piece: Buffer): void => {
    size += piece.length;
    if (size > maxLine) pieces = [];
    else pieces.push(piece);
  };
  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      keep(chunk.subarray(from, at));
      const whole = size > maxLine ? null : Buffer.concat(pieces);
      pieces = [];
      size = 0;
      from = at + 1;
      line(whole !== null && whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole);
    }
    keep(chunk.subarray(from));
  };
}

const tooLong = {
  kind: "refused",
  reply: errorReply(invalidRequest, `invalid_input: the message is larger than ${maxLine} bytes.`),
} as const;

type Taken = { readonly kind: "message"; readonly value: JSONRPCMessage } | Extract<ReadMessage, { kind: "refused" }>;

function asMessage(read: ReadMessage): Taken {
  if (read.kind === "refused") return read;
  try {
    return { kind: "message", value: parseJSONRPCMessage(read.value) };
  } catch {
    const what = "This is no JSON-RPC 2.0 request, notification or response.";
    return { kind: "refused", reply: errorReply(invalidRequest, what) };
  }
}
