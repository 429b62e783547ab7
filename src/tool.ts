// The tool author's kit: what a tool declares, and the only view of a cluster that it gets. Long: it is the whole contract of a tool.

import type { z } from "zod";
import type { Effect, Part } from "./domain/call.ts";
import { deepFreeze, type Json, type JsonObject } from "./domain/json.ts";
import type { DiffLine, Output, Sentence } from "./domain/output.ts";
import type { Verb } from "./domain/access.ts";
import { wireSchema } from "./kit/schema.ts";

export * from "./domain/json.ts";
export * from "./domain/output.ts";
export { fault, Faulted } from "./domain/fault.ts";
export type { Effect } from "./domain/call.ts";
export type { Verb } from "./domain/access.ts";
export { fullKind, isCustom } from "./domain/access.ts";
export { answer, groupOf, named, placeOf, refersTo } from "./kit/answer.ts";
export { asWritten, defaultsOf, isDefault } from "./kit/defaults.ts";
export { eventRow, groupEvents, isAbout, type EventRow } from "./kit/events.ts";
export { findingLines, mergeFindings, type Finding, type Merged } from "./kit/findings.ts";
export { errorLines, foldLog } from "./kit/fold.ts";
export { drainedPods, isEvictable, type DrainedPod } from "./kit/drain.ts";
export { openLooks, optionalLists, servedKind, type Looks } from "./kit/look.ts";
export { commandRisks, containerIn, shownCommand, type RunsIn } from "./kit/command.ts";
export { cellOf, parsePath, valuesAt } from "./kit/path.ts";
export { inputs } from "./kit/inputs.ts";
export {
  containersOf,
  isOwnedBy,
  podSpecPath,
  revisionsOf,
  rollOf,
  workloads,
  writtenTemplate,
} from "./kit/rollout.ts";
export { effectOfManifest, effectOfWriting } from "./kit/effect.ts";
export { configFirst, manifestsIn, type Manifest } from "./kit/manifests.ts";
export { lookBeside, surroundings, type Written } from "./kit/surroundings.ts";
export { nested, ownAnnotations, refuseOddNumbers, refuseTokens, shownKey, unwritable } from "./kit/written.ts";
export { fieldIn, fieldsOf, schemaOf, searchFields, typeOf, within } from "./kit/openapi.ts";
export { pause } from "./kit/pause.ts";
export { isHealthy, ownerOf, podFindings } from "./kit/pod-findings.ts";
export { cpuText, memoryText, quantity } from "./kit/quantity.ts";
export { conditionOf, countAt, listAt, ownedBy, pairs, selectorText, selects, selectsLabels } from "./kit/selector.ts";
export { backendsOf, ingressFindings, podRow, serviceFindings, type PodRow } from "./kit/service-findings.ts";
export { ago, since, startOf, windowText } from "./kit/since.ts";
export { completion, hasCondition, jobCounts, leavingSays, readiness, type StandsAt } from "./kit/standing.ts";
export { claimFindings, objectFindings, quotaFindings } from "./kit/workload-findings.ts";

/** A kind as discovery knows it. */
export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  /** Plural resource name. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  /** Subresource names, for example `scale`. */
  readonly subresources: readonly string[];
}

/** What a tool says it needs. `namespace: "*"` stands for each namespace that the caller may read. */
export interface Need {
  readonly verb: Verb;
  readonly kind: ResourceKind;
  readonly namespace: string;
  /** "" for the collection. */
  readonly name: string;
  readonly subresource?: string;
  readonly optional?: boolean;
}

/** Turns what an agent writes (Pod, pods, po, deployments.apps, Certificate.cert-manager.io) into one kind. Faults: unknown_kind, invalid_input (ambiguous). */
export type FindKind = (text: string) => Promise<ResourceKind>;

/** What a look while planning tells of an object: its metadata, and of its annotations the keys alone. */
export interface SeenObject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations: readonly string[];
  /** The owner that controls it, or null where nothing does. */
  readonly controller: { readonly kind: string; readonly name: string } | null;
  /** It is on its way out. */
  readonly leaving: boolean;
}

/** The objects of a kind that a field selector finds, "" standing for all namespaces, in the order of namespace and name. Faults: credential_unavailable, limit_exceeded. */
export type LookUp = (kind: ResourceKind, namespace: string, fieldSelector: string) => Promise<readonly SeenObject[]>;

