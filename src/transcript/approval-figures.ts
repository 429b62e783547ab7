// What the record says of approvals: how many were asked for, how they ended, how long people took, group by group.

import { isJsonObject, textAt, type Json } from "../domain/json.ts";
import type { Entry } from "./entry.ts";

/** How requests ended, and how long those waited that a person decided. */
export interface ApprovalCounts {
  readonly asked: number;
  readonly approved: number;
  readonly rejected: number;
  readonly expired: number;
  readonly withdrawn: number;
  /** Approved, and then not run since what it was about had changed. */
  readonly stale: number;
  /** Neither decided nor over. */
  readonly open: number;
  /** Milliseconds from the request to the answer that decided it; null where none was decided. */
  readonly medianWait: number | null;
  /** The share of decided requests that were decided within five seconds, from 0 to 1; null where none was: nobody reads a card so fast. */
  readonly underFiveSeconds: number | null;
}

export interface ApprovalFigures extends ApprovalCounts {
  /** By whom the rules ask: `group:sre`, `user:ada`, `owner`. One request counts for each that it asks. */
  readonly byGroup: readonly ({ readonly group: string } & ApprovalCounts)[];
  /** Who answered, most first. */
  readonly byApprover: readonly { readonly approver: string; readonly approved: number; readonly rejected: number }[];
}

export interface ApprovalTally {
  take(entry: Entry): void;
  figures(): ApprovalFigures;
}

type End = "approved" | "rejected" | "expired" | "withdrawn" | "stale";

interface Request {
  readonly groups: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  wait: number | null;
  end: End | null;
}

/** Below this many milliseconds nobody has read what was asked. */
const hasty = 5000;

/** Counts the requests that are taken, in the order of their entries; an answer to a request that was not taken is left out. */
export function tallyApprovals(): ApprovalTally {
  const requests = new Map<string, Request>();
  const approvers = new Map<string, { approved: number; rejected: number }>();
  return {
    take({ kind, ts, details }) {
      const id = textAt(details, "approval");
      if (kind === "approval.requested") {
        requests.set(id, { groups: groupsIn(details["requirements"]), at: Date.parse(ts), wait: null, end: null });
        return;
      }
      const request = requests.get(id);
      if (request === undefined) return;
      if (kind === "approval.decided") {
        countAnswer(approvers, details["approver"], textAt(details, "answer"));
        const state = textAt(details, "state");
        if (state === "pending") return;
        request.end = state === "approved" ? "approved" : "rejected";
        request.wait ??= Date.parse(ts) - request.at;
      } else if (kind === "approval.expired") request.end = "expired";
      else if (kind === "approval.withdrawn") request.end = "withdrawn";
      else if (kind === "approval.stale") request.end = "stale";
    },
    figures() {
      const all = [...requests.values()];
      const groups = [...new Set(all.flatMap((one) => one.groups))].sort();
      return {
        ...countsOf(all),
        byGroup: groups.map((group) => ({ group, ...countsOf(all.filter((one) => one.groups.includes(group))) })),
        byApprover: [...approvers]
          .map(([approver, answers]) => ({ approver, ...answers }))
          .sort((a, b) => b.approved + b.rejected - a.approved - a.rejected || (a.approver < b.approver ? -1 : 1)),
      };
    },
  };
}

function groupsIn(requirements: Json | undefined): readonly string[] {
  const asked = Array.isArray(requirements) ? (requirements as readonly Json[]) : [];
  const groups = asked.flatMap((one) => {
    const named = isJsonObject(one) ? one["approvers"] : undefined;
    return Array.isArray(named) ? named.filter((group) => typeof group === "string") : [];
  });
  return [...new Set(groups)];
}

function countAnswer(
  approvers: Map<string, { approved: number; rejected: number }>,
  by: Json | undefined,
  answer: string,
): void {
  const name = textAt(by, "subject") || textAt(by, "sub");
  const answers = approvers.get(name) ?? { approved: 0, rejected: 0 };
  approvers.set(name, answers);
  if (answer === "approve") answers.approved++;
  else answers.rejected++;
}

function countsOf(requests: readonly Request[]): ApprovalCounts {
  const ended = (end: End | null): number => requests.filter((one) => one.end === end).length;
  const waits = requests.flatMap(({ wait }) => (wait === null ? [] : [wait]));
  return {
    asked: requests.length,
    approved: ended("approved"),
    rejected: ended("rejected"),
    expired: ended("expired"),
    withdrawn: ended("withdrawn"),
    stale: ended("stale"),
    open: ended(null),
    medianWait: median(waits),
    underFiveSeconds: waits.length === 0 ? null : waits.filter((wait) => wait < hasty).length / waits.length,
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
