// The owner process: the gateway on its state folder and the local socket beside it. Loaded after the handshake was answered. Long: all that an owner opens, and who may call what of it, stands here.

import { channels, type SlackChannel } from "../approval/channels/index.ts";
import type { Mode, Voter } from "../approval/ballot.ts";
import { groupsOf, personOf } from "../approval/people.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { openGateway, type Gateway } from "../gateway.ts";
import { loadLocalTokens, localUser } from "../identity/verifiers/index.ts";
import type { Verifier } from "../identity/verifiers/contract.ts";
import { openLog, type Log } from "../log.ts";
import { openEngine, type MaskingOptions } from "../masking/mask.ts";
import { instructions } from "../mcp/instructions.ts";
import { serveStdio } from "../mcp/stdio.ts";
import type { OwnerLock } from "../owner/lock.ts";
import { openOwnerSocket } from "../owner/socket.ts";
import { identitiesOf, operatorOf } from "./agent-identities.ts";
import { namedKeeper, ownerKeeper } from "./keepers.ts";
import { readConnections } from "./clusters.ts";
import { CommandFailed, sentenceOf, type Io } from "./io.ts";
import { issuerVerifiers, type IssuersMatter } from "./issuers.ts";
import { keepReloading } from "./reloading.ts";
import { openAnchors } from "../wiring/anchors.ts";
import { startExporting, type Exporting, type ExportingOptions } from "../wiring/exporting.ts";
import { logMasking } from "../wiring/log-masking.ts";
import { openOperators, type Operators, type OperatorsOptions } from "../wiring/operators.ts";
import { openTelemetry, type Telemetry } from "../wiring/telemetry.ts";
import { whereToDecide } from "./pages.ts";
import { linkMethods } from "./links.ts";
import { readSetting, type Setting } from "./setting.ts";
import { slackOf } from "./slack-setting.ts";
import { webhooksOf } from "./webhooks.ts";

export interface Owning {
  readonly gateway: Gateway;
  readonly setting: Setting;
  readonly log: Log;
  /** What /readyz and /metrics answer; null where no HTTP is served. */
  readonly operators: Operators | null;
  /** null where Slack is not configured. */
  readonly slack: SlackChannel | null;
  /** Closes the socket, then the gateway: what is running ends or is marked. */
  stop(reason: string): Promise<void>;
}

type OpenTelemetry = Extract<Telemetry, { kind: "opened" }>;

/** Starts the gateway of the lock's state folder. Throws with a sentence where a configuration, policy, kubeconfig or the state can't be used. */
export async function startOwning(
  io: Io,
  lock: OwnerLock,
  configPath: string | undefined,
  { metrics = false }: { readonly metrics?: boolean } = {},
): Promise<Owning> {
  const read = await readSetting(io, configPath);
  // Compiled once, for the answers and for the log.
  const setting = { ...read, masking: { ...read.masking, engine: openEngine(read.masking.profile) } };
  let hidden = logMasking(setting.masking, io.random);
  const log = openLog(io.env["SALLYPORT_LOG"], io.err, (text) => hidden(text));
  const telemetry = await telemetryOf(io, setting, metrics);
  const closing = new AbortController();
  const slack = await slackOf(io, setting, log);
  const gateway = await start(io, setting, log, telemetry, slack, closing.signal).catch((thrown: unknown) => {
    closing.abort();
    throw thrown;
  });
  let exporting: Exporting | null = null;
  try {
    const copies = await startExporting(exportingOf(io, setting, log));
    exporting = copies;
    const operators = await operatorsOf(io, setting, { gateway, exportLags: () => copies.lags() }, telemetry);
    const links = linkMethods(slack[0]?.links() ?? null, io.now);
    const closeSocket = await socketOf(io, { setting, lock, gateway, log, links });
    const stopReloading = keepReloading(io, setting, gateway, log, (profiles) => {
      hidden = logMasking(profiles, io.random);
    });
    return {
      gateway,
      setting,
      log,
      operators,
      slack: slack[0] ?? null,
      async stop(reason) {
        await operators?.close();
        await stopReloading();
        await closeSocket();
        closing.abort();
        await gateway.close(reason);
        await copies.stop();
        await telemetry.close();
      },
    };
  } catch (thrown) {
    closing.abort();
    await exporting?.stop();
    await gateway.close("no socket");
    throw thrown;
  }
}

function exportingOf(io: Io, { config, folder }: Setting, log: Log): ExportingOptions {
  const { version, now, disk } = io;
  return { settings: config.exporters, folder, version, now, log, ...(disk === undefined ? {} : { disk }) };
}

async function telemetryOf(io: Io, setting: Setting, metrics: boolean): Promise<OpenTelemetry> {
  const { tracing } = setting.config;
  const clock = (): number => performance.timeOrigin + performance.now();
  const opened = await openTelemetry({ tracing, metrics, version: io.version, uid: io.uid, clock });
  if (opened.kind === "refused") throw new CommandFailed(opened.sentence, 3);
  return opened;
}

async function operatorsOf(
  io: Io,
  { config }: Setting,
  looked: Pick<OperatorsOptions, "gateway" | "exportLags">,
  { metrics }: OpenTelemetry,
): Promise<Operators | null> {
  if (metrics === null) return null;
  const { uid, now } = io;
  const opened = await openOperators({ ...looked, metrics, http: config.http, uid, now });
  if (opened.kind === "refused") throw new CommandFailed(opened.sentence, 3);
  return opened.operators;
}

