// The report as CSV (RFC 4180): a line for each control and each piece of its evidence, always in the same columns.

import { csvLine } from "../../transcript/exporters/csv.ts";
import type { ControlReport, Evidence, EvidenceReport } from "../report.ts";
import { verdictText, warning } from "../report.ts";
import type { Format, FormatOptions } from "./contract.ts";

type Cells = (of: {
  readonly report: EvidenceReport;
  readonly part: ControlReport;
  readonly evidence: Evidence | null;
  readonly options: FormatOptions;
}) => string;

const query = (say: (one: Evidence & { kind: "query" }, options: FormatOptions) => string): Cells => {
  return ({ evidence, options }) => (evidence?.kind === "query" ? say(evidence, options) : "");
};

const columns: readonly (readonly [name: string, cell: Cells])[] = [
  ["control", ({ part }) => part.control.id],
  ["title", ({ part }) => part.control.title],
  ["evidence", ({ evidence }) => evidence?.kind ?? "tests alone"],
  ["name", ({ evidence }) => evidence?.name ?? ""],
  ["says", ({ evidence }) => saysOf(evidence)],
  ["reads", ({ evidence }) => readsOf(evidence)],
  ["rows", query(({ rows }) => String(rows.count))],
  ["rows_sha256", query(({ rows }) => rows.digest)],
  ["sample", query(({ rows }) => rows.sample.join(" "))],
  ["rows_file", query(({ name }, { rowsFile }) => rowsFile(name) ?? "")],
  ["query", query((one) => one.query)],
  ["period_from", ({ report }) => report.period.from],
  ["period_to", ({ report }) => report.period.to],
  ["seed", ({ report }) => report.seed],
  ["period_log_size", ({ report }) => String(report.collected.end?.size ?? "")],
  ["period_log_root", ({ report }) => report.collected.end?.root ?? ""],
  ["log_size", ({ report }) => String(report.verification.entries)],
  ["log_root", ({ report }) => report.verification.root],
  ["verifies", ({ report }) => warning(report) ?? "yes"],
  ["gateway_does", ({ part }) => part.control.gateway],
  ["customer_does", ({ part }) => part.control.customer],
  ["also", ({ part }) => part.control.also.join("; ")],
  ["sp800_171_r2", ({ part }) => part.control.r2.join("; ")],
  ["sp800_171_r3", ({ part }) => part.control.r3.join("; ")],
  ["sp800_207_tenets", ({ part }) => part.control.tenets.join("; ")],
  ["ai_rmf", ({ part }) => part.control.airmf.join("; ")],
  ["tests", ({ part }) => part.control.tests.join("; ")],
  ["mapping_sha256", ({ report }) => report.mapping.digest],
  ["version", ({ report }) => report.version],
];

export const csv: Format = {
  file: "report.csv",
  text(report, options) {
    const lines = report.controls.flatMap((part) =>
      (part.evidence.length === 0 ? [null] : part.evidence).map((evidence) =>
        columns.map(([, cell]) => cell({ report, part, evidence, options })),
      ),
    );
    const beyond = report.beyond.map(({ controls, why }) =>
      columns.map(([name]) => {
        if (name === "control") return controls;
        if (name === "evidence") return "no gateway can evidence it";
        return name === "says" ? why : "";
      }),
    );
    return [columns.map(([name]) => name), ...lines, ...beyond].map(csvLine).join("");
  },
};

function saysOf(evidence: Evidence | null): string {
  if (evidence === null) return "";
  return evidence.kind === "verdict" ? evidence.verdict.says : evidence.says;
}

function readsOf(evidence: Evidence | null): string {
  switch (evidence?.kind) {
    case undefined:
      return "";
    case "query":
      return evidence.reads;
    case "verdict":
      return verdictText[evidence.verdict.verdict];
    case "planned":
      return "planned: no evidence yet";
  }
}
