// Brings Slack to what the board says, one message at a time and in the order of their coming: what fails is tried again, what is limited waits alone, and nothing is ever lost but in Slack. Long: the ways in which one post can fail stand side by side.

import { digestOf } from "../../digest.ts";
import { isExpired } from "../../states.ts";
import type { ApprovalId } from "../../../domain/ids.ts";
import { textAt } from "../../../domain/json.ts";
import type { Subject } from "../../../domain/principal.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import type { Board, Entry, List, Place } from "./board.ts";
import type { Call, Called } from "./call.ts";
import { endedCard, listCard, minimalCard, pendingCard, type Console, type Message, type Standing } from "./card.ts";
import { isOver, notesOf, requesterNote, threadNote } from "./notes.ts";
import { openLanes, type Passing } from "./lanes.ts";

export interface OutboxOptions {
  readonly board: Board;
  /** Within ten seconds. */
  readonly call: Call;
  readonly request: (id: ApprovalId) => Promise<KeptRequest | undefined>;
  /** All that are pending or approved, oldest first. */
  readonly open: () => Promise<readonly KeptRequest[]>;
  readonly tally: (request: KeptRequest) => Standing;
  readonly console: Console;
  /** The channel of last resort. */
  readonly fallback: string;
  /** The one Slack user that this account is linked to; null where there is none. */
  readonly slackUserOf: (account: Subject) => string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly passing: Passing;
  /** From 0 to 1. */
  readonly chance: () => number;
  /** Milliseconds between two messages to one channel, and two edits. */
  readonly pace: { readonly post: number; readonly edit: number };
  readonly say: (sentence: string) => void;
}

export interface Outbox {
  /** Something is to be shown of this request, or of this list. */
  wake(key: string): void;
  /** Has everything been shown? For the tests and for closing. */
  idle(): boolean;
  /** Does Slack answer, as far as was tried last? */
  answered(): boolean;
  stop(): Promise<void>;
}

/** What became of one step. `later`: this message not before so many milliseconds; `failed`: nobody knows why, or Slack does not say. */
type Step =
  | { readonly kind: "done" }
  | { readonly kind: "later"; readonly milliseconds: number }
  | { readonly kind: "failed" };
const done: Step = { kind: "done" };

const longestBackoff = 60_000;
/** Tries in a row of one message that keep the others behind it, while Slack answers at all. */
const triesInOrder = 3;
const mostPosts = 4;
/** Slack takes this message for malformed or too large. */
const malformed = [
  "msg_blocks_too_long",
  "invalid_blocks",
  "invalid_blocks_format",
  "msg_too_long",
  "metadata_too_large",
];
/** Nothing can be shown in this channel. */
const closed = [
  "channel_not_found",
  "not_in_channel",
  "is_archived",
  "restricted_action",
  "restricted_action_read_only_channel",
  "restricted_action_thread_only_channel",
  "restricted_action_non_threadable_channel",
  "user_not_found",
  "cannot_dm_bot",
  "messages_tab_disabled",
];
/** The message is gone, or can be edited no more. */
const gone = ["message_not_found", "cant_update_message", "edit_window_closed"];

