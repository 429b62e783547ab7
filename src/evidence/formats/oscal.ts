// The report as OSCAL 1.2.1 assessment results: observations, and a finding only where the record itself contradicts a control.

import type { Json, JsonObject } from "../../domain/json.ts";
import { catalogueResource, controlId, gatewayComponent, metadata, oneLine, prop, uuidOf } from "../oscal.ts";
import {
  counts,
  isShown,
  toExplain,
  verdictText,
  warning,
  type ControlReport,
  type Evidence,
  type EvidenceReport,
} from "../report.ts";
import type { Format, FormatOptions } from "./contract.ts";

/** Every id of a document is made of the record and the question, so that the same report has the same ids. */
interface Ids {
  of(...words: readonly string[]): string;
  readonly tool: string;
  readonly noPlan: string;
}

export const oscal: Format = {
  file: "assessment-results.json",
  text: (report, options) => `${JSON.stringify(assessmentResults(report, options), null, 2)}\n`,
};

function assessmentResults(report: EvidenceReport, options: FormatOptions): JsonObject {
  const { period, version, collected } = report;
  const ids = idsOf(report);
  const title = `Evidence of a Sallyport gateway, ${period.from} to ${period.to}`;
  // The document is dated by its newest entry: the same entries give the same bytes whenever it is made.
  const at = collected.newest || period.from;
  return {
    "assessment-results": {
      uuid: ids.of("assessment-results"),
      metadata: { ...metadata(title, at, version, "tool"), remarks: remarksOf(report) },
      "import-ap": { href: `#${ids.noPlan}`, remarks: "There is no assessment plan: a tool collected this." },
      results: [resultOf(report, at, ids, options)],
      "back-matter": { resources: resourcesOf(report, ids, options) },
    },
  };
}

function idsOf({ period, verification, mapping, seed, controls }: EvidenceReport): Ids {
  const asked = controls.map(({ control }) => control.id).join(" ");
  const words = [period.from, period.to, String(verification.entries), verification.root, mapping.digest, seed, asked];
  const of = (...more: readonly string[]): string => uuidOf(...words, ...more);
  return { of, tool: of("tool"), noPlan: of("no assessment plan") };
}

function remarksOf(report: EvidenceReport): string {
  const warned = warning(report);
  const what =
    "Evidence that a tool collected, not an assessment: it holds observations, and a finding only where the record itself contradicts a control. An assessor decides what is satisfied. It is dated by the newest entry of the log.";
  return warned === null ? what : `${warned} ${what}`;
}

function resultOf(report: EvidenceReport, at: string, ids: Ids, options: FormatOptions): JsonObject {
  const { verification, collected, controls, command, seed, mapping, period } = report;
  const shown = controls.filter(isShown);
  if (shown.length === 0) throw new RangeError("OSCAL has no results of no control");
  const observations = shown.flatMap((part) => observationsOf(part, at, ids, options));
  const findings = shown.flatMap((part) => findingsOf(part, ids));
  return {
    uuid: ids.of("result"),
    title: `The record from ${period.from} to ${period.to}`,
    description:
      warning(report) ??
      "What the record shows. Each observation is a query over its entries, or an answer of its verification.",
    start: period.from,
    end: period.to,
    props: [
      prop("log-size", verification.entries),
      prop("log-root", verification.root),
      prop("log-key", verification.key),
      prop("verifies", verification.ok ? "yes" : "no"),
      prop("period-entries", collected.entries),
      ...(collected.end === null
        ? []
        : [prop("period-log-size", collected.end.size), prop("period-log-root", collected.end.root)]),
      prop("mapping-sha256", mapping.digest),
      prop("sample-seed", seed),
      prop("command", command),
    ],
    "local-definitions": {
      components: [
        component(gatewayComponent, "software", "Sallyport", "The gateway whose record this is."),
        component(ids.of("log"), "software", "The transcript", "The record that was read."),
        component(ids.tool, "software", "sallyport evidence report", "The command that collected this."),
      ],
    },
    "reviewed-controls": {
      "control-selections": [
        { "include-controls": shown.map(({ control }) => ({ "control-id": controlId(control) })) },
      ],
      remarks: plannedRemark(controls),
    },
    ...(observations.length === 0 ? {} : { observations }),
    ...(findings.length === 0 ? {} : { findings }),
    remarks: `No gateway can evidence these: ${report.beyond.map((one) => `${one.controls} (${one.why})`).join("; ")}`,
  };
}

