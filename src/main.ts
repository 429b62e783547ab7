// The process: arguments, environment, signals and exit code. Nobody else touches them.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as pause } from "node:timers/promises";
import { CommanderError } from "commander";
import { CommandFailed, type Io } from "./commands/io.ts";
import { program } from "./commands/program.ts";
import { sentenceOf } from "./commands/setting.ts";

declare const SALLYPORT_VERSION: string | undefined;

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
process.umask(0o077);

const bundled = typeof SALLYPORT_VERSION === "string";
const here = import.meta.dirname;
const io: Io = {
  version: bundled ? SALLYPORT_VERSION : versionOf(join(here, "..", "package.json")),
  node: process.versions.node,
  uid: process.getuid?.() ?? -1,
  user: userInfo().username,
  home: homedir(),
  runtimeFolder: process.env["XDG_RUNTIME_DIR"] ?? tmpdir(),
  shipped: bundled ? join(here, "policies") : join(here, "..", "policies"),
  input: process.stdin,
  output: process.stdout,
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: Boolean(process.stdout.isTTY) && process.env["NO_COLOR"] === undefined,
  interactive: Boolean(process.stdin.isTTY) && Boolean(process.stdout.isTTY),
  ask: async (question) => {
    const asking = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return await asking.question(question, { signal: stopping.signal });
    } finally {
      asking.close();
    }
  },
  now: () => Date.now(),
  pause: (milliseconds) => pause(milliseconds),
  random: (count) => randomBytes(count),
  signal: stopping.signal,
};

try {
  await program(io).parseAsync(process.argv);
} catch (thrown) {
  process.exitCode = report(thrown);
}
// A pooled connection or a paused stream must not keep a finished command alive.
setTimeout(() => process.exit(), 2000).unref();

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  io.err(`${sentenceOf(thrown)}\n`);
  return thrown instanceof CommandFailed ? thrown.exitCode : 1;
}

function versionOf(path: string): string {
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return version;
}
