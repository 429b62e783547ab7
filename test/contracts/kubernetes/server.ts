// A small real server on loopback that stands where an API server would: the network's edge, so that every bad ending can be played.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { Faulted, type Fault } from "../../../src/domain/fault.ts";
import { openClient, type ClientOptions } from "../../../src/kubernetes/client.ts";
import type { Connection, KubeClient, KubeRequest } from "../../../src/kubernetes/contract.ts";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly socket: Socket;
  /** 1 for the first request. */
  readonly turn: number;
}

export interface Stage {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Every connection that was made. */
  readonly sockets: readonly Socket[];
}

export type Play = (seen: Seen, response: ServerResponse) => void;

/** Serves until the test ends. */
export async function serve(play: Play, tls?: ServerOptions): Promise<Stage> {
  const seen: Seen[] = [];
  const sockets: Socket[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers, socket } = request;
      const one = { method, url, headers, socket, body: Buffer.concat(chunks).toString("utf8"), turn: seen.length + 1 };
      seen.push(one);
      play(one, response);
    });
    request.on("error", () => response.destroy());
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, seen, sockets };
}

/** Answers every request with this JSON. */
export function answers(value: unknown, status = 200, headers: Record<string, string | string[]> = {}): Play {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
}

/** A client of a server, closed when the test ends. */
export function clientOf(
  server: string,
  more: Partial<Connection> = {},
  options: Partial<ClientOptions> = {},
): KubeClient {
  const client = openClient(
    {
      cluster: "test",
      server,
      tls: { insecure: false },
      proxy: null,
      authorization: () => Promise.resolve(null),
      namespace: "default",
      ...more,
    },
    { version: "1.2.3", ...options },
  );
  onTestFinished(() => client.close());
  return client;
}

/** A read of one ConfigMap, or what `more` makes of it. */
export function asking(more: Partial<KubeRequest> = {}): KubeRequest {
  return {
    verb: "get",
    group: "",
    version: "v1",
    resource: "configmaps",
    namespace: "shop",
    name: "settings",
    authorization: "Bearer token-of-a-test",
    auditId: "call_0190.1",
    agent: "claude",
    signal: new AbortController().signal,
    ...more,
  };
}

/** A merge patch of a Deployment: a write. */
export function patching(more: Partial<KubeRequest> = {}): KubeRequest {
  return asking({
    verb: "patch",
    group: "apps",
    resource: "deployments",
    name: "api",
    contentType: "application/merge-patch+json",
    body: { spec: { replicas: 2 } },
    ...more,
  });
}

/** The fault that a promise ends with. */
export async function faultFrom(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof Faulted) return thrown.fault;
    throw thrown;
  }
  throw new Error("it did not fault");
}
