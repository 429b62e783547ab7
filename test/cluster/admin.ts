// The cluster's administrator, for setting tests up and for looking at what came of them.

import { randomUUID } from "node:crypto";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { isJsonObject } from "../../src/domain/json.ts";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { auditEvents } from "../support/audit-log.ts";

export interface AdminOptions {
  readonly server: string;
  readonly ca?: string;
  readonly adminToken: string;
  readonly auditLogPath: string;
}

export interface Admin {
  /** The answer's body and status, whatever it is. `token` instead of the admin's own. */
  send(
    method: string,
    path: string,
    body?: Json,
    options?: { readonly token?: string; readonly contentType?: string },
  ): Promise<{ readonly status: number; readonly body: JsonObject }>;
  /** Creates; throws unless it was created. */
  create(path: string, body: JsonObject): Promise<JsonObject>;
  /** The API server's own audit log (audit.k8s.io/v1), oldest first. */
  audit(): Promise<readonly JsonObject[]>;
}

/** Nothing came of the request: it can be sent again. */
class NotSent extends Error {}

/** On a busy machine a server gives up a handshake that takes too long. */
function neverSent({ message }: Error): boolean {
  return message.includes("before secure TLS connection was established");
}

export function adminOf(options: AdminOptions): Admin {
  const url = new URL(options.server);
  const once = (
    method: string,
    path: string,
    body: Json | undefined,
    { token = options.adminToken, contentType = "application/json" }: NonNullable<Parameters<Admin["send"]>[3]>,
  ): ReturnType<Admin["send"]> =>
    new Promise((resolve, reject) => {
      const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(
        {
          host: url.hostname,
          port: url.port,
          path,
          method,
          ...(options.ca === undefined ? {} : { ca: options.ca }),
          headers: {
            authorization: `Bearer ${token}`,
            accept: "application/json",
            "content-type": contentType,
            "audit-id": `admin-${randomUUID()}`,
          },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.on("end", () => {
            const parsed: unknown = text.startsWith("{") ? JSON.parse(text) : {};
            resolve({ status: response.statusCode ?? 0, body: isJsonObject(parsed) ? parsed : {} });
          });
        },
      );
      request.on("error", (thrown: NodeJS.ErrnoException) =>
        reject(neverSent(thrown) || (method === "GET" && request.reusedSocket) ? new NotSent(thrown.message) : thrown),
      );
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const send: Admin["send"] = async (method, path, body, asked = {}) => {
    for (let tries = 1; ; tries++)
      try {
        return await once(method, path, body, asked);
      } catch (thrown) {
        if (!(thrown instanceof NotSent) || tries === 10) throw thrown;
      }
  };
  return {
    send,
    async create(path, body) {
      const answer = await send("POST", path, body);
      if (answer.status !== 201 && answer.status !== 200)
        throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    audit: async () => await auditEvents(options.auditLogPath),
  };
}

/** A Deployment of pause containers with a password in its env. */
export function deployment(name: string, replicas: number, password: string): JsonObject {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            { name: "main", image: "registry.example.com/pause:1", env: [{ name: "DB_PASSWORD", value: password }] },
          ],
        },
      },
    },
  };
}

/** A namespace whose environment is `prod` or another. */
export function namespace(name: string, environment: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "sallyport.dev/environment": environment } },
  };
}
