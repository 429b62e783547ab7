// Bearer tokens that stand in a file: read again as they are rotated.

import { Faulted } from "../domain/fault.ts";
import { clusterFault } from "./faults.ts";
import { errorCode, type ReadFile } from "./kubeconfig-file.ts";

/** Milliseconds that a token file counts as read: kubelet replaces a token long before the old one ends. */
const keep = 10_000;

/** The token in a file, read again at most every ten seconds. A file that is gone or empty gives none. Faults: credential_unavailable. */
export function fileToken(path: string, readFile: ReadFile, now: () => number): () => Promise<string> {
  let held: { readonly token: string; readonly at: number } | null = null;
  return async () => {
    if (held !== null && now() - held.at < keep) return held.token;
    const token = (await textOf(path, readFile)).trim();
    if (token === "") throw tokenFault(`the token file ${path} is empty`);
    held = { token, at: now() };
    return token;
  };
}

async function textOf(path: string, readFile: ReadFile): Promise<string> {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw tokenFault(`the token file ${path} can't be read (${errorCode(thrown)})`);
  }
}

function tokenFault(cause: string): Faulted {
  return new Faulted(clusterFault("credential_unavailable", { why: "source" }, cause));
}
