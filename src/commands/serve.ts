// `sallyport` and `sallyport serve`: the gateway on stdio or on loopback HTTP; a second one relays to the owner.

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { instructions } from "../mcp/instructions.ts";
import { serveStdio } from "../mcp/stdio.ts";
import { takeLock, type OwnerLock } from "../owner/lock.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import type { Owning } from "./owning.ts";

export interface ServeOptions {
  readonly config?: string;
  readonly http: boolean;
  readonly port?: number;
}

/** Serves until its client leaves (stdio) or it is told to stop. What is heavy is loaded after the handshake was answered. */
export async function serve(io: Io, options: ServeOptions): Promise<void> {
  const folder = stateFolder(io.env);
  if (io.interactive && !options.http)
    io.err(
      "An MCP client speaks here, on standard input and output. Ctrl-C ends it; sallyport --help lists commands.\n",
    );
  const taken = await takeLock(folder, io.uid);
  switch (taken.kind) {
    case "refused":
      throw new CommandFailed(taken.sentence);
    case "busy":
      if (options.http)
        throw new CommandFailed(
          `Another Sallyport runs on ${folder}: stop it, or set SALLYPORT_HOME to another folder.`,
        );
      return await relayToOwner(io, options);
    case "taken":
      try {
        return await (options.http ? serveOnHttp : serveOnStdio)(io, taken.lock, options);
      } finally {
        taken.lock.release();
      }
  }
}

async function relayToOwner(io: Io, options: ServeOptions): Promise<void> {
  const [{ readSetting }, { relay }] = await Promise.all([import("./setting.ts"), import("../owner/relay.ts")]);
  const { folder, digest } = await readSetting(io, options.config);
  const { uid, version, input, output, signal } = io;
  const ended = await relay({ folder, uid, version, config: digest, input, output, signal });
  if (ended.kind !== "ended") throw new CommandFailed(ended.sentence);
}

async function begin(io: Io, lock: OwnerLock, options: ServeOptions): Promise<Owning> {
  const { startOwning } = await import("./owning.ts");
  return await startOwning(io, lock, options.config);
}

async function serveOnHttp(io: Io, lock: OwnerLock, options: ServeOptions): Promise<void> {
  const owning = await begin(io, lock, options);
  const { gateway, setting } = owning;
  const { serveHttp } = await import("../mcp/http.ts");
  const listening = await serveHttp({
    door: gateway,
    about: { version: io.version, instructions },
    host: "127.0.0.1",
    port: options.port ?? setting.config.http?.port ?? 0,
    refused: () => gateway.refusedStranger(),
  });
  if (listening.kind === "refused") {
    await owning.stop("could not listen");
    throw new CommandFailed(listening.sentence);
  }
  io.err(`Sallyport ${io.version} listens at ${listening.url}\n`);
  if (setting.config.http === undefined)
    io.err("sallyport.yaml names no http.tokens: whoever calls at this address is refused.\n");
  await stopped(io.signal);
  await listening.close();
  await owning.stop("signal");
}

/** Milliseconds that the first answer may take before loading begins all the same. */
const greeting = 500;

async function serveOnStdio(io: Io, lock: OwnerLock, options: ServeOptions): Promise<void> {
  const output = new PassThrough();
  output.pipe(io.output);
  // Loading would stand in the way of the handshake's answer; a silent client is not waited for.
  const greeted = Promise.race([
    once(output, "data", { signal: io.signal }).catch(() => undefined),
    // This timer keeps the process: where the input has ended already, nothing else would.
    io.pause(greeting),
  ]);
  const starting = greeted.then(() => begin(io, lock, options));
  const serving = serveStdio({
    about: { version: io.version, instructions },
    door: starting.then(({ gateway }) => gateway),
    evidence: (client) => ({ kind: "local-user", user: io.user, client }),
    input: io.input,
    output,
    via: "stdio",
    complain: (sentence) => io.err(`${sentence}\n`),
  });
  const left = Promise.race([serving.closed, stopped(io.signal)]);
  try {
    // A gateway that can't start ends the process with its sentence; a client that leaves first waits for it all the same.
    const owning = await starting;
    await left;
    await serving.close();
    await owning.stop(io.signal.aborted ? "signal" : "the client left");
  } catch (thrown) {
    await serving.close();
    throw thrown;
  }
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
