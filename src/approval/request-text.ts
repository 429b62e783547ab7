// A request in words for a terminal: the card, who is asked, who has answered, and what to type.

import type { Verdict } from "../domain/approval.ts";
import { cardText } from "./card.ts";
import { escalationOf } from "./escalation.ts";
import { isEnd } from "./states.ts";
import { neutralise } from "./neutral.ts";
import type { KeptRequest } from "./stores/contract.ts";

/** The end of an id: eight characters, random, enough to type. */
export function shortId(id: string): string {
  return id.slice(-8);
}

export function requestText(request: KeptRequest): string {
  const needs = request.requirements.map((one) => `${one.count} from ${one.approvers.join(", ")} (${one.rule})`);
  const later = escalationOf(request).map(({ after, to }) => `${to.join(", ")}, from ${clock(request, after)} on`);
  const rows = [
    ...needs.map((need) => ["needs", need]),
    ...later.map((step) => ["then also", step]),
    ...request.verdicts.map((verdict) => ["answer", verdictText(verdict)]),
    ["state", request.why === "" ? request.state : `${request.state}: ${request.why}`],
    ["id", `${request.id}, digest ${request.approvalDigest.slice(0, 8)}`],
  ].map(([label = "", value = ""]) => `  ${label.padEnd(10)}${value}`);
  const id = shortId(request.id);
  const next = `To decide: sallyport approvals approve ${id}, or: sallyport approvals reject ${id} --reason TEXT`;
  return [cardText(request.card), ...rows, ...(isEnd(request.state) ? [] : [next])].join("\n");
}

/** The moment so many seconds after the request. */
function clock({ requestedAt }: KeptRequest, after: number): string {
  return `${new Date(requestedAt + after * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `5d2f01ab pending workloads_scale Deployment shop/api, asked by jo through claude-code`. */
export function requestLine(request: KeptRequest): string {
  const { tool, object, requester, agent } = request.card;
  const last = request.verdicts.at(-1);
  const answer = last === undefined ? "" : `; ${verdictText(last)}`;
  const ran = request.ran === undefined ? "" : ` (${request.ran.kind})`;
  return `${shortId(request.id)} ${request.state}${ran} ${tool} ${object}, asked by ${requester} through ${agent}${answer}`;
}

function verdictText({ by, answer, reason }: Verdict): string {
  const said = reason === "" ? "" : `: "${reason}"`;
  const verb = answer === "approve" ? "approved" : "rejected";
  return `${neutralise(by.subject, 260)} ${verb} by ${by.channel} (${by.assurance})${said}`;
}
