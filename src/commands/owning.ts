// The owner process: the gateway on its state folder and the local socket beside it. Loaded after the handshake was answered.

import { channels } from "../approval/channels/index.ts";
import type { Mode, Voter } from "../approval/ballot.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { openGateway, type Gateway } from "../gateway.ts";
import { loadLocalTokens, localUser } from "../identity/verifiers/index.ts";
import type { Verifier } from "../identity/verifiers/contract.ts";
import { openLog, type Log } from "../log.ts";
import { instructions } from "../mcp/instructions.ts";
import { serveStdio } from "../mcp/stdio.ts";
import type { OwnerLock } from "../owner/lock.ts";
import { openOwnerSocket } from "../owner/socket.ts";
import { readConnections } from "./clusters.ts";
import { CommandFailed, sentenceOf, type Io } from "./io.ts";
import { keepReloading } from "./reloading.ts";
import { readSetting, type Setting } from "./setting.ts";

export interface Owning {
  readonly gateway: Gateway;
  readonly setting: Setting;
  /** Closes the socket, then the gateway: what is running ends or is marked. */
  stop(reason: string): Promise<void>;
}

/** Starts the gateway of the lock's state folder. Throws with a sentence where a configuration, policy, kubeconfig or the state can't be used. */
export async function startOwning(io: Io, lock: OwnerLock, configPath: string | undefined): Promise<Owning> {
  const setting = await readSetting(io, configPath);
  const log = openLog(io.env["SALLYPORT_LOG"], io.err);
  const gateway = await start(io, setting, log);
  try {
    const closeSocket = await socketOf(io, setting, lock, gateway, log);
    const stopReloading = keepReloading(io, setting, gateway, log);
    return {
      gateway,
      setting,
      async stop(reason) {
        await stopReloading();
        await closeSocket();
        await gateway.close(reason);
      },
    };
  } catch (thrown) {
    await gateway.close("no socket");
    throw thrown;
  }
}

async function start(io: Io, setting: Setting, log: Log): Promise<Gateway> {
  const { config, folder, policy } = setting;
  const connections = await readConnections(io, setting.read);
  return await openGateway({
    config,
    configDigest: setting.digest,
    policy,
    masking: setting.masking,
    folder,
    version: io.version,
    connections,
    verifiers: await verifiersOf(io, setting),
    channels: io.interactive ? [channels.terminal(io.err)] : [],
    owner: modeOf(io, setting),
    log,
    now: io.now,
    random: io.random,
    ...(io.disk === undefined ? {} : { disk: io.disk }),
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
    // Read at each greeting: whoever starts after a reload has the reloaded policy too.
    get config() {
      return setting.digestWith(gateway.policyDigest());
    },
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
  const onCalls = gateway.calls();
  if (Object.hasOwn(onCalls, method)) {
    // A token names someone else: what runs here is stopped by whoever runs the gateway.
    if (token !== undefined) throw new Faulted(fault("denied", {}, "calls are the owner's alone"));
    return await onCalls[method as keyof typeof onCalls](rest);
  }
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
