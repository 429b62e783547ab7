// What sallyport.yaml may say of copies of the transcript that are kept elsewhere.

import * as z from "zod";
import { problemsOf, syslogPlace } from "./syslog.ts";

const path = z.string().min(1).max(4096);
/** Names the cursor's file. */
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be small letters, digits and hyphens");

const toFile = z.strictObject({
  kind: z.literal("file"),
  name,
  /** `ocsf`, `cef`: a record a line. `csv`: with its header at the top of a new file. */
  format: z.enum(["ocsf", "csv", "cef"]).default("ocsf"),
  path,
});

const toSyslog = z.strictObject({
  kind: z.literal("syslog"),
  name,
  format: z.enum(["cef", "ocsf"]).default("cef"),
  ...syslogPlace,
});

type Setting = z.output<typeof toFile> | z.output<typeof toSyslog>;

function checkAll(settings: readonly Setting[], told: z.core.$RefinementCtx): void {
  for (const [index, one] of settings.entries()) {
    const problem = (field: string, message: string): void =>
      told.addIssue({ code: "custom", path: [index, field], message });
    if (settings.findIndex(({ name: other }) => other === one.name) < index)
      problem("name", `${one.name} stands twice`);
    if (one.kind === "syslog") for (const { field, message } of problemsOf(one)) problem(field, message);
  }
}

export const exporterSettings = {
  /** Copies of the transcript's entries, each written as they are signed. */
  exporters: z
    .array(z.discriminatedUnion("kind", [toFile, toSyslog]))
    .max(20)
    .default([])
    .superRefine(checkAll),
};

export type ExporterSetting = z.output<typeof exporterSettings.exporters>[number];