/** What a tool knows while its accesses are planned. */
export interface Planning {
  readonly findKind: FindKind;
  /**
   * Names that only the cluster knows (the pods of a node). Asked with the gateway's own read identity: what it finds decides which accesses are declared,
   * is decided upon with them, and an approval of a call goes stale when they change. Within one plan each look is made once.
   */
  readonly lookUp: LookUp;
  /** As in `Kit`: a name that the tool makes itself is made of it. */
  readonly calledAt: number;
}

export interface ObjectRef {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

export interface ListOptions {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly limit: number;
  readonly continue?: string;
}

/** A page of a server-side Table (meta.k8s.io/v1). Cells are text, already masked. */
export interface TablePage {
  readonly columns: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly namespace: string; readonly name: string }[];
  readonly continue: string;
  /** How many more the server says there are; null where it does not say. */
  readonly remaining: number | null;
  readonly resourceVersion: string;
}

export interface ObjectPage {
  readonly items: readonly JsonObject[];
  readonly continue: string;
  readonly remaining: number | null;
}

/** A part of another object that goes into a write exactly as it is stored: a tool sees it masked, so it can't hand it over itself. */
export interface Graft {
  /** Where it goes, inside the body that is sent. */
  readonly at: readonly (string | number)[];
  readonly from: ObjectRef;
  readonly path: readonly string[];
  /** What of it stays behind, as paths inside it. */
  readonly without?: readonly (readonly string[])[];
}

export interface PatchOptions {
  /** JSON merge patch (RFC 7386), strategic merge patch (Kubernetes), JSON Patch (RFC 6902). */
  readonly type: "merge" | "strategic" | "json";
  readonly subresource?: string;
  readonly grafts?: readonly Graft[];
  /** Where the body stands in the call's arguments, for a problem's path. */
  readonly argument?: string;
}

export interface ApplyOptions {
  /** Take over the fields that other managers keep. */
  readonly force: boolean;
  readonly grafts?: readonly Graft[];
  /** The object must not be there yet. */
  readonly create?: boolean;
  /** As in `PatchOptions`. */
  readonly argument?: string;
}

export interface RemoveOptions {
  readonly cascade: "background" | "foreground" | "orphan";
  /** Absent: the object's own grace period. */
  readonly graceSeconds?: number;
}

export interface LogOptions {
  readonly container: string;
  readonly previous: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly limitBytes: number;
  readonly timestamps: boolean;
}

export interface ExecOptions {
  readonly container: string;
  /** The program and its arguments: no shell stands between. */
  readonly command: readonly string[];
  /** After these the connection is closed, whatever the command does. */
  readonly seconds: number;
}

