// Plain requests to an API server, and the small objects that the conformance suite makes with them.

import { Agent, request } from "undici";
import { expect } from "vitest";

/** How the suite reaches the API server it is run against. */
export interface Target {
  /** `http://127.0.0.1:PORT` or `https://…`. */
  readonly server: string;
  /** PEM of the server's certificate authority, for https. */
  readonly ca?: string;
  /** A token of a user in system:masters. */
  readonly adminToken: string;
  /** The server's audit log as JSON lines, where this process can read it. */
  readonly auditLogPath?: string;
  /** A running pod with one container that has logged at least three lines. */
  readonly logs?: { readonly namespace: string; readonly pod: string };
  stop(): Promise<void>;
}

/** JSON as it came: bodies of every kind are asserted on. */
export type Body = ReturnType<typeof JSON.parse>;

export interface Reply {
  readonly code: number;
  readonly body: Body;
  readonly text: string;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
}

export interface Options {
  readonly token?: string | null;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: { readonly [name: string]: string };
}

/** One client of the target: `call("GET", "/api/v1/…")`, as the administrator unless told otherwise. */
export class Client {
  readonly target: Target;
  /** A namespace of this run's own. */
  readonly namespace: string;
  readonly #agent: Agent;

  constructor(target: Target) {
    this.target = target;
    this.namespace = `suite-${Math.random().toString(36).slice(2, 10)}`;
    this.#agent = new Agent({ connect: target.ca === undefined ? {} : { ca: target.ca }, allowH2: false });
  }

  async call(method: string, path: string, options: Options = {}): Promise<Reply> {
    const token = options.token === undefined ? this.target.adminToken : options.token;
    const patching = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const reply = await request(`${this.target.server}${path}`, {
      method: method as "GET",
      dispatcher: this.#agent,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(options.body === undefined ? {} : { "content-type": options.type ?? patching }),
        accept: options.accept ?? "application/json",
        "user-agent": "suite/1",
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === "string" ? options.body : JSON.stringify(options.body) }),
    });
    const text = await reply.body.text();
    const isJson = String(reply.headers["content-type"]).startsWith("application/json");
    return { code: reply.statusCode, body: isJson ? JSON.parse(text) : text, text, headers: reply.headers };
  }

  /** The events of a watch until the server ends it, each with its type and its object's name; an error's code instead. */
  async events(path: string): Promise<readonly string[]> {
    const reply = await request(`${this.target.server}${path}`, {
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.target.adminToken}`, accept: "application/json" },
    });
    const lines = (await reply.body.text()).trim().split("\n");
    return lines
      .filter((line) => line !== "")
      .map((line): Body => JSON.parse(line))
      .map(
        (event) =>
          `${event.type ?? reply.statusCode} ${event.object?.metadata?.name ?? event.object?.code ?? event.code}`,
      );
  }

  /** The path of a core/v1 resource in the run's namespace. */
  core(resource: string, name = "", subresource = ""): string {
    return this.#path("/api/v1", resource, name, subresource);
  }

  apps(resource: string, name = "", subresource = ""): string {
    return this.#path("/apis/apps/v1", resource, name, subresource);
  }

  rbac(resource: string, name = ""): string {
    return this.#path("/apis/rbac.authorization.k8s.io/v1", resource, name, "");
  }

  #path(root: string, resource: string, name: string, subresource: string): string {
    return [root, "namespaces", this.namespace, resource, name, subresource].filter((part) => part !== "").join("/");
  }

  /** Creates and expects 201. */
  async make(path: string, object: object): Promise<Body> {
    const made = await this.call("POST", path, { body: object });
    expect(made.code, made.text).toBe(201);
    return made.body;
  }

  /** A ServiceAccount with these rules in the run's namespace, and a token of it that the server already heeds. */
  async account(name: string, rules: readonly object[]): Promise<string> {
    await this.make(this.core("serviceaccounts"), { metadata: { name } });
    await this.make(this.rbac("roles"), { metadata: { name }, rules });
    await this.bind(name, "Role", name, name);
    return this.token(name);
  }

  async bind(name: string, kind: "Role" | "ClusterRole", role: string, account: string): Promise<void> {
    await this.make(this.rbac("rolebindings"), {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: role },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: this.namespace }],
    });
  }

  async token(account: string, spec: object = {}): Promise<string> {
    const asked = await this.make(this.core("serviceaccounts", account, "token"), { spec });
    return asked.status.token as string;
  }

  async close(): Promise<void> {
    await this.call("DELETE", `/api/v1/namespaces/${this.namespace}`);
    await this.#agent.close();
    await this.target.stop();
  }
}

/** Tries until the assertions hold: caches and controllers take their time (a real server's token cache up to ten seconds). */
export async function eventually<T>(body: () => Promise<T>, seconds = 20): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await body();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A Status of failure, whole. */
export function failure(code: number, reason: string, message: string, details?: object): object {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  return details === undefined ? status : { ...status, details };
}

export const deployment = (name: string, replicas: number, app = name): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, labels: { app } },
  spec: {
    replicas,
    selector: { matchLabels: { app } },
    template: {
      metadata: { labels: { app } },
      spec: {
        serviceAccountName: "runner",
        containers: [{ name: "main", image: "registry.example.com/main:1", env: [{ name: "A", value: "1" }] }],
      },
    },
  },
});
