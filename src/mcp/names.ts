// What names look like at the door, for prompts and completions: the tools' own inputs hold the same bounds again.

import { isJsonObject } from "../domain/json.ts";
import type { ListedTool } from "./door.ts";

/** RFC 1123 label, at most 63 characters. */
export const namespaceName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 1123 subdomain, at most 253 characters. */
export const nameWord = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Pod, deployments, Certificate.cert-manager.io. */
export const kindName = /^[A-Za-z0-9][A-Za-z0-9.-]{0,159}$/;

/** The clusters that a caller's tools name; none where there is only one. */
export function clustersIn(tools: readonly ListedTool[]): readonly string[] {
  const found = new Set<string>();
  for (const { inputSchema } of tools) {
    const properties = inputSchema["properties"];
    const cluster = isJsonObject(properties) ? properties["cluster"] : undefined;
    const names = isJsonObject(cluster) ? cluster["enum"] : undefined;
    if (Array.isArray(names)) for (const name of names) if (typeof name === "string") found.add(name);
  }
  return [...found];
}
