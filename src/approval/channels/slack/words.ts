// Every sentence that a person in Slack gets as an answer: words of ours alone, each with what to do next.

import type { RefusalCode } from "../../ballot.ts";
import type { Decided, Revoked } from "../../verdict.ts";
import type { KeptRequest } from "../../stores/contract.ts";
import { shortId } from "../../request-text.ts";
import type { Console } from "./card.ts";
import type { Refusal } from "./gate.ts";

export function gateWords(why: Refusal, console: Console): string {
  switch (why) {
    case "other_app":
    case "other_team":
    case "outsider":
      return "Only full members of this workspace answer requests.";
    case "guest":
      return "Guests do not answer requests: ask a full member of this workspace.";
    case "no_person":
      return "Only people answer requests.";
    case "unconfirmed":
      return "Confirm your e-mail address in Slack first, then press again.";
    case "unreachable":
      return `Slack does not tell who you are at the moment. The request still waits: press again, or use ${elsewhere(console)}.`;
    case "unlinked":
      return `Sallyport does not know which account is yours. ${linkWords(console)}`;
    case "several_links":
      return "This Slack user is linked to several accounts, so it is nobody's: ask whoever runs Sallyport.";
    case "signed_out":
      return `Your last sign-in is too long ago for your answer to count. ${signInWords(console)}`;
    case "unlisted":
      return "The account that is linked to you is not one of the people of this gateway: ask whoever runs Sallyport.";
  }
}

export const elsewhere = (console: Console): string =>
  console === null ? "the terminal (sallyport approvals)" : `the console or the terminal (sallyport approvals)`;

export function linkWords(console: Console): string {
  if (console === null) return "Linking begins in the console, and none is set up here: ask whoever runs Sallyport.";
  // The address alone: a link that is made here could be sent to somebody else.
  return `Open ${console} yourself, sign in, and link your Slack user there.`;
}

const signInWords = (console: Console): string =>
  console === null ? "Ask whoever runs Sallyport." : `Open ${console}, sign in, and press again.`;

/** What became of a press on the message that asks whether a link is wanted. */
export const confirmWords = {
  other: "This button is somebody else's.",
  unknown:
    "This confirmation is no longer used, so nothing was done. To link your Slack user, begin again in the console.",
  expired: "That took longer than 15 minutes, so nothing was linked. Begin again in the console.",
  taken: "That account, or your Slack user, is linked to another one by now, so nothing was linked.",
  refused: "Nothing was linked. Whoever runs Sallyport has been told.",
} as const;

export function refusalWords(code: RefusalCode, console: Console): string {
  switch (code) {
    case "not_found":
      return "There is no such request, or it is not for you to see.";
    case "ended":
      return "Too late: the request has ended.";
    case "expired":
      return "Too late: the request has expired.";
    case "requester":
      return "Nobody answers their own request: somebody else must.";
    case "not_an_approver":
      return "You are not among those who may answer this request.";
    case "assurance_too_low":
      return `This request asks for stronger proof of who you are than Slack gives: use ${elsewhere(console)}.`;
    case "already_answered":
      return "You have answered this request before; it needs other people too.";
    case "is_agent":
      return "Only people answer requests.";
  }
}

export function decidedWords(decided: Decided | Revoked, console: Console): string {
  switch (decided.kind) {
    case "recorded":
      return `Recorded: ${decided.have} of ${decided.need} so far.`;
    case "approved":
      return "Approved: the call runs now.";
    case "rejected":
      return "Denied: the call does not run.";
    case "revoked":
      return "Taken back: the call does not run.";
    case "refused":
      return refusalWords(decided.code, console);
  }
}

export function lateWords({ state }: KeptRequest): string {
  return `Too late: the request is ${state}. Its card is brought up to date.`;
}

export const fixed = {
  notThisCard:
    "This button belongs to another card, or to one that is no longer used: look for the newest card of the request.",
  notThisWindow: "This window is no longer valid. Nothing was done: open it again from the card.",
  notOpened:
    "Slack did not open the window in time. Nothing was done: press again, or use the terminal (sallyport approvals).",
  notRecorded: "This can't be put on record at the moment, so nothing was done: try again in a minute.",
  slow: "This takes longer than Slack waits: the card will show what came of it.",
} as const;

export const criticalWords = (request: KeptRequest, console: Console): string =>
  `This request asks for a fresh sign-in, which Slack can't give: use ${elsewhere(console)}, sallyport approvals show ${shortId(request.id)}.`;
