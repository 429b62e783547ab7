// What a diagnosis finds: ranked, merged over the pods it happens to, and worded.

import type { Block, Sentence } from "../domain/output.ts";
import { named } from "./answer.ts";

/** One cause or symptom. Ours are all words but the quoted ones. */
export interface Finding {
  /** Causes weigh more than what follows from them; 100 is certain and stops the workload. */
  readonly weight: number;
  /** Equal for each pod that it happens to. */
  readonly problem: Sentence;
  readonly evidence: readonly Sentence[];
  /** What to do, as tools where they do it. */
  readonly next: string;
  /** Whom it happens to. */
  readonly kind: string;
  readonly name: string;
  /** What owns that: findings merge within one owner. */
  readonly owner: string;
  /** Whose log would tell more. */
  readonly log?: { readonly container: string; readonly previous: boolean };
}

export interface Merged extends Finding {
  readonly names: readonly string[];
}

/** Heaviest first; the same problem of several pods of one owner is one finding with the evidence of the first. */
export function mergeFindings(findings: readonly Finding[]): Merged[] {
  const merged = new Map<string, Finding & { names: string[] }>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.kind, finding.owner, finding.problem]);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...finding, names: [finding.name] });
    else if (!known.names.includes(finding.name)) known.names.push(finding.name);
  }
  return [...merged.values()].sort(
    (a, b) => b.weight - a.weight || b.names.length - a.names.length || (a.name < b.name ? -1 : 1),
  );
}

/** `1. Pod api-1, api-2 and 5 more: …`, its evidence, its next step. */
export function findingLines(finding: Merged, number: number): Block[] {
  const shown = finding.names.slice(0, 3).flatMap((name, index): Sentence => [index === 0 ? "" : ", ", named(name)]);
  const more = finding.names.length > 3 ? ` and ${finding.names.length - 3} more` : "";
  const head: Sentence = [`${number}. ${finding.kind} `, ...shown, `${more}: `, ...finding.problem];
  return [
    { kind: "line", line: head },
    ...finding.evidence.slice(0, 4).map((one): Block => ({ kind: "line", line: ["   ", ...one] })),
    ...(finding.next === "" ? [] : [{ kind: "line" as const, line: [`   next: ${finding.next}`] }]),
  ];
}
