// The composition root: configuration and adapters in, a governed gateway out. Everything that varies is chosen here.

import { join } from "node:path";
import { tools } from "../tools/index.ts";
import { approvalMethods } from "./approval/methods.ts";
import type { Mode, Voter } from "./approval/ballot.ts";
import { keepChannelsUpdated } from "./approval/announce.ts";
import type { Channel } from "./approval/channels/contract.ts";
import { openLowdbStore } from "./approval/stores/lowdb.ts";
import { listTools, toolsByName, type ListedTool } from "./catalogue.ts";
import type { Config } from "./config/schema.ts";
import type { CallRequest } from "./domain/call.ts";
import type { EntryDraft } from "./domain/entry.ts";
import type { Evidence, Identified } from "./domain/evidence.ts";
import { fault, type Fault } from "./domain/fault.ts";
import { idsFrom, type CallId, type SessionId } from "./domain/ids.ts";
import type { Outcome } from "./domain/outcome.ts";
import type { Principal } from "./domain/principal.ts";
import { identify, renew } from "./identity/identify.ts";
import type { Verifier } from "./identity/verifiers/contract.ts";
import type { Connection } from "./kubernetes/contract.ts";
import type { Log } from "./log.ts";
import { openMasking } from "./masking/mask.ts";
import { governCall } from "./pipeline.ts";
import type { Policy } from "./policy/policy.ts";
import { possible } from "./policy/possible.ts";
import { openTranscript } from "./transcript/record.ts";
import { keptKey } from "./wiring/keys.ts";
import { reachCluster } from "./wiring/reach.ts";
import { reviewCall, standingOf } from "./wiring/review.ts";
import { stagesFor, type Parts, type Waiting } from "./wiring/stages.ts";
import { startSweeping } from "./wiring/sweeping.ts";
import { openWaiting } from "./wiring/waiting.ts";

export interface GatewayOptions {
  readonly config: Config;
  /** SHA-256 of the configuration, hex. */
  readonly configDigest: string;
  readonly policy: Policy;
  /** The state folder; the caller holds its lock. */
  readonly folder: string;
  readonly version: string;
  readonly connection: Connection;
  readonly verifiers: readonly Verifier[];
  readonly channels: readonly Channel[];
  /** Whose approvals count as `owner`'s, in single-user mode. */
  readonly owner: Mode;
  readonly log: Log;
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
}

export interface Gateway {
  identify(evidence: Evidence): Promise<Identified>;
  listTools(principal: Principal): Promise<readonly ListedTool[]>;
  governCall(request: CallRequest): Promise<Outcome>;
  /** What the local socket answers for one verified person. */
  approvals(voter: Voter): ReturnType<typeof approvalMethods>;
  /** Ends a session: its reader token goes with it. */
  endSession(session: SessionId): Promise<void>;
  /** Refused strangers since the last entry are rolled up into one. */
  refusedStranger(): void;
  broke(call: CallId, thrown: unknown): void;
  newCallId(): CallId;
  newSessionId(): SessionId;
  now(): number;
  random(count: number): Uint8Array;
  readonly hold: number;
  /** For doctor and the tests: the head of the tree. */
  head(): { readonly size: number; readonly root: string };
  close(reason: string): Promise<void>;
}

