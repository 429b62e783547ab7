// Lists objects of any kind as a compact table, problems first, through server-side Tables; whole objects only where paths are asked for. Long: tables and objects are two ways to the same rows.

import * as z from "zod";
import {
  answer,
  cellOf,
  defineTool,
  fault,
  Faulted,
  inputs,
  named,
  parsePath,
  placeOf,
  textAt,
  valuesAt,
  type Cluster,
  type Block,
  type Json,
  type JsonObject,
  type Kit,
  type ResourceKind,
  type Sentence,
} from "../src/tool.ts";

const column = z.string().min(1).max(200);
const input = z.strictObject({
  kind: inputs.kind().describe("Pod, deployments, Certificate.cert-manager.io"),
  namespace: inputs.namespaces().optional().describe("* = all you may read"),
  selector: inputs.selector().optional(),
  field_selector: inputs.selector().optional(),
  search: z.string().min(1).max(253).optional().describe("Part of the name"),
  problems_only: z.boolean().default(false),
  columns: z.array(column).max(8).optional().describe("NODE, .spec.containers[*].image"),
  group_by: column.optional().describe("Column or path to count by"),
  limit: z.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(400).optional(),
});
type Input = z.output<typeof input>;

/** What is scanned before sorting: pages of 500 up to 5,000 rows (tools.md). */
const page = 500;
const scan = 5000;

export default defineTool<Input>({
  name: "objects_list",
  title: "List objects",
  description:
    "List objects of any kind as a compact table with exact counts, problems first. columns projects fields (images, labels), group_by counts, cursor gives the next page.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs(asked, { findKind }) {
    const kind = await findKind(asked.kind);
    return [{ verb: "list", kind, namespace: placeOf(kind, asked.namespace), name: "" }];
  },
  async run(asked, kit) {
    const kind = await kit.findKind(asked.kind);
    const bind: Json = [
      asked.kind,
      asked.namespace ?? "",
      asked.selector ?? "",
      asked.field_selector ?? "",
      asked.search ?? "",
      asked.problems_only,
    ];
    const opened = asked.cursor === undefined ? { offset: 0 } : kit.cursor.open(asked.cursor, bind);
    const offset = Number(opened["offset"]);
    const listed = await scanAll(kind, asked, kit);
    const rows = listed.rows
      .filter((row) => asked.search === undefined || row.name.includes(asked.search))
      .filter((row) => !asked.problems_only || row.problem)
      .sort((a, b) => Number(b.problem) - Number(a.problem) || (a.place < b.place ? -1 : a.place > b.place ? 1 : 0));
    if (asked.group_by !== undefined) return grouped(kind, asked, rows, listed, kit.cluster);
    const shown = rows.slice(offset, offset + asked.limit);
    const next = offset + shown.length;
    const cursor = next < rows.length ? kit.cursor.seal({ offset: next, of: rows.length }, bind) : undefined;
    const counts = { total: rows.length, problems: rows.filter((row) => row.problem).length, shown: shown.length };
    return answer(
      headline(
        kind,
        asked,
        rows,
        listed,
        shown.length === 0 ? "" : ` Rows ${offset + 1}-${next} of ${rows.length}, problems first.`,
        kit.cluster,
      ),
      [
        ...(shown.length === 0
          ? []
          : [{ kind: "table" as const, columns: listed.columns, rows: shown.map((row) => row.cells) }]),
        ...moved(opened["of"], rows.length),
        ...(cursor === undefined ? [] : [{ kind: "line" as const, line: [`cursor: ${cursor}`] }]),
      ],
      { counts, ...(cursor === undefined ? {} : { cursor }) },
    );
  },
});

/** A page begins where the last one ended, by count: what came or went before that place moves it. */
function moved(before: Json | undefined, now: number): Block[] {
  if (typeof before !== "number" || before === now) return [];
  return [
    {
      kind: "line",
      line: [`${before} at the page before, ${now} now: rows between the pages may be missing or come twice.`],
    },
  ];
}

