// The mapping from controls to evidence, as docs/controls.yaml holds it: read strictly, so that nothing is claimed by a slip.

import { createHash } from "node:crypto";
import { parseDocument, visit } from "yaml";
import * as z from "zod";
import { questions, type Question } from "../transcript/verdict.ts";

const sentence = z.string().min(1).max(1200);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** `principal.sub`, `details.approver.subject`: names from the entry's top down. A list on the way stands for each of its items. */
const path = z.string().regex(/^[a-z_]+(\.[a-zA-Z_]+)*$/, "must be names with dots between");

/** What a field must be. Where it is a list, one item that fits is enough. */
const condition = z.union([
  scalar,
  z.array(scalar).min(1),
  z.strictObject({ not: z.union([scalar, z.array(scalar).min(1)]) }),
  /** A text in which `*` stands for any characters. */
  z.strictObject({ like: z.string().min(1) }),
  z.strictObject({ above: z.number() }),
  /** Absent, null, "", an empty list or an empty object. */
  z.strictObject({ empty: z.boolean() }),
  /** The same value as the field at this path. */
  z.strictObject({ same: path }),
]);
export type Condition = z.output<typeof condition>;

/** All fields must be as they say. */
const clause = z.record(path, condition);
export type Clause = z.output<typeof clause>;

const query = z.strictObject({
  says: sentence,
  /** Kinds of entries; `*` for all. */
  kinds: z.array(z.string().regex(/^(\*|[a-z]+\.[a-z]+)$/)).min(1),
  /** Of several clauses one must hold. Without any, every entry of these kinds is a row. */
  where: z.union([clause, z.array(clause).min(1)]).optional(),
  /** `none`: each row is something that a person has to explain. */
  expect: z.literal("none").optional(),
  /** Not built yet: it is listed, never run, and counts for nothing. */
  planned: z.literal(true).optional(),
});
export type Query = z.output<typeof query>;

const ids = (pattern: RegExp) => z.array(z.string().regex(pattern)).default([]);

const control = z.strictObject({
  /** SP 800-53, revision 5. */
  id: z.string().regex(/^[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?$/, "must be a control's id, for example AC-2(4)"),
  title: z.string().min(1).max(120),
  gateway: sentence,
  customer: sentence,
  /** Names of queries, and of questions that verification answers. */
  evidence: z.array(z.string()).default([]),
  /** What to ask besides; its answers are no entries. */
  also: z.array(z.string()).default([]),
  /** Promises of test/requirements. */
  tests: z.array(z.string().regex(/^[a-z]+:[a-z-]+$/)).min(1),
  r2: ids(/^3\.\d{1,2}\.\d{1,2}$/),
  r3: ids(/^\d\d\.\d\d\.\d\d$/),
  /** SP 800-207, section 2.1, by number. */
  tenets: z.array(z.int().min(1).max(7)).default([]),
  airmf: ids(/^(GOVERN|MAP|MEASURE|MANAGE) \d\.\d{1,2}$/),
});
export type Control = z.output<typeof control>;

const shape = z.strictObject({
  version: z.literal(1),
  /** The day of the last change, which documents made from it are dated by. */
  updated: z.iso.date(),
  queries: z.record(z.string().regex(/^[a-z]+(-[a-z]+)*$/), query),
  controls: z.array(control).min(1),
  /** What no gateway can evidence, and why. */
  beyond: z.array(z.strictObject({ controls: sentence, why: sentence })).min(1),
});

export type Mapping = z.output<typeof shape> & {
  /** SHA-256 of the file, hex. */
  readonly digest: string;
};

export type LoadedMapping =
  | { readonly kind: "loaded"; readonly mapping: Mapping }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Reads a mapping; a mistake is one sentence a problem, with the place in the file. */
export function loadMapping(text: string): LoadedMapping {
  const document = parseDocument(text);
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) return refused([`is not valid YAML: ${broken.message.split("\n")[0] ?? ""}`]);
  let aliases = 0;
  visit(document, { Alias: () => void aliases++ });
  if (aliases > 0) return refused(["has an alias: write each value out"]);
  const parsed = shape.safeParse(document.toJS());
  if (!parsed.success)
    return refused(parsed.error.issues.map(({ path: at, message }) => `${at.map(String).join(".")}: ${message}`));
  const problems = problemsIn(parsed.data);
  if (problems.length > 0) return refused(problems);
  const digest = createHash("sha256").update(text).digest("hex");
  return { kind: "loaded", mapping: { ...parsed.data, digest } };
}

const refused = (problems: readonly string[]): LoadedMapping => ({ kind: "refused", problems });

/** Names that point nowhere, stand twice, or are used by nothing. */
function problemsIn({ queries, controls }: z.output<typeof shape>): readonly string[] {
  const used = new Set(controls.flatMap(({ evidence }) => evidence));
  const seen = new Set<string>();
  return [
    ...controls.flatMap(({ id, evidence }) => {
      const twice = seen.has(id) ? [`${id} stands twice`] : [];
      seen.add(id);
      const unknown = evidence.filter((name) => !isQuestion(name) && !Object.hasOwn(queries, name));
      return [...twice, ...unknown.map((name) => `${id}: there is no query ${name}`)];
    }),
    ...Object.keys(queries)
      .filter((name) => !used.has(name))
      .map((name) => `no control uses the query ${name}`),
  ];
}

/** Is it the name of a question that verification answers? */
export function isQuestion(name: string): name is Question {
  return (questions as readonly string[]).includes(name);
}
