// The channel to Slack: requests go out as cards, answers come back through the gate and the gateway's own desk. Slack being away stops nothing but this. Long: it ties the parts together in one place.

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ApprovalId } from "../../../domain/ids.ts";
import { textAt, type JsonObject } from "../../../domain/json.ts";
import type { EntryDraft } from "../../../domain/entry.ts";
import type { Subject } from "../../../domain/principal.ts";
import { openLinks, type Links } from "../../links.ts";
import type { Desk } from "../../desk.ts";
import type { Person } from "../../people.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import type { Channel } from "../contract.ts";
import { openAnswers } from "./answers.ts";
import { openApp, type SlackApp } from "./app.ts";
import { openBoard, type Board } from "./board.ts";
import { openConfirming, type Confirming } from "./confirming.ts";
import { openGate, slackUser, whyNotTrusted, type Gate } from "./gate.ts";
import { openLinking, type Linking, type LinkingOptions } from "./linking.ts";
import { learnIdentity, type WhoWeAre } from "./identity.ts";
import type { Passing } from "./lanes.ts";
import { openOutbox, type Outbox } from "./outbox.ts";
import { slackRequests, type SlackRequests } from "./requests.ts";
import { openSockets, type Sockets } from "./sockets.ts";
import { spread } from "./spread.ts";

export type { Person } from "../../people.ts";
export type { SlackRequests } from "./requests.ts";

export interface SlackOptions {
  /** `socket`: with an app-level token. `http`: with the secret that signs what Slack sends. */
  readonly way:
    | { readonly kind: "socket"; readonly appToken: string }
    | { readonly kind: "http"; readonly signingSecret: string };
  readonly botToken: string;
  readonly team: string;
  readonly enterprise: string | undefined;
  readonly channel: string;
  readonly channels: { readonly [group: string]: string };
  /** The console's address; null: there is none. */
  readonly console: string | null;
  /** Files of this channel lie there, readable by their owner alone. */
  readonly folder: string;
  /** Milliseconds that an account's last sign-in counts. */
  readonly standsFor: number;
  /** Whom the configuration knows by this account, now. */
  readonly personOf: (account: Subject) => Person | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** For the operator's log. */
  readonly say: (sentence: string) => void;
  /** Absent: Slack's own. */
  readonly apiUrl?: string;
  /** Milliseconds between two messages to one channel, and two edits; absent: what Slack allows. */
  readonly pace?: { readonly post: number; readonly edit: number };
  /** Absent: as it passes. */
  readonly passing?: Passing;
  /** Milliseconds that a call may take: one that a person waits for (absent: 2,000), and any other (absent: 10,000). */
  readonly patience?: { readonly interactive: number; readonly outbox: number };
}

export interface SlackChannel extends Channel {
  open(desk: Desk): Promise<void>;
  close(): Promise<void>;
  /** Answers what Slack sends over HTTP; null in Socket Mode. 503 before the channel is open. */
  readonly requests: SlackRequests | null;
  /** Who is linked to whom; null before the channel is open. */
  links(): Links | null;
  /** The way to link people, for the console; null before the channel is open. */
  linking(given: Pick<LinkingOptions, "client" | "redirectUri" | "verify">): Linking | null;
  /** Is there nothing left to show? */
  idle(): boolean;
  /** Connections to Slack that are up now; 0 in HTTP mode. */
  connected(): number;
}

interface Running {
  readonly desk: Desk;
  readonly gate: Gate;
  readonly confirming: Confirming;
  readonly alert: (what: string, about: JsonObject) => void;
  readonly links: Links;
  readonly board: Board;
  readonly app: SlackApp;
  readonly who: WhoWeAre;
  readonly outbox: Outbox;
  readonly sockets: Sockets | null;
  readonly requests: SlackRequests | null;
  readonly reminding: NodeJS.Timeout;
}

