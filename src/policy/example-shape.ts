// An example of a rule, as its file writes it: a call, the facts about it, and the answer that its author expects.

import * as z from "zod";
import { callEffects, ruleEffects } from "./rule.ts";
import { exactName, toolName } from "./rule-parts.ts";

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
    tool: toolName,
    effect: z.enum(callEffects),
    cluster: exactName.default("example"),
    arguments: z.record(z.string(), z.json()).default({}),
    accesses: z.array(z.string().max(500)).max(100).default([]),
  }),
  principal: z
    .strictObject({
      issuer: exactName.default("local"),
      subject: exactName.default("example"),
      kind: z.enum(["person", "agent"]).default("agent"),
      groups: z.array(exactName).max(100).default([]),
      agent: exactName.optional(),
      clientId: exactName.optional(),
      claims: texts,
    })
    .prefault({}),
  facts: factsSchema.prefault({}),
  expect: z.enum(ruleEffects),
});
export type Example = z.output<typeof exampleSchema>;
