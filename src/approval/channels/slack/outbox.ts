// Brings Slack to what the board says, one message at a time: what fails is tried again, what is limited waits, and nothing is ever lost but in Slack. Long: the ways in which one post can fail stand side by side.

import { digestOf } from "../../digest.ts";
import type { ApprovalId } from "../../../domain/ids.ts";
import type { Subject } from "../../../domain/principal.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import type { Board, Entry, List, Place } from "./board.ts";
import type { Call, Called } from "./call.ts";
import { endedCard, listCard, minimalCard, pendingCard, type Console, type Message, type Standing } from "./card.ts";
import { isOver, notesOf, requesterNote, threadNote } from "./notes.ts";

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
  stop(): Promise<void>;
}

/** What became of one step. `later`: this message not before so many milliseconds; `wait`: nothing before then. */
type Step = { readonly kind: "done" } | { readonly kind: "later" | "wait"; readonly milliseconds: number };
const done: Step = { kind: "done" };

const longestBackoff = 60_000;
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
  const { board, call, now } = options;
  const dirty = new Set<string>();
  /** When each channel, and editing, may be used again. */
  const readyAt = new Map<string, number>();
  let [failures, working] = [0, false];
  const stopping = new AbortController();
  const { signal } = stopping;
  let bell = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;

  function wake(key: string): void {
    dirty.add(key);
    bell.resolve();
  }

  async function sleep(milliseconds: number): Promise<void> {
    if (signal.aborted) return;
    timer = setTimeout(() => bell.resolve(), milliseconds);
    timer.unref();
    await bell.promise;
    clearTimeout(timer);
    bell = Promise.withResolvers();
  }

  const work = (async () => {
    while (!signal.aborted) {
      working = true;
      const nearest = await round();
      working = false;
      if (nearest > 0) await sleep(nearest);
    }
  })();

  /** Everything once; then how long nothing can be done, in milliseconds. */
  async function round(): Promise<number> {
    let [nearest, moved] = [longestBackoff, false];
    const waiting = Array.from(dirty);
    for (const key of waiting) {
      if (signal.aborted) return 0;
      const step = await showAll(key);
      if (step.kind === "later") nearest = Math.min(nearest, step.milliseconds);
      else moved = true;
      if (step.kind === "wait") await pauseFor(step.milliseconds);
    }
    return moved && dirty.size > 0 ? 1 : nearest;
  }

  /** Not cut short by news: a storm of requests must not become a storm of retries. */
  async function pauseFor(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    while (!signal.aborted && performance.now() < until) await sleep(until - performance.now());
  }

  function backoff(): Step {
    failures += 1;
    const longest = Math.min(longestBackoff, 500 * 2 ** Math.min(failures, 10));
    return { kind: "wait", milliseconds: longest / 2 + (longest / 2) * options.chance() };
  }

  async function showAll(key: string): Promise<Step> {
    dirty.delete(key);
    const list = board.lists.get(key);
    const entry = board.entries.get(key as ApprovalId);
    const showing =
      list !== undefined ? showList(list) : entry !== undefined ? showEntry(entry) : Promise.resolve(done);
    const step = await showing.catch((thrown: unknown): Step => {
      options.say(`A card in Slack could not be brought up to date: ${String(thrown)}`);
      return backoff();
    });
    // What waits goes to the end: one channel's trouble keeps no other's messages.
    if (step.kind !== "done") dirty.add(key);
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
    if (request.state !== "pending") return endedCard(request);
    if (place.minimal) return minimalCard(request, options.console);
    return pendingCard(request, place.nonce, options.tally(request), options.console);
  }

  async function showList(list: List): Promise<Step> {
    const ids = new Set(list.ids);
    const waiting = (await options.open()).filter((one) => one.state === "pending" && ids.has(one.id));
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
    const lane = kind === "edit" ? "edits" : place.channel;
    const early = (readyAt.get(lane) ?? 0) - performance.now();
    if (early > 0) return { kind: "later", milliseconds: early };
    const body = { channel: place.channel, text: message.text, blocks: message.blocks };
    const called =
      place.ts === null
        ? await call("chat.postMessage", {
            ...body,
            unfurl_links: false,
            unfurl_media: false,
            link_names: false,
            parse: "none",
          })
        : await call("chat.update", { ...body, ts: place.ts, link_names: false, parse: "none" });
    readyAt.set(lane, performance.now() + options.pace[kind]);
    const ts = called.kind === "ok" ? called.reply["ts"] : undefined;
    if (called.kind === "ok" && typeof ts === "string") {
      failures = 0;
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
        return { kind: "wait", milliseconds: called.seconds * 1000 };
      case "failed":
        if (failures === 0) options.say(`Slack is not reached for ${what} (${called.why}): it is tried again.`);
        return backoff();
      case "refused":
        if (failures === 0) options.say(`Slack refuses ${what} (${called.error}${said(called)}): it is tried again.`);
        return backoff();
      case "ok":
        return backoff();
    }
  }

  /** The request moves to the channel of last resort, once. */
  function elsewhere(entry: Entry, place: Place): void {
    if (place.channel === options.fallback || entry.places.some((one) => one.channel === options.fallback)) return;
    entry.places.push(board.newPlace(options.fallback));
    wake(entry.id);
  }

  async function tellThreads(entry: Entry, request: KeptRequest): Promise<Step> {
    const notes = notesOf(request, now()).filter((one) => !entry.told.includes(one.key));
    if (notes.length === 0) return done;
    const message = threadNote(notes);
    for (const { channel, ts, dead } of entry.places) {
      if (ts === null || dead !== "") continue;
      const early = (readyAt.get(channel) ?? 0) - performance.now();
      if (early > 0) return { kind: "later", milliseconds: early };
      const body = { channel, thread_ts: ts, text: message.text, blocks: message.blocks, unfurl_links: false };
      const called = await call("chat.postMessage", body);
      readyAt.set(channel, performance.now() + options.pace.post);
      // A note that Slack will never take is no reason to keep the rest waiting.
      if (called.kind === "limited" || called.kind === "failed") return waitFor(called, "a note");
    }
    entry.told.push(...notes.map((one) => one.key));
    await board.save();
    return done;
  }

  async function tellRequester(entry: Entry, request: KeptRequest): Promise<Step> {
    if (entry.requesterTold || !isOver(request)) return done;
    const user = options.slackUserOf(request.call.principal);
    if (user !== null) {
      const opened = await call("conversations.open", { users: user });
      if (opened.kind === "limited" || opened.kind === "failed") return waitFor(opened, "a direct message");
      const channel = opened.kind === "ok" ? opened.reply["channel"] : null;
      const id = typeof channel === "object" && channel !== null && "id" in channel ? channel.id : null;
      const message = requesterNote(request);
      const sent =
        typeof id === "string"
          ? await call("chat.postMessage", { channel: id, text: message.text, blocks: message.blocks })
          : opened;
      if (sent.kind === "limited" || sent.kind === "failed") return waitFor(sent, "a direct message");
    }
    entry.requesterTold = true;
    await board.save();
    return done;
  }

  return {
    wake,
    idle: () => dirty.size === 0 && !working,
    async stop() {
      stopping.abort();
      bell.resolve();
      clearTimeout(timer);
      await work;
    },
  };
}

const said = (called: Extract<Called, { kind: "refused" }>): string =>
  called.messages.length === 0 ? "" : `: ${called.messages.join("; ").slice(0, 200)}`;
