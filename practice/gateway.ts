// Runs the real program as a child: once for a command, or as the gateway until it is told to stop.

import { spawn } from "node:child_process";
import { join } from "node:path";

const source = join(import.meta.dirname, "..", "src", "main.ts");

export interface RunningGateway {
  readonly url: string;
  /** Of its process, for whoever measures it. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** One command: its exit code and all that it printed. */
export async function sallyport(
  arguments_: readonly string[],
  env: NodeJS.ProcessEnv,
  program = source,
): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [program, ...arguments_], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return await new Promise((resolve) => child.on("close", (code) => resolve({ code: code ?? 1, output })));
}

/** One command at the person's own terminal, where it asks whatever it has to ask. */
export async function sallyportHere(arguments_: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, [source, ...arguments_], { env, stdio: "inherit" });
  return await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

/** Starts `serve --http` and returns once it listens; an abort ends it, whenever it comes. Throws with what it said where it does not. */
export async function startGateway(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  program = source,
): Promise<RunningGateway> {
  const child = spawn(process.execPath, [program, "serve", "--http"], { env, stdio: ["ignore", "inherit", "pipe"] });
  const gone = new Promise<void>((resolve) => child.on("close", () => resolve()));
  signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
      const found = /listens at (\S+)/.exec(said);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.on("close", (code) => reject(new Error(`The gateway ended with ${code}: ${said.trim()}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await gone;
    },
  };
}
