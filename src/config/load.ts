// Reads sallyport.yaml: mistakes come back with line and column, before anything runs.

import { createHash } from "node:crypto";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { configSchema, type Config } from "./schema.ts";

export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  readonly sentence: string;
}

export type LoadedConfig =
  | { readonly kind: "loaded"; readonly config: Config; /** SHA-256 of the text, hex. */ readonly digest: string }
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

/** The configuration of an absent file. */
export const emptyConfig = "version: 1\n";

/** Parses and checks a configuration text of at most 1 MiB. */
export function loadConfig(text: string): LoadedConfig {
  if (text.length > 1024 * 1024)
    return { kind: "refused", problems: [{ line: 1, column: 1, sentence: "the file is larger than 1 MiB" }] };
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, stringKeys: true });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    return {
      kind: "refused",
      problems: broken.map((one) => ({
        ...place(lineCounter, one.pos[0]),
        sentence: one.code.toLowerCase().replaceAll("_", " "),
      })),
    };
  const parsed = configSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success)
    return { kind: "loaded", config: parsed.data, digest: createHash("sha256").update(text).digest("hex") };
  return {
    kind: "refused",
    problems: parsed.error.issues.flatMap((issue): readonly ConfigProblem[] => {
      const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
      const node: unknown = document.getIn(path, true);
      if (issue.code !== "unrecognized_keys")
        return [{ ...placeOf(lineCounter, node), sentence: `${path.join(".") || "the file"}: ${issue.message}` }];
      return issue.keys.map((key) => ({
        ...placeOf(lineCounter, keyIn(node, key)),
        sentence: `${[...path, key].join(".")} is not a setting.`,
      }));
    }),
  };
}

/** The node of a mapping's key. */
function keyIn(node: unknown, key: string): unknown {
  return isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key)?.key : undefined;
}

function placeOf(lines: LineCounter, node: unknown): { line: number; column: number } {
  return place(lines, isNode(node) ? (node.range?.[0] ?? 0) : 0);
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
