// Where owner and clients meet: a file in the state folder that names the socket and holds the token to enter.

import { constants } from "node:fs";
import { chmod, lstat, open, readFile, rename, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isJsonObject } from "../domain/json.ts";
import { codeOf, folderProblem, prepareFolder } from "./folder.ts";
import type { OwnerLock } from "./lock.ts";

export interface Meeting {
  readonly socket: string;
  readonly token: string;
}

export type FoundMeeting =
  | { readonly kind: "found"; readonly meeting: Meeting }
  | { readonly kind: "absent" }
  | { readonly kind: "refused"; readonly sentence: string };

/** Longer paths don't fit into a socket's address on every system (Linux 108 bytes, macOS 104). */
const longestPath = 100;

export type SocketPath =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "refused"; readonly sentence: string };

/** In the state folder; where that path is too long, in a folder of ours under `runtimeFolder` that is named after it. */
export function socketPath(folder: string, runtimeFolder: string, uid: number): SocketPath {
  const near = join(folder, "owner.sock");
  if (Buffer.byteLength(near) <= longestPath) return { kind: "path", path: near };
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  const away = join(runtimeFolder, `sallyport-${uid}-${name}`);
  const problem = prepareFolder(away, uid);
  if (problem !== "") return { kind: "refused", sentence: problem };
  const path = join(away, "owner.sock");
  return Buffer.byteLength(path) <= longestPath
    ? { kind: "path", path }
    : { kind: "refused", sentence: `Neither ${folder} nor ${runtimeFolder} is short enough for a socket.` };
}

/** Removes what a dead owner left. Only the holder of the lock may: it knows that no owner is alive. */
export async function clearStale(_lock: OwnerLock, path: string): Promise<string> {
  try {
    if (!(await lstat(path)).isSocket()) return `${path} is in the way and is no socket of ours: move it.`;
    await rm(path);
  } catch (thrown) {
    if (codeOf(thrown) !== "ENOENT") return `The socket ${path} can't be replaced (${codeOf(thrown)}).`;
  }
  return "";
}

const fileOf = (folder: string): string => join(folder, "owner.json");

/** "" once it is written, whole and readable by the owner only; else the sentence that says why it can't be. */
export async function announce(lock: OwnerLock, meeting: Meeting): Promise<string> {
  const path = fileOf(lock.folder);
  try {
    await write(path, meeting);
  } catch (thrown) {
    return `${path} can't be written (${codeOf(thrown)}).`;
  }
  return "";
}

async function write(path: string, meeting: Meeting): Promise<void> {
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(JSON.stringify(meeting));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(meeting.socket, 0o600);
  await rename(draft, path);
}

export async function withdraw(lock: OwnerLock, meeting: Meeting): Promise<void> {
  await rm(fileOf(lock.folder), { force: true });
  await rm(meeting.socket, { force: true });
}

/** Reads where to meet. Refused: a folder that others can write in, a file that others can read. */
export async function findMeeting(folder: string, uid: number): Promise<FoundMeeting> {
  const path = fileOf(folder);
  let text: string;
  try {
    await lstat(folder);
    const problem = folderProblem(folder, uid);
    if (problem !== "") return { kind: "refused", sentence: problem };
    text = await readOwn(path, uid);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return { kind: "absent" };
    return { kind: "refused", sentence: `${path} can't be read (${codeOf(thrown)}).` };
  }
  const meeting = text === "" ? null : parse(text);
  return meeting === null
    ? { kind: "refused", sentence: `${path} is not as an owner writes it, or can be read by others: remove it.` }
    : { kind: "found", meeting };
}

/** The file's text, or "" where it is not ours alone. */
async function readOwn(path: string, uid: number): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const found = await handle.stat();
    return found.isFile() && found.uid === uid && (found.mode & 0o077) === 0 ? await readFile(handle, "utf8") : "";
  } finally {
    await handle.close();
  }
}

function parse(text: string): Meeting | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isJsonObject(value)) return null;
  const { socket, token } = value;
  return typeof socket === "string" && typeof token === "string" && token !== "" ? { socket, token } : null;
}
