// Bare HTTP requests for the door's tests: headers go out as given, bytes as written.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";

export interface Reply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: string;
}

export interface Sending {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  /** Added to those of a caller; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** The authority of a door that speaks TLS. */
  readonly ca?: string;
}

/** A message for /mcp. */
export const message = (method: string, params: object = {}, id: number | string = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

export const calling = (name: string, arguments_: object = {}): string =>
  message("tools/call", { name, arguments: arguments_ });

/** What the 2026-07-28 revision asks of each request. */
export function modern(method: string, params: { readonly name?: string } & object = {}) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const named = params.name === undefined ? {} : { "mcp-name": params.name };
  return {
    body: message(method, { ...params, _meta: meta }),
    headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": method, ...named },
  };
}

/** Sends one request on a connection of its own. */
export function sendTo(url: string, sending: Sending = {}): Promise<Reply> {
  const { hostname, port, protocol, host } = new URL(url);
  const { path = "/mcp", method = "POST", body = message("tools/list"), signal, ca } = sending;
  const standard = {
    host,
    authorization: "Bearer alice-agent",
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const headers = Object.fromEntries(
    Object.entries({ ...standard, ...sending.headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const request = protocol === "https:" ? httpsRequest : httpRequest;
  const to = { hostname, port, path, method, headers, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = request({ ...to, ...(signal ? { signal } : {}), ...(ca === undefined ? {} : { ca }) }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() }),
      );
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      // A door that answers before the whole body came may close while we still write.
      if (error.code !== "EPIPE" && error.code !== "ECONNRESET") reject(error);
    });
    sent.on("close", () => reject(new Error("the connection was closed before the answer was whole")));
    sent.end(method === "GET" || method === "HEAD" || method === "OPTIONS" ? "" : body);
  });
}

/** Writes these bytes and returns all that came back until the connection closed. */
export function rawTo(port: number, ...chunks: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => chunks.forEach((chunk) => socket.write(chunk)));
    socket.on("data", (part) => (answer += part.toString("latin1")));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "ECONNRESET") reject(error);
    });
    socket.on("close", () => resolve(answer));
  });
}
