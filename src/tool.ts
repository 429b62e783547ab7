// The tool author's kit: what a tool declares, and the only view of a cluster that it gets.

import type { z } from "zod";
import type { Effect } from "./domain/call.ts";
import type { JsonObject, Json } from "./domain/json.ts";
import type { Output, Sentence } from "./domain/output.ts";
import type { Verb } from "./domain/access.ts";

export * from "./domain/json.ts";
export * from "./domain/output.ts";
export { fault, Faulted } from "./domain/fault.ts";
export type { Effect } from "./domain/call.ts";
export type { Verb } from "./domain/access.ts";

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

export interface LogOptions {
  readonly container: string;
  readonly previous: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly limitBytes: number;
  readonly timestamps: boolean;
}

/** A cluster that refuses every request outside the call's declared accesses. Whatever it returns is masked already. */
export interface Cluster {
  readonly name: string;
  get(ref: ObjectRef, subresource?: string): Promise<JsonObject>;
  list(kind: ResourceKind, namespace: string, options: ListOptions): Promise<ObjectPage>;
  table(kind: ResourceKind, namespace: string, options: ListOptions): Promise<TablePage>;
  /** The log's text, whole lines, masked. */
  logs(ref: ObjectRef, options: LogOptions): Promise<string>;
  /** A JSON merge patch (RFC 7386). In a preview it is a server-side dry run. */
  mergePatch(ref: ObjectRef, patch: JsonObject, subresource?: string): Promise<JsonObject>;
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
  readonly tell: string | null;
}
export interface Standing {
  readonly actsAs: string;
  readonly agent: string;
  readonly namespaces: readonly string[];
  readonly tools: readonly { readonly name: string; readonly answer: ReviewAnswer["answer"] }[];
}
export type WaitAnswer =
  | { readonly kind: "pending"; readonly id: string; readonly expiresAt: number; readonly where: string }
  | { readonly kind: "completed"; readonly output: Output; readonly effect: "none" | "applied" | "unknown" }
  | { readonly kind: "unknown" };

export interface Kit {
  readonly cluster: Cluster;
  readonly gateway: Gateway;
  readonly findKind: FindKind;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** True while the call only rehearses: the writes are dry runs. */
  readonly preview: boolean;
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

export interface ToolDefinition<Input = unknown> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  /** Every effect that some input can have. */
  readonly effects: readonly Effect[];
  /** Strict: unknown keys are refused. Bounds stand here and are not sent to the client. */
  readonly input: z.ZodType<Input>;
  effect(input: Input): Effect;
  /** Changes state their reason and may be previews; reads answer null and false. */
  reason(input: Input): string | null;
  previewOnly(input: Input): boolean;
  /** The accesses that this input needs. */
  needs(input: Input, findKind: FindKind): Promise<readonly Need[]>;
  /** Does it, under a cluster that holds it to its needs. A change tool runs twice: first as a preview. */
  run(input: Input, kit: Kit): Promise<Output & Partial<ChangeNotes>>;
}

/** Declares a tool; the file's name is the tool's name. */
export function defineTool<Input>(definition: ToolDefinition<Input>): ToolDefinition<Input> {
  return definition;
}
