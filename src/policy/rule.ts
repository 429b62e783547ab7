// One rule of a policy: as its file writes it, and as it is decided by.

import { z } from "zod";
import { verbs, type Verb } from "../domain/access.ts";
import type { Effect } from "../domain/call.ts";
import { assurances, type Requirement } from "../domain/decision.ts";
import { kindProblem } from "./kinds.ts";
import type { When } from "./when.ts";
import { isZone } from "./zone.ts";

export const ruleEffects = ["allow", "deny", "require-approval"] as const;
export type RuleEffect = (typeof ruleEffects)[number];
const callEffects = ["read", "change", "destroy", "execute"] as const satisfies readonly Effect[];

/** What a rule is about. A part that is null is not asked for; all parts that are there must hold. */
export interface Match {
  readonly tools: ReadonlySet<string> | null;
  readonly effects: ReadonlySet<Effect> | null;
  readonly verbs: ReadonlySet<Verb> | null;
  /** As `resourcePath` writes them. */
  readonly kinds: ReadonlySet<string> | null;
  readonly namespaces: { readonly names: ReadonlySet<string>; readonly prefixes: readonly string[] } | null;
  readonly clusters: ReadonlySet<string> | null;
  readonly groups: ReadonlySet<string> | null;
  /** A subject at any issuer, or `ISSUER SUBJECT`, the pair that alone identifies an account. */
  readonly subjects: ReadonlySet<string> | null;
  readonly agents: ReadonlySet<string> | null;
  readonly environments: ReadonlySet<string> | null;
}

export interface Rule {
  readonly id: string;
  /** Position among all rules of the policy, in the order of their files. */
  readonly order: number;
  readonly effect: RuleEffect;
  readonly match: Match;
  /** What must hold besides `match`; null where that is all. */
  readonly when: When | null;
  /** For require-approval, and only there. */
  readonly requirement: Requirement | null;
  readonly maxBytes: number | null;
  readonly reason: string;
  readonly tell: string | null;
}

const refuse = (problemOf: (text: string) => string | undefined) => (text: string, context: z.RefinementCtx) => {
  const problem = problemOf(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
};
const shaped = (pattern: RegExp, problem: string) =>
  z.string().superRefine(refuse((text) => (pattern.test(text) ? undefined : problem)));
const some = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(500).optional();
// Printable, on one line: what a person reads here is what a terminal shows.
const words = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+$/u, "must be one line of plain text");
/** An expression may be written on several lines. What can't be seen has no place in it either. */
const expression = z
  .string("must be a CEL expression in quotes or after |")
  .min(1)
  .regex(/^[^\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]*$/u, "must be without invisible characters")
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$/, "must be without control characters");
const name = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^*\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+$/u, "must be an exact name, without `*` or invisible characters");

const secondsPer: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `10m`, `1h`, `7d` as seconds. */
const duration = (least: number, most: number, range: string) =>
  z
    .string("must be a number and its unit, for example 10m")
    .regex(/^[1-9][0-9]{0,6}[smhd]$/, "must be a number and s, m, h or d, for example 10m")
    .transform((text) => Number(text.slice(0, -1)) * (secondsPer[text.slice(-1)] ?? Number.NaN))
    .refine((seconds) => seconds >= least && seconds <= most, `must lie between ${range}`);

const match = z.strictObject({
  tools: some(shaped(/^[a-z][a-z0-9_]{0,63}$/, "must be the exact name of a tool")),
  effects: some(z.enum(callEffects)),
  verbs: some(z.enum(verbs)),
  kinds: some(z.string().superRefine(refuse(kindProblem))),
  namespaces: some(
    shaped(
      /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$|^[a-z0-9][-a-z0-9]{0,60}-\*$/,
      "must be the name of a namespace, or a prefix such as kube-*",
    ),
  ),
  clusters: some(name),
  groups: some(name),
  subjects: some(name),
  agents: some(name),
  environments: some(name),
});

const approval = z.strictObject({
  approvers: z
    .array(shaped(/^(owner|(group|user):[^\p{Cc}\p{Cf}]+)$/u, "must be owner, group:NAME or user:SUBJECT"))
    .min(1)
    .max(50),
  count: z.int().min(1).max(10).default(1),
  expires: duration(60, 7 * 86_400, "1m and 7d").default(3600),
  validFor: duration(60, 86_400, "1m and 1d").default(600),
  // The weakest is the floor, not a gift: a rule can only ask for more (approval.md, "By whom").
  assurance: z.enum(assurances).default("same-device"),
});

const texts = z.record(z.string(), z.string()).default({});
const count = z.int().min(0).default(0);
const fromTo = z.strictObject({ from: z.string().default(""), to: z.string().default("") });
const counts = z.strictObject({ from: z.int().min(0), to: z.int().min(0) });