async function start(
  io: Io,
  setting: Setting & { readonly masking: Pick<MaskingOptions, "engine"> },
  log: Log,
  { observed, metrics }: OpenTelemetry,
  slack: readonly SlackChannel[],
  closing: AbortSignal,
): Promise<Gateway> {
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
    verifiers: await verifiersOf(io, setting, { connections, log, closing }),
    agents: identitiesOf(config),
    channels: [
      ...(io.interactive ? [channels.terminal(io.err)] : []),
      ...slack,
      ...(await webhooksOf(io, setting, log)),
    ],
    // The console is a page of the HTTP door: on stdio there is none.
    where: metrics === null ? whereToDecide({}) : whereToDecide(config),
    owner: modeOf(io, setting),
    log,
    now: io.now,
    random: io.random,
    ...(io.disk === undefined ? {} : { disk: io.disk }),
    ...(io.clockTimes === undefined ? {} : { clockTimes: io.clockTimes }),
    ...(observed === undefined ? {} : { observed }),
    anchors: await openAnchors({ settings: config.transcript.anchors, version: io.version, now: io.now, env: io.env }),
  });
}

/** Single-user: whoever owns this process. Tokens only where the configuration names their files or their issuers. */
async function verifiersOf(
  io: Io,
  setting: Setting,
  matter: Pick<IssuersMatter, "connections" | "log" | "closing">,
): Promise<readonly Verifier[]> {
  const issuers = await issuerVerifiers({ io, read: setting.read, ...matter });
  // Those that have to be asked are asked now, behind the start: one that is away keeps nothing from starting.
  for (const one of issuers) one.standing?.();
  return [...(await localVerifiers(io, setting)), ...issuers];
}

async function localVerifiers(io: Io, setting: Setting): Promise<readonly Verifier[]> {
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

interface SocketMatter {
  readonly setting: Setting;
  readonly lock: OwnerLock;
  readonly gateway: Gateway;
  readonly log: Log;
  readonly links: ReturnType<typeof linkMethods>;
}

/** Opens the owner's socket; returns how to close it. Without it the command line could not answer requests, so it is no option. */
async function socketOf(io: Io, matter: SocketMatter): Promise<() => Promise<void>> {
  const { setting, lock, gateway, log } = matter;
  const opened = await openOwnerSocket({
    lock,
    uid: io.uid,
    version: io.version,
    // Read at each greeting: whoever starts after a reload has the reloaded policy too.
    get config() {
      return setting.digestWith(gateway.policyDigest(), gateway.maskingDigest());
    },
    runtimeFolder: io.runtimeFolder,
    random: io.random,
    methods: async (method, params) => await answer(io, matter, method, params),
    mcp: async (stream) => {
      const serving = serveStdio({
        about: { version: io.version, instructions },
        door: gateway,
        evidence: (client) => ({ kind: "local-user", user: io.user, client }),
        input: stream,
        output: stream,
        via: "socket",
        complain: (sentence) => log.warn({ cause: sentence }, "a client's stream"),
      });
      await serving.closed;
    },
    broke: (what, thrown) => log.warn({ cause: `${what}: ${sentenceOf(thrown)}` }, "the owner's socket"),
  });
  if (opened.kind === "refused") throw new CommandFailed(opened.sentence);
  return opened.close;
}

/** A method for one verified person: whoever holds the socket's token, or the bearer token that the call carries. */
async function answer(io: Io, { setting, gateway, links }: SocketMatter, method: string, params: Json): Promise<Json> {
  const { config } = setting;
  const { token, ...rest } = params as JsonObject;
  const onCalls = gateway.calls();
  if (Object.hasOwn(onCalls, method)) {
    // A token names someone else: what runs here is stopped by whoever runs the gateway.
    if (token !== undefined) throw new Faulted(fault("denied", {}, "calls are the owner's alone"));
    return await onCalls[method as keyof typeof onCalls](rest);
  }
  const onAgents = gateway.agents(operatorOf(io.user));
  if (Object.hasOwn(onAgents, method)) {
    // An agent's own token must not give it an account, and a person's is no proof of running the gateway.
    if (token !== undefined) throw new Faulted(fault("denied", {}, "agents' accounts are the owner's alone"));
    return await onAgents[method as keyof typeof onAgents](rest);
  }
  if (Object.hasOwn(links, method)) {
    if (token !== undefined)
      throw new Faulted(fault("denied", {}, "who is linked is the owner's alone to see and end"));
    return await links[method as keyof typeof links](rest);
  }
  const named = token === undefined ? null : await namedBy(gateway, token);
  const onEvidence = gateway.evidence(named === null ? ownerKeeper(io.user, config) : namedKeeper(named, config));
  if (Object.hasOwn(onEvidence, method)) return await onEvidence[method as keyof typeof onEvidence](rest);
  const who = named ?? operatorOf(io.user);
  const person = personOf(config.people, who);
  const voter: Voter = {
    issuer: who.issuer,
    subject: who.subject,
    kind: who.kind,
    groups: groupsOf(person, who.groups),
    actors: who.actors,
    accounts: person?.accounts ?? [],
    channel: "terminal",
    assurance: "same-device",
  };
  const methods = gateway.approvals(voter);
  if (!Object.hasOwn(methods, method))
    throw new Faulted(fault("invalid_input", { problems: [{ path: "method", rule: "is not a method" }] }));
  return await methods[method as keyof typeof methods](rest);
}

/** Whom the token that a call carries names. Fault: denied, for a token that nobody vouches for. */
async function namedBy(gateway: Gateway, token: Json): Promise<PrincipalFields> {
  const shown = { kind: "bearer", token: typeof token === "string" ? token : "", client: "terminal" } as const;
  const identified = await gateway.identify(shown);
  if (identified.kind === "refused") throw new Faulted(fault("denied", {}, identified.cause));
  return identified.principal;
}
