// The tools by name, and which of them a principal is shown: by the same policy that decides their calls.

import type { Principal } from "./domain/principal.ts";
import type { JsonObject } from "./domain/json.ts";
import type { Tool } from "./tool.ts";

export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly annotations: Tool["annotations"];
}

/** Could some call of this tool be allowed or approved for this principal? Unknown facts count as maybe. */
export type Possible = (principal: Principal, tool: Tool) => "allowed" | "needs approval" | "denied";

/** The tools by name, in the order of the catalogue. Two tools of one name are a mistake of ours. */
export function toolsByName(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  if (byName.size !== tools.length) throw new Error("two tools of one name");
  return byName;
}

/** What `tools/list` shows: hidden is the same as not there. */
export function listTools(
  tools: ReadonlyMap<string, Tool>,
  principal: Principal,
  possible: Possible,
): readonly ListedTool[] {
  return [...tools.values()]
    .filter((tool) => possible(principal, tool) !== "denied")
    .map(({ name, title, description, schema, annotations }) => ({
      name,
      title,
      description,
      inputSchema: schema,
      annotations,
    }));
}
