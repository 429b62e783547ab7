// What is wrong with a policy file, in a sentence at a line and column.

import type { z } from "zod";
import { knownKinds } from "./kinds.ts";
import { nearest } from "./nearest.ts";

export interface Problem {
  /** The file, as it was given. */
  readonly path: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly sentence: string;
}

export type Step = string | number;

/** A problem before its place in the text is known: a path into the data, and whether its key or its value is meant. */
export interface Finding {
  readonly at: readonly Step[];
  readonly key: boolean;
  readonly sentence: string;
  /** An offset into the text that stands there, for a problem inside an expression. */
  readonly inside?: number;
}

const knownKeys = [
  "version zone rules id effect match when approval obligations reason tell examples tools effects verbs kinds namespaces",
  "clusters groups subjects agents environments approvers count expires validFor assurance escalate after mask maxBytes call principal claims",
  "facts expect tool cluster arguments accesses issuer subject kind agent environment labels exists objects",
  "annotations change replicas scaled images envNames securityContext serviceAccounts volumes owners finalizers",
  "paths session age denied changes tainted now from to",
].flatMap((line) => line.split(" "));

/** The findings of one schema issue, `value` being the text at its path where there is one. */
export function findingsOf(
  issue: z.core.$ZodIssue,
  base: readonly Step[],
  valueAt: (path: readonly Step[]) => unknown,
): Finding[] {
  const inner = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  const at = [...base, ...inner];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ at: [...at, key], key: true, sentence: unknownKey(key, inner) }));
  const value = valueAt(at);
  const last = at.at(-1);
  if (value === undefined && typeof last === "string")
    return [{ at: at.slice(0, -1), key: false, sentence: `\`${dotted(inner)}\` is missing.` }];
  const whole = at.length === 0 ? "The file" : "The rule";
  const place = inner.length === 0 ? whole : `\`${dotted(inner)}\``;
  const shown = typeof value === "string" ? ` ${show(value)}` : "";
  return [{ at, key: false, sentence: `${place}${shown} ${ruleOf(issue)}${ending(meantBy(issue, inner, value))}` }];
}

function unknownKey(key: string, inner: readonly Step[]): string {
  // A key that is right elsewhere in a policy is not what was meant here.
  const meant = nearest(
    key,
    knownKeys.filter((one) => one !== key),
  );
  const place = inner.length === 0 ? "" : ` in \`${dotted(inner)}\``;
  return `Unknown key ${show(key)}${place}${ending(meant)}`;
}

/** The end of a sentence, with the word that was probably meant. */
export function ending(meant: string | undefined): string {
  return meant === undefined ? "." : `; did you mean ${meant}?`;
}

function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("must ")) return issue.message;
  if (issue.code === "invalid_type") return `must be ${article(issue.expected)}`;
  if (issue.code === "too_small" || issue.code === "too_big") return bound(issue);
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  return issue.message;
}

function article(expected: string): string {
  const names: { readonly [type: string]: string } = {
    string: "text (put it in quotes)",
    array: "a list",
    object: "a mapping",
    record: "a mapping",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
  };
  return names[expected] ?? expected;
}

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [verb, unit] =
    issue.origin === "array" ? ["have", " entries"] : issue.origin === "string" ? ["have", " characters"] : ["be", ""];
  if (issue.code === "too_big") return `must ${verb} at most ${String(issue.maximum)}${unit}`;
  return issue.minimum === 1 && verb === "have"
    ? "must not be empty"
    : `must ${verb} at least ${String(issue.minimum)}${unit}`;
}

/** The known word that was probably meant. A kind's last part finds `apps/deployments` for `deployment` and `Deployment`. */
function meantBy(issue: z.core.$ZodIssue, inner: readonly Step[], value: unknown): string | undefined {
  if (typeof value !== "string" || value.includes("*")) return undefined;
  if (issue.code === "invalid_value") return nearest(value, issue.values.map(String));
  if (!inner.includes("kinds")) return undefined;
  const plural = `${value.toLowerCase().replace(/s$/, "")}s`;
  return knownKinds.find((one) => one.split("/").at(-1) === plural) ?? nearest(value, knownKinds);
}

/** `match.kinds[0]` */
function dotted(path: readonly Step[]): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

/** Text of the file as a terminal can show it: cut, in quotes, anything but plain letters escaped. */
export function show(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(cut).replaceAll(
    /[^\x20-\x7e\u2026]/gu,
    (odd) => `\\u{${(odd.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
