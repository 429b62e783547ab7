// How a tool words an answer: its own sentences bare, the cluster's words quoted.

import { fault, Faulted } from "../domain/fault.ts";
import { textAt, type Json } from "../domain/json.ts";
import type { Block, Output, OutputFacts, Quoted, Sentence } from "../domain/output.ts";

/** Cluster text inside a sentence: bare where it is a plain word, quoted where it could say something. */
export function named(text: string): string | Quoted {
  return /^[A-Za-z0-9][A-Za-z0-9:._/%-]{0,62}$/.test(text) ? text : { quoted: text };
}

/** The group of `apps/v1`; of `v1` it is "". */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

/** Does this reference (of an event, of an autoscaler) mean the object? One that names no version may mean any kind of that name. */
export function refersTo(
  reference: Json | undefined,
  { kind, group }: { readonly kind: string; readonly group: string },
  name: string,
): boolean {
  const apiVersion = textAt(reference, "apiVersion");
  return (
    textAt(reference, "kind") === kind &&
    textAt(reference, "name") === name &&
    (apiVersion === "" || groupOf(apiVersion) === group)
  );
}

/** The namespace as a kind wants it: a namespaced kind needs one, a cluster-scoped kind has none. Faults: invalid_input. */
export function placeOf(
  kind: { readonly kind: string; readonly namespaced: boolean },
  namespace: string | undefined,
): string {
  if (!kind.namespaced) return "";
  if (namespace !== undefined) return namespace;
  throw new Faulted(
    fault("invalid_input", {
      problems: [{ path: "namespace", rule: `${kind.kind} is namespaced: name its namespace` }],
    }),
  );
}

/** An answer of one sentence and its blocks. */
export function answer(
  headline: Sentence,
  blocks: readonly Block[] = [],
  facts: OutputFacts = {},
  untrusted = false,
): Output {
  return { headline, blocks, facts, untrusted };
}
