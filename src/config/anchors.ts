// What sallyport.yaml may say of the places where checkpoints of the transcript are kept beyond this machine.

import * as z from "zod";
import { problemsOf, syslogPlace } from "./syslog.ts";

const path = z.string().min(1).max(4096);
const unit: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 };

const common = {
  /** Stands in the receipts. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be small letters, digits and hyphens"),
  /** While the record grows; in seconds once it is read. */
  every: z
    .string()
    .regex(/^[1-9]\d{0,4}[smhd]$/, "must be a number and s, m, h or d, for example 1h")
    .default("1h")
    .transform((text) => Number(text.slice(0, -1)) * (unit[text.slice(-1)] ?? Number.NaN))
    .refine((seconds) => seconds >= 10 && seconds <= 7 * 86_400, "must lie between 10s and 7d"),
};

const inFile = z.strictObject({ kind: z.literal("file"), ...common, path });

/** Goes into commits and onto command lines. */
const word = z.string().max(200);
const inGit = z.strictObject({
  kind: z.literal("git"),
  ...common,
  /** A repository on this machine. */
  repository: path,
  branch: word
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, "must be letters, digits and . _ / - alone")
    .refine((name) => !/\.\.|\/\/|\/$|\.$|\.lock$|\/\./.test(name), "is no name that git takes")
    .default("checkpoints"),
  push: z.boolean().default(false),
  remote: word.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be the name of a remote").default("origin"),
  author: z
    .strictObject({
      name: word.regex(/^[^<>\p{Cc}]+$/u, "must be without < > and control characters").default("Sallyport"),
      email: word.regex(/^[^<>\s\p{Cc}]+$/u, "must be without < > and spaces").default("sallyport@localhost"),
    })
    .prefault({}),
});

const inSyslog = z.strictObject({ kind: z.literal("syslog"), ...common, ...syslogPlace });

export const anchorsSchema = z
  .array(z.discriminatedUnion("kind", [inFile, inGit, inSyslog]))
  .max(10)
  .default([])
  .superRefine((settings, told) => {
    for (const [index, one] of settings.entries()) {
      const problem = (field: string, message: string): void =>
        told.addIssue({ code: "custom", path: [index, field], message });
      if (settings.findIndex(({ name }) => name === one.name) < index) problem("name", `${one.name} stands twice`);
      if (one.kind === "syslog") for (const { field, message } of problemsOf(one)) problem(field, message);
    }
  });

export type AnchorSetting = z.output<typeof anchorsSchema>[number];