interface Row {
  readonly name: string;
  readonly place: string;
  readonly cells: readonly string[];
  readonly status: string;
  readonly group: string;
  readonly problem: boolean;
}
interface Listed {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** The server has more than was scanned. */
  readonly more: boolean;
}

async function scanAll(kind: ResourceKind, asked: Input, kit: Kit): Promise<Listed> {
  const places = asked.namespace === "*" && kind.namespaced ? kit.cluster.namespaces : [placeOf(kind, asked.namespace)];
  const paths = [...(asked.columns ?? []), ...(asked.group_by === undefined ? [] : [asked.group_by])].some((one) =>
    one.startsWith("."),
  );
  const read = paths ? readObjects : readTables;
  const rows: Row[] = [];
  let columns: readonly string[] = [];
  let more = false;
  for (const namespace of places) {
    for (let next = ""; ;) {
      const options = {
        limit: page,
        ...(asked.selector === undefined ? {} : { selector: asked.selector }),
        ...(asked.field_selector === undefined ? {} : { fieldSelector: asked.field_selector }),
        ...(next === "" ? {} : { continue: next }),
      };
      const got = await read(kind, namespace, options, asked, kit.cluster);
      columns = got.columns;
      rows.push(...got.rows);
      next = got.continue;
      if (next === "") break;
      if (rows.length >= scan) {
        more = true;
        break;
      }
    }
  }
  return {
    columns: asked.namespace === "*" ? ["NAMESPACE", ...columns] : columns,
    rows: asked.namespace === "*" ? rows.map(withPlace) : rows,
    more,
  };
}
const withPlace = (row: Row): Row => ({ ...row, cells: [row.place.slice(0, row.place.indexOf("/")), ...row.cells] });

type Page = { readonly columns: readonly string[]; readonly rows: readonly Row[]; readonly continue: string };
type Options = Parameters<Cluster["table"]>[2];

async function readTables(
  kind: ResourceKind,
  namespace: string,
  options: Options,
  asked: Input,
  cluster: Cluster,
): Promise<Page> {
  const table = await cluster.table(kind, namespace, options);
  const titles = table.columns.map((one) => one.name.toUpperCase());
  const wanted = asked.columns?.map((one) => one.toUpperCase());
  const chosen = titles
    .map((title, index) => ({ title, index }))
    .filter(({ title, index }) =>
      wanted === undefined ? table.columns[index]?.priority === 0 : title === "NAME" || wanted.includes(title),
    );
  const unknown = [...(wanted ?? []), ...(asked.group_by === undefined ? [] : [asked.group_by.toUpperCase()])].find(
    (one) => !titles.includes(one),
  );
  if (unknown !== undefined)
    throw new Faulted(
      fault("invalid_input", {
        problems: [{ path: "columns", rule: "must be a column of this kind, or a path that begins with a dot" }],
        // Whoever defines a kind names its columns.
        choices: titles,
      }),
    );
  const statusAt = titles.findIndex((title) => title === "STATUS" || title === "PHASE");
  const groupAt = asked.group_by === undefined ? -1 : titles.indexOf(asked.group_by.toUpperCase());
  const rows = table.rows.map((row): Row => {
    const all = Object.fromEntries(titles.map((title, index) => [title, row.cells[index] ?? ""]));
    return {
      name: row.name,
      place: `${row.namespace}/${row.name}`,
      cells: chosen.map(({ index }) => row.cells[index] ?? ""),
      status: row.cells[statusAt] ?? "",
      group: row.cells[groupAt] ?? "",
      problem: hasProblem(all),
    };
  });
  return { columns: chosen.map(({ title }) => title), rows, continue: table.continue };
}

async function readObjects(
  kind: ResourceKind,
  namespace: string,
  options: Options,
  asked: Input,
  cluster: Cluster,
): Promise<Page> {
  const wanted = (asked.columns ?? []).map((title) => ({ title, path: objectPath(title, "columns") }));
  const group = asked.group_by === undefined ? null : objectPath(asked.group_by, "group_by");
  const list = await cluster.list(kind, namespace, options);
  const rows = list.items.map((object): Row => {
    const name = textAt(object, "metadata", "name");
    return {
      name,
      place: `${textAt(object, "metadata", "namespace")}/${name}`,
      cells: [name, ...wanted.map(({ path }) => cellOf(valuesAt(object, path)))],
      status: textAt(object, "status", "phase"),
      group: group === null ? "" : cellOf(valuesAt(object, group)),
      problem: hasProblem({ STATUS: textAt(object, "status", "phase") }),
    };
  });
  return { columns: ["NAME", ...wanted.map(({ title }) => title)], rows, continue: list.continue };
}

