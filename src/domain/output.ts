// What a tool gives back: our words and the cluster's kept apart, so that rendering can frame what is not ours.

import type { Json, JsonObject } from "./json.ts";

declare const minted: unique symbol;

/** Text that came from the cluster inside one of our sentences; rendered as a JSON string of at most 300 bytes. */
export interface Quoted {
  readonly quoted: string;
}
export const quoted = (text: string): Quoted => ({ quoted: text });

/** One sentence: bare parts are ours, quoted parts are the cluster's. Names that passed validation may stand bare. */
export type Sentence = readonly (string | Quoted)[];

export type Block =
  | { readonly kind: "line"; readonly line: Sentence }
  /** Columns that are equal in all rows are folded by the renderer. */
  | { readonly kind: "table"; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  /** A Kubernetes object or a part of one, shown as YAML. */
  | { readonly kind: "object"; readonly object: Json }
  /** Free text such as logs, framed as data; `source` is ours. */
  | { readonly kind: "data"; readonly source: string; readonly text: string }
  /** What a change does; see `Change`. */
  | { readonly kind: "diff"; readonly lines: readonly DiffLine[] };

/** One path of a diff (tools.md, section 5). Values are JSON text, masked. */
export interface DiffLine {
  readonly sign: "~" | "+" | "-";
  /** Touches code, privilege, identity, exposure or data: shown first, with `!`. */
  readonly risk: boolean;
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Facts for machines, sent in `_meta["sallyport/facts"]`. */
export interface OutputFacts {
  readonly counts?: { readonly [key: string]: number };
  readonly cursor?: string;
  /** What was left out, when the answer was cut. */
  readonly cut?: string;
}

export interface Output {
  readonly headline: Sentence;
  readonly blocks: readonly Block[];
  readonly facts: OutputFacts;
  /** Holds text that a stranger may have written (logs, events, annotations): taints the session. */
  readonly untrusted: boolean;
  /** Most bytes that the answer may take, where policy says so. */
  readonly maxBytes?: number;
}

/** What was masked, never the value: one row a type. */
export interface Masked {
  readonly type: string;
  readonly count: number;
  /** Where in the answer; the first ones where there are many. */
  readonly places?: readonly string[];
}

/** Output that has passed the masker. Minted by `masking/mask.ts` alone. */
export type MaskedOutput = Output & {
  readonly masked: readonly Masked[];
  /** Characters and terminal sequences that nobody would have seen: written out or removed. Absent where there were none. */
  readonly escaped?: number;
  /** Texts from the cluster that speak to an AI. Absent where there were none. */
  readonly addressed?: number;
  readonly [minted]: "MaskedOutput";
};

/** What a write did or would do to one object: both sides already masked. */
export interface Change {
  readonly cluster: string;
  readonly kind: string;
  /** The API group of a custom resource; absent for what Kubernetes itself has. */
  readonly group?: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  readonly lines: readonly DiffLine[];
  /** A pod that went by eviction, within its budgets. */
  readonly evicted?: boolean;
}
