// The official Python client in a virtual environment: made once a version, kept in the user's cache folder.

import { spawn } from "node:child_process";
import { mkdtemp, mkdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A package of PyPI in one version, and the least minor version of Python 3 that it runs on. */
export interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly least: number;
}

/** The client that is tested: the `mcp` of PyPI. */
const client: Wanted = { name: "mcp", version: "2.3.0", least: 10 };
/** Milliseconds that installing may take before the tests go on without. */
const patience = 240_000;

export type Python =
  | { readonly kind: "there"; readonly python: string }
  | { readonly kind: "absent"; readonly why: string };

/** The interpreter of an environment that has the client, or why there is none. */
export function pythonWithClient(env: NodeJS.ProcessEnv): Promise<Python> {
  return pythonWith(client, env);
}

/** The interpreter of an environment that has this package, or why there is none. Its programs run as `python -m`. */
export async function pythonWith({ name, version, least }: Wanted, env: NodeJS.ProcessEnv): Promise<Python> {
  const system = await run("python3", ["-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"], env);
  if (system.code !== 0) return { kind: "absent", why: "there is no python3 with venv here" };
  const [major = 0, minor = 0] = system.out.trim().split(".").map(Number);
  if (major < 3 || (major === 3 && minor < least))
    return { kind: "absent", why: `python3 is ${system.out.trim()}, ${name} needs 3.${least}` };
  const cache = join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sallyport");
  const folder = join(cache, `python-${name}-${version}-${system.out.trim()}`);
  const python = join(folder, "bin", "python");
  if (await exists(python)) return { kind: "there", python };
  await mkdir(cache, { recursive: true });
  // Made beside its place and moved there whole: of two runs at once one wins, and neither finds half of it.
  const draft = await mkdtemp(`${folder}-`);
  try {
    for (const [program, ...words] of [
      ["python3", "-m", "venv", draft],
      [
        join(draft, "bin", "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        `${name}==${version}`,
      ],
    ] as const) {
      const { code, err } = await run(program, words, env);
      if (code !== 0)
        return { kind: "absent", why: `${name} ${version} can't be installed: ${err.trim().split("\n").at(-1) ?? ""}` };
    }
    await rename(draft, folder).catch(() => undefined);
    return (await exists(python))
      ? { kind: "there", python }
      : { kind: "absent", why: "the environment could not be kept" };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Runs a program to its end. `answer` may write to it for each line that it says. */
export async function run(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  answer: (line: string) => Promise<string | null> = async () => null,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(program, [...words], { env, stdio: ["pipe", "pipe", "pipe"], timeout: patience });
  let [out, err, line] = ["", "", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    line += chunk.toString();
    const lines = line.split("\n");
    line = lines.pop() ?? "";
    for (const one of lines) void answer(one).then((said) => said !== null && child.stdin.write(`${said}\n`));
  });
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on("error", () => undefined);
  const code = await new Promise<number>((resolve) => {
    child.once("error", () => resolve(-1));
    child.once("close", (exit) => resolve(exit ?? -1));
  });
  return { code, out, err };
}
