// The first entries of a gateway: that it began, and what is no longer as it was when the last one began.

import { createHash } from "node:crypto";
import type { EntryDetails, EntryDraft } from "../domain/entry.ts";
import { digestOfTool } from "../policy/plan.ts";
import type { Tool } from "../tool.ts";
import type { LastStart } from "../transcript/standing.ts";
import { ownEntry } from "./own-entry.ts";

/** `before`: the last start on record, with the policy that was in force last; null where there was none. */
export function startEntries(now: EntryDetails["gateway.started"], before: LastStart | null): readonly EntryDraft[] {
  const { config, policy, tools = "" } = now;
  return [
    ownEntry("gateway.started", now),
    ...(differs(before?.config, config)
      ? [ownEntry("config.changed", { from: before?.config ?? "", to: config })]
      : []),
    ...(differs(before?.policy, policy)
      ? [ownEntry("policy.changed", { from: before?.policy ?? "", to: policy, diff: "" })]
      : []),
    ...(differs(before?.tools, tools) ? [ownEntry("tool.changed", { from: before?.tools ?? "", to: tools })] : []),
  ];
}

/** Entries of before this was recorded do not say what it was. */
function differs(before: string | undefined, now: string): boolean {
  return before !== undefined && before !== "" && before !== now;
}

/** SHA-256 over the tools' digests in the order of the catalogue, hex. */
export function digestOfTools(tools: readonly Tool[]): string {
  const hash = createHash("sha256");
  for (const tool of tools) hash.update(`${tool.name} ${digestOfTool(tool)}\n`);
  return hash.digest("hex");
}
