// A state folder with two sessions, bundles of it by the command line, and what a hand that tampers with one can do.

import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { CommandFailed, sentenceOf } from "../../../src/commands/io.ts";
import { program } from "../../../src/commands/program.ts";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import { canonical } from "../../../src/transcript/canonical.ts";
import { keepPolicy } from "../../../src/transcript/policies.ts";
import type { Report } from "../../../src/transcript/verify.ts";
import { ownWrapping } from "../../../src/wiring/state.ts";
import { buildVerifier } from "../../../toolchain/build-verifier.ts";
import { testIo } from "../../support/world.ts";
import {
  approvedChange,
  callId,
  digest,
  draft,
  openIn,
  plainRead,
  quickDisk,
  session,
  settled,
  start,
} from "./support.ts";

export const other = "ses_01950000-0000-7000-8000-000000000002" as SessionId;
export const random = (count: number): Uint8Array => randomBytes(count);

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Place {
  /** The state folder, and a folder for everything else. */
  readonly folder: string;
  readonly beside: string;
  readonly run: (...words: readonly string[]) => Promise<Ran>;
}

const inSession = (entry: EntryDraft, id: SessionId): EntryDraft => ({ ...entry, session: { id, door: "http" } });

function opened(id: SessionId, kind: "session.opened" | "session.closed"): EntryDraft {
  const entry =
    kind === "session.opened"
      ? draft(kind, null, { door: "http", client: "editor" })
      : draft(kind, null, { reason: "ended by its client", calls: 2, changes: 1, denied: 0 });
  return inSession(entry, id);
}

/** An answer that is sealed beside the end of the call. */
function withAnswer(drafts: readonly EntryDraft[], text: string): readonly EntryDraft[] {
  return drafts.map((one) =>
    one.kind === "call.settled" ? { ...one, body: { class: "output" as const, text } } : one,
  );
}

const text = '[{"rules":[]}]';
/** The policy in force; the decisions of these stories name another, whose text was never kept. */
export const policy = { digest: createHash("sha256").update(text).digest("hex"), text };

/** What the two sessions do: the first reads and changes, the second reads while the first waits. */
export const story = (): readonly (readonly EntryDraft[])[] => {
  const change = approvedChange(callId(2), "apr_2", "g2");
  return [
    [opened(session, "session.opened")],
    withAnswer(plainRead(callId(1)), "3 pods in shop"),
    change.slice(0, 4),
    [opened(other, "session.opened")],
    withAnswer(plainRead(callId(3)), "2 nodes").map((one) => inSession(one, other)),
    withAnswer(change.slice(4), "scaled to 5"),
    [opened(session, "session.closed")],
  ];
};

/** The one-file verifier, built once for a file of tests. */
let verifier: Promise<Buffer> | null = null;
async function builtVerifier(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-verifier-"));
  try {
    await buildVerifier(join(folder, "verify.mjs"));
    return await readFile(join(folder, "verify.mjs"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A state folder, and commands on it. */
export async function place(drafts: readonly (readonly EntryDraft[])[] = story()): Promise<Place> {
  const beside = await mkdtemp(join(tmpdir(), "sallyport-bundle-"));
  onTestFinished(() => rm(beside, { recursive: true, force: true }));
  const folder = join(beside, "state");
  let time = start;
  await keepPolicy(quickDisk, folder, policy);
  const transcript = await openIn(folder, {
    now: () => (time += 1000),
    gateway: { version: "1.2.3", config: digest("c"), policy: policy.digest },
    disk: quickDisk,
    bodies: { wrapping: () => ownWrapping(folder, random), classes: ["output"] },
  });
  await chmod(folder, 0o700);
  for (const one of drafts) await transcript.append(one);
  await transcript.close();
  const shipped = join(beside, "dist", "policies");
  await cp(join(import.meta.dirname, "..", "..", "..", "policies"), shipped, { recursive: true });
  verifier ??= builtVerifier();
  await writeFile(join(beside, "dist", "verify.mjs"), await verifier);
  const env = { SALLYPORT_HOME: folder, HOME: beside, PATH: process.env["PATH"] ?? "" };
  return { folder, beside, run: (...words) => ran(words, env, shipped) };
}

async function ran(words: readonly string[], env: Record<string, string>, shipped: string): Promise<Ran> {
  let [out, err] = ["", ""];
  const io = {
    ...testIo(env, new AbortController().signal),
    shipped,
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  try {
    await program(io).parseAsync(["transcript", ...words], { from: "user" });
    return { code: 0, out, err };
  } catch (thrown) {
    const code = thrown instanceof CommandFailed ? thrown.exitCode : (thrown as { exitCode?: number }).exitCode;
    return { code: code ?? 1, out, err: `${err}${sentenceOf(thrown)}` };
  }
}

/** Makes a bundle; returns its folder. */
export async function bundled({ beside, run }: Place, ...words: readonly string[]): Promise<string> {
  const out = join(beside, `bundle-${randomBytes(4).toString("hex")}`);
  const made = await run("export", "--bundle", out, "--why", "audit of March", ...words);
  if (made.code !== 0) throw new Error(made.err);
  return out;
}

/** The report of `transcript verify`, and how it ended. */
export async function verified(
  { run }: Pick<Place, "run">,
  bundle: string,
  ...words: readonly string[]
): Promise<Report & { readonly code: number }> {
  const { code, out, err } = await run("verify", bundle, "--json", ...words);
  if (out === "") throw new Error(err);
  return { ...(JSON.parse(out) as Report), code };
}

export const answersOf = ({ verdicts }: Report): { readonly [question: string]: string } =>
  Object.fromEntries(verdicts.map(({ question, verdict }) => [question, verdict]));
export const failed = ({ verdicts }: Report): readonly string[] =>
  verdicts.flatMap(({ question, verdict }) => (verdict === "failed" ? [question] : []));
export const saysOf = ({ verdicts }: Report, asked: string): string => {
  const found = verdicts.find(({ question }) => question === asked);
  return [found?.says ?? "", ...(found?.places ?? [])].join("\n");
};

/** The system's own Node where it is one that the verifier promises to run on. */
export function oldestNode(): string {
  const { stdout, status } = spawnSync("node", ["--version"], {
    encoding: "utf8",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  });
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout ?? "") ?? []).slice(1).map(Number);
  return status === 0 && (major > 20 || (major === 20 && minor >= 12)) ? "node" : process.execPath;
}

/** A copy of a bundle for one hand to tamper with. */
export async function copied(bundle: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "sallyport-tampered-"));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  await cp(bundle, copy, { recursive: true });
  return copy;
}

export const linesOf = async (bundle: string, name: string): Promise<string[]> =>
  (await readFile(join(bundle, name), "utf8")).split("\n").slice(0, -1);
export const writeLines = (bundle: string, name: string, lines: readonly string[]): Promise<void> =>
  writeFile(join(bundle, name), lines.map((line) => `${line}\n`).join(""));

interface Listed {
  readonly name: string;
}

/** Makes the manifest fit the files again, as a careful hand would; `change` is what it says besides. */
export async function refit(bundle: string, change: object = {}): Promise<void> {
  const path = join(bundle, "manifest.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as { files: readonly Listed[] };
  const names = (await readdir(bundle, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(bundle.length + 1))
    .filter((name) => name !== "manifest.json" && !name.startsWith("handed-out"))
    .sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(bundle, name));
      return { name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    }),
  );
  await writeFile(path, `${canonical({ ...manifest, ...change, files })}\n`);
}
export { settled };
