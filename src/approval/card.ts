// The card: everything that an approver is shown, made once by the gateway from the planned call, and its one text form.

import { fullKind, isWrite } from "../domain/access.ts";
import type { Card } from "../domain/approval.ts";
import type { PlannedCall } from "../domain/call.ts";
import type { Change, DiffLine, Sentence } from "../domain/output.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { fitted, neutralise } from "./neutral.ts";

export interface CardMatter {
  readonly call: PlannedCall;
  /** Every rule that took part in the decision. */
  readonly rules: readonly string[];
  /** null when the preview failed. */
  readonly preview: {
    readonly changes: readonly Change[];
    readonly checks: readonly Sentence[];
    readonly undo: string;
  } | null;
  readonly environment: string;
  readonly expiresAt: number;
}

const longestName = 260; // a Kubernetes name of 253 characters fits whole
const longestPlace = 640; // a custom kind with its group, a namespace and a name
const longestReason = 300;
const longestValue = 2000;
/** How much of what is equal on both sides stands around what differs, where the whole is too long. */
const around = 80;
const mostLines = 2000;

/** Makes the card. Nothing on it is the agent's but `reason`; text from the cluster is neutralised like the agent's. */
export function makeCard(matter: CardMatter): Card {
  const { call, preview } = matter;
  const name = (text: string): string => neutralise(text, longestName);
  return {
    tool: call.tool,
    effect: call.effect,
    cluster: name(call.cluster),
    environment: name(matter.environment),
    object: objectsOf(call, preview?.changes ?? [])
      .map((text) => neutralise(text, longestPlace))
      .join(", "),
    requester: name(call.principal.subject),
    agent: agentName(call.principal),
    reason: neutralise(call.reason ?? "", longestReason),
    rules: matter.rules.map(name),
    diff: preview === null ? ["effect unknown: the preview failed"] : diffOf(preview.changes),
    checks: (preview?.checks ?? []).map((sentence) => sentence.map(neutralPart)),
    undo: neutralise(preview?.undo ?? "", longestValue),
    expiresAt: matter.expiresAt,
  };
}

/** An actor and the client of a token were verified; a client's name for itself was not, and the card says so. */
function agentName(principal: PrincipalFields): string {
  const verified = principal.actors[0]?.subject ?? (principal.kind === "agent" ? principal.subject : undefined);
  const through = principal.clientId === verified ? undefined : principal.clientId;
  const proven = [
    ...(verified === undefined ? [] : [neutralise(verified, longestName)]),
    ...(through === undefined ? [] : [`client ${neutralise(through, longestName)}`]),
  ];
  if (proven.length > 0) return proven.join(", through ");
  return principal.client === "" ? "an unnamed client" : `${neutralise(principal.client, longestName)} (its own claim)`;
}

/** `Deployment shop/api`: what the preview changed, else what the call would write, else what it reads. */
function objectsOf(call: PlannedCall, changes: readonly Change[]): readonly string[] {
  if (changes.length > 0) return changes.map(place);
  const required = call.accesses.filter((access) => !access.optional);
  const writes = required.filter((access) => isWrite(access.verb));
  const named = (writes.length > 0 ? writes : required).map((one) => place({ ...one, name: one.name || "*" }));
  return [...new Set(named)];
}

const place = ({ kind, group = "", namespace, name }: Pick<Change, "kind" | "group" | "namespace" | "name">): string =>
  `${fullKind({ kind, group })} ${namespace === "" ? name : `${namespace}/${name}`}`;

/** Riskiest first, and never silent about what could not be shown. */
function diffOf(changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return ["can't be inspected: the preview shows no object"];
  const lines = changes.flatMap((change) => {
    const head = changes.length === 1 ? [] : [`in ${place(change)}`];
    return [...head.map((text) => neutralise(text, longestValue)), ...linesOf(change)];
  });
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `can't be inspected: ${lines.length - mostLines} more lines`];
}

function linesOf(change: Change): readonly string[] {
  if (change.before === null && change.after === null && change.lines.length === 0) return ["can't be inspected"];
  if (change.lines.length === 0) return ["no difference to what is there now"];
  return change.lines.toSorted((a, b) => Number(b.risk) - Number(a.risk)).map(lineText);
}

/**
 * `!~ path: before -> after`. A masked new value hides what the agent wants to write, and a cut hides what comes after it:
 * both are said, not left to be noticed.
 */
function lineText(line: DiffLine): string {
  const texts = [line.path, ...sidesOf(line)];
  const [path = "", ...values] = texts.map((text) => neutralise(text, longestValue));
  const hidden = line.after?.includes("[MASKED:") === true ? " (can't be inspected)" : "";
  const cut = texts.filter((text) => !fitted(text, longestValue).whole).map((text) => text.length);
  const all = cut.length === 0 ? "" : ` (can't be inspected: cut, of ${cut.join(" and ")} characters)`;
  return `${line.risk ? "!" : ""}${line.sign} ${path}: ${values.join(" -> ")}${hidden}${all}`;
}

/** What stands before and after; of a pair that is too long, what differs comes first, or the cut would leave two that look alike. */
function sidesOf({ before, after }: DiffLine): readonly string[] {
  if (before === null || after === null || before === after) return [before, after].filter((one) => one !== null);
  const [shorter, longer] = [before.length, after.length].toSorted((a, b) => a - b) as [number, number];
  if (longer <= longestValue) return [before, after];
  let [start, end] = [0, 0];
  while (start < shorter && before[start] === after[start]) start++;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const [head, tail] = [Math.max(0, start - around), Math.max(0, end - around)];
  const equal = (count: number): string => (count === 0 ? "" : `(${count} equal characters)`);
  return [before, after].map((side) =>
    [equal(head), side.slice(head, side.length - tail), equal(tail)].filter((part) => part !== "").join(" "),
  );
}

const neutralPart = (part: Sentence[number]): Sentence[number] =>
  typeof part === "string" ? neutralise(part, longestValue) : { quoted: neutralise(part.quoted, longestReason) };

/** The card as text, the same words for every channel. Every line but the first is indented, so that no value can start one. */
export function cardText(card: Card): string {
  const rows = [
    ["cluster", card.environment === "" ? card.cluster : `${card.cluster} (environment ${card.environment})`],
    ["asked by", `${card.requester}, through ${card.agent}`],
    // A quotation mark inside would end the quotation, and what follows would read as ours.
    [
      "reason",
      card.reason === "" ? "none given" : `"${card.reason.replaceAll('"', "'")}" (the agent's words, unverified)`,
    ],
    ["rules", card.rules.join(", ")],
    ["undo", card.undo === "" ? "not known" : card.undo],
    ["expires", `${new Date(card.expiresAt).toISOString().slice(0, 19).replace("T", " ")} UTC`],
  ].map(([label = "", value = ""]) => `  ${label.padEnd(10)}${value}`);
  const effect = card.diff.map((line) => `    ${line}`);
  const checks = card.checks.map((sentence) => `  ! ${sentenceText(sentence)}`);
  return [`${card.tool} (${card.effect}): ${card.object}`, ...rows, "  effect", ...effect, ...checks].join("\n");
}

function sentenceText(sentence: Sentence): string {
  return sentence.map((part) => (typeof part === "string" ? part : JSON.stringify(part.quoted))).join("");
}
