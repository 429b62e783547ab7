// What a thread and a requester are told besides the card: each once, by its key.

import { escalationOf } from "../../escalation.ts";
import { isEnd } from "../../states.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import * as blocks from "./blocks.ts";
import { bold, ours, theirs, time, type Piece } from "./blocks.ts";
import { outcomeOf, verdictOf, type Message } from "./card.ts";
import { sentenceOf } from "./risk.ts";

export interface Note {
  readonly key: string;
  readonly says: readonly Piece[];
}

/** Everything that a thread has to be told of the request by now. */
export function notesOf(request: KeptRequest, now: number): readonly Note[] {
  const verdicts = request.verdicts.map((one, index): Note => ({ key: `verdict ${index}`, says: verdictOf(one) }));
  const steps = escalationOf(request)
    .slice(0, request.escalated ?? 0)
    .map(({ to }, index): Note => ({
      key: `escalated ${index}`,
      says: [ours("Nobody has answered yet: "), theirs(to.join(", "), 200), ours(" may answer too.")],
    }));
  const halfway = (request.requestedAt + request.expiresAt) / 2;
  const reminder: readonly Note[] =
    request.state === "pending" && now >= halfway && now < request.expiresAt
      ? [{ key: "reminder", says: [bold("Still waiting. "), ours("It expires "), time(request.expiresAt)] }]
      : [];
  return [...verdicts, ...steps, ...reminder, ...endOf(request)];
}

function endOf(request: KeptRequest): readonly Note[] {
  const { word, says } = outcomeOf(request);
  switch (request.state) {
    case "pending":
    case "approved":
    // The answer itself has said it.
    case "rejected":
    case "revoked":
      return [];
    case "spent":
      return [
        { key: "started", says: [ours("It runs now.")] },
        ...(request.ran === undefined ? [] : [{ key: "ran", says: [bold(word), ours(": "), ...lastOf(says)] }]),
      ];
    case "expired":
    case "lapsed":
    case "withdrawn":
    case "superseded":
    case "stale":
      return [{ key: request.state, says: [bold(`${word}. `), ...says] }];
  }
}

/** What was said of the run, without who had agreed to it. */
function lastOf(says: readonly Piece[]): readonly Piece[] {
  const last = says.at(-1);
  return last?.kind === "text" ? [ours(last.text.replace(/^\. /, ""))] : [];
}

export function threadNote(notes: readonly Note[]): Message {
  return { text: "An update on this request.", blocks: [blocks.lines(notes.map((one) => one.says))] };
}

/** Has everything happened that ever will? What runs has not ended yet. */
export function isOver(request: KeptRequest): boolean {
  return isEnd(request.state) && (request.state !== "spent" || request.ran !== undefined);
}

/** What whoever asked is told at the end. */
export function requesterNote(request: KeptRequest): Message {
  const { word, says } = outcomeOf(request);
  return {
    text: "A request of yours has ended.",
    blocks: [
      blocks.lines([[bold(`${word}: `), theirs(sentenceOf(request.card), 300)], says].filter((one) => one.length > 0)),
    ],
  };
}
