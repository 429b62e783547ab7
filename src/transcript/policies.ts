// The texts of the policies that were in force, each under its digest: what a decided entry's `policy` stands for.

import { hash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { diskCause, type Disk } from "./disk.ts";
import { transcriptPaths, unlessAbsent } from "./files.ts";
import { unusable } from "./unusable.ts";

/** A policy's file: its canonical JSON (RFC 8785), whose SHA-256 is the digest in its name. */
export function policyName(digest: string): string {
  return `${digest}.json`;
}

/** Keeps a policy's text durably in the state folder; does nothing where it is there. Faults: transcript_unavailable. */
export async function keepPolicy(
  disk: Disk,
  folder: string,
  { digest, text }: { readonly digest: string; readonly text: string },
): Promise<void> {
  if (hash("sha256", text, "hex") !== digest) throw new TypeError("not the text of this policy");
  const { policies } = transcriptPaths(join(folder, "transcript"));
  const path = join(policies, policyName(digest));
  const bytes = Buffer.from(text);
  try {
    if ((await unlessAbsent(stat(path)))?.size === bytes.length) return;
    await disk.makeFolder(policies);
    await disk.replace(path, bytes);
  } catch (thrown) {
    throw unusable(`the policy's text can't be kept: ${diskCause(thrown)}`);
  }
}
