// The report as a Markdown page for people.

import { plainText } from "../../transcript/describe.ts";
import type { ControlReport, Evidence, EvidenceReport } from "../report.ts";
import { isShown, toExplain, verdictText, warning } from "../report.ts";
import type { Format, FormatOptions } from "./contract.ts";

export const markdown: Format = {
  file: "report.md",
  text: (report, options) =>
    [
      ...head(report),
      ...record(report),
      ...overview(report),
      "## Controls",
      "",
      ...report.controls.flatMap((part) => controlPart(part, options)),
      "## What no gateway can evidence",
      "",
      ...report.beyond.map(({ controls, why }) => `- **${controls}**: ${why}`),
      "",
    ].join("\n"),
};

function head(report: EvidenceReport): readonly string[] {
  const warned = warning(report);
  const { period, mapping, seed, command, version } = report;
  return [
    `# Evidence from ${period.from} to ${period.to}`,
    "",
    ...(warned === null ? [] : [`> **${warned}**`, ""]),
    "What the record of a Sallyport gateway shows for controls of NIST SP 800-53, revision 5. It is evidence, not a finding: an assessor decides what is satisfied. Each query is data over single entries; a row is an entry, and a digest is the SHA-256 of the rows' lines as they stand in the segments, each with its newline.",
    "",
    `- Period: from ${period.from} until before ${period.to}`,
    `- Again: ${code(command)}`,
    `- Samples: 25 rows of each query at most, drawn by SHA-256 of the seed ${code(seed || "(none)")} and the row's leaf hash`,
    `- Made by Sallyport ${version} with the mapping of ${mapping.updated}, SHA-256 ${code(mapping.digest)}`,
    "",
  ];
}

function record({ verification, collected, period }: EvidenceReport): readonly string[] {
  const { entries, root, key, verdicts } = verification;
  const { end, newest } = collected;
  return [
    "## The record",
    "",
    "| | entries | root |",
    "|---|---|---|",
    `| log | ${entries} | ${code(root)} |`,
    ...(end === null ? [] : [`| log at the period's last entry | ${end.size} | ${code(end.root)} |`]),
    "",
    `${collected.entries} entries are of the period${collected.first === null ? "" : `, the first of them entry ${collected.first}`}. The newest entry is of ${newest || "no time: there is none"}. Checked with the key ${code(key || "(none)")}.${newest < period.to ? " It is older than the period's end: more entries may come into the period." : ""}`,
    "",
    "| question | verdict | |",
    "|---|---|---|",
    ...verdicts.map(({ question, verdict, says, places }) => {
      const where = places.map((place) => ` ${code(place)}`).join("");
      return `| ${question} | ${verdictText[verdict]} | ${cell(says)}${where} |`;
    }),
    "",
  ];
}

function overview({ controls }: EvidenceReport): readonly string[] {
  const explain = controls.filter((part) => toExplain(part).length > 0);
  const lacking = controls.filter((part) => !isShown(part));
  const names = (parts: readonly ControlReport[]): string => parts.map(({ control }) => control.id).join(", ");
  return [
    `${controls.length} controls. ${explain.length === 0 ? "Nothing in them has to be explained." : `To be explained by a person: ${names(explain)}.`}`,
    ...(lacking.length === 0
      ? []
      : [
          "",
          `No entry shows anything of these yet, or only tests do: ${names(lacking)}. They are listed, not counted.`,
        ]),
    "",
  ];
}

function controlPart({ control, evidence }: ControlReport, options: FormatOptions): readonly string[] {
  const { id, title, gateway, customer, also, tests, r2, r3, tenets, airmf } = control;
  const elsewhere = [
    ["SP 800-171 r2", r2],
    ["SP 800-171 r3", r3],
    ["SP 800-207 tenets", tenets],
    ["AI RMF", airmf],
  ].flatMap(([name, list]) => (list?.length === 0 ? [] : [`${String(name)}: ${[list].flat().join(", ")}`]));
  return [
    `### ${id} ${title}`,
    "",
    `**The gateway:** ${gateway}`,
    "",
    `**The customer:** ${customer}`,
    "",
    ...(evidence.length === 0
      ? ["No entry shows this; tests do."]
      : evidence.flatMap((one) => evidenceLines(one, options))),
    ...(also.length === 0 ? [] : [`- Ask besides: ${also.map(code).join(", ")}`]),
    `- Tests: ${tests.map(code).join(", ")}`,
    ...(elsewhere.length === 0 ? [] : [`- ${elsewhere.join("; ")}`]),
    "",
  ];
}

function evidenceLines(one: Evidence, { rowsFile }: FormatOptions): readonly string[] {
  switch (one.kind) {
    case "planned":
      return [`- *planned, no evidence yet* ${one.name}: ${one.says}`];
    case "verdict":
      return [
        `- **${one.name}**, a question that verification answers: ${verdictText[one.verdict.verdict]}. ${cell(one.verdict.says)}`,
      ];
    case "query": {
      const { count, digest, sample } = one.rows;
      const file = rowsFile(one.name);
      const reads = { rows: "", "none, as it should be": ", as it should be", explain: ", **each to be explained**" }[
        one.reads
      ];
      return [
        `- **${one.name}**: ${one.says} **${count} ${count === 1 ? "row" : "rows"}**${reads}.`,
        `  - query ${code(one.query)}`,
        `  - digest ${code(digest)}${file === null ? "" : `, rows in ${code(file)}`}`,
        ...(sample.length === 0 ? [] : [`  - entries drawn: ${sample.join(", ")}`]),
      ];
    }
  }
}

/** As code, whatever it holds. */
function code(text: string): string {
  return `\`${plainText(text).replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}

/** Text of the record inside a table or a line: it can't become a heading, a link or another cell. */
function cell(text: string): string {
  return plainText(text).replaceAll(/[\\`*_[\]<>|#]/g, String.raw`\$&`);
}
