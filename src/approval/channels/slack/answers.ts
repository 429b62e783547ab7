// A person's press, window or command, from the gate to the vote: what it carries only names a request, and everything else is asked of the store. Long: the ways in which a person answers stand side by side.

import type { Desk, Vote } from "../../desk.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import type { RefusalCode, Voter } from "../../ballot.ts";
import { parseApprovalId } from "../../../domain/ids.ts";
import { textAt, type JsonObject } from "../../../domain/json.ts";
import * as blocks from "./blocks.ts";
import { ours, theirs } from "./blocks.ts";
import type { Board } from "./board.ts";
import type { Confirming } from "./confirming.ts";
import type { Call } from "./call.ts";
import { actions, duplicateCard, identityOf, needsReview, type Console } from "./card.ts";
import type { Envelope } from "./events.ts";
import { suspicious, type Admitted, type Gate } from "./gate.ts";
import { callbacks, denyModal, noticeView, readDenial, wholeModal, type Opening } from "./modals.ts";
import { levelOf, sentenceOf } from "./risk.ts";
import { readInteraction, readValue, type Interaction, type Origin } from "./wire.ts";
import { openViews } from "./views.ts";
import { criticalWords, decidedWords, fixed, gateWords, lateWords, linkWords, refusalWords } from "./words.ts";

