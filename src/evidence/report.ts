// What a report of evidence says, before it is put into a format: the record and how it verifies, each control with its rows, what stays open.

import type { Report as Verification } from "../transcript/verify.ts";
import type { Verdict } from "../transcript/verdict.ts";
import type { Collected, Period, Rows } from "./collect.ts";
import { isQuestion, type Control, type Mapping } from "./mapping.ts";
import { queryText } from "./query.ts";

export type Evidence =
  | {
      readonly kind: "query";
      readonly name: string;
      readonly says: string;
      readonly query: string;
      readonly rows: Rows;
      /** `explain`: no row was to be found, and there are some. */
      readonly reads: "rows" | "none, as it should be" | "explain";
    }
  | { readonly kind: "verdict"; readonly name: string; readonly verdict: Verdict }
  | { readonly kind: "planned"; readonly name: string; readonly says: string };

export interface ControlReport {
  readonly control: Control;
  readonly evidence: readonly Evidence[];
}

export interface EvidenceReport {
  readonly version: string;
  readonly period: { readonly from: string; readonly to: string };
  /** The mapping's SHA-256, hex, and its day. */
  readonly mapping: { readonly digest: string; readonly updated: string };
  readonly seed: string;
  /** The command that gives this report again. */
  readonly command: string;
  readonly verification: Verification;
  readonly collected: Collected;
  readonly controls: readonly ControlReport[];
  readonly beyond: Mapping["beyond"];
}

export interface ReportOptions {
  readonly version: string;
  readonly period: Period;
  readonly mapping: Mapping;
  /** Ids of controls; empty for all. */
  readonly wanted: readonly string[];
  readonly seed: string;
  readonly command: string;
  readonly verification: Verification;
  readonly collected: Collected;
}

/** The same entries, mapping and options give the same report. */
export function reportOf(options: ReportOptions): EvidenceReport {
  const { version, period, mapping, wanted, seed, command, verification, collected } = options;
  const chosen = mapping.controls.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
  return {
    version,
    period: { from: timeText(period.from), to: timeText(period.to) },
    mapping: { digest: mapping.digest, updated: mapping.updated },
    seed,
    command,
    verification,
    collected,
    controls: chosen.map((control) => ({
      control,
      evidence: control.evidence.map((name) => evidenceOf(name, mapping, options)),
    })),
    beyond: mapping.beyond,
  };
}

const timeText = (at: number): string => new Date(at).toISOString();

function evidenceOf(name: string, mapping: Mapping, { verification, collected }: ReportOptions): Evidence {
  if (isQuestion(name)) {
    const verdict = verification.verdicts.find(({ question }) => question === name);
    if (verdict === undefined) throw new RangeError(`verification has no answer to ${name}`);
    return { kind: "verdict", name, verdict };
  }
  const query = mapping.queries[name];
  if (query === undefined) throw new RangeError(`there is no query ${name}`);
  const rows = collected.rows[name];
  if (query.planned === true || rows === undefined) return { kind: "planned", name, says: query.says };
  const reads = query.expect === undefined ? "rows" : rows.count === 0 ? "none, as it should be" : "explain";
  return { kind: "query", name, says: query.says, query: queryText(query), rows, reads };
}

/** Of a control: does the record show anything of it yet? Else it is a plan, or shown by tests alone. */
export function isShown({ evidence }: ControlReport): boolean {
  return evidence.some(counts);
}

/** Does it count? What is planned does not, nor a question that could not be answered. */
export function counts(one: Evidence): one is Exclude<Evidence, { readonly kind: "planned" }> {
  switch (one.kind) {
    case "query":
      return true;
    case "verdict":
      return one.verdict.verdict !== "not-checked";
    case "planned":
      return false;
  }
}

/** Everything that a person has to explain: rows that should not be, and verdicts that failed. */
export function toExplain({ evidence }: ControlReport): readonly Evidence[] {
  return evidence.filter((one) => {
    switch (one.kind) {
      case "query":
        return one.reads === "explain";
      case "verdict":
        return one.verdict.verdict === "failed";
      case "planned":
        return false;
    }
  });
}

/** The sentence that stands first where the record does not verify. */
export function warning({ verification }: EvidenceReport): string | null {
  if (verification.ok) return null;
  const failed = verification.verdicts.filter(({ verdict }) => verdict === "failed").map(({ question }) => question);
  return `The transcript does not verify (${failed.join(", ")}): nothing below is evidence until that is explained.`;
}

/** What a verdict reads as in a report. */
export const verdictText: { readonly [verdict in Verdict["verdict"]]: string } = {
  ok: "ok",
  failed: "FAILED",
  "not-checked": "not checked",
};