/** How a command ended; its output is masked, whole lines. */
export type ExecResult =
  /** A preview: nothing was run. */
  | { readonly kind: "rehearsed" }
  /** null: not zero, and the number was not told. */
  | { readonly kind: "exited"; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  /** The connection was closed: its output passed 64 KiB, or its time was over. It may still run. */
  | { readonly kind: "cut"; readonly by: "bytes" | "time"; readonly stdout: string; readonly stderr: string };

/** A log's newest lines, whole ones, masked. */
export interface LogText {
  readonly text: string;
  /** Which cap left older lines out; null where none did. After `time` what was read is all that had come. */
  readonly cut: "bytes" | "lines" | "time" | null;
}

/** A cluster that refuses every request outside the call's declared accesses. Whatever it returns is masked already. */
export interface Cluster {
  readonly name: string;
  get(ref: ObjectRef, subresource?: string): Promise<JsonObject>;
  list(kind: ResourceKind, namespace: string, options: ListOptions): Promise<ObjectPage>;
  table(kind: ResourceKind, namespace: string, options: ListOptions): Promise<TablePage>;
  logs(ref: ObjectRef, options: LogOptions): Promise<LogText>;
  /** Patches an object that is as it was agreed. In a preview this and every other write is a server-side dry run. */
  patch(ref: ObjectRef, patch: Json, options: PatchOptions): Promise<JsonObject>;
  /** Server-side apply as field manager `sallyport` (Kubernetes API concepts, "Server-Side Apply"): creates what is not there. */
  apply(ref: ObjectRef, manifest: JsonObject, options: ApplyOptions): Promise<JsonObject>;
  remove(ref: ObjectRef, options: RemoveOptions): Promise<void>;
  /**
   * Runs one command in a container of a pod that is as it was agreed; needs `get` and `create` of pods/exec by name. In a preview nothing is sent but a
   * look at the pod. Faults: exec_failed; invalid_input where the masker would hide a word of the command from whoever approves it.
   */
  exec(pod: ObjectRef, options: ExecOptions): Promise<ExecResult>;
  /**
   * The object's states from `resourceVersion` on, null where it was deleted: each time the newest that was not given before. Ends after `milliseconds`, or
   * when the cluster ends it; then look anew. Needs `watch` of the object by name.
   */
  watch(
    ref: ObjectRef,
    options: { readonly resourceVersion: string; readonly milliseconds: number },
  ): AsyncIterable<JsonObject | null>;
  /**
   * Evicts a pod through its budgets (policy/v1 Eviction): the one that was read, and no other of its name. A preview counts the pod among what would go
   * also where a budget blocks it now. Faults: eviction_blocked; stale, where another pod of the name stands there now.
   */
  evict(pod: ObjectRef, read: JsonObject): Promise<void>;
  /** Reads a document of the cluster's own description: `/openapi/v3` and below. */
  describe(path: string): Promise<JsonObject>;
  /** Were these optional needs granted? */
  may(need: Need): boolean;
  /** The namespaces that a `*` of this call was expanded to. */
  readonly namespaces: readonly string[];
  /** How many namespaces or optional accesses policy left out. */
  readonly leftOut: number;
}

/** What `access_review` and `approval_wait` ask of the gateway; each answer is about the caller alone. */
export interface Gateway {
  review(tool: string, arguments_: JsonObject): Promise<ReviewAnswer>;
  standing(namespace: string): Promise<Standing>;
  waitFor(id: string, milliseconds: number): Promise<WaitAnswer>;
}
export interface ReviewAnswer {
  readonly answer: "allowed" | "needs approval" | "denied";
  /** Can nothing that its preview finds make it another answer? */
  readonly final: boolean;
  readonly tell: string | null;
}
export interface Standing {
  readonly actsAs: string;
  readonly agent: string;
  /** Those in which the caller may list pods without asking anybody. */
  readonly namespaces: readonly string[];
  /** Those that the caller's own list of tools shows. */
  readonly tools: readonly { readonly name: string; readonly answer: ReviewAnswer["answer"] }[];
  /** How many others are denied: the caller's list does not name them either. */
  readonly unlisted: number;
}
export type WaitAnswer =
  | { readonly kind: "pending"; readonly id: string; readonly expiresAt: number; readonly where: string }
  | { readonly kind: "completed"; readonly output: Output; readonly effect: "none" | "applied" | "unknown" }
  /** A call that may last is under way; `progress` is its tool's last word. */
  | {
      readonly kind: "running";
      readonly id: string;
      readonly tool: string;
      readonly progress: string;
      readonly seconds: number;
    }
  /** It has run, and its answer was given before. */
  | { readonly kind: "taken"; readonly id: string }
  | { readonly kind: "unknown" };

export interface Kit {
  readonly cluster: Cluster;
  readonly gateway: Gateway;
  readonly findKind: FindKind;
  /** Each resource that the cluster serves, once, in the version that it prefers. */
  readonly kinds: () => Promise<readonly ResourceKind[]>;
  readonly signal: AbortSignal;
  /** `part` where it is known how much there is to do. */
  readonly progress: (message: string, part?: Part) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** When the call was made, in milliseconds since 1970: the same in its preview, for its approvers and in its run. */
  readonly calledAt: number;
  /** True while the call only rehearses: the writes are dry runs. */
  readonly preview: boolean;
  /** Resolves once everything else had its turn: asked for now and then in a long loop, so that one call holds up no other. */
  readonly others: () => Promise<void>;
  /** A regular expression that runs in linear time (RE2 syntax). Faults: invalid_input. */
  readonly pattern: (source: string, path: string) => (line: string) => boolean;
  /** What differs between two states of an object, risks first (tools.md, section 5). */
  readonly diff: (before: JsonObject, after: JsonObject) => readonly DiffLine[];
  /** Makes and reads a tamper-proof cursor (bound to the caller and to what it stands for). */
  readonly cursor: { seal(value: JsonObject, bind: Json): string; open(text: string, bind: Json): JsonObject };
}

/** What a change tool tells besides its output: shown on the preview and on the card. */
export interface ChangeNotes {
  /** Warnings and checks, most important first. */
  readonly checks: readonly Sentence[];
  /** How to take it back, as a tool call in words. */
  readonly undo: string;
}

export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint: boolean;
}

