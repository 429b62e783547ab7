// What a request looks like in a channel: the card while it waits, and what became of it afterwards. Made from the stored request alone. Long: each part of a card stands beside the others that it must agree with.

import { approversAt, escalationOf } from "../../escalation.ts";
import { shortId } from "../../request-text.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import type { Verdict } from "../../../domain/approval.ts";
import * as blocks from "./blocks.ts";
import { bold, ours, theirs, time, type Block, type Piece, type Tap } from "./blocks.ts";
import { excerpt, levelOf, missing, sentenceOf, type Level } from "./risk.ts";
import { valueOf } from "./wire.ts";

export interface Message {
  /** Shown in notifications: words of ours alone, since Slack reads markup in it. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** Of a card's diff; the rest is in the details. */
const most = { lines: 40, characters: 2400, width: 400, object: 600, checks: 6, check: 200 };

export const actions = { approve: "sp.approve", review: "sp.review", deny: "sp.deny", details: "sp.details" } as const;

/** `apr_…1234abcd 9f3a c210`: the same digest that the terminal and the record show. */
export function identityOf({ id, approvalDigest }: KeptRequest): string {
  return `apr_…${shortId(id)} ${approvalDigest.slice(0, 4)} ${approvalDigest.slice(4, 8)}`;
}

/** Must whoever approves see the whole of it first? Where the card leaves out, cuts or can't show anything: what looks harmless to a list of fields may be what matters. */
export function needsReview({ card }: Pick<KeptRequest, "card">): boolean {
  const { whole, unseen } = excerpt(card.diff, most.lines, most.characters, most.width);
  const warnings = card.checks.length > most.checks || checkTexts(card).some((text) => text.length > most.check);
  return !whole || unseen || warnings || card.object.length > most.object;
}

export interface Standing {
  readonly have: number;
  readonly need: number;
}

/** Where else the request can be decided; null: in the terminal alone. */
export type Console = string | null;

/** The card of a request that waits. `nonce` is this message's own. */
export function pendingCard(request: KeptRequest, nonce: string, standing: Standing, console: Console): Message {
  const { card } = request;
  const shown = excerpt(card.diff, most.lines, most.characters, most.width);
  const left = missing(shown);
  const level = levelOf(request);
  const value = valueOf(request.id, nonce);
  return {
    text: "A call waits for approval.",
    blocks: [
      blocks.header(sentenceOf(card)),
      blocks.lines(factsOf(request, level)),
      ...checksOf(request),
      blocks.preformatted(shown.lines),
      ...(left === "" ? [] : [blocks.small(left)]),
      ...reasonOf(request),
      blocks.lines([...peopleOf(request, standing), ...elsewhere(level, console)]),
      blocks.taps(tapsOf(request, level, value)),
      blocks.small(identityOf(request)),
    ],
  };
}

/** What stands in a message that Slack took for too large or malformed: enough to know that it waits, and where to answer it. */
export function minimalCard(request: KeptRequest, console: Console): Message {
  const where = console === null ? [] : [[ours("Answer it in the "), blocks.link(console, "console"), ours(".")]];
  const typed = [ours("In the terminal: sallyport approvals show "), ours(shortId(request.id))];
  const words = [[ours("This request can't be shown in Slack.")], ...where, typed];
  return { text: "A call waits for approval.", blocks: [blocks.lines(words), blocks.small(identityOf(request))] };
}

export function factsOf(
  request: KeptRequest,
  level: Level,
  longestObject = most.object,
): readonly (readonly Piece[])[] {
  const { card } = request;
  const environment = card.environment === "" ? [] : [ours(", environment "), bold(card.environment)];
  return [
    [ours("Object: "), theirs(card.object, longestObject)],
    [ours("Cluster: "), theirs(card.cluster), ...environment],
    [ours(`Effect: ${card.effect}, risk ${level}`), ours("; undo: "), theirs(card.undo || "not known", 200)],
    [ours("Rules: "), theirs(card.rules.join(", "), 300)],
    [ours("Answer until "), time(request.expiresAt)],
  ];
}

function checksOf({ card }: KeptRequest): readonly Block[] {
  if (card.checks.length === 0) return [];
  const left = card.checks.length - most.checks;
  const more = left > 0 ? [[ours(`and ${left} more`)]] : [];
  return [
    blocks.lines([
      ...checkTexts(card)
        .slice(0, most.checks)
        .map((text) => checkLine(text)),
      ...more,
    ]),
  ];
}

export const checkTexts = ({ checks }: KeptRequest["card"]): readonly string[] =>
  checks.map((one) => one.map((part) => (typeof part === "string" ? part : JSON.stringify(part.quoted))).join(""));

export const checkLine = (text: string, longest = most.check): readonly Piece[] => [bold("! "), theirs(text, longest)];

export function reasonOf({ card }: KeptRequest): readonly Block[] {
  return card.reason === "" ? [] : [blocks.quote("The agent's words, unverified:", card.reason, 300)];
}

export function peopleOf(request: KeptRequest, { have, need }: Standing): readonly (readonly Piece[])[] {
  const { card, requirements } = request;
  return [
    [ours("Asked by "), theirs(card.requester, 120), ours(" through "), theirs(card.agent, 160)],
    [ours("You are asked as one of "), theirs(approversOf(request).join(", "), 300)],
    [bold(`${have} of ${need}`), ours(` ${need === 1 ? "person has" : "people have"} agreed`)],
    ...request.verdicts.map(verdictOf),
    ...(requirements.some((one) => one.assurance === "step-up")
      ? [[ours("A rule asks for a fresh sign-in: Slack alone does not satisfy it.")]]
      : []),
  ];
}

/** Whom the request names now, by what is on record of its escalation. */
export function approversOf(request: KeptRequest): readonly string[] {
  const at = request.requestedAt + reachedAfter(request) * 1000;
  return [...new Set(request.requirements.flatMap((one) => approversAt(one, request.requestedAt, at)))];
}

/** Seconds after the request of the last step that is on record; 0 where none is. */
function reachedAfter(request: KeptRequest): number {
  return escalationOf(request)[(request.escalated ?? 0) - 1]?.after ?? 0;
}

export function verdictOf({ by, answer, reason }: Verdict): readonly Piece[] {
  const said = reason === "" ? [] : [ours(": "), theirs(`"${reason}"`, 520)];
  return [
    bold(answer === "approve" ? "Yes" : "No"),
    ours(" from "),
    theirs(by.subject, 120),
    ours(` by ${by.channel}`),
    ...said,
  ];
}

function elsewhere(level: Level, console: Console): readonly (readonly Piece[])[] {
  if (console === null) return level === "critical" ? [[ours("It can't be approved here.")]] : [];
  const where = blocks.link(console, "console");
  return [
    level === "critical" ? [ours("Approve it in the "), where, ours(".")] : [ours("Also in the "), where, ours(".")],
  ];
}

function tapsOf(request: KeptRequest, level: Level, value: string): readonly Tap[] {
  const review = { label: "Review", action: actions.review, value } as const;
  const approve = { label: "Approve", action: actions.approve, value, style: "primary" } as const;
  const first = level === "critical" ? [] : [needsReview(request) ? review : approve];
  return [
    ...first,
    { label: "Deny", action: actions.deny, value, style: "danger" },
    { label: "Details", action: actions.details, value },
  ];
}

/** One word for how a request stands, and a line of what came of it. */
export function outcomeOf(request: KeptRequest): { readonly word: string; readonly says: readonly Piece[] } {
  const last = request.verdicts.at(-1);
  const who = last === undefined ? [] : verdictOf(last);
  switch (request.state) {
    case "pending":
      return { word: "Waiting", says: [] };
    case "approved":
      return { word: "Approved", says: [...who, ours(". It starts now.")] };
    case "rejected":
      return { word: "Denied", says: who };
    case "revoked":
      return { word: "Taken back", says: who };
    case "expired":
      return { word: "Expired", says: [ours("Nobody answered in time. Nothing ran.")] };
    case "lapsed":
      return { word: "Lapsed", says: [...who, ours(". It could not start in time. Nothing ran.")] };
    case "withdrawn":
      return { word: "Withdrawn", says: [ours("Whoever asked took it back. Nothing ran.")] };
    case "superseded":
      return { word: "Superseded", says: [ours("Another request stands in its place. Nothing ran.")] };
    case "stale":
      return { word: "Not run", says: [ours("Changed since it was approved: "), theirs(request.why, 300)] };
    case "spent":
      return ranOf(request, who);
  }
}

function ranOf(
  { ran }: KeptRequest,
  who: readonly Piece[],
): { readonly word: string; readonly says: readonly Piece[] } {
  if (ran === undefined) return { word: "Running", says: [...who, ours(". It runs now.")] };
  if (ran.effect === "unknown")
    return { word: "Unknown", says: [...who, ours(". It ran, and nobody knows whether it took effect.")] };
  if (ran.kind === "completed") return { word: "Done", says: [...who, ours(". It ran.")] };
  const left = ran.effect === "none" ? "it changed nothing" : "some of it took effect";
  return { word: "Failed", says: [...who, ours(`. ${ran.code}: ${left}.`)] };
}

/** What a card becomes once its request waits no more: no buttons. */
export function endedCard(request: KeptRequest): Message {
  const { word, says } = outcomeOf(request);
  const { card } = request;
  return {
    text: "A call no longer waits for approval.",
    blocks: [
      blocks.header(`${word}: ${sentenceOf(card)}`),
      blocks.lines(
        [
          says,
          [ours("Cluster "), theirs(card.cluster), ours(", asked by "), theirs(card.requester, 120)],
          [ours("Until "), time(request.expiresAt), ours(" it could be answered.")].slice(
            0,
            request.state === "expired" ? 3 : 0,
          ),
        ].filter((pieces) => pieces.length > 0),
      ),
      blocks.small(identityOf(request)),
    ],
  };
}

/** How many of a list are shown; the others come up as these end. */
const mostListed = 8;

/** Many requests in one message, those of `all` that wait: each is looked at and answered by itself. */
export function listCard(waiting: readonly KeptRequest[], all: number, nonce: string): Message {
  const count = waiting.length;
  if (count === 0)
    return {
      text: "No call of this list waits any more.",
      blocks: [blocks.lines([[ours(`All ${all} calls of this list have been answered or have ended.`)]])],
    };
  const rows = waiting.slice(0, mostListed).map((one) =>
    blocks.row(`${sentenceOf(one.card)} (${one.card.effect}, ${one.card.cluster}) ${identityOf(one)}`, {
      label: "Review",
      action: actions.review,
      value: valueOf(one.id, nonce),
    }),
  );
  const more = count > mostListed ? [blocks.small(`and ${count - mostListed} more, shown as these end`)] : [];
  const asked = [
    ours("Asked by "),
    theirs(waiting[0]?.card.requester ?? "", 120),
    ours(" and perhaps others, in quick succession"),
  ];
  return {
    text: "Several calls wait for approval.",
    blocks: [
      blocks.header(`${count} ${count === 1 ? "call waits" : "calls wait"} for approval`),
      blocks.lines([asked]),
      ...rows,
      ...more,
    ],
  };
}

/** Card that stands in for one that was posted twice. */
export function duplicateCard(request: KeptRequest): Message {
  return {
    text: "This card is no longer used.",
    blocks: [
      blocks.lines([[ours("This card is not the one that counts: look for the newer one.")]]),
      blocks.small(identityOf(request)),
    ],
  };
}
