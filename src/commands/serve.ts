// `sallyport` and `sallyport serve`: the gateway on stdio or on loopback HTTP, the owner's socket beside it, or a relay to the owner.

import { channels } from "../approval/channels/index.ts";
import type { Mode, Voter } from "../approval/ballot.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { openGateway, type Gateway } from "../gateway.ts";
import { loadLocalTokens, localUser } from "../identity/verifiers/index.ts";
import type { Verifier } from "../identity/verifiers/contract.ts";
import { openLog, type Log } from "../log.ts";
import { instructions } from "../mcp/instructions.ts";
import { serveHttp } from "../mcp/http.ts";
import { serveStdio } from "../mcp/stdio.ts";
import { takeLock, type OwnerLock } from "../owner/lock.ts";
import { relay } from "../owner/relay.ts";
import { openOwnerSocket } from "../owner/socket.ts";
import { CommandFailed, type Io } from "./io.ts";
import { readConnection, readSetting, sentenceOf, type Setting } from "./setting.ts";

export interface ServeOptions {
  readonly config?: string;
  readonly http: boolean;
  readonly port?: number;
}

/** Serves until its client leaves (stdio) or it is told to stop. */
export async function serve(io: Io, options: ServeOptions): Promise<void> {
  const setting = await readSetting(io, options.config);
  const taken = await takeLock(setting.folder, io.uid);
  switch (taken.kind) {
    case "refused":
      throw new CommandFailed(taken.sentence);
    case "busy":
      if (options.http)
        throw new CommandFailed(
          `Another Sallyport runs on ${setting.folder}: stop it, or set SALLYPORT_HOME to another folder.`,
        );
      return await relayToOwner(io, setting);
    case "taken":
      try {
        return await own(io, setting, taken.lock, options);
      } finally {
        taken.lock.release();
      }
  }
}

async function relayToOwner(io: Io, setting: Setting): Promise<void> {
  const { uid, version, input, output } = io;
  const ended = await relay({ folder: setting.folder, uid, version, config: setting.digest, input, output });
  if (ended.kind !== "ended") throw new CommandFailed(ended.sentence);
}

async function own(io: Io, setting: Setting, lock: OwnerLock, options: ServeOptions): Promise<void> {
  const log = openLog(io.env["SALLYPORT_LOG"], io.err);
  const about = { version: io.version, instructions };
  const running = start(io, setting, log);
  if (options.http) {
    const gateway = await running;
    const listening = await serveHttp({
      door: gateway,
      about,
      host: "127.0.0.1",
      port: options.port ?? setting.config.http?.port ?? 0,
      refused: () => gateway.refusedStranger(),
    });
    if (listening.kind === "refused") {
      await gateway.close("could not listen");
      throw new CommandFailed(listening.sentence);
    }
    const socket = await socketOf(io, setting, lock, gateway, log);
    io.err(`Sallyport ${io.version} listens at ${listening.url}\n`);
    await stopped(io.signal);
    await listening.close();
    await socket();
    return await gateway.close("signal");
  }

  const serving = serveStdio({
    about,
    door: running,
    evidence: (client) => ({ kind: "local-user", user: io.user, client }),
    input: io.input,
    output: io.output,
    via: "stdio",
    complain: (sentence) => io.err(`${sentence}\n`),
  });
  const opened = running.then(
    async (gateway) => ({ gateway, socket: await socketOf(io, setting, lock, gateway, log) }),
    (thrown: unknown) => {
      io.err(`${sentenceOf(thrown)}\n`);
      return null;
    },
  );
  await Promise.race([serving.closed, stopped(io.signal)]);
  await serving.close();
  const ready = await opened;
  if (ready === null) throw new CommandFailed("The gateway could not start; the sentence above says why.");
  await ready.socket();
  await ready.gateway.close(io.signal.aborted ? "signal" : "the client left");
}

async function start(io: Io, setting: Setting, log: Log): Promise<Gateway> {
  const { config, folder, policy } = setting;
  const connection = await readConnection(io, config);
  return await openGateway({
    config,
    configDigest: setting.digest,
    policy,
    folder,
    version: io.version,
    connection,
    verifiers: await verifiersOf(io, setting),
    channels: io.interactive ? [channels.terminal(io.err)] : [],
    owner: modeOf(io, setting),
    log,
    now: io.now,
    random: io.random,
  });
}

/** Single-user: whoever owns this process. Tokens only where the configuration names their files. */
async function verifiersOf(io: Io, setting: Setting): Promise<readonly Verifier[]> {
  const own = localUser(io.user);
  const named = setting.config.http?.tokens ?? [];
  if (named.length === 0) return [own];
  const loaded = await loadLocalTokens(
    named.map((token) => ({ ...token, agent: null })),
    io.uid,
  );
  if (loaded.kind === "refused") throw new CommandFailed(loaded.sentence, 3);
  return [loaded.verifier, own];
}

function modeOf(io: Io, setting: Setting): Mode {
  if (setting.config.mode === "multi-user") return { kind: "multi-user" };
  return { kind: "single-user", owner: { issuer: "local", subject: io.user } };
}

/** Opens the owner's socket; returns how to close it. Without it the command line could not answer requests, so it is no option. */
async function socketOf(
  io: Io,
  setting: Setting,
  lock: OwnerLock,
  gateway: Gateway,
  log: Log,
): Promise<() => Promise<void>> {
  const opened = await openOwnerSocket({
    lock,
    uid: io.uid,
    version: io.version,
    config: setting.digest,
    runtimeFolder: io.runtimeFolder,
    random: io.random,
    methods: async (method, params) => await answer(io, gateway, method, params),
    mcp: async (stream) => {
      const serving = serveStdio({
        about: { version: io.version, instructions },
        door: gateway,
        evidence: (client) => ({ kind: "local-user", user: io.user, client }),
        input: stream,
        output: stream,
        via: "socket",
        complain: (sentence) => log.warn(sentence),
      });
      await serving.closed;
    },
    broke: (what, thrown) => log.warn({ what, cause: sentenceOf(thrown) }, "the owner's socket"),
  });
  if (opened.kind === "refused") throw new CommandFailed(opened.sentence);
  return opened.close;
}

/** A method for one verified person: whoever holds the socket's token, or the bearer token that the call carries. */
async function answer(io: Io, gateway: Gateway, method: string, params: Json): Promise<Json> {
  const { token, ...rest } = params as JsonObject;
  const evidence = typeof token === "string" ? ({ kind: "bearer", token, client: "terminal" } as const) : null;
  const identified = evidence === null ? null : await gateway.identify(evidence);
  if (identified?.kind === "refused") throw new Faulted(fault("denied", {}, identified.cause));
  const who = identified?.principal ?? {
    issuer: "local",
    subject: io.user,
    kind: "person" as const,
    groups: [],
    actors: [],
  };
  const voter: Voter = {
    issuer: who.issuer,
    subject: who.subject,
    kind: who.kind,
    groups: who.groups,
    actors: who.actors,
    channel: "terminal",
    assurance: "same-device",
  };
  const methods = gateway.approvals(voter);
  if (!Object.hasOwn(methods, method))
    throw new Faulted(fault("invalid_input", { problems: [{ path: "method", rule: "is not a method" }] }));
  return await methods[method as keyof typeof methods](rest);
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
