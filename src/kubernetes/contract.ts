// What the rest of Sallyport sees of a Kubernetes API server.

import type { Json, JsonObject } from "../domain/json.ts";
import type { Verb } from "../domain/access.ts";
import type { FindKind, ResourceKind } from "../tool.ts";

/** How to reach one cluster: from one kubeconfig context, or from the pod's own environment. */
export interface Connection {
  /** The name that policy, entries and agents use for this cluster. */
  readonly cluster: string;
  readonly server: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
    /** Only from the kubeconfig's own `insecure-skip-tls-verify`. */
    readonly insecure: boolean;
  };
  /** HTTP proxy from the kubeconfig's `proxy-url`, else from the environment, or null. */
  readonly proxy: string | null;
  /** The kubeconfig user's own `Authorization` header, or null where a client certificate (or nothing) authenticates. Faults: credential_unavailable. */
  readonly authorization: () => Promise<string | null>;
  /** The client certificate that a credential plugin gives, and gives anew before it ends; null where it gave a token. Absent where there is no plugin. Faults: credential_unavailable. */
  readonly certificate?: () => Promise<ClientCertificate | null>;
  /** The kubeconfig's namespace, for people; tools never default to it. */
  readonly namespace: string;
}

/** PEM, both. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** One request to the API server, in Kubernetes' own terms. */
export interface KubeRequest {
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource?: string;
  /** "" for cluster scope. */
  readonly namespace: string;
  /** "" for the collection. */
  readonly name: string;
  readonly query?: { readonly [key: string]: string };
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: Json;
  /** The `Authorization` header's value; null sends none (the client certificate, if any, authenticates). */
  readonly authorization: string | null;
  /** `<call id>.<n>`; the API server stores it as its audit id. */
  readonly auditId: string;
  /** The agent's name, for the User-Agent header; reduced to safe characters. */
  readonly agent: string;
  readonly signal: AbortSignal;
  /** Milliseconds until the answer must be complete. Default 30,000. */
  readonly timeout?: number;
  /** Most bytes of the answer. Default 16 MiB. Beyond: fault limit_exceeded. */
  readonly maxBytes?: number;
  /** Sees what is really sent, just before it is; throws `Faulted` to refuse it. */
  readonly guard?: (sent: SentRequest) => void;
}

/** A request as the API server reads it: parsed back from the final method and URL (apiserver, RequestInfo). */
export interface SentRequest {
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** "" where there is none. */
  readonly subresource: string;
  /** "" for cluster scope and for all namespaces. */
  readonly namespace: string;
  /** The name in the path; "" for the collection. */
  readonly name: string;
  /** The one name that a list's or watch's field selector pins (`metadata.name=…`), or "". */
  readonly pinned: string;
  readonly dryRun: boolean;
}

/** One command in one container of a pod: a list of words, no shell between, no terminal, no input. */
export interface ExecRequest extends Pick<
  KubeRequest,
  "namespace" | "name" | "authorization" | "auditId" | "agent" | "signal"
> {
  readonly container: string;
  readonly command: readonly string[];
  /** Milliseconds until the connection is closed, whatever the command does. */
  readonly timeout: number;
  /** Most bytes of both streams together; beyond, the connection is closed. */
  readonly maxBytes: number;
  /** Sees what is really sent, just before it is; throws `Faulted` to refuse it. */
  readonly guard: (sent: SentExec) => void;
  /** Is told of the output as it comes, also of a command whose end is never known. */
  readonly hears?: Hears;
}

/** Hears a command. Neither may throw. */
export interface Hears {
  /** The connection is open. */
  began(): void;
  /** The next bytes of one stream, within `maxBytes`; cut anywhere, also inside a character. */
  took(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/** A command as the API server reads it, parsed back from the final URL (core/v1, PodExecOptions). */
export interface SentExec {
  /** The request that carries it: `get` of `pods/exec`. */
  readonly sent: SentRequest;
  readonly container: string;
  readonly command: readonly string[];
}

export interface ExecAnswer {
  readonly stdout: string;
  readonly stderr: string;
  /** `exited`: null where only "not zero" is known. `cut`: the connection was closed before the command ended; it may still run. */
  readonly end:
    | { readonly kind: "exited"; readonly code: number | null }
    | { readonly kind: "cut"; readonly by: "bytes" | "time" };
}

export interface KubeAnswer {
  readonly status: number;
  readonly body: JsonObject;
  /** The API server's `Warning:` headers' texts. Cluster text. */
  readonly warnings: readonly string[];
}

export interface KubeText {
  readonly text: string;
  readonly cut: boolean;
  /** Which cap cut it; null where none did. */
  readonly why: "bytes" | "time" | null;
}

/** A pooled keep-alive client of one API server. Throws `Faulted` for each answer that is not 2xx (tools.md, section 4). */
export interface KubeClient {
  readonly cluster: string;
  request(request: KubeRequest): Promise<KubeAnswer>;
  /** The answer's text as it is (logs); cut at `maxBytes`, or at the deadline once text has begun to come, with `cut` and `why` telling so. */
  text(request: KubeRequest): Promise<KubeText>;
  /**
   * Sends a watch and gives each piece of its answer to `take`, until the server ends it, the time is over, the connection breaks, or `take` answers
   * false. Faults: those of an answer that is not 2xx; cancelled.
   */
  watch(request: KubeRequest, take: (chunk: Buffer) => boolean): Promise<void>;
  /** Runs one command over a WebSocket (`v5.channel.k8s.io`). Faults: exec_failed, and the cluster's; its effect is that of a write. */
  exec(request: ExecRequest): Promise<ExecAnswer>;
  /** A GET outside the resource tree (`/version`, `/api`, `/apis`, `/openapi/…`): only these, and never a resource under them. */
  path(
    path: string,
    options: {
      readonly authorization: string | null;
      readonly signal: AbortSignal;
      readonly accept?: string;
      /** Whose it is, where one call causes it: as of any request. */
      readonly auditId?: string;
      readonly agent?: string;
      /** Told when the answer says it was made: milliseconds since 1970, of whole seconds; null where it does not say, or says no time. */
      readonly dated?: (at: number | null) => void;
    },
  ): Promise<JsonObject>;
  close(): Promise<void>;
}

/** What a cluster serves. */
export interface Discovery {
  /** Turns what an agent writes into one kind. Faults: unknown_kind, invalid_input (ambiguous), and the cluster's. */
  readonly find: FindKind;
  /** Each resource once, in the version that the server prefers. */
  readonly kinds: () => Promise<readonly ResourceKind[]>;
}