/** Opens the gateway on its state folder. Throws Faulted where the folder, the transcript or the approvals can't be trusted. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, folder, log, now, random, policy, channels } = options;
  const closing = new AbortController();
  const ids = idsFrom(now, random);
  const transcript = await openTranscript({
    folder,
    gateway: { version: options.version, config: options.configDigest, policy: policy.digest },
    now,
    random,
    say: (sentence) => log.warn(sentence),
  });
  const store = await openLowdbStore({
    folder: join(folder, "approvals"),
    random,
    keep: 30 * 86_400_000,
    answerFor: 3_600_000,
  });
  const reach = reachCluster({
    connection: options.connection,
    version: options.version,
    mode: config.credentials === "ambient" ? "ambient" : "grants",
    gatewayId: transcript.gateway,
    ids,
    now,
  });
  const logFault = (why: Fault, call: string): void =>
    log.warn({ call, code: why.code, effect: why.effect, cause: why.cause }, "fault");
  const parts: Parts = {
    tools: toolsByName(tools),
    reach,
    policy: () => policy,
    masking: openMasking({ key: await keptKey(folder, "masking.key", random) }),
    append: transcript.append,
    store,
    environmentLabel: config.environmentLabel,
    digestKey: await keptKey(folder, "digest.key", random),
    cursorKey: await keptKey(folder, "cursor.key", random),
    now,
    closing: closing.signal,
    log: logFault,
  };
  const verify = identify(options.verifiers);
  const waits = openWaiting({
    parts,
    channels,
    ids,
    where: "sallyport approvals",
    renew: renew(options.verifiers),
    stagesFor: (request) => stagesFor(parts, waiting, request),
    onUnreached: (channel, why) => log.warn({ channel, why }, "a channel could not be told"),
  });
  const waiting: Waiting = {
    seek: waits.seek,
    gatewayFor: (request) => ({
      review: (tool, arguments_) =>
        reviewCall(stagesFor(parts, waiting, { ...request, tool, arguments: arguments_ }), request, tool, arguments_),
      standing: (namespace) => standingOf(parts, request, namespace),
      waitFor: (id, milliseconds) => waits.waitFor(id, milliseconds, request),
    }),
  };

  const own = <K extends EntryDraft["kind"]>(
    kind: K,
    details: Extract<EntryDraft, { kind: K }>["details"],
  ): EntryDraft => ({ kind, session: null, call: null, principal: null, details }) as EntryDraft;
  await transcript.append([
    own("gateway.started", {
      version: options.version,
      config: options.configDigest,
      policy: policy.digest,
      repaired: transcript.repaired,
    }),
  ]);
  await waits.recover();
  const stopUpdating = keepChannelsUpdated(store, channels, (unreached) => {
    for (const { channel, why } of unreached) log.warn({ channel, why }, "a channel could not be told");
  });
  const sweeping = startSweeping({ credentials: reach.credentials, transcript, log, closing: closing.signal });
  const strangers = countStrangers(now, (count, since) =>
    transcript.append([own("identity.refused", { count, since })]),
  );

  return {
    identify: verify,
    listTools: (principal) =>
      Promise.resolve(listTools(parts.tools, principal, (who, tool) => possible(policy, who, tool, [reach.cluster]))),
    governCall: (request) => governCall(stagesFor(parts, waiting, request), request),
    approvals: (voter) =>
      approvalMethods({
        store,
        append: transcript.append,
        mode: options.owner,
        voter,
        mask: (text) => parts.masking.forCall({ id: "ses_approvals" as SessionId, door: "socket" }, {}).text(text),
        now,
      }),
    async endSession(session) {
      await reach.credentials.endSession(session);
    },
    refusedStranger: () => strangers.count(),
    broke: (call, thrown) =>
      logFault(
        fault("internal", {}, thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)),
        call,
      ),
    newCallId: () => ids.call(),
    newSessionId: () => ids.session(),
    now,
    random,
    hold: config.hold * 1000,
    head: () => transcript.head(),
    async close(reason) {
      closing.abort();
      strangers.stop();
      stopUpdating();
      await sweeping.stop();
      await waits.close();
      await strangers.flush();
      await transcript.append([own("gateway.stopped", { reason })]);
      await reach.close();
      await store.close();
      await transcript.close();
    },
  };
}

/** Strangers never write to the transcript one by one: a count each minute at most. */
function countStrangers(now: () => number, write: (count: number, since: string) => Promise<unknown>) {
  let [count, since] = [0, ""];
  async function flush(): Promise<void> {
    if (count === 0) return;
    const [counted, from] = [count, since];
    count = 0;
    await write(counted, from);
  }
  const timer = setInterval(() => void flush().catch(() => undefined), 60_000);
  timer.unref();
  return {
    count(): void {
      if (count === 0) since = new Date(now()).toISOString();
      count += 1;
    },
    flush,
    stop: () => clearInterval(timer),
  };
}
