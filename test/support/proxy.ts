// A wire between the gateway and an API server that a test can cut, slow down or answer on: faults at the network edge.

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { writeFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocketServer, type WebSocket } from "ws";

/** What passes by, before it is sent on. */
export interface Passing {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Action =
  | { readonly kind: "pass" }
  /** Answers in the server's place. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Record<string, string>;
    }
  /** Sends half of a JSON answer, then drops the connection. */
  | { readonly kind: "half" }
  | { readonly kind: "raw"; readonly body: string }
  /** Passes it on, and its answer back after so many milliseconds. */
  | { readonly kind: "late"; readonly milliseconds: number }
  /** Passes it on, and its answer back once this has settled. */
  | { readonly kind: "held"; readonly until: Promise<unknown> }
  /** Passes it on, and its answer back as this makes it; further headers may be put to it. */
  | { readonly kind: "edited"; readonly edit: (body: string) => string; readonly headers?: Record<string, string> }
  /** Never answers. */
  | { readonly kind: "hang" }
  /** Begins an answer of 200 and says no more, or drops the connection. */
  | { readonly kind: "begin"; readonly body: string; readonly after: "hang" | "drop" }
  /** Takes up a WebSocket in the server's place (`v5.channel.k8s.io`). */
  | { readonly kind: "talk"; readonly talk: (socket: WebSocket, raw: Duplex) => void }
  | { readonly kind: "drop" }
  /** Passes the request on and drops the answer: the effect is there, the news is not. */
  | { readonly kind: "swallow" };

export interface Wire {
  readonly server: string;
  readonly kubeconfigPath: string;
  /** Every request so far. */
  readonly passed: Passing[];
  /** `GET /api/…` for each request whose sender closed the connection before its answer was whole. */
  readonly left: string[];
  /** Decides what happens to each request from now on. */
  rule: (passing: Passing) => Action;
  stop(): Promise<void>;
}

export interface WireOptions {
  readonly target: { readonly server: string; readonly ca?: string };
  readonly adminToken: string;
  readonly folder: string;
}

/** Opens the wire on loopback, with a kubeconfig that leads through it. */
export async function openWire(options: WireOptions): Promise<Wire> {
  const { target, adminToken, folder } = options;
  const server = createServer((request, response) => void serve(request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => upgrade(request, socket, head));
  const upgraded = new Set<Duplex>();
  const talker = new WebSocketServer({ noServer: true, handleProtocols: () => "v5.channel.k8s.io" });
  const wire: Wire = {
    server: "",
    kubeconfigPath: `${folder}/wire.kubeconfig`,
    passed: [],
    left: [],
    rule: () => ({ kind: "pass" }),
    async stop() {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const passing = {
      method: request.method ?? "GET",
      url: request.url ?? "/",
      headers: request.headers,
      body: body.toString(),
    };
    wire.passed.push(passing);
    response.on("close", () => {
      if (!response.writableFinished) wire.left.push(`${passing.method} ${passing.url}`);
    });
    const action = wire.rule(passing);
    const passOn = (answer: IncomingMessage): void => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    };
    switch (action.kind) {
      case "pass":
        return forward(request, body, passOn, () => response.destroy());
      case "late": {
        const later = (answer: IncomingMessage): void => void pause(action.milliseconds).then(() => passOn(answer));
        return forward(request, body, later, () => response.destroy());
      }
      case "held": {
        const later = (answer: IncomingMessage): void =>
          void action.until.then(
            () => passOn(answer),
            () => passOn(answer),
          );
        return forward(request, body, later, () => response.destroy());
      }
      case "edited": {
        const changed = (answer: IncomingMessage): void => {
          let text = "";
          answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          answer.on("end", () => {
            const { "content-length": _length, "transfer-encoding": _coding, ...headers } = answer.headers;
            response.writeHead(answer.statusCode ?? 502, { ...headers, ...action.headers });
            response.end(action.edit(text));
          });
        };
        return forward(request, body, changed, () => response.destroy());
      }
      case "swallow":
        return forward(
          request,
          body,
          (answer) => {
            answer.resume();
            answer.on("end", () => response.destroy());
          },
          () => response.destroy(),
        );
      case "answer":
        response.writeHead(action.status, { "content-type": "application/json", ...action.headers });
        response.end(JSON.stringify(action.body));
        return;
      case "raw":
        response.writeHead(200, { "content-type": "application/json" });
        response.end(action.body);
        return;
      case "half":
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"kind":"PodList","items":[');
        setTimeout(() => response.destroy(), 20);
        return;
      case "begin":
        response.writeHead(200, { "content-type": "application/json" });
        response.write(action.body);
        if (action.after === "drop") setTimeout(() => response.destroy(), 20);
        return;
      case "drop":
        request.socket.destroy();
        return;
      case "talk":
      case "hang":
        return;
    }
  }

  /** A WebSocket, passed on byte for byte or taken up here. */
  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const passing: Passing = { method: "GET", url: request.url ?? "/", headers: request.headers, body: "" };
    wire.passed.push(passing);
    let ended = false;
    const gone = (): void => {
      if (!ended) wire.left.push(`GET ${passing.url}`);
      ended = true;
    };
    upgraded.add(socket.on("error", () => socket.destroy()).on("end", gone));
    socket.on("close", () => {
      gone();
      upgraded.delete(socket);
    });
    const action = wire.rule(passing);
    if (action.kind === "talk")
      return talker.handleUpgrade(request, socket, head, (one) => {
        one.on("error", () => undefined);
        action.talk(one, socket);
      });
    if (action.kind === "hang") return;
    ended = true;
    if (action.kind !== "pass") return void socket.destroy();
    ended = false;
    const url = new URL(target.server);
    const sent = (url.protocol === "https:" ? httpsRequest : httpRequest)({
      host: url.hostname,
      port: url.port,
      path: request.url,
      headers: { ...request.headers, host: url.host },
      ...(target.ca === undefined ? {} : { ca: target.ca }),
    });
    const head_ = (answer: IncomingMessage): string => {
      const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ""}`];
      for (let at = 0; at < answer.rawHeaders.length; at += 2)
        lines.push(`${answer.rawHeaders[at] ?? ""}: ${answer.rawHeaders[at + 1] ?? ""}`);
      return `${lines.join("\r\n")}\r\n\r\n`;
    };
    sent.on("upgrade", (answer, upstream: Duplex, first: Buffer) => {
      socket.write(head_(answer));
      socket.write(first);
      upstream.on("error", () => upstream.destroy());
      upstream.on("end", () => (ended = true));
      upstream.pipe(socket).pipe(upstream);
      socket.on("close", () => upstream.destroy());
    });
    sent.on("response", (answer) => {
      ended = true;
      socket.write(head_(answer));
      answer.pipe(socket);
    });
    sent.on("error", () => socket.destroy());
    sent.end();
  }

  function forward(
    request: IncomingMessage,
    body: Buffer,
    done: (answer: IncomingMessage) => void,
    failed: () => void,
  ): void {
    const url = new URL(target.server);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const sent = send(
      {
        host: url.hostname,
        port: url.port,
        path: request.url,
        method: request.method,
        headers: { ...request.headers, host: url.host },
        ...(target.ca === undefined ? {} : { ca: target.ca }),
      },
      done,
    );
    sent.on("error", failed);
    sent.end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  await writeFile(
    wire.kubeconfigPath,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "wire",
      clusters: [{ name: "wire", cluster: { server: origin } }],
      users: [{ name: "admin", user: { token: adminToken } }],
      contexts: [{ name: "wire", context: { cluster: "wire", user: "admin" } }],
    }),
    { mode: 0o600 },
  );
  return Object.assign(wire, { server: origin });
}

/** A Kubernetes Status (meta/v1) as the API server would send it. */
export function status(code: number, reason: string, message: string, details: object = {}): Action {
  return {
    kind: "answer",
    status: code,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, details, code },
  };
}
