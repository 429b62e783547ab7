// A rule and its file as they are written, each part with the sentence that a mistake in it gets.

import * as z from "zod";
import { verbs } from "../domain/access.ts";
import { assurances } from "../domain/decision.ts";
import { exampleSchema } from "./example-shape.ts";
import { kindProblem } from "./kinds.ts";
import { callEffects, ruleEffects } from "./rule.ts";
import { duration, exactName, expression, refuse, shaped, some, toolName, words } from "./rule-parts.ts";
import { isZone } from "./zone.ts";

const match = z.strictObject({
  tools: some(toolName),
  effects: some(z.enum(callEffects)),
  verbs: some(z.enum(verbs)),
  kinds: some(z.string().superRefine(refuse(kindProblem))),
  namespaces: some(
    shaped(
      /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$|^[a-z0-9][-a-z0-9]{0,60}-\*$/,
      "must be the name of a namespace, or a prefix such as kube-*",
    ),
  ),
  clusters: some(exactName),
  groups: some(exactName),
  subjects: some(exactName),
  agents: some(exactName),
  environments: some(exactName),
});

const approvers = z
  .array(shaped(/^(owner|(group|user):[^\p{Cc}\p{Cf}]+)$/u, "must be owner, group:NAME or user:SUBJECT"))
  .min(1)
  .max(50);

const approval = z.strictObject({
  approvers,
  count: z.int().min(1).max(10).default(1),
  expires: duration(60, 7 * 86_400, "1m and 7d").default(3600),
  validFor: duration(60, 86_400, "1m and 1d").default(600),
  // The weakest is the floor, not a gift: a rule can only ask for more (approval.md, "By whom").
  assurance: z.enum(assurances).default("same-device"),
  escalate: z
    .array(z.strictObject({ after: duration(60, 7 * 86_400, "1m and 7d"), to: approvers }))
    .min(1)
    .max(5)
    .optional(),
});

const obligations = z
  .strictObject({
    // A first line, what was hidden, what was cut and the call's id have room in this.
    maxBytes: z.int().min(1024).max(1_048_576).optional(),
    mask: shaped(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be the name of a masking profile").optional(),
  })
  .refine(({ maxBytes, mask }) => maxBytes !== undefined || mask !== undefined, "must name mask or maxBytes");

export const ruleSchema = z
  .strictObject({
    id: shaped(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be lower-case words joined by hyphens").max(63),
    effect: z.enum(ruleEffects),
    match,
    when: expression.optional(),
    approval: approval.optional(),
    obligations: obligations.optional(),
    reason: words,
    tell: words.optional(),
    examples: z.array(exampleSchema).max(50).default([]),
  })
  .superRefine((rule, context) => {
    const wrong = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (rule.effect === "require-approval" && rule.approval === undefined)
      wrong(["effect"], "needs an `approval` with its approvers");
    if (rule.effect !== "require-approval" && rule.approval !== undefined)
      wrong(["approval"], "is only read in a require-approval rule");
    if (rule.effect === "deny" && rule.obligations !== undefined)
      wrong(["obligations"], "hang on what may run: a deny rule has none");
    for (const [index, { after }] of (rule.approval?.escalate ?? []).entries()) {
      const at = ["approval", "escalate", index, "after"];
      if (after >= (rule.approval?.expires ?? 0)) wrong(at, "must be shorter than `expires`");
      if (after <= (rule.approval?.escalate?.[index - 1]?.after ?? 0)) wrong(at, "must be longer than the one before");
    }
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
