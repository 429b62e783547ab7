// What sallyport.yaml may say of copies of the transcript that are kept elsewhere.

import { z } from "zod";

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
  /** `tls://siem.example:6514`, or `tcp://127.0.0.1:601` for a receiver that nobody else stands before. */
  address: z
    .url({ protocol: /^(tls|tcp)$/ })
    .max(2000)
    .refine((text) => URL.canParse(text) && isPlace(new URL(text)), "must be a scheme, a host and a port alone"),
  /** The certificates that sign the receiver's, as PEM; without it those of the system. */
  ca: path.optional(),
  /** The name that the receiver's certificate is for, where it is another than the host. */
  serverName: z.string().min(1).max(253).optional(),
  /** Our own certificate and its key, as PEM, for a receiver that asks for one. */
  certificate: path.optional(),
  key: path.optional(),
});

function isPlace({ hostname, port, username, password, pathname, search, hash }: URL): boolean {
  return hostname !== "" && port !== "" && username + password + search + hash === "" && ["", "/"].includes(pathname);
}

type Setting = z.output<typeof toFile> | z.output<typeof toSyslog>;

function checkAll(settings: readonly Setting[], told: z.core.$RefinementCtx): void {
  for (const [index, one] of settings.entries()) {
    const problem = (field: string, message: string): void =>
      told.addIssue({ code: "custom", path: [index, field], message });
    if (settings.findIndex(({ name: other }) => other === one.name) < index)
      problem("name", `${one.name} stands twice`);
    if (one.kind === "file") continue;
    const plain = one.address.startsWith("tcp:");
    for (const field of ["ca", "serverName", "certificate", "key"] as const)
      if (plain && one[field] !== undefined) problem(field, "is for tls:// alone");
    if ((one.certificate === undefined) !== (one.key === undefined))
      problem("certificate", "and key stand together, or neither does");
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