/** What an example says of the cluster, the change, the session and the time. What it leaves out was not looked up. */
const factsSchema = z.strictObject({
  namespaces: z
    .record(
      z.string(),
      z.strictObject({ environment: z.string().default(""), labels: texts, exists: z.boolean().default(true) }),
    )
    .default({}),
  /** By `NAMESPACE/NAME`, or `NAME` outside namespaces. */
  objects: z
    .record(z.string(), z.strictObject({ labels: texts, annotations: texts, exists: z.boolean().default(true) }))
    .default({}),
  change: z
    .strictObject({
      replicas: counts.optional(),
      scaled: z.array(counts).default([]),
      images: z.array(fromTo).default([]),
      envNames: z.array(z.string()).default([]),
      securityContext: z.boolean().default(false),
      serviceAccounts: z.array(fromTo).default([]),
      volumes: z.array(z.string()).default([]),
      owners: z.boolean().default(false),
      finalizers: z.boolean().default(false),
      paths: z.array(z.string()).default([]),
    })
    .optional(),
  session: z
    .strictObject({ age: count, calls: count, changes: count, denied: count, tainted: z.boolean().default(false) })
    .optional(),
  now: z.iso.datetime({ offset: true, error: "must be a time such as 2026-12-24T18:00:00Z" }).optional(),
});

/** A call to try, written with the accesses that planning gives it. */
export const exampleSchema = z.strictObject({
  call: z.strictObject({
    tool: shaped(/^[a-z][a-z0-9_]{0,63}$/, "must be the exact name of a tool"),
    effect: z.enum(callEffects),
    cluster: name.default("example"),
    arguments: z.record(z.string(), z.json()).default({}),
    accesses: z.array(z.string().max(500)).max(100).default([]),
  }),
  principal: z
    .strictObject({
      issuer: name.default("local"),
      subject: name.default("example"),
      kind: z.enum(["person", "agent"]).default("agent"),
      groups: z.array(name).max(100).default([]),
      agent: name.optional(),
    })
    .prefault({}),
  facts: factsSchema.prefault({}),
  expect: z.enum(ruleEffects),
});
export type Example = z.output<typeof exampleSchema>;

export const ruleSchema = z
  .strictObject({
    id: shaped(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be lower-case words joined by hyphens").max(63),
    effect: z.enum(ruleEffects),
    match,
    when: expression.optional(),
    approval: approval.optional(),
    obligations: z.strictObject({ maxBytes: z.int().min(256).max(1_048_576) }).optional(),
    reason: words,
    tell: words.optional(),
    examples: z.array(exampleSchema).max(50).default([]),
  })
  .superRefine((rule, context) => {
    const wrong = (path: string[], message: string): void => context.addIssue({ code: "custom", path, message });
    if (rule.effect === "require-approval" && rule.approval === undefined)
      wrong(["effect"], "needs an `approval` with its approvers");
    if (rule.effect !== "require-approval" && rule.approval !== undefined)
      wrong(["approval"], "is only read in a require-approval rule");
    if (rule.effect === "deny" && rule.obligations !== undefined)
      wrong(["obligations"], "hang on what may run: a deny rule has none");
    // A Secret is read only where a rule asked for approval and got it (kubernetes.md, "Grants").
    if (rule.effect === "allow" && rule.match.kinds?.includes("secrets"))
      wrong(["match", "kinds"], "names secrets, which are never allowed without a person: use require-approval");
  });
export type WrittenRule = z.output<typeof ruleSchema>;

/** The outer shape of a file; its rules are parsed one by one, so that each problem finds its line. */
export const fileSchema = z.strictObject({
  version: z.literal(1, "must be 1, the only version there is"),
  zone: z.string().refine(isZone, "must be the name of a time zone, for example Europe/Berlin, or UTC").default("UTC"),
  rules: z.array(z.unknown()),
});

/** The rule as it is decided by. */
export function ruleFrom(written: WrittenRule, order: number, when: When | null): Rule {
  const { id, effect, match, approval, obligations, reason, tell } = written;
  const set = <T>(values: readonly T[] | undefined): ReadonlySet<T> | null =>
    values === undefined ? null : new Set(values);
  return {
    id,
    order,
    effect,
    match: {
      tools: set(match.tools),
      effects: set(match.effects),
      verbs: set(match.verbs),
      kinds: set(match.kinds),
      namespaces: match.namespaces === undefined ? null : namespacesFrom(match.namespaces),
      clusters: set(match.clusters),
      groups: set(match.groups),
      subjects: set(match.subjects),
      agents: set(match.agents),
      environments: set(match.environments),
    },
    when,
    requirement: approval === undefined ? null : { rule: id, ...approval },
    maxBytes: obligations?.maxBytes ?? null,
    reason,
    tell: tell ?? null,
  };
}

function namespacesFrom(written: readonly string[]): NonNullable<Match["namespaces"]> {
  return {
    names: new Set(written.filter((name) => !name.endsWith("*"))),
    prefixes: written.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1)),
  };
}