export function slackChannel(options: SlackOptions): SlackChannel {
  let running: Running | null = null;

  async function show(request: KeptRequest): Promise<void> {
    if (running === null) throw new Error("the channel is not open yet");
    const { board, outbox } = running;
    const keys = spread({ board, ...options }, request);
    await board.save();
    for (const key of keys) outbox.wake(key);
  }

  return {
    name: "slack",
    tell: show,
    update: (request) => {
      if (running !== null) wakeAll(running, request.id);
      return Promise.resolve();
    },
    async open(desk) {
      running = await start(options, desk);
      for (const request of await desk.open()) if (request.state === "pending") await show(request);
    },
    async close() {
      if (running === null) return;
      const { sockets, who, outbox, board, reminding } = running;
      clearInterval(reminding);
      await Promise.all([sockets?.stop(), who.stop()]);
      await outbox.stop();
      await board.save();
      running = null;
    },
    requests:
      options.way.kind === "http"
        ? (request) => running?.requests?.(request) ?? Promise.resolve(new Response(null, { status: 503 }))
        : null,
    standing: () => (running !== null && isReached(running) ? "" : "channel_unavailable"),
    links: () => running?.links ?? null,
    linking: (given) => (running === null ? null : linkingOf(options, running, given)),
    idle: () => running === null || running.outbox.idle(),
    connected: () => running?.sockets?.connected() ?? 0,
  };
}

/** Can a press come in, and a card go out? */
function isReached({ sockets, who, outbox }: Running): boolean {
  return who.expected() !== null && outbox.answered() && (sockets === null || sockets.connected() > 0);
}

/** What is shown of a request: its own cards, and the lists that it stands in. */
function wakeAll({ board, outbox }: Pick<Running, "board" | "outbox">, id: ApprovalId): void {
  const entry = board.entries.get(id);
  if (entry === undefined) return;
  for (const key of [id, ...entry.lists]) outbox.wake(key);
}

const slackApi = "https://slack.com/api/";
/** docs.slack.dev, "Rate limits": a message a second to a channel, fifty edits a minute. */
const slackPace = { post: 1000, edit: 1200 };
const remindEvery = 1000;
const realTime: Passing = {
  steady: () => performance.now(),
  rest: async (milliseconds, signal) =>
    await pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined),
};

async function start(options: SlackOptions, desk: Desk): Promise<Running> {
  const { now, random, say, team, enterprise, folder, way, apiUrl = slackApi } = options;
  const links = await openLinks({ path: join(folder, "links.json"), append: desk.append, random });
  const board = await openBoard({ path: join(folder, "slack.json"), random, now, say });
  const chance = (): number => (Buffer.from(random(4)).readUInt32BE(0) + 1) / 2 ** 32;
  const alert = alerts(options, desk);
  // What comes in needs what goes out, and that the library: tied here once, before anything can come in.
  const tied: { answers?: ReturnType<typeof openAnswers>; gate?: Gate } = {};
  const app = await openApp({
    botToken: options.botToken,
    apiUrl,
    say,
    patience: options.patience ?? { interactive: 2000, outbox: 10_000 },
    interaction: async (envelope) => (tied.answers === undefined ? await envelope.ack() : await tied.answers(envelope)),
    event: async (kind, event) => await happened(kind, event),
  });
  const who = learnIdentity({ call: app.outbox, team, enterprise, alert, say, known: () => undefined });
  const gate = openGate({
    expected: () => who.expected(),
    usersInfo: (user) => app.interactive("users.info", { user }),
    linkedTo: (ofTeam, user) => links.ofUser({ team: ofTeam, user }, now()),
    standsFor: options.standsFor,
    personOf: options.personOf,
    now,
  });
  const outbox = openOutbox({
    board,
    call: app.outbox,
    request: (id) => desk.request(id),
    open: () => desk.open(),
    tally: (request) => desk.tally(request),
    console: options.console,
    fallback: options.channel,
    slackUserOf: (account) => onlyUser(links, account, now()),
    now,
    passing: options.passing ?? realTime,
    chance,
    pace: options.pace ?? slackPace,
    say,
  });
  tied.gate = gate;
  const shared = { links, gate, call: app.interactive, team, console: options.console, alert, say, now };
  const confirming = openConfirming(shared);
  tied.answers = openAnswers({
    gate,
    board,
    desk,
    confirming,
    call: app.interactive,
    appId: () => who.expected()?.appId ?? null,
    console: options.console,
    repair: (id) => repair({ board, outbox }, id as ApprovalId),
    suspect: (why, about) => alert("slack refused", { why, ...about }),
    say,
    random,
    now,
  });

  async function happened(kind: string, event: JsonObject): Promise<void> {
    if (kind !== "user_change") return alert("slack app removed", { event: kind });
    const user = textAt(event, "user", "id");
    tied.gate?.forget(user);
    const read = slackUser.safeParse(event["user"]);
    const ours = who.expected();
    const why = read.success && ours !== null ? whyNotTrusted(read.data, ours) : null;
    if (why !== null) await links.unlink({ team, user }, `the Slack user is ${why}`, now());
  }

  // Everything that was shown before is looked at again: what ended meanwhile has a card to be edited.
  for (const [id, entry] of board.entries) if (!entry.settled) outbox.wake(id);
  for (const [key, list] of board.lists) if (!list.settled) outbox.wake(key);
  const reminding = setInterval(() => {
    for (const [id, entry] of board.entries) if (isHalfway(entry, now())) outbox.wake(id);
  }, remindEvery);
  reminding.unref();
  const { hear } = app;
  const appIs = (id: string): void => who.appIs(id);
  const sockets =
    way.kind === "socket"
      ? await openSockets({ appToken: way.appToken, apiUrl, hear, appIs, alert, say, chance })
      : null;
  const requests = way.kind === "http" ? slackRequests({ signingSecret: way.signingSecret, hear, now }) : null;
  return { desk, gate, confirming, alert, links, board, app, who, outbox, sockets, requests, reminding };
}

