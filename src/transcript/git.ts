// Runs the git program: words alone and no shell, nothing of a repository's own programs, no questions, and never for ever.

import { spawn } from "node:child_process";
import { fault, Faulted } from "../domain/fault.ts";

export interface GitRun {
  /** What the program's own environment is made of: PATH, HOME and what leads to keys and proxies. */
  readonly env: { readonly [name: string]: string | undefined };
  /** May it reach other machines? */
  readonly network: boolean;
  readonly input?: string;
  /** Milliseconds after which it is ended. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** A repository that somebody else made can name programs in its configuration: each way to one is closed here. */
const closed = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.askPass=",
  "credential.interactive=false",
  "commit.gpgSign=false",
  "push.gpgSign=false",
  "push.recurseSubmodules=no",
  "gc.auto=0",
  "maintenance.auto=false",
  "core.fsync=all",
];

const passed = [
  "PATH",
  "HOME",
  "SSH_AUTH_SOCK",
  "GIT_SSH_COMMAND",
  "HTTPS_PROXY",
  "https_proxy",
  "NO_PROXY",
  "no_proxy",
];

/**
 * What the program wrote. Faults: internal, with the operator's sentence, where there is no git, it took too long, or it
 * ended with anything but 0; its own words are kept without what an address may carry of a credential.
 */
export function git(repository: string, words: readonly string[], run: GitRun): Promise<Buffer> {
  const what = `git ${words[0] ?? ""}`;
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["-C", repository, "--no-pager", ...closed.flatMap((one) => ["-c", one]), ...words], {
      env: environment(run),
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    const out: Buffer[] = [];
    let told = "";
    const over = (why: string | null): void => {
      clearTimeout(timer);
      run.signal?.removeEventListener("abort", stop);
      // A child of its own may hold these open after it is gone.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      if (why === null) resolve(Buffer.concat(out));
      else reject(new Faulted(fault("internal", {}, why)));
    };
    const end = (why: string): void => {
      child.kill("SIGKILL");
      over(why);
    };
    const stop = (): void => end(`${what} was stopped`);
    const timer = setTimeout(() => end(`${what} did not end within ${run.timeout / 1000} s`), run.timeout);
    run.signal?.addEventListener("abort", stop);
    child.stdout.on("data", (chunk: Buffer) => void out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (told = (told + chunk.toString("utf8")).slice(-2000)));
    child.stdin.on("error", () => undefined);
    child.on("error", (thrown) => over(`${what} can't be run: ${codeOf(thrown)}`));
    child.on("close", (code) => over(code === 0 ? null : `${what} ended with ${code ?? "a signal"}${lastWords(told)}`));
    child.stdin.end(run.input ?? "");
    if (run.signal?.aborted === true) stop();
  });
}

function environment({ env, network }: GitRun): Record<string, string> {
  const own = passed.flatMap((name): readonly (readonly [string, string])[] => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(own),
    GIT_TERMINAL_PROMPT: "0",
    GIT_SSH_COMMAND: env["GIT_SSH_COMMAND"] ?? "ssh -o BatchMode=yes -o ConnectTimeout=15",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    ...(network ? {} : { GIT_ALLOW_PROTOCOL: "none" }),
    LC_ALL: "C",
  };
}

function codeOf(thrown: Error): string {
  const code = "code" in thrown ? String(thrown.code) : "unknown";
  return code === "ENOENT" ? "there is no git on this machine, or no such folder" : code;
}

/** Its last line, for the operator: what stands before an @ in an address could be a password. */
function lastWords(told: string): string {
  const line = told.trim().split("\n").at(-1) ?? "";
  const plain = line
    .replaceAll(/\/\/[^/@\s]*@/g, "//")
    .replaceAll(/[^ -~]/g, "?")
    .slice(0, 300);
  return plain === "" ? "" : `: ${plain}`;
}

/** Where the checkpoints of all logs lie in a repository: one file each, which the next one replaces; the history has them all. */
export const notesFolder = "checkpoints";

/** The text of every version that this folder's files ever had on any branch. Rejects as `git` does. */
export async function versionsIn(repository: string, path: string, run: GitRun): Promise<readonly string[]> {
  const listed = await git(repository, ["rev-list", "--all", "--objects", "--full-history", "--", path], run);
  const ids = listed
    .toString("utf8")
    .split("\n")
    .flatMap((line) => {
      const space = line.indexOf(" ");
      const name = line.slice(space + 1);
      return space > 0 && (name === path || name.startsWith(`${path}/`)) ? [line.slice(0, space)] : [];
    });
  if (ids.length === 0) return [];
  const batch = await git(repository, ["cat-file", "--batch"], { ...run, input: ids.map((id) => `${id}\n`).join("") });
  return objectsIn(batch);
}

/** `ID TYPE SIZE\nBYTES\n`, one after the other; only files count. */
function objectsIn(batch: Buffer): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < batch.length;) {
    const end = batch.indexOf(0x0a, at);
    const [, type, size] = batch.toString("latin1", at, end).split(" ");
    if (end < 0 || size === undefined) break;
    const stop = end + 1 + Number(size);
    if (type === "blob") texts.push(batch.toString("utf8", end + 1, stop));
    at = stop + 1;
  }
  return texts;
}
