// The tools by name, and which of them a principal is shown, in which clusters: by the same policy that decides their calls.

import type { Principal } from "./domain/principal.ts";
import { isJsonObject, type JsonObject } from "./domain/json.ts";
import type { Tool } from "./tool.ts";

export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly annotations: Tool["annotations"];
}

/** The clusters in which some call of this tool could be allowed or approved for this principal, in their order. Unknown facts count as maybe. */
export type Permitted = (principal: Principal, tool: Tool) => readonly string[];

/** The tools by name, in the order of the catalogue. Two tools of one name are a mistake of ours. */
export function toolsByName(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  if (byName.size !== tools.length) throw new Error("two tools of one name");
  return byName;
}

/** What `tools/list` shows: hidden is the same as not there, a tool and a cluster alike. `several`: callers say which cluster they mean. */
export function listTools(
  tools: ReadonlyMap<string, Tool>,
  principal: Principal,
  permitted: Permitted,
  several: boolean,
): readonly ListedTool[] {
  return [...tools.values()].flatMap((tool) => {
    const clusters = permitted(principal, tool);
    if (clusters.length === 0) return [];
    const { name, title, description, schema, annotations } = tool;
    const inputSchema = several && !tool.clusterless ? withCluster(schema, clusters) : schema;
    return [{ name, title, description, inputSchema, annotations }];
  });
}

/** The tool's input with the cluster before its own arguments; planning takes it off again. */
function withCluster(schema: JsonObject, clusters: readonly string[]): JsonObject {
  const { properties, required } = schema;
  const cluster = { type: "string", enum: [...clusters] };
  return {
    ...schema,
    properties: { cluster, ...(isJsonObject(properties) ? properties : {}) },
    required: ["cluster", ...(Array.isArray(required) ? required : [])],
  };
}