function objectPath(text: string, argument: string): ReturnType<typeof parsePath> {
  if (text.startsWith(".")) return parsePath(text, argument);
  if (text.toUpperCase() === "NAME") return parsePath(".metadata.name", argument);
  throw new Faulted(
    fault("invalid_input", {
      problems: [{ path: argument, rule: "beside a path, every other column must be a path too (or NAME)" }],
    }),
  );
}

const healthy =
  /^(Running|Completed|Succeeded|Active|Bound|Available|Ready|Complete|True|Normal|Healthy|Synced|Terminating|)$/;

/** A row that a person would look at first: a bad status, fewer ready than wanted, a failed condition. */
function hasProblem(row: JsonObject): boolean {
  const status = textAt(row, "STATUS") || textAt(row, "PHASE");
  const ready = /^(\d+)\/(\d+)$/.exec(textAt(row, "READY"));
  const short = ready !== null && ready[1] !== ready[2] && status !== "Completed";
  return !healthy.test(status) || short || textAt(row, "READY") === "False";
}

function headline(
  kind: ResourceKind,
  asked: Input,
  rows: readonly Row[],
  listed: Listed,
  range: string,
  cluster: Cluster,
): Sentence {
  const counts = new Map<string, number>();
  for (const row of rows) if (row.status !== "") counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  const states = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6);
  const problems = rows.filter((row) => row.problem).length;
  const left = cluster.leftOut > 0 ? ` ${cluster.leftOut} namespaces left out by policy.` : "";
  return [
    `${listed.more ? "at least " : ""}${rows.length} ${kind.resource}${whereOf(kind, asked, cluster)}`,
    states.length === 0 ? "" : ": ",
    ...states.flatMap(([state, count], index): Sentence => [`${index === 0 ? "" : ", "}${count} `, named(state)]),
    problems > 0 ? `; problems ${problems}.` : ".",
    range,
    left,
    rows.length === 0 ? ` Searched ${describeFilters(asked)}.` : "",
  ];
}

function whereOf(kind: ResourceKind, asked: Input, cluster: Cluster): string {
  if (!kind.namespaced) return " in the cluster";
  return asked.namespace === "*" ? ` in ${cluster.namespaces.length} namespaces` : ` in ${asked.namespace ?? ""}`;
}

function describeFilters(asked: Input): string {
  const filters = [
    asked.selector === undefined ? "" : "with the selector",
    asked.field_selector === undefined ? "" : "with the field selector",
    asked.search === undefined ? "" : "with the search text in the name",
    asked.problems_only ? "for problems only" : "",
  ].filter((one) => one !== "");
  return filters.length === 0 ? "without any filter" : filters.join(", ");
}

function grouped(
  kind: ResourceKind,
  asked: Input,
  rows: readonly Row[],
  listed: Listed,
  cluster: Cluster,
): ReturnType<typeof answer> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.group, (counts.get(row.group) ?? 0) + 1);
  const table = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const shown = table.slice(0, asked.limit);
  const cut = table.length - shown.length;
  return answer(
    [
      ...headline(kind, asked, rows, listed, "", cluster),
      ` ${table.length} groups${cut > 0 ? `, ${cut} smaller ones left out` : ""}.`,
    ],
    [
      {
        kind: "table",
        columns: ["COUNT", asked.group_by ?? ""],
        rows: shown.map(([group, count]) => [String(count), group === "" ? "(none)" : group]),
      },
    ],
    { counts: { total: rows.length, groups: table.length }, ...(cut > 0 ? { cut: `${cut} groups` } : {}) },
  );
}
