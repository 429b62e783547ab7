// A wire between the gateway and an API server that a test can cut, slow down or answer on: faults at the network edge.

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

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
  /** Never answers. */
  | { readonly kind: "hang" }
  | { readonly kind: "drop" }
  /** Passes the request on and drops the answer: the effect is there, the news is not. */
  | { readonly kind: "swallow" };

export interface Wire {
  readonly server: string;
  readonly kubeconfigPath: string;
  /** Every request so far. */
  readonly passed: Passing[];
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
  const wire: Wire = {
    server: "",
    kubeconfigPath: `${folder}/wire.kubeconfig`,
    passed: [],
    rule: () => ({ kind: "pass" }),
    async stop() {
      server.closeAllConnections();
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
      case "drop":
        request.socket.destroy();
        return;
      case "hang":
        return;
    }
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
