// Why an answer did not count, in words for the person who gave it: the same in every channel.

import type { RefusalCode } from "./ballot.ts";

export const refusals: { readonly [code in RefusalCode | "ambiguous"]: string } = {
  not_found: "There is no such request, or it is not for you to see.",
  ambiguous: "Several requests match: type more of the id.",
  ended: "Too late: the request has ended.",
  expired: "Too late: the request has expired.",
  requester: "Nobody answers their own request, and only who asked can withdraw one.",
  not_an_approver: "You are not among those who may answer this request.",
  assurance_too_low: "This request asks for stronger proof of who you are than you gave here.",
  already_answered: "You have answered this request before; it needs other people too.",
  is_agent: "Only people answer requests.",
};
