// A small real TLS server on loopback that speaks the v5 channel protocol: the network's edge of a command, so that every bad ending can be played.

import { createServer } from "node:https";
import { createServer as createPlainServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import type { ExecRequest } from "../../../src/kubernetes/contract.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { ca, serverCert, serverKey } from "./certificates.ts";

export interface ExecStage {
  readonly url: string;
  /** Every request for a WebSocket that came. */
  readonly asked: readonly IncomingMessage[];
  /** Every connection, and those that are still open. */
  readonly sockets: readonly Socket[];
  readonly open: () => number;
  /** The certificate's name that each connection showed, or "". */
  readonly clients: readonly string[];
  /** Settles when one of them closes. */
  readonly closed: () => Promise<void>;
}

/** What happens to a request: a conversation, or an answer in its place written to the bare socket. */
export type Play =
  | { readonly kind: "talk"; readonly talk: (socket: WebSocket, raw: Socket) => void }
  | { readonly kind: "write"; readonly write: (raw: Socket) => void };

export const talk = (how: (socket: WebSocket, raw: Socket) => void): Play => ({ kind: "talk", talk: how });
export const write = (how: (raw: Socket) => void): Play => ({ kind: "write", write: how });

/** Serves until the test ends. `protocols` are those that it speaks. */
export async function serveExec(
  play: Play,
  { tls = true, protocol = "v5.channel.k8s.io" }: { readonly tls?: boolean; readonly protocol?: string | false } = {},
): Promise<ExecStage> {
  const asked: IncomingMessage[] = [];
  const sockets: Socket[] = [];
  const clients: string[] = [];
  let closing = Promise.withResolvers<void>();
  const server = tls
    ? createServer({ cert: serverCert, key: serverKey, ca, requestCert: true, rejectUnauthorized: false })
    : createPlainServer();
  const talker = new WebSocketServer({ noServer: true, handleProtocols: () => protocol });
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.push(socket);
    const shown = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
    clients.push(typeof shown === "string" ? shown : "");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      closing.resolve();
      closing = Promise.withResolvers();
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(request);
    if (play.kind === "write") return play.write(socket);
    return talker.handleUpgrade(request, socket, head, (one) => {
      one.on("error", () => undefined);
      play.talk(one, socket);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    talker.close();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    asked,
    sockets,
    clients,
    open: () => sockets.filter((socket) => !socket.destroyed).length,
    closed: () => closing.promise,
  };
}

/** One message on a channel. */
export function say(socket: WebSocket, channel: 1 | 2 | 3, text: string | Buffer | JsonObject): void {
  const body = Buffer.isBuffer(text) ? text : Buffer.from(typeof text === "string" ? text : JSON.stringify(text));
  socket.send(Buffer.concat([Buffer.from([channel]), body]));
}

export const success: JsonObject = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };

/** How a kubelet tells of an exit code that is not zero. */
export const exited = (code: number): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  message: `command terminated with non-zero exit code: exit status ${code}`,
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: String(code) }] },
});

/** How everything else is told. */
export const broke = (message: string): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  message: `Internal error occurred: ${message}`,
  reason: "InternalError",
  details: { causes: [{ message }] },
  code: 500,
});

/** `ls /tmp` in one pod, or what `more` makes of it. */
export function running(more: Partial<ExecRequest> = {}): ExecRequest {
  return {
    namespace: "shop",
    name: "web-1",
    container: "web",
    command: ["ls", "/tmp"],
    authorization: "Bearer token-of-a-test",
    auditId: "call_0190.1",
    agent: "claude",
    signal: new AbortController().signal,
    timeout: 5_000,
    maxBytes: 65_536,
    guard: () => undefined,
    ...more,
  };
}
