// A loopback HTTP server in an API server's place: keeps what is posted, remembers every request, and fails where a test tells it to.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { isJsonObject, textAt, type JsonObject } from "../../../src/domain/json.ts";
import type { Connection, KubeClient } from "../../../src/kubernetes/contract.ts";
import { openClient } from "../../../src/kubernetes/client.ts";

export interface Seen {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
  readonly accept: string;
  readonly auditId: string;
  readonly body: JsonObject;
}

/** An answer instead of the ordinary one; `hang up` does the work and closes the connection without a word. */
export type Instead = { readonly status: number; readonly body: JsonObject } | "hang up" | undefined;

export interface Loopback {
  readonly connection: Connection;
  readonly client: KubeClient;
  readonly seen: Seen[];
  /** Objects by their path. */
  readonly objects: Map<string, JsonObject>;
  /** Asked before each answer. */
  instead: (seen: Seen) => Instead | Promise<Instead>;
  /** Seconds that minted tokens live, at most. */
  longest: number;
  close(): Promise<void>;
}

export async function openLoopback(): Promise<Loopback> {
  const seen: Seen[] = [];
  const objects = new Map<string, JsonObject>();
  let tokens = 0;

  function answer(request: Seen): { status: number; body: JsonObject } {
    const { method, path, body } = request;
    const stored = objects.get(path);
    if (path.endsWith("/token") && method === "POST") return { status: 201, body: token(path, body) };
    if (path === "/version") return { status: 200, body: { major: "1", minor: "36", gitVersion: "v1.36.4" } };
    if (path.endsWith("/selfsubjectaccessreviews")) return { status: 201, body: { status: { allowed: true } } };
    if (path.endsWith("/selfsubjectreviews"))
      return { status: 201, body: { status: { userInfo: { username: userOf(request.authorization) } } } };
    if (method === "POST") {
      const at = `${path}/${textAt(body, "metadata", "name")}`;
      if (objects.has(at)) return status(409, "AlreadyExists", path);
      const metadata = isJsonObject(body["metadata"]) ? body["metadata"] : {};
      const made = { ...body, metadata: { ...metadata, uid: `uid-${objects.size}`, resourceVersion: "1" } };
      objects.set(at, made);
      return { status: 201, body: made };
    }
    if (method === "GET" && request.accept.includes("as=Table")) return { status: 200, body: table(request) };
    if (stored === undefined) return status(404, "NotFound", path);
    if (method === "DELETE") objects.delete(path);
    if (method === "PUT") objects.set(path, body);
    return { status: 200, body: method === "PUT" ? body : stored };
  }
  function table({ path, query }: Seen): JsonObject {
    const [label = "", value] = (query.get("labelSelector") ?? "").split("=");
    const matches = (object: JsonObject): boolean => {
      const found = textAt(object, "metadata", "labels", label);
      return value === undefined ? found !== "" : found === value;
    };
    const rows = [...objects]
      .filter(([at, object]) => at.startsWith(`${path}/`) && matches(object))
      .map(([, object]) => ({ object: { metadata: object["metadata"] ?? {} } }));
    return { kind: "Table", metadata: {}, rows };
  }
  function token(path: string, body: JsonObject): JsonObject {
    const spec = isJsonObject(body["spec"]) ? body["spec"] : {};
    const [, namespace = "", account = ""] = /namespaces\/([^/]+)\/serviceaccounts\/([^/]+)/.exec(path) ?? [];
    const part = (claims: JsonObject): string => Buffer.from(JSON.stringify(claims)).toString("base64url");
    const claims = { sub: `system:serviceaccount:${namespace}:${account}`, jti: `jti-${++tokens}` };
    const seconds = Math.min(Number(spec["expirationSeconds"]), self.longest);
    return {
      spec: { ...spec, expirationSeconds: seconds },
      status: { token: `${part({ alg: "none" })}.${part(claims)}.signed` },
    };
  }

  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const request = await read(incoming);
      seen.push(request);
      const instead = await self.instead(request);
      const { status: code, body } = typeof instead === "object" ? instead : answer(request);
      if (instead === "hang up") outgoing.destroy();
      else outgoing.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const connection: Connection = {
    cluster: "loopback",
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls: { insecure: false },
    proxy: null,
    authorization: async () => "Bearer kubeconfig",
    namespace: "default",
  };
  const client = openClient(connection, { version: "0.0.0" });
  const self: Loopback = {
    connection,
    client,
    seen,
    objects,
    instead: () => undefined,
    longest: Infinity,
    async close() {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}

async function read(incoming: IncomingMessage): Promise<Seen> {
  let text = "";
  for await (const chunk of incoming) text += String(chunk);
  const url = new URL(incoming.url ?? "/", "http://loopback");
  const header = (name: string): string => String(incoming.headers[name] ?? "");
  const body: unknown = text === "" ? {} : JSON.parse(text);
  return {
    method: incoming.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    authorization: header("authorization"),
    accept: header("accept"),
    auditId: header("audit-id"),
    body: isJsonObject(body) ? body : {},
  };
}

/** A Status as Kubernetes writes one (meta.k8s.io/v1). */
export function status(code: number, reason: string, path: string, message = `${reason} ${path}`) {
  const name = path.split("/").at(-1) ?? "";
  const body = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason,
    message,
    code,
    details: { name, kind: "x" },
  };
  return { status: code, body };
}

/** A refusal by an admission policy, in Kubernetes' words. */
export function refusedBy(policy: string) {
  const message = `configmaps "preview-probe" is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: no`;
  return status(422, "Invalid", "preview-probe", message);
}

function userOf(authorization: string): string {
  const payload = authorization.split(".")[1];
  if (payload === undefined) return authorization.replace("Bearer ", "");
  return textAt(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as JsonObject, "sub");
}

/** `POST roles shop`, `DELETE secrets sallyport-sessions`, `POST serviceaccounts/token sallyport-sessions`. */
export function brief({ method, path }: Seen): string {
  const [, namespace = "", resource = "", , subresource] =
    /\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?$/.exec(path) ?? [];
  if (resource === "") return `${method} ${path.split("/").at(-1) ?? ""}`;
  return `${method} ${resource}${subresource === undefined ? "" : `/${subresource}`} ${namespace}`;
}
