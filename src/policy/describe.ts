// What the policy commands print: an explained call, a simulation, as text for a terminal.

import type { Explained } from "./explain.ts";
import { show } from "./problems.ts";
import type { Simulated } from "./recorded.ts";

/** Text of others on one line of a terminal: anything but plain letters escaped. */
const plain = (text: string): string => (/^[\x20-\x7e]*$/.test(text) ? text : show(text));

/** The decision, and under each access every rule with its reason. */
export function explainText({ decision, accesses }: Explained): string {
  const lines = [`decision: ${decision.effect}`];
  if (decision.forbid !== null) lines.push(`forbidden by: ${decision.forbid} (no rule lifts it)`);
  if (decision.rules.length > 0) lines.push(`by: ${decision.rules.join(", ")}`);
  for (const { rule, approvers, count, assurance } of decision.requirements)
    lines.push(`asks: ${count} of ${approvers.map(plain).join(", ")} (${assurance}), for ${rule}`);
  const { maxBytes, mask } = decision.obligations;
  if (mask.length > 0) lines.push(`masks with: ${mask.map(plain).join(", ")}, besides the configured profile`);
  if (maxBytes !== null) lines.push(`answers at most: ${maxBytes} bytes`);
  if (decision.tell !== null) lines.push(`tells the agent: ${plain(decision.tell)}`);
  if (decision.errors.length > 0) lines.push(`expressions that failed: ${decision.errors.join(", ")}`);
  for (const { access, environment, forbid, rules } of accesses) {
    lines.push("", access === "" ? "the call (it needs no access)" : plain(access));
    if (environment !== "") lines.push(`  environment: ${plain(environment)}`);
    if (forbid !== null) lines.push(`  forbidden: ${forbid}`);
    for (const { id, effect, answer, why } of rules)
      lines.push(
        `  ${answer === "does not match" ? " " : "*"} ${id} (${effect}) ${answer}${why === "" ? "" : `: ${plain(why)}`}`,
      );
  }
  return `${lines.join("\n")}\n`;
}

export interface SimulatedCall {
  readonly call: string;
  readonly at: string;
  readonly tool: string;
  readonly who: string;
  readonly result: Simulated;
}

/** The calls whose answer changes, those that can't be told, and the counts of all. */
export function simulationText(calls: readonly SimulatedCall[]): string {
  const lines: string[] = [];
  for (const { call, at, tool, who, result } of calls) {
    const head = `${at.slice(0, 19)}Z  ${call}  ${plain(tool)} (${plain(who)})`;
    if (result.kind === "changed")
      lines.push(`${head}: ${result.before} -> ${result.after} (by ${result.rules.join(", ") || "no rule"})`);
    if (result.kind === "can't tell")
      lines.push(`${head}: ${result.before} -> can't tell: not on record: ${plain(result.why)}`);
  }
  const counts = countsOf(calls);
  if (lines.length > 0) lines.push("");
  lines.push(
    `${calls.length} calls: ${counts.same} as before, ${counts.changed} changed, ${counts.unknown} can't tell`,
  );
  for (const [change, count] of Object.entries(counts.changes)) lines.push(`  ${change}: ${count}`);
  return `${lines.join("\n")}\n`;
}

export function countsOf(calls: readonly SimulatedCall[]) {
  const changes: { [change: string]: number } = {};
  let [same, changed, unknown] = [0, 0, 0];
  for (const { result } of calls) {
    if (result.kind === "same") same += 1;
    if (result.kind === "can't tell") unknown += 1;
    if (result.kind !== "changed") continue;
    changed += 1;
    const change = `${result.before} -> ${result.after}`;
    changes[change] = (changes[change] ?? 0) + 1;
  }
  return { same, changed, unknown, changes };
}
