// Runs the real program as a child: once for a command, or as the gateway until it is told to stop.

import { spawn } from "node:child_process";
import { join } from "node:path";

const main = join(import.meta.dirname, "..", "src", "main.ts");

export interface RunningGateway {
  readonly url: string;
  stop(): Promise<void>;
}

/** One command: its exit code and all that it printed. */
export async function sallyport(
  arguments_: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [main, ...arguments_], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return await new Promise((resolve) => child.on("close", (code) => resolve({ code: code ?? 1, output })));
}

/** Starts `serve --http` and returns once it listens. */
export async function startGateway(env: NodeJS.ProcessEnv): Promise<RunningGateway> {
  const child = spawn(process.execPath, [main, "serve", "--http"], { env, stdio: ["ignore", "inherit", "pipe"] });
  const gone = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /listens at (\S+)/.exec(said);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.on("close", (code) => reject(new Error(`the gateway ended with ${code}: ${said}`)));
  });
  return {
    url,
    async stop() {
      child.kill("SIGTERM");
      await gone;
    },
  };
}
