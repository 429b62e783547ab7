// The key file that opens sealed bodies: the gateway's own, or an auditor's secret.

import { readFile, stat } from "node:fs/promises";
import { auditorWrapping, fileWrapping, type KeyWrapping } from "../transcript/seal.ts";
import { CommandFailed } from "./io.ts";

/** Opens wrapped keys. Throws `CommandFailed` where the file is neither, or others can read it. */
export async function bodiesKey(path: string): Promise<Pick<KeyWrapping, "id" | "unwrap">> {
  const [bytes, { mode }] = await Promise.all([readFile(path), stat(path)]).catch((thrown: NodeJS.ErrnoException) => {
    throw new CommandFailed(`${path} can't be read (${thrown.code ?? "unknown"}).`, 2);
  });
  if ((mode & 0o077) !== 0) throw new CommandFailed(`${path} can be read by others: chmod 600 it.`, 2);
  const auditor = auditorWrapping(bytes.toString("utf8"));
  if (auditor !== null) return auditor;
  if (bytes.length !== 32) throw new CommandFailed(`${path} is neither keys/bodies.key nor an auditor's secret.`, 2);
  return fileWrapping(bytes, () => {
    throw new Error("a key that only opens was asked to seal");
  });
}
