// One HTTP exchange on a pooled connection: how far it got is always known, and an abort ends its socket.

import { Pool, ProxyAgent, type Dispatcher } from "undici";
import type { Connection } from "./contract.ts";
import type { AnswerHeaders } from "./headers.ts";

/** What one exchange asks. */
export interface Ask {
  readonly origin: string;
  readonly method: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | null;
  readonly signal: AbortSignal;
  /** Milliseconds until the answer must be complete. */
  readonly timeout: number;
  readonly maxBytes: number;
  /** Takes the pieces of a 2xx answer as they come, instead of their being kept; false ends it. */
  readonly take?: (chunk: Buffer) => boolean;
}

/** How an exchange ended. `sent` tells whether the request may have reached the server. */
export type Exchange =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: AnswerHeaders;
      readonly body: Buffer;
      /** What ended the body early: its size, or the deadline. */
      readonly cut: "bytes" | "time" | null;
    }
  | { readonly kind: "aborted"; readonly sent: boolean }
  | { readonly kind: "late"; readonly sent: boolean }
  | {
      readonly kind: "broken";
      readonly sent: boolean;
      /** Had any part of an answer come? */
      readonly begun: boolean;
      /** The library's error code, for the operator. */
      readonly code: string;
    };

/** A pool of keep-alive HTTP/1.1 connections to one server with the connection's TLS identity, through its proxy if it has one. */
export function openPool(connection: Connection): Dispatcher {
  const { ca, cert, key, serverName, insecure } = connection.tls;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
  // kube-apiserver closes idle connections after 90 s; ending them first keeps writes off a dying socket. Exchanges carry their own deadlines.
  const pooling = { connections: 128, keepAliveTimeout: 60_000, keepAliveMaxTimeout: 80_000, allowH2: false };
  const patience = { headersTimeout: 0, bodyTimeout: 0 };
  if (connection.proxy === null)
    return new Pool(new URL(connection.server).origin, {
      ...pooling,
      ...patience,
      connect: { ...tls, timeout: 10_000 },
    });
  return new ProxyAgent({
    ...pooling,
    ...patience,
    uri: connection.proxy,
    proxyTls: { timeout: 10_000, rejectUnauthorized: true },
    requestTls: { ...tls, timeout: 10_000 },
    factory: (to, given) => new Pool(to, throughProxy(given)),
  });
}

/** A proxy that hangs up while the tunnel is asked for would be asked again at once, without end (undici retries socket errors): here it is an answer. */
function throughProxy(given: Pool.Options): Pool.Options {
  const { connect } = given;
  if (typeof connect !== "function") return given;
  return {
    ...given,
    connect: (options, callback) =>
      connect(options, (...[error, socket]) =>
        error === null ? callback(null, socket) : callback(new TunnelError(codeOf(error)), null),
      ),
  };
}

class TunnelError extends Error {
  override readonly name = "TunnelError";
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code.startsWith("UND_ERR_") ? "TUNNEL" : code;
  }
}

/** Runs one exchange; never throws. Beyond `maxBytes`, or late with part of the body there, the answer is cut and its socket closed. */
export function exchange(pool: Dispatcher, ask: Ask): Promise<Exchange> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | null = null;
    let [sent, ended, size] = [false, false, 0];
    let head: { readonly status: number; readonly headers: AnswerHeaders } | null = null;
    const chunks: Buffer[] = [];
    // Whatever ends it, ends it once; an unfinished request leaves no socket behind that could still carry it.
    const end = (how: Exchange): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", abort);
      resolve(how);
    };
    const drop = (): void => controller?.abort(new Error("dropped"));
    const answered = (cut: "bytes" | "time" | null): void => {
      if (head !== null) end({ kind: "answered", ...head, body: Buffer.concat(chunks), cut });
    };
    const abort = (): void => {
      end({ kind: "aborted", sent });
      drop();
    };
    const late = (): void => {
      if (size > 0) answered("time");
      end({ kind: "late", sent });
      drop();
    };
    const timer = setTimeout(late, ask.timeout);
    if (ask.signal.aborted) return abort();
    ask.signal.addEventListener("abort", abort);

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(given) {
        controller = given;
        if (ended) return drop();
        sent = true;
      },
      onResponseStart(_, status, headers) {
        if (status >= 200) head = { status, headers };
      },
      onResponseData(_, chunk) {
        if (ended) return;
        if (ask.take !== undefined && head !== null && head.status <= 299) {
          if (ask.take(chunk)) return;
          answered("bytes");
          return drop();
        }
        const room = ask.maxBytes - size;
        chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
        size += Math.min(room, chunk.length);
        if (chunk.length <= room) return;
        answered("bytes");
        drop();
      },
      onResponseEnd: () => answered(null),
      onResponseError: (_, error) => end({ kind: "broken", sent, begun: head !== null, code: codeOf(error) }),
    };
    const { origin, method, path, headers, body } = ask;
    pool.dispatch({ origin, method, path, headers: { ...headers }, body }, handler);
  });
}

/** The error's code, or its class: never its message, which may hold an address. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : error instanceof Error ? error.name : "unknown";
}
