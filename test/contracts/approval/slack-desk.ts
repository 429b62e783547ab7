// A whole Slack channel on a fake workspace, before a real store of requests: what the tests of Slack work with.

import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { keepChannelsUpdated } from "../../../src/approval/announce.ts";
import { slackChannel, type Person, type SlackOptions } from "../../../src/approval/channels/slack/index.ts";
import { openDesk, type Desk } from "../../../src/approval/desk.ts";
import { seek } from "../../../src/approval/seek.ts";
import type { ApprovalStore, KeptRequest } from "../../../src/approval/stores/contract.ts";
import type { SignedIn, SlackAccount } from "../../../src/approval/links.ts";
import type { Mode } from "../../../src/approval/ballot.ts";
import type { Append, EntryDraft } from "../../../src/domain/entry.ts";
import type { Subject } from "../../../src/domain/principal.ts";
import {
  openWorkspace,
  tokens,
  type FakeMessage,
  type FakeView,
  type Workspace,
  type WorkspaceOptions,
} from "../../support/slack/workspace.ts";
import {
  folder,
  hour,
  kinds,
  multiUser,
  openStore,
  random,
  request,
  start,
  transcript,
  type Given,
} from "./fixtures.ts";
import { mkdirSync } from "node:fs";

const issuer = "https://id.example";
export const account = (subject: string): Subject => ({ issuer, subject });
/** As the console signs them in, at `start`. */
export const signedIn = (subject: string, given: Partial<SignedIn> = {}): SignedIn => ({
  ...account(subject),
  at: start,
  groups: [],
  ...given,
});

/** Links the two as they would by themselves, without what Slack shows of it. */
export async function linkUp(
  { channel }: Pick<Opened, "channel">,
  slack: SlackAccount,
  subject: string,
  given: Partial<SignedIn> = {},
): Promise<void> {
  const links = channel.links();
  const proposed = await links?.propose(slack, signedIn(subject, given), start);
  if (links === null || proposed?.kind !== "proposed") throw new Error("not proposed");
  const carrier = { channel: `D${slack.user}`, ts: "1.1" };
  await links.asked(proposed.proposal, carrier);
  expect((await links.confirm(slack, proposed.nonce, carrier, start)).kind).toBe("linked");
}

/** Kim and Lee are of `sre`, Ada of `leads`; Jo asks. */
export const everybody: readonly Person[] = [
  { name: "Kim", accounts: [account("kim")], groups: ["sre"] },
  { name: "Lee", accounts: [account("lee")], groups: ["sre"] },
  { name: "Ada", accounts: [account("ada")], groups: ["leads"] },
  { name: "Jo", accounts: [account("jo"), account("jo-admin")], groups: ["sre", "developers"] },
];

export interface Opened {
  readonly workspace: Workspace;
  readonly store: ApprovalStore;
  readonly desk: Desk;
  readonly channel: ReturnType<typeof slackChannel>;
  readonly entries: EntryDraft[];
  readonly append: Append;
  readonly breakDown: () => void;
  readonly said: string[];
  /** Where the channel keeps its files. */
  readonly folder: string;
  /** Changed by the tests: who is configured. */
  people: readonly Person[];
  /** Milliseconds that the gateway's clock stands after `start`. */
  clock: number;
  ask(given?: Given): Promise<KeptRequest>;
  state(request: { readonly id: KeptRequest["id"] }): Promise<string>;
  /** The one card in the channel, once it is there and shows what it should. */
  card(channel?: string): Promise<FakeMessage>;
  /** Everything is shown. */
  settled(): Promise<void>;
  /** The window that is open for this user. */
  view(user: string): FakeView;
  /** So many windows have been opened, and the gateway has been told. */
  opened(count: number): Promise<void>;
  /** Another process on the same files. */
  again(): Promise<Opened>;
  kinds(): readonly string[];
  alerts(): readonly unknown[];
}

