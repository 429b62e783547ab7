// How much a request asks of whoever approves it, and how much of its diff fits where: pure, from the stored card alone.

import type { Card } from "../../../domain/approval.ts";
import type { KeptRequest } from "../../stores/contract.ts";

/** One tap; a modal; a modal and a reason for a no; proof that Slack can't give. */
export type Level = "low" | "medium" | "high" | "critical";

export function levelOf({ card, requirements }: Pick<KeptRequest, "card" | "requirements">): Level {
  if (requirements.every((one) => one.assurance === "step-up")) return "critical";
  switch (card.effect) {
    case "destroy":
    case "execute":
      return "high";
    case "read":
    case "change":
      return card.checks.length > 0 || card.diff.some(isRisky) ? "medium" : "low";
  }
}

/** Marked as risky by the diff itself, or not to be seen whole by anyone. */
const isRisky = (line: string): boolean => line.startsWith("!") || isUnseen(line);
/** The gateway's own words for what it could not show. */
const isUnseen = (line: string): boolean => line.includes("can't be inspected") || line.startsWith("effect unknown");

export interface Excerpt {
  readonly lines: readonly string[];
  /** Lines that are not there at all. */
  readonly left: number;
  /** Lines that are there in part. */
  readonly cut: number;
  /** Is all of it there? */
  readonly whole: boolean;
  /** Is there something that nobody could look into? */
  readonly unseen: boolean;
}

/** The first lines of a diff, which has its riskiest first: at most `most` lines and `characters` characters, each line at most `width`. */
export function excerpt(diff: readonly string[], most: number, characters: number, width: number): Excerpt {
  const shown: string[] = [];
  let [room, cut] = [characters, 0];
  for (const line of diff) {
    const text = line.length <= width ? line : shortened(line, width);
    if (shown.length === most || text.length + 1 > room) break;
    if (text !== line) cut += 1;
    shown.push(text);
    room -= text.length + 1;
  }
  const left = diff.length - shown.length;
  return { lines: shown, left, cut, whole: left === 0 && cut === 0, unseen: diff.some(isUnseen) };
}

function shortened(line: string, width: number): string {
  const tail = ` … (+${line.length - width + 24} characters)`;
  const head = line.slice(0, width - tail.length);
  // Half of a surrogate pair is no character.
  return `${/[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head}${tail}`;
}

/** `+57 lines; 2 lines cut`; "" when nothing is missing. */
export function missing({ left, cut }: Excerpt): string {
  const parts = [
    ...(left === 0 ? [] : [`+${left} line${left === 1 ? "" : "s"} not shown here`]),
    ...(cut === 0 ? [] : [`${cut} line${cut === 1 ? "" : "s"} cut`]),
  ];
  return parts.join("; ");
}

/** `Scale Deployment shop/api 3 -> 5`: what would happen to what, in one line. */
export function sentenceOf(card: Card): string {
  const verb = verbs[card.tool] ?? card.tool;
  const [line, second] = card.diff;
  const count = second === undefined ? /replicas: (\d+ -> \d+)$/.exec(line ?? "")?.[1] : undefined;
  return [verb, card.object, ...(count === undefined ? [] : [count])].join(" ");
}

const verbs: { readonly [tool: string]: string } = {
  workloads_scale: "Scale",
  workloads_restart: "Restart",
  workloads_update: "Update",
  rollouts_undo: "Roll back",
  manifests_apply: "Apply",
  objects_patch: "Patch",
  objects_delete: "Delete",
  objects_get: "Read",
  objects_list: "List",
  logs_read: "Read the logs of",
  jobs_run: "Run Job",
  nodes_cordon: "Cordon",
  nodes_drain: "Drain",
  pods_exec: "Run a command in",
};
