// Runs one of the project's TypeScript programs on the pinned Node, installing what is missing first. Plain JavaScript without
// dependencies: it is all that runs before `npm ci`, on whatever Node (20 or later) the machine has.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [program, ...rest] = process.argv.slice(2);
if (program === undefined) stop("usage: node toolchain/run.mjs PROGRAM [ARGUMENTS]", 2);

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 20) stop(`Sallyport needs Node 20 or later to begin with; this is ${process.versions.node}.`, 2);

await install();
const node = pinnedNode();
const child = spawn(node, [join(root, program), ...rest], {
  cwd: process.cwd(),
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH ?? ""}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
child.on("error", (error) => stop(`Could not start ${node}: ${error.message}`, 1));

/** `npm ci` where the installed packages are not those of the lock file; says every ten seconds that it is alive. */
async function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const mark = join(root, "node_modules", ".sallyport-lock");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  process.stderr.write("Installing packages (once; about half a minute) …\n");
  const npm = process.env.npm_execpath;
  const [command, before] = npm !== undefined && npm.endsWith("js") ? [process.execPath, [npm]] : ["npm", []];
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const alive = setInterval(() => process.stderr.write(`  … ${seconds()} s\n`), 10_000);
  const status = await new Promise((resolve) => {
    const npmCi = spawn(
      command,
      [...before, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--progress=false"],
      { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
    );
    npmCi.on("exit", resolve);
    npmCi.on("error", (error) => stop(`Could not start ${command}: ${error.message}`, 1));
  });
  clearInterval(alive);
  if (status !== 0) stop("npm ci failed; its own words stand above.", 1);
  writeFileSync(mark, lock);
  process.stderr.write(`Installed in ${seconds()} s.\n`);
}

/** The Node of the lock file; on a system for which the registry has none, the user's own if it is new enough. */
function pinnedNode() {
  const name = process.platform === "win32" ? "node.exe" : "bin/node";
  const pinned = join(
    root,
    "node_modules",
    `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`,
    name,
  );
  if (existsSync(pinned)) return pinned;
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split(".").map(Number);
  if (ownMajor > 22 || (ownMajor === 22 && ownMinor >= 19)) return process.execPath;
  return stop(
    `There is no packaged Node for ${process.platform} ${process.arch}: install Node 22.19 or later (this is ${process.versions.node}).`,
    2,
  );
}

function stop(sentence, code) {
  process.stderr.write(`${sentence}\n`);
  process.exit(code);
}
