// Lists the kinds that a cluster serves, or explains the fields of one, from its live discovery and OpenAPI schema.

import * as z from "zod";
import {
  answer,
  at,
  defineTool,
  fault,
  Faulted,
  fieldIn,
  fieldsOf,
  inputs,
  named,
  parsePath,
  quoted,
  schemaOf,
  searchFields,
  textAt,
  typeOf,
  within,
  type Block,
  type JsonObject,
  type Kit,
  type Output,
  type ResourceKind,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: inputs.kind().optional().describe("Omit to list kinds"),
  path: z.string().min(1).max(200).optional().describe("spec.template.spec"),
  search: z.string().min(1).max(100).optional(),
});
type Input = z.output<typeof input>;

const most = { fields: 60, found: 40, description: 110 };

export default defineTool<Input>({
  name: "kinds_explain",
  title: "Kinds and fields",
  description:
    "List the kinds this cluster serves, or explain the fields of one kind at a path, from its live schema. Use before writing an unfamiliar manifest or patch.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  needs: async () => [],
  async run(asked, kit) {
    if (asked.kind !== undefined) return await explain(asked, await kit.findKind(asked.kind), kit);
    if (asked.path !== undefined)
      throw new Faulted(
        fault("invalid_input", { problems: [{ path: "kind", rule: "goes with path: say which kind" }] }),
      );
    return kindsTold(await kit.kinds(), asked.search);
  },
});

/** One line a group: `apps/v1: DaemonSet (ds), Deployment (deploy)`. Names from discovery are plain words. */
function kindsTold(all: readonly ResourceKind[], search: string | undefined): Output {
  const text = search?.toLowerCase() ?? "";
  const kinds = all.filter((kind) =>
    [kind.kind, kind.resource, kind.group, ...kind.shortNames].some((one) => one.toLowerCase().includes(text)),
  );
  const groups = new Map<string, string[]>();
  for (const kind of kinds) {
    const place = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
    const short = kind.shortNames.length === 0 ? "" : ` (${kind.shortNames.join(" ")})`;
    groups.set(place, [...(groups.get(place) ?? []), `${kind.kind}${kind.namespaced ? "" : "*"}${short}`]);
  }
  const lines = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const filter = search === undefined ? "" : " whose kind, plural, short name or group holds the text";
  return answer(
    [`${kinds.length} of ${all.length} kinds${filter}; * is cluster-scoped, short names in parentheses.`],
    lines.map(([place, names]): Block => ({ kind: "line", line: [`${place}: ${names.sort().join(", ")}`] })),
    { counts: { kinds: kinds.length, served: all.length } },
  );
}

async function explain(asked: Input, kind: ResourceKind, kit: Kit): Promise<Output> {
  const place = kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
  const index = await kit.cluster.describe("/openapi/v3");
  const address = textAt(at(index, "paths", place), "serverRelativeURL");
  const document = address === "" ? null : await kit.cluster.describe(address);
  const whole = document === null ? undefined : schemaOf(document, kind.group, kind.version, kind.kind);
  const title = `${kind.kind} (${kind.group === "" ? "" : `${kind.group}/`}${kind.version}, ${kind.namespaced ? "namespaced" : "cluster-scoped"})`;
  // What other people's kinds say of themselves may be a stranger's words.
  const foreign = kind.group.includes(".") && !kind.group.endsWith(".k8s.io");
  if (document === null || whole === undefined) return answer([`${title}: this cluster publishes no schema of it.`]);
  const steps = parsePath(asked.path ?? "", "path").flatMap((step) => ("key" in step ? [step.key] : []));
  let schema: JsonObject = whole;
  let type = typeOf(document, whole);
  for (const [index, step] of steps.entries()) {
    const field = fieldIn(document, schema, step);
    if (field === undefined && at(within(document, schema), "x-kubernetes-preserve-unknown-fields") === true)
      return answer([`${title} ${asked.path ?? ""}: not described; its schema takes any field there.`]);
    if (field === undefined) throw unknownField(steps.slice(0, index + 1).join("."), document, schema, step);
    schema = field;
    type = typeOf(document, field);
  }
  const shownPath = steps.length === 0 ? "" : ` .${steps.join(".")}`;
  if (asked.search !== undefined) return searched(`${title}${shownPath}`, document, schema, asked.search, foreign);
  const fields = fieldsOf(document, schema);
  const shown = fields.slice(0, most.fields);
  const left = fields.length - shown.length;
  const description = textAt(schema, "description");
  const standard = at(schema, "default");
  return answer(
    [
      `${title}${shownPath}: `,
      named(type),
      fields.length === 0 ? "." : `, ${fields.length} fields, * required.`,
      ...(standard === undefined || JSON.stringify(standard) === "{}"
        ? []
        : [" Default ", quoted(JSON.stringify(standard)), "."]),
    ],
    [
      ...(description === "" ? [] : [{ kind: "line" as const, line: [quoted(description)] }]),
      ...(shown.length === 0
        ? []
        : [
            {
              kind: "table" as const,
              columns: ["FIELD", "TYPE", "DESCRIPTION"],
              rows: shown.map((field) => [
                `${field.name}${field.required ? "*" : ""}`,
                field.type,
                firstSentence(field.description),
              ]),
            },
          ]),
      ...(left > 0 ? [{ kind: "line" as const, line: [`${left} more fields: use search.`] }] : []),
    ],
    { counts: { fields: fields.length }, ...(left > 0 ? { cut: `${left} fields` } : {}) },
    foreign,
  );
}

function unknownField(path: string, document: JsonObject, schema: JsonObject, step: string): Faulted {
  const names = fieldsOf(document, within(document, schema)).map((field) => field.name);
  const near = names.filter((name) => name.toLowerCase().slice(0, 3) === step.toLowerCase().slice(0, 3));
  return new Faulted(
    fault("not_found", { kind: "field", name: path, near: (near.length > 0 ? near : names).slice(0, 8) }),
  );
}

function searched(title: string, document: JsonObject, schema: JsonObject, text: string, foreign: boolean): Output {
  const found = searchFields(document, schema, text, most.found + 1);
  const shown = found.slice(0, most.found);
  const more = found.length > shown.length;
  return answer(
    [
      `${title}: fields whose name holds the text: ${more ? "more than " : ""}${shown.length}, nearest to the top first.`,
    ],
    shown.length === 0
      ? []
      : [{ kind: "table", columns: ["PATH", "TYPE"], rows: shown.map((one) => [one.path, one.type]) }],
    { counts: { found: shown.length }, ...(more ? { cut: "further fields" } : {}) },
    foreign,
  );
}

function firstSentence(text: string): string {
  const one = /^[\s\S]*?[.](?=\s|$)/.exec(text)?.[0] ?? text;
  // Between words: half of a secret is no longer known as one.
  return one.length > most.description
    ? `${one
        .slice(0, most.description + 1)
        .replace(/\S*$/, "")
        .trimEnd()}…`
    : one;
}
