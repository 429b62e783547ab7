// What lies in a bundle's folder: plain files under names that a bundle may hold. Nothing else is opened, wherever it points.

import { createHash } from "node:crypto";
import { lstat, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFolder, unlessAbsent } from "../files.ts";
import type { Findings } from "../verdict.ts";
import { folders, isBundleName, names } from "./form.ts";

/** The files by name with their bytes. */
export type Found = ReadonlyMap<string, number>;

/** More names than this, in one of its folders, and nothing there is believed. */
const most = 10_000;
/** Texts that are read whole are smaller than this. */
const largestText = 16 * 1024 * 1024;

/** Is this a bundle's folder, and not a transcript's? */
export async function isBundle(folder: string): Promise<boolean> {
  if (!(await isFolder(folder))) return false;
  for (const one of ["transcript", "segments"])
    if ((await unlessAbsent(stat(join(folder, one)))) !== null) return false;
  for (const one of [names.manifest, names.entries])
    if ((await unlessAbsent(lstat(join(folder, one)))) !== null) return true;
  return false;
}

/** The files of a bundle. What is none of them is a finding: links, folders in folders, other names. */
export async function lookInto(folder: string, findings: Findings): Promise<Found> {
  const found = new Map<string, number>();
  async function look(inside: string): Promise<void> {
    const here = (await readdir(join(folder, inside))).sort();
    if (here.length > most)
      return findings.add(`${inside === "" ? "the folder" : inside} holds more names than a bundle`);
    for (const one of here) {
      const name = inside === "" ? one : `${inside}/${one}`;
      const { size, ...kind } = await kindOf(join(folder, name));
      if (inside === "" && kind.folder && folders.has(name)) await look(name);
      else if (!isBundleName(name)) findings.add(`${JSON.stringify(name)} is no file of a bundle; it was not opened`);
      else if (!kind.file) findings.add(`${name} is a link or no file; it was not opened`);
      else found.set(name, size);
    }
  }
  await look("");
  return found;
}

async function kindOf(path: string): Promise<{ file: boolean; folder: boolean; size: number }> {
  const found = await lstat(path);
  return { file: found.isFile(), folder: found.isDirectory(), size: found.size };
}

/** A file's text; null where there is none, or it is larger than any such text, which is a finding. */
export async function textIn(folder: string, found: Found, name: string, findings: Findings): Promise<string | null> {
  const size = found.get(name);
  if (size === undefined) return null;
  if (size > largestText) {
    findings.add(`${name} is larger than ${largestText} bytes; it was not read`);
    return null;
  }
  const file = await open(join(folder, name), "r");
  try {
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** The SHA-256 of a file, hex, whatever its length. */
export async function digestOf(folder: string, name: string): Promise<string> {
  const digest = createHash("sha256");
  const file = await open(join(folder, name), "r");
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return digest.digest("hex");
      digest.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
