// From an answer of the API server that is not 2xx to a fault (tools.md, section 4), and what each fault's detail holds.

import { isWrite } from "../domain/access.ts";
import { fault, type EffectLeft, type Fault, type FaultCode } from "../domain/fault.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { SentRequest } from "./contract.ts";
import { invalidFields } from "./invalid-fields.ts";
import { pinsAnotherUid, readRefusal } from "./refusals.ts";
import { readStatus, type Refusal, type Status } from "./status.ts";

/**
 * The keys that each fault of the cluster may carry; mcp/render.ts writes its sentences from them. All are optional.
 * `quote` and whatever is said to be the cluster's words is text a stranger may have written: masked and quoted before it is shown.
 * All else is ours, a number, or a name that passed names.ts.
 */
export const faultDetails = {
  invalid_input: {
    problems: "list of {path, rule}: the argument and the rule it broke, in our words",
    accepted: "list of field selectors that this kind accepts",
    candidates: "list of kinds that an ambiguous kind could mean, as Kind.group",
    choices: "list of container names of the pod",
    limit: "bytes, at most",
  },
  credential_unavailable: {
    why: "'refused' where Kubernetes did not accept it; 'source' where none could be read or made",
  },
  cluster_denied: {
    verb: "Kubernetes verb",
    kind: "resource, as in deployments.apps/scale",
    namespace: "or ''",
    name: "or ''",
  },
  quota_exceeded: {
    name: "the ResourceQuota",
    asked: "for example requests.cpu=2",
    used: "as asked",
    limit: "as asked",
    missing: "list of resources that the quota wants stated in each container",
  },
  admission_denied: {
    by: "'webhook', 'policy', 'pod-security', 'limits' or 'storage-class'",
    name: "the webhook, the policy, the Pod Security level, or ''",
    checks: "list of the Pod Security checks that failed, in our words",
    quote: "the cluster's own words",
  },
  admission_unavailable: { name: "the webhook that could not be reached, or ''" },
  namespace_terminating: { namespace: "the namespace" },
  not_found: { kind: "resource, as in deployments.apps", namespace: "or ''", name: "of the object" },
  unknown_kind: { kind: "resource that this cluster does not serve, or absent", near: "up to 3 names that do exist" },
  already_exists: {
    kind: "resource",
    namespace: "or ''",
    name: "of the object",
    deleting: "true where it is on its way out",
  },
  conflict_fields: {
    fields: "list of {field, manager}; both the cluster's words",
    own: "true where all were set by the gateway itself, by a patch or an update",
  },
  stale: { kind: "resource", namespace: "or ''", name: "of the object" },
  cursor_expired: { cursor: "true where it was a cursor; else what was read before is too old to go on from" },
  invalid_object: { problems: "list of {path, rule}; the path is the cluster's words, the rule ours" },
  immutable_field: { problems: "list of {path, rule}; the path is the cluster's words, the rule ours" },
  no_logs: { why: "'previous': there was no run before; 'waiting': the container has not started", name: "of the pod" },
  exec_failed: {
    why: "'container' not running, 'program' not there, 'node' not reached, 'protocol' not served; absent where it is not known",
    name: "of the pod",
  },
  resize_unsupported: {
    why: "'cluster' or 'node' too old, 'static', 'windows', 'init', 'pod-level' or 'claims': pods that Kubernetes resizes nowhere",
    name: "of the pod",
  },
  eviction_blocked: {
    budgets: "list of PodDisruptionBudget names, or empty",
    needs: "healthy pods needed",
    has: "healthy pods now",
  },
  cluster_busy: { seconds: "to wait, as the server says; absent where it does not" },
  cluster_unavailable: {
    why: "'name' 'refused' 'certificate' 'connection' 'proxy' 'answer' 'status' 'configuration'",
    status: "the HTTP status, where one came",
  },
  deadline_exceeded: {
    why: "'late' where no answer came in time, 'cut' where the connection broke, 'gateway' for a 504",
    waited: "seconds until it was given up",
  },
  limit_exceeded: { limit: "'bytes'", bytes: "at most" },
  cancelled: {},
  internal: {},
} as const satisfies Partial<Record<FaultCode, Readonly<Record<string, string>>>>;

export type ClusterCode = keyof typeof faultDetails;
export type Detail<Code extends ClusterCode> = { readonly [Key in keyof (typeof faultDetails)[Code]]?: Json };

/** A fault whose detail holds documented keys only. */
export function clusterFault<Code extends ClusterCode>(
  code: Code,
  detail: Detail<Code>,
  cause: string,
  effect: EffectLeft = "none",
): Fault {
  return fault(code, detail as Fault["detail"], cause, effect);
}

/** An answer that is not 2xx. */
export interface BadAnswer {
  readonly status: number;
  /** The Status object (meta.k8s.io/v1), or null where the body was no JSON object. */
  readonly body: JsonObject | null;
  /** Seconds of the `Retry-After` header, or null. */
  readonly retryAfter: number | null;
}