export interface Wanted {
  readonly workspace?: WorkspaceOptions;
  readonly slack?: Partial<SlackOptions>;
  readonly mode?: Mode;
  /** Slack user → subject; absent: the usual four. */
  readonly links?: { readonly [user: string]: string };
  /** Do not wait until Slack is connected. */
  readonly impatient?: boolean;
  readonly before?: (workspace: Workspace) => void;
}

export const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 60_000, interval: 10 });

export async function openSlack(wanted: Wanted = {}): Promise<Opened> {
  const workspace = await openWorkspace(wanted.workspace);
  // The last to go: these run in the opposite order of their coming.
  onTestFinished(async () => await workspace.stop());
  wanted.before?.(workspace);
  const place = folder();
  mkdirSync(place, { recursive: true });
  const store = await openStore(join(place, "approvals"));
  const opened = await onFiles(wanted, workspace, store, place);
  const links = wanted.links ?? { UKIM: "kim", ULEE: "lee", UADA: "ada", UJO: "jo" };
  for (const [user, subject] of Object.entries(links)) await linkUp(opened, { team: workspace.team, user }, subject);
  opened.entries.length = 0;
  if (wanted.impatient !== true && wanted.slack?.way?.kind !== "http")
    await eventually(() => opened.channel.connected()).toBe(2);
  return opened;
}

async function onFiles(wanted: Wanted, workspace: Workspace, store: ApprovalStore, place: string): Promise<Opened> {
  const { entries, append, breakDown } = transcript();
  const said: string[] = [];
  const now = (): number => start + opened.clock;
  const mode = wanted.mode ?? multiUser;
  const desk = openDesk({ store, append, mode, mask: (text) => text.replaceAll("hunter2", "[MASKED]"), now });
  const channel = slackChannel({
    way: { kind: "socket", appToken: tokens.app },
    botToken: tokens.bot,
    team: workspace.team,
    enterprise: undefined,
    channel: "C7",
    channels: { leads: "C8" },
    console: null,
    folder: place,
    standsFor: 12 * hour,
    personOf: ({ issuer: of, subject }) =>
      opened.people.find((one) => one.accounts.some((own) => own.issuer === of && own.subject === subject)) ?? null,
    now,
    random,
    say: (sentence) => void said.push(sentence),
    apiUrl: workspace.apiUrl,
    pace: { post: 1, edit: 1 },
    ...wanted.slack,
  });
  const opened: Opened = {
    workspace,
    store,
    desk,
    channel,
    entries,
    append,
    breakDown,
    said,
    folder: place,
    people: everybody,
    clock: 1000,
    ask: async (given = {}) => (await seek(store, append, [channel], request({ now: now(), ...given }))).request,
    state: async ({ id }) => (await store.get(id))?.state ?? "none",
    async card(of = "C7") {
      await opened.settled();
      const cards = workspace.cards(of);
      const [card] = cards;
      if (card === undefined || cards.length > 1) throw new Error(`there are ${cards.length} cards in ${of}`);
      return card;
    },
    async settled() {
      await eventually(() => channel.idle()).toBe(true);
    },
    view(user) {
      const found = [...workspace.views.values()].findLast((one) => one.user === user && one.open);
      if (found === undefined) throw new Error(`no window is open for ${user}`);
      return found;
    },
    async opened(count) {
      await eventually(() => workspace.answered("views.open") + workspace.answered("views.push")).toBe(count);
      // What was answered is read in the next turns of this process.
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async again() {
      stop();
      await channel.close();
      return await onFiles(wanted, workspace, store, place);
    },
    kinds: () => kinds(entries),
    alerts: () => entries.flatMap((one) => (one.kind === "alert.raised" ? [one.details] : [])),
  };
  await channel.open(desk);
  const stop = keepChannelsUpdated(store, [channel], (unreached) => said.push(...unreached.map((one) => one.why)));
  onTestFinished(async () => {
    stop();
    await channel.close();
  });
  return opened;
}