function component(uuid: string, type: string, title: string, description: string): JsonObject {
  return { uuid, type, title, description, status: { state: "operational" } };
}

function plannedRemark(controls: readonly ControlReport[]): string {
  const lacking = controls.filter((part) => !isShown(part)).map(({ control }) => control.id);
  return lacking.length === 0
    ? "All controls that were asked for."
    : `Left out, since no entry shows them yet or only tests do: ${lacking.join(", ")}.`;
}

function observationsOf(part: ControlReport, at: string, ids: Ids, options: FormatOptions): readonly JsonObject[] {
  const { control } = part;
  return part.evidence.filter(counts).map((one) => ({
    uuid: ids.of("observation", control.id, one.name),
    title: oneLine(`${control.id}: ${one.name}`),
    description: describe(one),
    props: [prop("control", controlId(control)), ...propsOf(one)],
    methods: [one.kind === "verdict" ? "TEST" : "EXAMINE"],
    types: ["control-objective"],
    origins: [{ actors: [{ type: "tool", "actor-uuid": ids.tool }] }],
    subjects: [{ "subject-uuid": ids.of("log"), type: "component" }],
    ...evidenceLink(one, ids, options),
    collected: at,
    remarks: `The customer: ${control.customer}`,
  }));
}

type Shown = Exclude<Evidence, { readonly kind: "planned" }>;

function describe(one: Shown): string {
  if (one.kind === "verdict")
    return [
      `${one.name} of the transcript: ${verdictText[one.verdict.verdict]}. ${one.verdict.says}`,
      ...one.verdict.places,
    ].join("\n\n");
  const { count } = one.rows;
  const explained = one.reads === "explain" ? " Each of them is to be explained." : "";
  return `${one.says} ${count} ${count === 1 ? "row" : "rows"}.${explained}`;
}

function propsOf(one: Shown): readonly JsonObject[] {
  if (one.kind === "verdict") return [prop("verdict", one.verdict.verdict)];
  return [
    prop("query", one.query),
    prop("rows", one.rows.count),
    prop("rows-sha256", one.rows.digest),
    prop("sample", one.rows.sample.join(" ")),
    prop("reads", one.reads),
  ];
}

function evidenceLink(one: Shown, ids: Ids, { rowsFile }: FormatOptions): JsonObject {
  if (one.kind === "verdict" || rowsFile(one.name) === null) return {};
  return {
    "relevant-evidence": [
      { href: `#${ids.of("rows", one.name)}`, description: "The entries themselves, a line each as the log has them." },
    ],
  };
}

/** OSCAL knows `satisfied` and `not-satisfied` alone; a tool can tell only the second. */
function findingsOf(part: ControlReport, ids: Ids): readonly JsonObject[] {
  const against = toExplain(part);
  if (against.length === 0) return [];
  const { control } = part;
  return [
    {
      uuid: ids.of("finding", control.id),
      title: oneLine(`${control.id}: to be explained`),
      description: `The record holds what speaks against this control until a person explains it: ${against.map(({ name }) => name).join(", ")}.`,
      origins: [{ actors: [{ type: "tool", "actor-uuid": ids.tool }] }],
      target: {
        type: "objective-id",
        "target-id": `${controlId(control)}_obj`,
        status: { state: "not-satisfied", reason: "other", remarks: "An assessor decides, once it is explained." },
      },
      "related-observations": against.map(({ name }) => ({
        "observation-uuid": ids.of("observation", control.id, name),
      })),
    },
  ];
}

function resourcesOf({ controls }: EvidenceReport, ids: Ids, { rowsFile }: FormatOptions): readonly Json[] {
  const rows = new Map<string, JsonObject>();
  for (const one of controls.filter(isShown).flatMap(({ evidence }) => evidence)) {
    const href = one.kind === "query" ? rowsFile(one.name) : null;
    if (one.kind !== "query" || href === null) continue;
    rows.set(one.name, {
      uuid: ids.of("rows", one.name),
      title: oneLine(`Rows of ${one.name}`),
      description: one.says,
      rlinks: [
        {
          href,
          "media-type": "application/x-ndjson",
          hashes: [{ algorithm: "SHA-256", value: one.rows.digest }],
        },
      ],
    });
  }
  const noPlan = {
    uuid: ids.noPlan,
    title: "No assessment plan",
    description: "A tool collected this evidence as it stands; nobody planned an assessment for it.",
  };
  return [catalogueResource, noPlan, ...rows.values()];
}