/** What was asked: for the fault's names and for the operator's cause. */
export interface Asked {
  readonly sent: SentRequest;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Was it a further page of a list? */
  readonly pages?: boolean;
}

/** What a write that may have reached the server leaves; reads and dry runs leave nothing. */
export function effectIfSent(sent: Pick<SentRequest, "verb" | "dryRun">): EffectLeft {
  return isWrite(sent.verb) && !sent.dryRun ? "unknown" : "none";
}

/** The fault of an answer. Nothing of the server's message passes but validated names, numbers, field paths and the admission quote. */
export function faultOf(answer: BadAnswer, asked: Asked): Fault {
  const status = readStatus(answer.status, answer.body);
  const reason = /^[A-Za-z]{1,60}$/.exec(status?.reason ?? "")?.[0] ?? "";
  const cause = `${asked.method} ${asked.path}: ${answer.status} ${reason}`.trimEnd();
  const { code, detail } = (status === null ? null : readRefusal(status)) ?? byStatus(answer, status, asked);
  // Before 500 the server decided against it; from 500 on it may have broken off midway, unless it says which check came first.
  const settled = answer.status < 500 || settledCodes.includes(code);
  return fault(code, detail, cause, settled ? "none" : effectIfSent(asked.sent));
}
const settledCodes: readonly FaultCode[] = [
  "admission_unavailable",
  "admission_denied",
  "eviction_blocked",
  "invalid_object",
];

/** What the number alone says, once no message was recognised. */
function byStatus(answer: BadAnswer, status: Status | null, { sent, pages }: Asked): Refusal {
  const { verb, namespace, name } = sent;
  const object = status === null || status.name === "" ? null : objectOf(status, sent);
  const asked = { kind: resourceText(sent), namespace, name };
  const seconds = answer.retryAfter ?? status?.retryAfterSeconds ?? null;
  const problems = invalidFields(status ?? { message: "", causes: [] });
  switch (answer.status) {
    case 400:
      return isWrite(verb)
        ? refusal("invalid_object", { problems })
        : refusal("invalid_input", { problems: [{ path: "", rule: "Kubernetes can't read this request" }] });
    case 401:
      return refusal("credential_unavailable", { why: "refused" });
    case 403:
      return refusal("cluster_denied", { verb, kind: accessText(sent), namespace, name });
    case 404:
      // Before Kubernetes 1.33 pods have no such subresource.
      if (object === null && sent.subresource === "resize")
        return refusal("resize_unsupported", { why: "cluster", name });
      return object === null ? refusal("unknown_kind", { kind: resourceText(sent) }) : refusal("not_found", object);
    case 405:
      return refusal("invalid_input", { problems: [{ path: "kind", rule: `this kind does not serve ${verb}` }] });
    case 409:
      if (status?.reason === "AlreadyExists") return refusal("already_exists", { ...object, ...leaving(status) });
      return refusal("stale", asked);
    case 410:
      return refusal("cursor_expired", pages === true ? { cursor: true } : {});
    case 413:
      return refusal("invalid_input", { problems: [{ path: "", rule: "too large" }], limit: mostBodyBytes });
    case 415:
      // Kubernetes knows no strategic merge of what is not its own kind; merge and JSON patches it takes of every kind.
      return refusal("invalid_input", { problems: [{ path: "type", rule: notStrategic }] });
    case 422:
      return status !== null && pinsAnotherUid(status)
        ? refusal("stale", asked)
        : refusal("invalid_object", { problems });
    case 429:
    case 503:
      return refusal("cluster_busy", seconds === null ? {} : { seconds });
    case 504:
      return refusal("deadline_exceeded", { why: "gateway" });
  }
  return refusal("cluster_unavailable", { why: "status", status: answer.status });
}

const notStrategic = "this kind takes no strategic patch: use type merge";

/** kube-apiserver's own limit of a request's body. */
export const mostBodyBytes = 3 * 1024 * 1024;

function refusal<Code extends ClusterCode>(code: Code, detail: Detail<Code>): Refusal {
  return { code, detail: detail as Fault["detail"] };
}

/** `deployments.apps` */
export function resourceText(sent: Pick<SentRequest, "group" | "resource">): string {
  return sent.group === "" ? sent.resource : `${sent.resource}.${sent.group}`;
}
/** `deployments.apps/scale` */
function accessText(sent: SentRequest): string {
  return sent.subresource === "" ? resourceText(sent) : `${resourceText(sent)}/${sent.subresource}`;
}

/** The object that the Status names: the one that was asked for, or the missing namespace of a create. */
function objectOf(status: Status, sent: SentRequest): { kind: string; namespace: string; name: string } {
  const missing = status.kind === "namespaces" && status.group === "" && sent.resource !== "namespaces";
  return missing
    ? { kind: "namespaces", namespace: "", name: status.name }
    : { kind: resourceText(sent), namespace: sent.namespace, name: status.name };
}

/** An object that "already exists" may be on its way out, held by a finalizer. */
function leaving(status: Status): { deleting?: true } {
  return status.message.startsWith("object is being deleted: ") ? { deleting: true } : {};
}
