// The process: arguments, environment, signals and exit code. Nobody else touches them.

import { readFileSync } from "node:fs";
import { availableParallelism, homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isatty } from "node:tty";
import module from "node:module";
import { CommandFailed, nodeIsTooOld, sentenceOf, stateFolder, type Io } from "./commands/io.ts";
import { prepareFolder } from "./owner/folder.ts";
import { randomFrom } from "./random.ts";

declare const SALLYPORT_VERSION: string | undefined;

// Asked before anything that an older Node does not have; named imports of it would fail before this line.
if (nodeIsTooOld(process.versions.node)) {
  process.stderr.write(`Sallyport needs Node 22.19 or later; this is ${process.versions.node}.\n`);
  process.exit(2);
}

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
// Who reads standard output may leave first, as `| head` does: the same as being told to stop. Any other failure is told.
process.stdout.on("error", (thrown: NodeJS.ErrnoException) => {
  stopping.abort();
  if (thrown.code === "EPIPE") return;
  process.exitCode = 1;
  process.stderr.write(`Standard output can't be written (${thrown.code ?? "unknown"}).\n`);
});
// Nobody listens there any more: what is said is lost, and what is served goes on.
process.stderr.on("error", () => undefined);
process.umask(0o077);
// On Node 22 the module of the search index says that it is experimental. The index can be made anew at any time; every other warning is printed as before.
for (const print of process.listeners("warning")) {
  process.off("warning", print);
  process.on("warning", (warning) => {
    if (!warning.message.startsWith("SQLite is an experimental")) print(warning);
  });
}

const bundled = typeof SALLYPORT_VERSION === "string";
const here = import.meta.dirname;
const io: Io = {
  version: bundled ? SALLYPORT_VERSION : versionOf(join(here, "..", "package.json")),
  node: process.versions.node,
  uid: process.getuid?.() ?? -1,
  user: userInfo().username,
  home: homedir(),
  runtimeFolder: process.env["XDG_RUNTIME_DIR"] ?? tmpdir(),
  launched: { node: process.execPath, file: process.argv[1] ?? "" },
  cores: availableParallelism(),
  shipped: bundled ? join(here, "policies") : join(here, "..", "policies"),
  input: process.stdin,
  output: process.stdout,
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: isatty(1) && process.env["NO_COLOR"] === undefined,
  interactive: isatty(0) && isatty(1),
  ask: async (question) => {
    const { createInterface } = await import("node:readline/promises");
    const asking = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return await asking.question(question, { signal: stopping.signal });
    } catch (thrown) {
      // Ctrl-C and Ctrl-D reach the question, not the process: no answer, and nothing after it.
      if (!isAbort(thrown)) throw thrown;
      stopping.abort();
      process.stdout.write("\n");
      return "";
    } finally {
      asking.close();
    }
  },
  now: () => Date.now(),
  pause: (milliseconds) => pause(milliseconds),
  // The global one: an import of node:crypto loads all of it, ten milliseconds before a handshake that needs none.
  random: randomFrom((bytes) => crypto.getRandomValues(bytes)),
  signal: stopping.signal,
  onHangup(run) {
    process.on("SIGHUP", run);
    return () => process.off("SIGHUP", run);
  },
};

// Compiled code is kept where only the owner can write, and nowhere else; everything heavy is imported after this line.
try {
  const folder = stateFolder(process.env);
  if (prepareFolder(folder, io.uid) === "") module.enableCompileCache(join(folder, "cache"));
} catch (thrown) {
  if (!(thrown instanceof CommandFailed)) throw thrown;
}
try {
  // An MCP client starts it without a word and waits for the handshake: no other command is loaded for it.
  if (process.argv.length === 2) await (await import("./commands/serve.ts")).serve(io, { http: false });
  else await (await import("./commands/program.ts")).program(io).parseAsync(process.argv);
} catch (thrown) {
  process.exitCode = report(thrown);
}
// A pooled connection or a paused stream must not keep a finished command alive.
setTimeout(() => process.exit(), 2000).unref();

function report(thrown: unknown): number {
  // Commander's own: its words were printed, and help is no failure.
  if (thrown instanceof Error && thrown.name === "CommanderError")
    return "exitCode" in thrown && thrown.exitCode === 0 ? 0 : 2;
  // Whoever stopped it knows.
  if (stopping.signal.aborted && isAbort(thrown)) return 130;
  io.err(`${sentenceOf(thrown)}\n`);
  return thrown instanceof CommandFailed ? thrown.exitCode : 1;
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

function versionOf(path: string): string {
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return version;
}