function linkingOf(
  { now, random }: SlackOptions,
  { links, gate, confirming, alert, who, app }: Running,
  given: Pick<LinkingOptions, "client" | "redirectUri" | "verify">,
): Linking {
  const ask: LinkingOptions["ask"] = async (proposal, nonce) => await confirming.ask(proposal, nonce);
  const { anonymous } = app;
  return openLinking({ ...given, links, gate, alert, anonymous, ask, random, now, expected: () => who.expected() });
}

function isHalfway(
  {
    settled,
    told,
    requestedAt,
    expiresAt,
  }: { settled: boolean; told: readonly string[]; requestedAt: number; expiresAt: number },
  now: number,
): boolean {
  return !settled && !told.includes("reminder") && now >= (requestedAt + expiresAt) / 2 && now < expiresAt;
}

/** The cards of this request are shown anew, whatever they are thought to show. */
function repair({ board, outbox }: Pick<Running, "board" | "outbox">, id: ApprovalId): void {
  const entry = board.entries.get(id);
  const lists = entry?.lists.flatMap((key) => board.lists.get(key) ?? []) ?? [];
  for (const place of [...(entry?.places ?? []), ...lists.map((one) => one.place)]) place.shown = "";
  wakeAll({ board, outbox }, id);
}

/** The one user of this account; null where there is none, or more than one. */
function onlyUser(links: Links, account: Subject, now: number): string | null {
  const [link, second] = links.ofSubject(account, now);
  return link === undefined || second !== undefined ? null : link.user;
}

const alertEvery = 60_000;

/** On record and in the log, each kind at most once a minute: nobody fills the record by pressing buttons. */
function alerts({ now, say }: SlackOptions, { append }: Desk): (what: string, about: JsonObject) => void {
  const last = new Map<string, number>();
  return (what, about) => {
    const key = JSON.stringify([what, about]);
    const before = last.get(key);
    if (before !== undefined && now() - before >= 0 && now() - before < alertEvery) return;
    if (last.size >= 1000) last.clear();
    last.set(key, now());
    say(`Slack: ${what} ${JSON.stringify(about)}`);
    const entry: EntryDraft = {
      kind: "alert.raised",
      session: null,
      call: null,
      principal: null,
      details: { alert: what, about },
    };
    void append([entry]).catch(() => say("An alert could not be put on record."));
  };
}
