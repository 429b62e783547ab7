// What a recorded decision must hold for its call to be decided again.

import * as z from "zod";

const texts = z.record(z.string(), z.string());
const ends = z.object({ from: z.string(), to: z.string() });
const counts = z.object({ from: z.number(), to: z.number() });
export const decidedSchema = z.object({
  tool: z.string(),
  effect: z.enum(["read", "change", "destroy", "execute"]),
  decision: z.enum(["allow", "require-approval", "deny"]),
  cluster: z.string().default(""),
  /** Empty where the call was refused before any policy was asked. */
  policy: z.string().min(1),
  /** The approval that was spent: the rules had asked for it. */
  approval: z.string().nullable(),
  accesses: z.array(z.string()),
  facts: z.object({
    principal: z
      .object({ kind: z.enum(["person", "agent"]), groups: z.array(z.string()), claims: texts.optional() })
      .optional(),
    namespaces: z
      .array(z.object({ name: z.string(), exists: z.boolean(), environment: z.string(), labels: texts.optional() }))
      .default([]),
    objects: z
      .array(
        z.object({
          resource: z.string(),
          namespace: z.string().optional(),
          name: z.string(),
          exists: z.boolean(),
          uid: z.string(),
          labels: texts.optional(),
          annotations: texts.optional(),
        }),
      )
      .default([]),
    change: z
      .object({
        replicas: counts.nullable(),
        scaled: z.array(counts),
        images: z.array(ends),
        envNames: z.array(z.string()),
        securityContext: z.boolean(),
        serviceAccounts: z.array(ends),
        volumes: z.array(z.string()),
        owners: z.boolean(),
        finalizers: z.boolean(),
        paths: z.array(z.string()),
      })
      .nullable()
      .catch(null)
      .default(null),
    session: z
      .object({
        age: z.number(),
        calls: z.number(),
        changes: z.number(),
        denied: z.number(),
        tainted: z.boolean(),
      })
      .optional(),
    now: z.iso.datetime().optional(),
  }),
});
