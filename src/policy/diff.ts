// What differs between two policies, rule by rule: for the entry that says a policy was changed.

import type { Policy } from "./policy.ts";
import type { Rule } from "./rule.ts";

/** Characters that the text may have: an entry holds 65,535 bytes. */
const most = 16_000;

/** `+ id (effect)`, `- id (effect)`, `~ id: what of it`, a rule a line, by id; "" where only the layout or examples changed. */
export function policyDiff(before: Policy, after: Policy): string {
  const old = new Map(before.rules.map((rule) => [rule.id, rule]));
  const lines: string[] = [];
  for (const rule of after.rules) {
    const was = old.get(rule.id);
    old.delete(rule.id);
    if (was === undefined) lines.push(`+ ${rule.id} (${rule.effect})`);
    else {
      const parts = changedParts(was, rule);
      if (parts.length > 0) lines.push(`~ ${rule.id}: ${parts.join(", ")}`);
    }
  }
  for (const rule of old.values()) lines.push(`- ${rule.id} (${rule.effect})`);
  const text = lines.join("\n");
  return text.length <= most ? text : `${text.slice(0, most)}\n… of ${lines.length} changed rules`;
}

function changedParts(was: Rule, is: Rule): readonly string[] {
  const parts: string[] = [];
  if (was.effect !== is.effect) parts.push(`effect ${was.effect} -> ${is.effect}`);
  if (plain(was.match) !== plain(is.match)) parts.push("match");
  if (was.when?.text !== is.when?.text || was.when?.zone !== is.when?.zone) parts.push("when");
  if (plain(was.requirement) !== plain(is.requirement)) parts.push("approval");
  if (was.maxBytes !== is.maxBytes || was.mask !== is.mask) parts.push("obligations");
  if (was.reason !== is.reason) parts.push("reason");
  if (was.tell !== is.tell) parts.push("tell");
  return parts;
}

/** Equal text for equal content: sets in their order of names. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one instanceof Set ? [...(one as Set<string>)].sort() : one));
}
