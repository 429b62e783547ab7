// An approval as the transcript tells it, and what must hold when it is spent.

import { assurances, type Assurance } from "../domain/decision.ts";
import { at, isJsonObject, textAt, type Json } from "../domain/json.ts";
import type { Entry } from "./entry.ts";

/** Clocks and queues between an answer and its entry, in milliseconds. */
const slack = 5000;

interface Account {
  readonly iss: string;
  readonly sub: string;
}

interface Asked {
  readonly count: number;
  readonly assurance: Assurance;
  /** Milliseconds that an approval stays good for. */
  readonly validFor: number;
}

export interface Answer {
  readonly by: Account;
  readonly assurance: string;
  readonly approves: boolean;
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface AskedApproval {
  readonly digest: string;
  readonly callDigest: string;
  /** The caller and all who act for it: none of them may approve, but for the owner of one machine. */
  readonly requesters: readonly Account[];
  readonly requirements: readonly Asked[];
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly answers: Answer[];
  spent: boolean;
  /** How it ended otherwise; "" while it has not. */
  ended: string;
}

/** The approval that an `approval.requested` entry asks for. */
export function readRequest({ principal, details }: Entry): AskedApproval {
  const asked = details["requirements"];
  return {
    digest: textAt(details, "approvalDigest"),
    callDigest: textAt(details, "callDigest"),
    requesters: principal === null ? [] : [principal, ...principal.act],
    requirements: (Array.isArray(asked) ? (asked as readonly Json[]) : []).map(readRequirement),
    expires: Date.parse(textAt(details, "expires")),
    answers: [],
    spent: false,
    ended: "",
  };
}

function readRequirement(value: Json): Asked {
  const number = (key: string, otherwise: number): number => {
    const found = at(value, key);
    return typeof found === "number" ? found : otherwise;
  };
  const assurance = assurances.find((one) => one === textAt(value, "assurance")) ?? "step-up";
  return { count: number("count", 1), assurance, validFor: number("validFor", 0) * 1000 };
}

/** The answer that an `approval.decided` entry holds. */
export function readAnswer({ details, ts }: Entry): Answer {
  const approver = isJsonObject(details["approver"]) ? details["approver"] : {};
  return {
    by: {
      iss: textAt(approver, "issuer") || textAt(approver, "iss"),
      sub: textAt(approver, "subject") || textAt(approver, "sub"),
    },
    assurance: textAt(approver, "assurance"),
    approves: textAt(details, "answer") === "approve",
    digest: textAt(details, "approvalDigest"),
    at: Date.parse(ts),
  };
}

/** What may be wrong with spending an approval only because an answer is not among the entries that were read. */
export const answersShort: ReadonlySet<string> = new Set([
  "is spent without enough approvals by others, in time, for its digest",
  "is spent later than it was good for",
]);

/** What is wrong with spending this approval for a call of this digest ("" when it is not known): nothing, if all is well. */
export function judgeSpending(asked: AskedApproval, { details, ts }: Entry, callDigest: string): readonly string[] {
  const good = asked.answers.filter((answer) => counts(answer, asked));
  const newest = Math.max(...good.map((answer) => answer.at));
  const problems: [boolean, string][] = [
    [asked.spent, "is spent a second time"],
    [asked.ended !== "", `is spent after it was ${asked.ended}`],
    [asked.answers.some((answer) => !answer.approves), "is spent after a rejection"],
    [textAt(details, "approvalDigest") !== asked.digest, "is spent under another digest than the one requested"],
    [callDigest !== "" && asked.callDigest !== callDigest, "is spent for another call than the one it was asked for"],
    [
      asked.requirements.length === 0 || asked.requirements.some((one) => distinct(good, one) < one.count),
      "is spent without enough approvals by others, in time, for its digest",
    ],
    [
      good.length > 0 && asked.requirements.some((one) => Date.parse(ts) > newest + one.validFor + slack),
      "is spent later than it was good for",
    ],
  ];
  return problems.flatMap(([wrong, problem]) => (wrong ? [problem] : []));
}

function counts({ approves, digest, by, assurance, at }: Answer, asked: AskedApproval): boolean {
  const own = asked.requesters.some((one) => one.iss === by.iss && one.sub === by.sub);
  const known = by.iss !== "" && by.sub !== "";
  return (
    approves && digest === asked.digest && known && at <= asked.expires + slack && (!own || assurance === "same-device")
  );
}

function distinct(answers: readonly Answer[], { assurance }: Asked): number {
  const strong = answers.filter((answer) => rank(answer.assurance) >= rank(assurance));
  return new Set(strong.map(({ by }) => JSON.stringify([by.iss, by.sub]))).size;
}

function rank(assurance: string): number {
  return assurances.findIndex((one) => one === assurance);
}
