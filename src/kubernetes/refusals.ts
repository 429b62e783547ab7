// Recognises what a Status means by its reason, its causes and the fixed phrases of Kubernetes' own messages; the messages themselves never pass.

import { deniedByPolicy, deniedByWebhook, forbidden, unreachableWebhook } from "./admission.ts";
import { invalidFields, isFixed, schemaProblems } from "./invalid-fields.ts";
import { showable, type Refusal, type Status } from "./status.ts";

/**
 * The refusal that a Status's content shows, or null where only its HTTP status speaks.
 * Admission comes first: its plugins may answer any status, so their words decide before the number does.
 */
export function readRefusal(status: Status): Refusal | null {
  for (const recognise of recognisers) {
    const refusal = recognise(status);
    if (refusal !== null) return refusal;
  }
  return null;
}

const recognisers: readonly ((status: Status) => Refusal | null)[] = [
  deniedByWebhook,
  deniedByPolicy,
  unreachableWebhook,
  forbidden,
  terminating,
  eviction,
  fieldManagers,
  schema,
  badRequest,
  resize,
  invalid,
];

function terminating({ code, causes, message }: Status): Refusal | null {
  const ending = causes.some((cause) => cause.reason === "NamespaceTerminating");
  // A namespace's own deletion, asked again while its content is being removed.
  const emptying =
    code === 409 &&
    message.endsWith(
      "ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.",
    );
  const [, namespace = ""] = / in namespace ([a-z0-9-]+) because it is being terminated$/.exec(message) ?? [];
  return ending || emptying ? { code: "namespace_terminating", detail: { namespace } } : null;
}

function eviction({ code, causes, message }: Status): Refusal | null {
  if (code === 500 && message.startsWith("This pod has more than one PodDisruptionBudget"))
    return { code: "eviction_blocked", detail: { budgets: [] } };
  const cause = code === 429 ? causes.find((one) => one.reason === "DisruptionBudget") : undefined;
  if (cause === undefined) return null;
  const said = /^The disruption budget (\S+) needs (\d+) healthy pods and has (\d+) currently$/.exec(cause.message);
  if (said === null) return { code: "eviction_blocked", detail: { budgets: [] } };
  const [, budget = "", needs, has] = said;
  return { code: "eviction_blocked", detail: { budgets: [showable(budget)], needs: Number(needs), has: Number(has) } };
}

function fieldManagers({ code, causes }: Status): Refusal | null {
  const conflicts = code === 409 ? causes.filter((cause) => cause.reason === "FieldManagerConflict") : [];
  if (conflicts.length === 0) return null;
  // Kubernetes names them in no order. No manager may be missing: whether a controller is among them decides about force.
  const fields = conflicts
    .map(({ field, message }) => ({
      field: field.slice(0, 200),
      manager: managerIn(message),
    }))
    .sort((a, b) => inOrder(a.manager, b.manager) || inOrder(a.field, b.field));
  const counted = new Map<string, number>();
  const shown = fields.filter(({ manager }) => {
    const count = (counted.get(manager) ?? 0) + 1;
    counted.set(manager, count);
    return count <= mostOfOne;
  });
  const own = shown.every(({ manager }) => manager === "sallyport");
  return { code: "conflict_fields", detail: { fields: shown, ...(own ? { own } : {}) } };
}
/** The name between Go's quotes (structured-merge-diff, ConflictsFromManagers); "" where it can't be read. */
function managerIn(message: string): string {
  const [, quoted = ""] = /^conflict with ("(?:[^"\\]|\\["\\])*")/.exec(message) ?? [];
  return quoted.slice(1, -1).replaceAll(/\\(.)/g, "$1");
}
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** Fields of one manager that are told. */
const mostOfOne = 1000;

/** A body that does not fit the schema: 400 for a create, 422 for a patch, 500 without a reason for a server-side apply. */
function schema({ code, reason, message }: Status): Refusal | null {
  if (code !== 400 && code !== 422 && !(code === 500 && reason === "")) return null;
  const problems = schemaProblems(message);
  return problems.length === 0 ? null : { code: "invalid_object", detail: { problems } };
}

/** The 400s whose phrase says which argument was wrong. */
function badRequest({ code, message }: Status): Refusal | null {
  if (code !== 400) return null;
  if (message.startsWith("invalid continue token") || message.startsWith("continue key is not valid"))
    return { code: "cursor_expired", detail: { cursor: true } };
  if (message.startsWith("unable to parse requirement: ")) return input("selector", "not a label selector");
  if (message.startsWith("invalid selector: ")) return input("field_selector", "not a field selector");
  if (message.startsWith("field label not supported: ")) return input("field_selector", unselectable);
  const [, only] = / is not a known field selector: only ((?:"[A-Za-z0-9_.-]+"(?:, )?)+)$/.exec(message) ?? [];
  if (only !== undefined)
    return input("field_selector", unselectable, { accepted: only.replaceAll('"', "").split(", ") });
  const [, last] = /^previous terminated container "[^"]*" in pod "([^"]*)" not found$/.exec(message) ?? [];
  if (last !== undefined) return { code: "no_logs", detail: { why: "previous", name: showable(last) } };
  const [, pod] =
    /^container "[^"]*" in pod "([^"]*)" is (?:waiting to start|terminated|not available)/.exec(message) ?? [];
  if (pod !== undefined) return { code: "no_logs", detail: { why: "waiting", name: showable(pod) } };
  if (/^container \S+ is not valid for pod \S+$/.test(message))
    return input("container", "not a container of this pod");
  const [, choices] =
    /^a container name must be specified for pod \S+, choose one of: \[([a-z0-9 -]+)\]/.exec(message) ?? [];
  return choices === undefined
    ? null
    : input("container", "the pod has several: name one", { choices: choices.split(" ") });
}
const unselectable = "not a field that this kind can be selected by";

function input(path: string, rule: string, more: Refusal["detail"] = {}): Refusal {
  return { code: "invalid_input", detail: { problems: [{ path, rule }], ...more } };
}

/** A pod whose resources can't change while it runs (pkg/apis/core/validation, ValidatePodResize); what else is wrong with such a request no longer matters. */
function resize({ code, causes, name }: Status): Refusal | null {
  if (code !== 422) return null;
  const found = causes.flatMap((cause) => unresizable.filter(([phrase]) => cause.message === `Forbidden: ${phrase}`));
  const [, why] = found[0] ?? [];
  return why === undefined ? null : { code: "resize_unsupported", detail: { why, name: showable(name) } };
}
const unresizable: readonly (readonly [phrase: string, why: string])[] = [
  ["Pod running on node without support for resize", "node"],
  ["static pods cannot be resized", "static"],
  ["windows pods cannot be resized", "windows"],
  ["resources for non-sidecar init containers are immutable", "init"],
  ["non-sidecar init containers with a resize policy of RestartContainer cannot be resized", "init"],
  [
    "resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled",
    "pod-level",
  ],
  ["pods with node allocatable resource claims cannot be resized", "claims"],
];

/** 422: a field that can't change is told apart from one that is wrong. A pinned uid that no longer fits is left to faults.ts: the object is stale. */
function invalid(status: Status): Refusal | null {
  if (status.code !== 422 || pinsAnotherUid(status)) return null;
  const problems = invalidFields(status);
  return { code: status.causes.some(isFixed) ? "immutable_field" : "invalid_object", detail: { problems } };
}

/** A patch that carried a uid met another object under the same name; only subresources answer 409 for it. */
export function pinsAnotherUid({ code, causes }: Status): boolean {
  return code === 422 && causes.length > 0 && causes.every((cause) => cause.field === "metadata.uid");
}
