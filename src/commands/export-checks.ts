// Doctor's checks of continuous exports: what their settings name can be read, and none is long behind.

import { access, constants } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import { readLag } from "../transcript/shipping.ts";
import { sentenceOf, type Io } from "./io.ts";
import { spanText } from "./times.ts";

interface Found {
  readonly name: string;
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

/** Further behind, in milliseconds, and somebody should look. */
const long = 3_600_000;

export async function exportChecks(io: Pick<Io, "now">, folder: string, config: Config): Promise<readonly Found[]> {
  return await Promise.all(config.exporters.map((setting) => exportCheck(io, folder, setting)));
}

async function exportCheck(io: Pick<Io, "now">, folder: string, setting: Config["exporters"][number]): Promise<Found> {
  const name = `export ${setting.name}`;
  const files = setting.kind === "file" ? [] : [setting.ca, setting.certificate, setting.key];
  for (const path of files.filter((one) => one !== undefined)) {
    const [readable] = await Promise.allSettled([access(path, constants.R_OK)]);
    if (readable.status === "rejected")
      return { name, result: "failed", says: `${path} can't be read`, next: "put it there, or correct the path" };
  }
  const [read] = await Promise.allSettled([readLag({ folder, name: setting.name, now: io.now })]);
  if (read.status === "rejected") return { name, result: "note", says: sentenceOf(read.reason), next: "" };
  const { entries, age } = read.value;
  const says =
    entries === 0 ? "has everything that is signed" : `${entries} entries behind, the oldest of ${spanText(age)} ago`;
  if (entries === 0 || age < long) return { name, result: "ok", says, next: "" };
  const next = "see that a gateway runs, and what its log says of this export";
  return { name, result: "note", says, next };
}
