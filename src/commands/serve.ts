// `sallyport` and `sallyport serve`: the gateway on stdio or over HTTP; a second one relays to the owner.

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { instructions } from "../mcp/instructions.ts";
import { serveStdio } from "../mcp/stdio.ts";
import { growUnderLoad, holdMemory } from "../memory.ts";
import { takeLock, type OwnerLock } from "../owner/lock.ts";
import { inTime } from "../wiring/in-time.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import type { Owning } from "./owning.ts";

export interface ServeOptions {
  readonly config?: string;
  readonly http: boolean;
  readonly port?: number;
}

/** Serves until its client leaves (stdio) or it is told to stop. What is heavy is loaded after the handshake was answered. */
export async function serve(io: Io, options: ServeOptions): Promise<void> {
  holdMemory();
  const folder = stateFolder(io.env);
  if (io.interactive && !options.http)
    io.err(
      "An MCP client speaks here, on standard input and output. Ctrl-C ends it; sallyport --help lists commands.\n",
    );
  const { uid, pause, signal } = io;
  // On stdio a folder that is taken is followed; here a command that has it is waited for.
  const taken = options.http
    ? await (await import("../owner/turn.ts")).takeLockInTurn({ folder, uid, pause, signal })
    : await takeLock(folder, uid);
  switch (taken.kind) {
    case "refused":
      throw new CommandFailed(taken.sentence);
    case "busy":
      if (options.http)
        throw new CommandFailed(
          `Another Sallyport runs on ${folder}: stop it, or set SALLYPORT_HOME to another folder.`,
        );
      return await (
        await import("./following.ts")
      ).follow(io, options.config, (handed, lock) => own(handed, lock, options));
    case "taken":
      return await own(io, taken.lock, options);
  }
}

/** Serves as the owner of the state folder until its client leaves or it is told to stop. */
async function own(io: Io, lock: OwnerLock, options: ServeOptions): Promise<void> {
  let ended = true;
  try {
    ended = await (options.http ? serveOnHttp : serveOnStdio)(io, lock, options);
  } finally {
    // While something of it still runs the folder stays ours: the lock ends with the process.
    if (ended) lock.release();
  }
}

async function begin(io: Io, lock: OwnerLock, options: ServeOptions): Promise<Owning> {
  const { startOwning } = await import("./owning.ts");
  const owning = await startOwning(io, lock, options.config, { metrics: options.http });
  growUnderLoad();
  return owning;
}

/** Milliseconds from being told to stop until nothing is waited for any more: the process ends within ten seconds. */
const lastSeconds = 8_000;

/** False where something did not end in time; the next start finds it in the record and marks it. */
async function endWithin(io: Io, work: () => Promise<void>): Promise<boolean> {
  let ended = false;
  await inTime(
    lastSeconds,
    work().then(() => void (ended = true)),
  );
  if (!ended) io.err("Not everything ended in time; the next start puts on record what was cut off.\n");
  return ended;
}

async function serveOnHttp(io: Io, lock: OwnerLock, options: ServeOptions): Promise<boolean> {
  const [{ readConfig }, door, { serveHttp }] = await Promise.all([
    import("./setting.ts"),
    import("./http-setting.ts"),
    import("../mcp/http.ts"),
  ]);
  const { config } = await readConfig(io, options.config);
  const wrong = await door.doorProblem(io, config);
  if (wrong !== "") throw new CommandFailed(wrong, 3);
  const owning = await begin(io, lock, options);
  const { gateway, log, operators } = owning;
  const { openPages } = await import("./pages.ts");
  const pages = await openPages(io, owning, io.signal).catch(async (thrown: unknown) => {
    await owning.stop("the pages can't be served");
    throw thrown;
  });
  const listening = await serveHttp({
    door: gateway,
    about: { version: io.version, instructions },
    ...door.doorSetting(config, io.uid, options.port),
    limits: { connections: await door.connectionsThatFit() },
    refused: ({ why, ...stranger }) => {
      gateway.refusedStranger();
      log.info({ ...stranger, cause: why }, "a stranger was turned away");
    },
    say: (sentence) => io.err(`${sentence}\n`),
    pages,
    ...(operators === null ? {} : { operators: (path, asked) => operators.answer(path, asked) }),
  });
  if (listening.kind === "refused") {
    await owning.stop("could not listen");
    throw new CommandFailed(listening.sentence);
  }
  io.err(`Sallyport ${io.version} listens at ${listening.url}\n`);
  const shut = door.nobodyCalls(config);
  if (shut !== "") io.err(`${shut}\n`);
  await stopped(io.signal);
  // Whoever is held for a person hears at once that it is pending; what runs gets its time.
  gateway.holdNobody();
  return await endWithin(io, async () => {
    await listening.close();
    await owning.stop("signal");
  });
}

/** Milliseconds that the first answer may take before loading begins all the same. */
const greeting = 500;

async function serveOnStdio(io: Io, lock: OwnerLock, options: ServeOptions): Promise<boolean> {
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
    return await endWithin(io, async () => {
      await serving.close();
      await owning.stop(io.signal.aborted ? "signal" : "the client left");
    });
  } catch (thrown) {
    await serving.close();
    throw thrown;
  }
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
