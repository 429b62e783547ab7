// The reports: the same bytes for the same entries, the warning first where the record does not verify, nothing counted that is only planned.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { componentPage, controlsMapping } from "../../../docs/controls-page.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../../src/domain/json.ts";
import { reportFormatNames, reportFormats, type ReportFormat } from "../../../src/evidence/formats/index.ts";
import { uuidOf, uuidV5 } from "../../../src/evidence/oscal.ts";
import { isShown, type EvidenceReport } from "../../../src/evidence/report.ts";
import { promise } from "../../support/promise.ts";
import { day, dayStart } from "../transcript/day.ts";
import { approvedChange, callId, draft, plainRead } from "../transcript/support.ts";
import { march, reportOn, written } from "./support.ts";

const nowhere = { rowsFile: () => null };
const beside = { rowsFile: (query: string) => `rows/${query}.ndjson` };
const asText = (
  report: EvidenceReport,
  format: ReportFormat,
  options: { rowsFile: (query: string) => string | null } = nowhere,
): string => reportFormats[format].text(report, options);
const resultsOf = (report: EvidenceReport): JsonObject => {
  const found = at(JSON.parse(asText(report, "oscal", beside)) as Json, "assessment-results");
  if (!isJsonObject(found)) throw new Error("no assessment results");
  return found;
};
const listAt = (value: Json, ...path: readonly (string | number)[]): readonly Json[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
};

promise("evidence:same-bytes", "made twice, at other times, in each format", async () => {
  const folder = await written(day);
  const one = await reportOn(folder, { now: dayStart + 86_400_000 });
  const other = await reportOn(folder, { now: dayStart + 86_400_000_000 });
  for (const format of reportFormatNames) expect(asText(other, format)).toBe(asText(one, format));
});

promise(
  "evidence:same-bytes",
  "a log that grew after the period has the same rows, digests, samples and period's end",
  async () => {
    const whole = await written([...day, ...[10, 11, 12].map((number) => plainRead(callId(number)))]);
    const period = { from: march.from, to: dayStart + 10 * 60_000 };
    const late = await reportOn(whole, { period });
    const names = (await readdir(join(whole, "transcript", "segments"))).sort();
    const path = join(whole, "transcript", "segments", names[0] ?? "");
    const lines = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, `${lines.slice(0, 40).join("\n")}\n`);
    const early = await reportOn(whole, { period });
    expect(late.collected.rows).toEqual(early.collected.rows);
    expect(late.collected.end).toEqual(early.collected.end);
    expect(late.verification.entries).toBeGreaterThan(early.verification.entries);
  },
);

promise("evidence:unverified", "said first in each format, with every verdict that failed", async () => {
  const folder = await written(day);
  const path = join(folder, "transcript", "segments", "00000000.ndjson");
  await writeFile(path, (await readFile(path, "utf8")).replace('"outcome":"refused"', '"outcome":"Refused"'));
  const report = await reportOn(folder);
  const sentence =
    "The transcript does not verify (INTEGRITY, ORDER): nothing below is evidence until that is explained.";
  const results = resultsOf(report);
  expect({
    md: asText(report, "md").split("\n").slice(1, 3),
    csv: asText(report, "csv")
      .split("\r\n")
      .slice(1, -1)
      .every((line) => line.includes(sentence) || line.includes("no gateway can evidence it")),
    oscal: [textAt(results, "metadata", "remarks").startsWith(sentence), textAt(results, "results", 0, "description")],
    findings: listAt(results, "results", 0, "findings").map((one) => textAt(one, "target", "target-id")),
  }).toEqual({
    md: ["", `> **${sentence}**`],
    csv: true,
    oscal: [true, sentence],
    findings: expect.arrayContaining(["au-9.3_obj", "au-9_obj", "au-12.1_obj"]),
  });
});

promise(
  "evidence:planned",
  "listed by name and nowhere else: no rows, no observation, no reviewed control",
  async () => {
    const folder = await written([plainRead(callId(1))]);
    const report = await reportOn(folder);
    const mapping = controlsMapping();
    const planned = Object.keys(mapping.queries).filter((name) => mapping.queries[name]?.planned === true);
    const lacking = report.controls.filter((part) => !isShown(part)).map(({ control }) => control.id);
    const results = resultsOf(report);
    const titles = listAt(results, "results", 0, "observations").map((one) => textAt(one, "title"));
    const reviewed = listAt(results, "results", 0, "reviewed-controls", "control-selections", 0, "include-controls");
    const csv = asText(report, "csv")
      .split("\r\n")
      .filter((line) => line.includes(",planned,"));
    expect({
      rows: planned.filter((name) => Object.hasOwn(report.collected.rows, name)),
      observed: titles.filter((title) => planned.some((name) => title.endsWith(`: ${name}`))),
      unchecked: titles.filter((title) => /: (EXTENT|COMPLETENESS|BODIES)$/.test(title)),
      csv: csv.every((line) => line.includes("planned: no evidence yet,,,")),
      inAll: planned.filter((name) => !asText(report, "md").includes(`*planned, no evidence yet* ${name}:`)),
    }).toEqual({ rows: [], observed: [], unchecked: [], csv: true, inAll: [] });
    expect(lacking).toEqual(expect.arrayContaining(["AC-2(12)", "SC-8", "SC-23"]));
    expect(reviewed).toHaveLength(report.controls.length - lacking.length);
    const component = at(
      JSON.parse(componentPage()) as Json,
      "component-definition",
      "components",
      0,
      "control-implementations",
      0,
    );
    const status = listAt(component ?? null, "implemented-requirements").map((one) => [
      textAt(one, "control-id"),
      textAt(one, "props", 0, "value"),
    ]);
    expect(Object.fromEntries(status)).toMatchObject({ "ac-2": "partial", "au-6": "partial", "ac-2.12": "planned" });
  },
);

