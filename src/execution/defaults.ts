// A diff without what Kubernetes fills in by itself: where it is added with the rest, it says nothing about the change (tools.md, section 5, "defaults cancel").

import type { JsonObject } from "../domain/json.ts";
import type { DiffLine } from "../domain/output.ts";
import { defaultsOf, isDefault } from "../tool.ts";

/** The lines without those that add a default. `after` is the object, for its kind. */
export function withoutDefaults(lines: readonly DiffLine[], after: JsonObject): DiffLine[] {
  const defaults = defaultsOf(after);
  if (defaults === null) return [...lines];
  const values = new Map(lines.map((line) => [line.path, line.after]));
  return lines.filter(({ sign, path, after: value }) => {
    // A pull policy counts only where its image stands in the same lines.
    const image = values.get(path.replace(/\.imagePullPolicy$/, ".image"));
    return sign !== "+" || !isDefault(defaults, path.replaceAll(/\[[^\]]*\]/g, "[]"), value, image);
  });
}