/** What a tool's author writes. */
export interface ToolDefinition<Input> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  /** Every effect that some input can have. */
  readonly effects: readonly Effect[];
  /** Asks nothing of a cluster: its callers name none, where there are several. */
  readonly clusterless?: boolean;
  /** Strict: unknown keys are refused. Bounds stand here and are not sent to the client. */
  readonly input: z.ZodType<Input>;
  effect(input: Input): Effect;
  /** Changes state their reason and may be previews; reads answer null and false. */
  reason(input: Input): string | null;
  previewOnly(input: Input): boolean;
  /** Milliseconds that a run may take, where it may take longer than other calls: its caller is answered before it ends, and hears the end by approval_wait. */
  lasts?(input: Input): number;
  /** The accesses that this input needs. */
  needs(input: Input, planning: Planning): Promise<readonly Need[]>;
  /** Runs under a cluster that holds it to its needs. A change tool runs twice: first as a preview. */
  run(input: Input, kit: Kit): Promise<Output & Partial<ChangeNotes>>;
}

/** A tool as the rest of Sallyport sees it: the input's type is closed in. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly effects: readonly Effect[];
  readonly clusterless: boolean;
  /** May a run of it last longer than other calls? */
  readonly long: boolean;
  /** The input as the client sees it. */
  readonly schema: JsonObject;
  /** Parses the arguments; problems name a path and a rule, never the value. */
  open(arguments_: unknown): OpenedCall | { readonly kind: "refused"; readonly problems: readonly Problem[] };
}
export interface Problem {
  readonly path: string;
  readonly rule: string;
}
export interface OpenedCall {
  readonly kind: "opened";
  /** The parsed arguments with their defaults, frozen. */
  readonly arguments: JsonObject;
  readonly effect: Effect;
  readonly reason: string | null;
  readonly previewOnly: boolean;
  /** Milliseconds; 0 for no longer than any call. */
  readonly lasts: number;
  needs(planning: Planning): Promise<readonly Need[]>;
  run(kit: Kit): Promise<Output & Partial<ChangeNotes>>;
}

/** Declares a tool; the file's name is the tool's name. */
export function defineTool<Input>(definition: ToolDefinition<Input>): Tool {
  const { name, title, description, annotations, effects, clusterless = false, input } = definition;
  return {
    name,
    title,
    description,
    annotations,
    effects,
    clusterless,
    long: definition.lasts !== undefined,
    schema: wireSchema(input),
    open(arguments_) {
      const special = specialKeyIn(arguments_);
      if (special !== null) return { kind: "refused", problems: [{ path: special, rule: "is no key that is taken" }] };
      const parsed = input.safeParse(arguments_);
      if (!parsed.success) return { kind: "refused", problems: parsed.error.issues.flatMap(problemsOf).slice(0, 8) };
      const asked = parsed.data;
      return {
        kind: "opened",
        arguments: deepFreeze(JSON.parse(JSON.stringify(asked)) as JsonObject),
        effect: definition.effect(asked),
        reason: definition.reason(asked),
        previewOnly: definition.previewOnly(asked),
        lasts: definition.lasts?.(asked) ?? 0,
        needs: (planning) => definition.needs(asked, planning),
        run: (kit) => definition.run(asked, kit),
      };
    },
  };
}

/** Where a key named like the prototype stands, or null: a map's parser would drop it without a word. */
function specialKeyIn(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const below = key === "__proto__" ? "" : specialKeyIn(inner);
    if (below !== null)
      return [plainKey(key), below]
        .filter((part) => part !== "")
        .join(".")
        .slice(0, 80);
  }
  return null;
}

/** The path and the rule of one issue. */
function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path
    .map((part) => plainKey(String(part)))
    .join(".")
    .slice(0, 80);
  if (issue.code === "unrecognized_keys")
    return issue.keys.slice(0, 4).map((key) => ({ path: plainKey(key), rule: "is not an argument of this tool" }));
  return [{ path: path === "" ? "arguments" : path, rule: ruleOf(issue) }];
}

/** A key may be the caller's text: shown as far as it is plain. */
function plainKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_.-]/g, "?").slice(0, 40);
}

function ruleOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected}`;
    case "too_big":
      return `must be at most ${String(issue.maximum)}${issue.origin === "string" ? " characters" : issue.origin === "array" ? " items" : ""}`;
    case "too_small":
      return `must be at least ${String(issue.minimum)}${issue.origin === "string" ? " characters" : issue.origin === "array" ? " items" : ""}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_format":
      return issue.message.startsWith("must ") ? issue.message : `must be a valid ${issue.format}`;
    case "not_multiple_of":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
    case "unrecognized_keys":
      return "is not valid";
    case "custom":
      return issue.message.startsWith("must ") ? issue.message : "is not valid";
  }
}