promise("evidence:oscal-modest", "nothing is satisfied, and what contradicts a control is said to be so", async () => {
  const clean = await written([plainRead(callId(1)), approvedChange(callId(2), "apr_2", "g2")]);
  expect(at(resultsOf(await reportOn(clean)), "results", 0, "findings")).toBeUndefined();
  const outage = await written([plainRead(callId(1)), [draft("audit.degraded", null, { reason: "the disk is full" })]]);
  const report = await reportOn(outage, { wanted: ["AU-5", "AU-12"] });
  const results = resultsOf(report);
  const [finding, ...others] = listAt(results, "results", 0, "findings");
  expect(others).toEqual([]);
  const observed = listAt(results, "results", 0, "observations").find(
    (one) => textAt(one, "uuid") === textAt(finding ?? null, "related-observations", 0, "observation-uuid"),
  );
  expect([at(finding, "target"), textAt(observed ?? null, "title")]).toEqual([
    {
      type: "objective-id",
      "target-id": "au-5_obj",
      status: { state: "not-satisfied", reason: "other", remarks: "An assessor decides, once it is explained." },
    },
    "AU-5: outages",
  ]);
  expect(JSON.stringify(results)).not.toContain('"satisfied"');
  expect(asText(report, "md")).toContain("To be explained by a person: AU-5.");
});

/** Every uuid that stands for a thing, and every reference to one. */
function uuidsIn(value: Json): { readonly things: readonly string[]; readonly references: readonly string[] } {
  const [things, references]: [string[], string[]] = [[], []];
  const visit = (one: Json, key: string): void => {
    if (Array.isArray(one)) return one.forEach((item: Json) => visit(item, key));
    if (isJsonObject(one)) return Object.entries(one).forEach(([name, inner]) => visit(inner, name));
    if (typeof one !== "string") return;
    if (key === "uuid") things.push(one);
    else if (key.endsWith("-uuid") || key === "party-uuids") references.push(one);
    else if (["href", "source"].includes(key) && one.startsWith("#")) references.push(one.slice(1));
  };
  visit(value, "");
  return { things, references };
}

promise("evidence:oscal", "each id once and stable, each reference to something that is there", async () => {
  const folder = await written(day);
  const documents = [asText(await reportOn(folder), "oscal", beside), componentPage()].map(
    (text) => JSON.parse(text) as Json,
  );
  for (const document of documents) {
    const { things, references } = uuidsIn(document);
    const parties = listAt(
      at(document, "assessment-results") ?? at(document, "component-definition") ?? null,
      "metadata",
      "parties",
    );
    expect([new Set(things).size, references.filter((one) => !things.includes(one)), parties.length]).toEqual([
      things.length,
      [],
      1,
    ]);
    expect(
      things.every((one) => /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(one)),
    ).toBe(true);
  }
  // The example of RFC 9562, appendix A.4.
  expect(uuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com")).toBe(
    "2ed6657d-e927-568b-95e1-2665a8aea6a2",
  );
  expect(uuidOf("a", "b")).not.toBe(uuidOf("a b"));
});

promise("evidence:text", "hostile text in the record, in a verdict's places and in the seed", async () => {
  const hostile = "x\n# heading | cell `code` <b> [a](b)\u202e=cmd()";
  const call = `call_${hostile}`;
  const folder = await written([
    [draft("call.settled", call, plainSettled), draft("call.settled", call, plainSettled)],
  ]);
  const report = await reportOn(folder, { seed: hostile });
  const said = JSON.stringify(report.verification.verdicts);
  expect(said).toContain("# heading");
  const [page, csv] = [asText(report, "md"), asText(report, "csv")];
  expect(page.split("\n").filter((line) => /^#+ heading|<b>(?!.*`)|\u202e/.test(line))).toEqual([]);
  const table = page.split("\n").filter((line) => line.startsWith("| SEMANTICS"));
  expect(table.map((line) => line.replaceAll("\\|", "").split("|").length)).toEqual([5]);
  expect(csv.split(/\r\n/).filter((line) => /^[=+@-]/.test(line))).toEqual([]);
  for (const one of listAt(resultsOf(report), "results", 0, "props"))
    expect(textAt(one, "value")).toMatch(/^\S(.*\S)?$/);
});

const plainSettled = {
  tool: "objects_list",
  outcome: "completed" as const,
  code: "",
  effect: "none" as const,
  objects: [],
  grant: "",
  account: "",
  jti: "",
  ambient: false,
  masked: [],
  bytes: 0,
  durations: {},
};