export function openOutbox(options: OutboxOptions): Outbox {
  const { board, call, now, passing } = options;
  /** In the order of their coming; what is not done keeps its place. */
  const dirty = new Set<string>();
  /** News of what is being shown at this moment. */
  const woken = new Set<string>();
  /** What failed although Slack answers: how often in a row, and when it may be tried again. */
  const failing = new Map<string, { readonly tries: number; readonly notBefore: number }>();
  const lanes = openLanes(passing, options.pace);
  let [working, away] = [false, false];
  const stopping = new AbortController();
  const { signal } = stopping;
  let bell = Promise.withResolvers<void>();

  function wake(key: string): void {
    dirty.add(key);
    woken.add(key);
    bell.resolve();
  }

  /** Until then, or until there is news. */
  async function sleep(milliseconds: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([passing.rest(milliseconds, AbortSignal.any([signal, over.signal])), bell.promise]);
    over.abort();
    bell = Promise.withResolvers();
  }

  const work = (async () => {
    while (!signal.aborted) {
      working = true;
      const nearest = await round();
      working = false;
      if (nearest > 0 && !signal.aborted) await sleep(nearest);
    }
  })();

  /** Everything once, in its order; then how long nothing can be done, in milliseconds. */
  async function round(): Promise<number> {
    let nearest = longestBackoff;
    lanes.begin();
    for (const key of Array.from(dirty)) {
      if (signal.aborted) return 0;
      const step = await showAll(key);
      if (step.kind === "later") nearest = Math.min(nearest, step.milliseconds);
      // What comes after it waits too: Slack being away must not turn the order of messages round.
      if (step.kind === "failed" && (await troubled(key))) return 0;
    }
    return woken.size > 0 ? 0 : nearest;
  }

  /** True where everything begins anew with this message at its place; false where it alone waits. */
  async function troubled(key: string): Promise<boolean> {
    if (!(await answers())) {
      away = true;
      // One small question now and then, and not all that waits.
      for (let asked = 1; !signal.aborted && away; asked++) {
        await pauseFor(backoff(asked));
        away = signal.aborted || !(await answers());
      }
      return true;
    }
    const tries = (failing.get(key)?.tries ?? 0) + 1;
    const wait = backoff(tries);
    if (tries < triesInOrder) {
      failing.set(key, { tries, notBefore: 0 });
      await pauseFor(wait);
      return true;
    }
    // Slack is there: the trouble is with this one, and keeps no other's messages.
    failing.set(key, { tries, notBefore: passing.steady() + wait });
    dirty.delete(key);
    dirty.add(key);
    return false;
  }

  /** Whoever limits answers; whoever takes our token no more is as good as away. */
  const answers = async (): Promise<boolean> => ["ok", "limited"].includes((await call("auth.test")).kind);

  /** Not cut short by news: a storm of requests must not become a storm of retries. */
  const pauseFor = async (milliseconds: number): Promise<void> => await passing.rest(milliseconds, signal);

  function backoff(tries: number): number {
    const longest = Math.min(longestBackoff, 500 * 2 ** Math.min(tries, 10));
    return longest / 2 + (longest / 2) * options.chance();
  }

  async function showAll(key: string): Promise<Step> {
    woken.delete(key);
    const early = (failing.get(key)?.notBefore ?? 0) - passing.steady();
    if (early > 0) return { kind: "later", milliseconds: early };
    const list = board.lists.get(key);
    const entry = board.entries.get(key as ApprovalId);
    const showing =
      list !== undefined ? showList(list) : entry !== undefined ? showEntry(entry) : Promise.resolve(done);
    const step = await showing.catch((thrown: unknown): Step => {
      options.say(`A card in Slack could not be brought up to date: ${String(thrown)}`);
      return { kind: "failed" };
    });
    if (step.kind !== "done") return step;
    failing.delete(key);
    if (!woken.has(key)) dirty.delete(key);
    return step;
  }

  async function showEntry(entry: Entry): Promise<Step> {
    const request = await options.request(entry.id);
    if (request === undefined) {
      entry.settled = true;
      await board.save();
      return done;
    }
    const places = Array.from(entry.places);
    for (const place of places) {
      const step = await showAt(
        place,
        () => messageFor(request, place),
        () => elsewhere(entry, place),
      );
      if (step.kind !== "done") return step;
    }
    const notes = await tellThreads(entry, request);
    if (notes.kind !== "done") return notes;
    const told = await tellRequester(entry, request);
    if (told.kind !== "done") return told;
    if (isOver(request) && !entry.settled) {
      entry.settled = true;
      await board.save();
    }
    return done;
  }

  function messageFor(request: KeptRequest, place: Place): Message {
    // Whose time is over is shown as over, also before it is on record: what nobody may answer any more is no question.
    if (isExpired(request, now()) && request.state === "pending") return endedCard({ ...request, state: "expired" });
    if (request.state !== "pending") return endedCard(request);
    if (place.minimal) return minimalCard(request, options.console);
    return pendingCard(request, place.nonce, options.tally(request), options.console);
  }

  async function showList(list: List): Promise<Step> {
    const ids = new Set(list.ids);
    const waiting = (await options.open()).filter(
      (one) => one.state === "pending" && !isExpired(one, now()) && ids.has(one.id),
    );
    const step = await showAt(
      list.place,
      () => listCard(waiting, list.ids.length, list.place.nonce),
      () => {
        if (list.place.channel === options.fallback) return;
        list.place = board.newPlace(options.fallback);
        wake(list.key);
      },
    );
    if (step.kind !== "done") return step;
    list.settled = waiting.length === 0;
    await board.save();
    return done;
  }

  /** Posts or edits one message, if it does not show what it should. */
  async function showAt(place: Place, make: () => Message, dead: () => void): Promise<Step> {
    if (place.dead !== "") return done;
    const message = make();
    const digest = digestOf({ text: message.text, blocks: message.blocks });
    if (place.shown === digest) return done;
    const kind = place.ts === null ? "post" : "edit";
    const early = lanes.early(kind, place.channel);
    if (early > 0) return { kind: "later", milliseconds: early };
    const body = {
      channel: place.channel,
      text: message.text,
      blocks: message.blocks,
      link_names: false,
      parse: "none",
    };
    const called =
      place.ts === null
        ? await call("chat.postMessage", { ...body, unfurl_links: false, unfurl_media: false })
        : await call("chat.update", { ...body, ts: place.ts });
    lanes.used(kind, place.channel, called);
    const ts = called.kind === "ok" ? called.reply["ts"] : undefined;
    if (called.kind === "ok" && typeof ts === "string") {
      Object.assign(place, { ts, shown: digest, posts: place.posts + (kind === "post" ? 1 : 0) });
      await board.save();
      return done;
    }
    return await refused(place, called, make, dead);
  }

  async function refused(place: Place, called: Called, make: () => Message, dead: () => void): Promise<Step> {
    if (called.kind !== "refused") return waitFor(called, `a message to ${place.channel}`);
    const { error } = called;
    if (malformed.includes(error) && !place.minimal) {
      options.say(
        `Slack took a card for malformed (${error}${said(called)}): it is shown with its console address alone.`,
      );
      place.minimal = true;
      return await showAt(place, make, dead);
    }
    if (gone.includes(error) && place.ts !== null && place.posts < mostPosts) {
      // Somebody deleted it: a request that nobody can see is asked anew, under another nonce.
      Object.assign(place, { ...board.newPlace(place.channel), posts: place.posts });
      return await showAt(place, make, dead);
    }
    if (gone.includes(error) || closed.includes(error) || malformed.includes(error)) {
      options.say(`Nothing can be shown in the channel ${place.channel} of Slack (${error}).`);
      place.dead = error;
      dead();
      await board.save();
      return done;
    }
    return waitFor(called, `a message to ${place.channel}`);
  }

  function waitFor(called: Called, what: string): Step {
    switch (called.kind) {
      case "limited":
        return { kind: "later", milliseconds: called.seconds * 1000 };
      case "failed":
        if (failing.size === 0) options.say(`Slack is not reached for ${what} (${called.why}): it is tried again.`);
        return { kind: "failed" };
      case "refused":
        if (failing.size === 0)
          options.say(`Slack refuses ${what} (${called.error}${said(called)}): it is tried again.`);
        return { kind: "failed" };
      case "ok":
        return { kind: "failed" };
    }
  }

  /** The request moves to the channel of last resort, once. */
  function elsewhere(entry: Entry, place: Place): void {
    if (place.channel === options.fallback || entry.places.some((one) => one.channel === options.fallback)) return;
    entry.places.push(board.newPlace(options.fallback));
    wake(entry.id);
  }

  /** Each thread by itself: what one has been told is not told again because another one waits. */
  async function tellThreads(entry: Entry, request: KeptRequest): Promise<Step> {
    const notes = notesOf(request, now()).filter((one) => !entry.told.includes(one.key));
    if (notes.length === 0) return done;
    for (const { channel, ts, dead } of entry.places) {
      const inThread = (key: string): string => `${key} in ${channel}`;
      const left = notes.filter((one) => !entry.told.includes(inThread(one.key)));
      if (ts === null || dead !== "" || left.length === 0) continue;
      const early = lanes.early("post", channel);
      if (early > 0) return { kind: "later", milliseconds: early };
      const message = threadNote(left);
      const body = { channel, thread_ts: ts, text: message.text, blocks: message.blocks, unfurl_links: false };
      const called = await call("chat.postMessage", body);
      lanes.used("post", channel, called);
      // A note that Slack will never take is no reason to keep the rest waiting.
      if (called.kind === "limited" || called.kind === "failed") return waitFor(called, "a note");
      entry.told.push(...left.map((one) => inThread(one.key)));
      await board.save();
    }
    const told = notes.map((one) => one.key);
    entry.told = [...entry.told.filter((one) => !told.some((key) => one.startsWith(`${key} in `))), ...told];
    await board.save();
    return done;
  }

  async function tellRequester(entry: Entry, request: KeptRequest): Promise<Step> {
    if (entry.requesterTold || !isOver(request)) return done;
    const user = options.slackUserOf(request.call.principal);
    const step = user === null ? done : await tellUser(user, requesterNote(request));
    if (step.kind !== "done") return step;
    entry.requesterTold = true;
    await board.save();
    return done;
  }

  /** By direct message. What Slack will never take is done with. */
  async function tellUser(user: string, message: Message): Promise<Step> {
    const early = Math.max(lanes.early("open", ""), lanes.early("post", user));
    if (early > 0) return { kind: "later", milliseconds: early };
    const opened = await call("conversations.open", { users: user });
    lanes.used("open", "", opened);
    if (opened.kind === "limited" || opened.kind === "failed") return waitFor(opened, "a direct message");
    const channel = opened.kind === "ok" ? textAt(opened.reply, "channel", "id") : "";
    if (channel === "") return done;
    const sent = await call("chat.postMessage", { channel, text: message.text, blocks: message.blocks });
    // By the user: which channel that is, is known only when it has been opened.
    lanes.used("post", user, sent);
    return sent.kind === "limited" || sent.kind === "failed" ? waitFor(sent, "a direct message") : done;
  }

  return {
    wake,
    idle: () => dirty.size === 0 && !working,
    answered: () => !away,
    async stop() {
      stopping.abort();
      bell.resolve();
      await work;
    },
  };
}

const said = (called: Extract<Called, { kind: "refused" }>): string =>
  called.messages.length === 0 ? "" : `: ${called.messages.join("; ").slice(0, 200)}`;