export interface AnswerOptions {
  readonly gate: Gate;
  readonly board: Board;
  readonly desk: Desk;
  readonly confirming: Confirming;
  /** Within two seconds. */
  readonly call: Call;
  readonly appId: () => string | null;
  readonly console: Console;
  /** This message must be shown anew. */
  readonly repair: (id: string) => void;
  /** Something that does not happen to honest people: on record, at most once a minute each. */
  readonly suspect: (why: string, about: JsonObject) => void;
  readonly say: (sentence: string) => void;
  readonly random: (count: number) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type Press = Extract<Interaction, { kind: "press" }>;
type Submit = Extract<Interaction, { kind: "submit" }>;
type Command = Extract<Interaction, { kind: "command" }>;
type Known = Extract<Admitted, { kind: "admitted" }>;

/** Slack waits three seconds for the answer to a window. */
const longestAnswer = 2300;

export type Answers = (envelope: Envelope) => Promise<void>;

export function openAnswers(options: AnswerOptions): Answers {
  const { gate, board, desk, call, console } = options;
  const views = openViews(options.now);

  return async ({ body, ack }) => {
    const heard = readInteraction(body);
    if (heard === null) {
      await ack();
      options.suspect("malformed", { type: textAt(body, "type"), user: textAt(body, "user", "id") });
      return;
    }
    switch (heard.kind) {
      case "press":
        // At once: what follows takes as long as it takes, and the person's screen waits for none of it.
        await ack();
        return await (options.confirming.takes(heard.action) ? options.confirming.pressed(heard) : pressed(heard));
      case "submit":
        return await ack(await inTime(submitted(heard), notice(fixed.slow)));
      case "close":
        views.close(heard.view, heard.origin.user);
        return await ack();
      case "command":
        return await ack(await inTime(commanded(heard), only(fixed.notOpened)));
    }
  };

  /** Who it is; null after they were told why they may not. */
  async function admitted(origin: Origin, tell: (words: string) => Promise<void>): Promise<Known | null> {
    const who = await gate.admit(origin);
    if (who.kind === "admitted") return who;
    if (suspicious.includes(who.why)) options.suspect(who.why, { user: origin.user, team: origin.team });
    await tell(gateWords(who.why, console));
    return null;
  }

  /** Whom a new sign-in might make one of the approvers is asked for it. */
  function barredWords(code: RefusalCode, { stale }: Known): string {
    return code === "not_an_approver" && stale ? gateWords("signed_out", console) : refusalWords(code, console);
  }

  async function pressed(press: Press): Promise<void> {
    const on = press.on.kind === "message" ? press.on : views.get(press.on.view)?.from;
    const tell = async (words: string): Promise<void> => {
      if (on !== undefined) await whisper(on.channel, press.origin.user, words);
    };
    const who = await admitted(press.origin, tell);
    if (who === null) return;
    const { voter } = who;
    const id = whatItNames(press);
    if (id === null) {
      options.suspect("not the card that counts", { user: press.origin.user, action: press.action });
      await showDuplicate(press);
      return await tell(fixed.notThisCard);
    }
    const seen = await desk.seen(id, voter);
    if (seen === null) return await tell(barredWords("not_an_approver", who));
    const { request, barred } = seen;
    if (request.state !== "pending") {
      options.repair(request.id);
      return await tell(lateWords(request));
    }
    if (barred !== null && press.action !== actions.details) return await tell(barredWords(barred, who));
    return await act(press, request, voter, tell);
  }

  /** The request that the button stands for, if its message or window is the one that was made for it. */
  function whatItNames(press: Press) {
    const value = readValue(press.value);
    if (value === null) return null;
    if (press.on.kind === "view") {
      const opened = views.get(press.on.view);
      const same = opened?.user === press.origin.user && opened.nonce === value.nonce && opened.id === value.id;
      return same ? opened.id : null;
    }
    const carrier = press.on.ephemeral ? null : board.carrier(press.on.channel, press.on.ts);
    const same = carrier !== null && carrier.place.nonce === value.nonce && carrier.ids.includes(value.id);
    return same ? (parseApprovalId(value.id) ?? null) : null;
  }

  /** What a press asks for is judged by the request as it is stored, whatever the button was called. */
  async function act(press: Press, request: KeptRequest, voter: Voter, tell: (words: string) => Promise<void>) {
    switch (press.action) {
      case actions.approve:
      case actions.review: {
        if (levelOf(request) === "critical") return await tell(criticalWords(request, console));
        const oneTap = levelOf(request) === "low" && !needsReview(request) && press.action === actions.approve;
        if (!oneTap)
          return await openOver(press, request, (nonce) => wholeModal(request, nonce, desk.tally(request), true));
        const words = await voted({ id: request.id, by: voter, answer: "approve", reason: "", tellAgent: false });
        return words.done ? undefined : await tell(words.words);
      }
      case actions.deny:
        return await openOver(press, request, (nonce) => denyModal(request, nonce));
      case actions.details:
        return await openOver(press, request, (nonce) => wholeModal(request, nonce, desk.tally(request), false));
    }
    options.suspect("unknown action", { user: press.origin.user, action: press.action });
  }

  async function openOver(press: Press, request: KeptRequest, make: (nonce: string) => Opening): Promise<void> {
    const nonce = Buffer.from(options.random(16)).toString("hex");
    const over = press.on.kind === "view";
    const { view: content, kind } = make(nonce);
    const called = await call(over ? "views.push" : "views.open", { trigger_id: press.trigger, view: content });
    const from = press.on.kind === "message" ? press.on : views.get(press.on.view)?.from;
    const view = called.kind === "ok" ? textAt(called.reply, "view", "id") : "";
    if (view !== "")
      return views.open(view, { id: request.id, user: press.origin.user, kind, nonce, from, at: options.now() });
    if (from !== undefined) await whisper(from.channel, press.origin.user, fixed.notOpened);
  }

  async function submitted(submit: Submit): Promise<JsonObject> {
    const said: string[] = [];
    const who = await admitted(submit.origin, (words) => Promise.resolve(void said.push(words)));
    if (who === null) return notice(said.join(" "));
    const { voter } = who;
    const opened = views.get(submit.view);
    const same =
      opened !== undefined &&
      opened.user === submit.origin.user &&
      opened.nonce === submit.metadata &&
      opened.kind === submit.callback &&
      submit.app === options.appId();
    if (!same) {
      options.suspect("not the window that was opened", { user: submit.origin.user, callback: submit.callback });
      return notice(fixed.notThisWindow);
    }
    const request = (await desk.seen(opened.id, voter))?.request;
    if (request === undefined) return notice(barredWords("not_an_approver", who));
    switch (opened.kind) {
      case callbacks.approve:
        return await close(submit, { id: request.id, by: voter, answer: "approve", reason: "", tellAgent: false });
      case callbacks.deny: {
        const read = readDenial(request, submit.fields);
        if (read.kind === "wrong") return { response_action: "errors", errors: read.errors };
        const { reason, tellAgent } = read.denial;
        return await close(submit, { id: request.id, by: voter, answer: "reject", reason, tellAgent });
      }
      case callbacks.notice:
        return notice(fixed.notThisWindow);
    }
  }

  /** A window answers once: a second submission finds it gone. */
  async function close(submit: Submit, vote: Vote): Promise<JsonObject> {
    views.close(submit.view, submit.origin.user);
    return notice((await voted(vote)).words);
  }

  async function voted(vote: Vote): Promise<{ readonly done: boolean; readonly words: string }> {
    try {
      const decided = await desk.vote(vote);
      if (decided.kind === "refused") options.repair(vote.id);
      return { done: decided.kind !== "refused", words: decidedWords(decided, console) };
    } catch (thrown) {
      options.say(
        `An answer from Slack could not be recorded (${thrown instanceof Error ? thrown.message : "unknown"}).`,
      );
      return { done: false, words: fixed.notRecorded };
    }
  }

  async function commanded({ origin, text }: Command): Promise<JsonObject> {
    const [word = ""] = text.trim().split(/\s+/);
    if (word === "link") {
      const why = await gate.member(origin);
      return only(why === null ? linkWords(console) : gateWords(why, console));
    }
    if (word !== "pending")
      return only("/sallyport pending: what waits for you. /sallyport link: how to link your Slack user.");
    const said: string[] = [];
    const who = await admitted(origin, (words) => Promise.resolve(void said.push(words)));
    return who === null ? only(said.join(" ")) : await pendingOf(who.voter);
  }

  async function pendingOf(voter: Voter): Promise<JsonObject> {
    const open = (await desk.open()).filter((one) => one.state === "pending");
    const seen = await Promise.all(open.map(async ({ id }) => await desk.seen(id, voter)));
    const mine = seen.flatMap((one) => (one === null || one.barred !== null ? [] : [one.request]));
    if (mine.length === 0) return only("Nothing waits for your answer.");
    const rows = mine.slice(0, 10).map((one) => [theirs(sentenceOf(one.card), 200), ours(` ${identityOf(one)}`)]);
    const more = mine.length > 10 ? [[ours(`and ${mine.length - 10} more`)]] : [];
    return {
      ...only(`${mine.length} wait for your answer.`),
      blocks: [blocks.lines([...rows, ...more])],
    } as JsonObject;
  }

  async function whisper(channel: string, user: string, words: string): Promise<void> {
    const called = await call("chat.postEphemeral", { channel, user, text: words, link_names: false, parse: "none" });
    if (called.kind !== "ok") options.say("Somebody in Slack could not be told why their press did nothing.");
  }

  /** A card of ours that was posted twice says so, where it can be edited at all. */
  async function showDuplicate({ on, value }: Press): Promise<void> {
    const id = parseApprovalId(readValue(value)?.id ?? "");
    if (on.kind === "view" || id === undefined || on.ephemeral || board.carrier(on.channel, on.ts) !== null) return;
    const entry = board.entries.get(id);
    const request = await desk.request(id);
    if (entry === undefined || request === undefined || !entry.places.some((one) => one.channel === on.channel)) return;
    const { text, blocks: instead } = duplicateCard(request);
    await call("chat.update", { channel: on.channel, ts: on.ts, text, blocks: instead });
  }

  async function inTime(work: Promise<JsonObject>, otherwise: JsonObject): Promise<JsonObject> {
    const late = Promise.withResolvers<JsonObject>();
    const timer = setTimeout(() => late.resolve(otherwise), longestAnswer);
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const notice = (words: string): JsonObject =>
  JSON.parse(JSON.stringify({ response_action: "update", view: noticeView(words) })) as JsonObject;

/** An answer to a command, for whoever typed it. */
const only = (text: string): JsonObject => ({ response_type: "ephemeral", text });
