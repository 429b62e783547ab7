// Reads sallyport.yaml: mistakes come back with line and column, before anything runs.

import { createHash } from "node:crypto";
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { configSchema, type Config } from "./schema.ts";

export interface ConfigPlace {
  readonly line: number;
  readonly column: number;
}

export interface ConfigProblem extends ConfigPlace {
  readonly sentence: string;
}

export type LoadedConfig =
  | {
      readonly kind: "loaded";
      readonly config: Config;
      /** SHA-256 of the text, hex. */
      readonly digest: string;
      /** Where a setting stands, for what only shows once the setting is followed. */
      readonly placeOf: (path: readonly (string | number)[]) => ConfigPlace;
    }
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
  const placeOf = (path: readonly (string | number)[]): ConfigPlace => placeIn(document, lineCounter, path);
  const parsed = configSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success)
    return { kind: "loaded", config: parsed.data, digest: createHash("sha256").update(text).digest("hex"), placeOf };
  return {
    kind: "refused",
    problems: parsed.error.issues.flatMap(plainIssues).flatMap((issue): readonly ConfigProblem[] => {
      const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
      if (issue.code !== "unrecognized_keys")
        return [{ ...placeOf(path), sentence: `${path.join(".") || "the file"}: ${issue.message}` }];
      return issue.keys.map((key) => ({
        ...place(lineCounter, offsetOf(keyIn(document.getIn(path, true), key))),
        sentence: `${[...path, key].join(".")} is not a setting.`,
      }));
    }),
  };
}

/** A setting that may be a text or a mapping: of the two answers the one for what stands there. */
function plainIssues(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const meant = issue.errors.find((one) => one.every(({ code, path }) => code !== "invalid_type" || path.length > 0));
  if (meant === undefined) return [{ ...issue, message: "must be a text or a mapping" }];
  return meant.flatMap((one) => plainIssues({ ...one, path: [...issue.path, ...one.path] }));
}

/** The node of a mapping's key. */
function keyIn(node: unknown, key: string): unknown {
  return isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key)?.key : undefined;
}

/** Where the setting stands, or where it would stand: the nearest part around it that is there. */
function placeIn(document: Document, lines: LineCounter, path: readonly (string | number)[]): ConfigPlace {
  for (let depth = path.length; depth > 0; depth--) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (isNode(node)) return place(lines, offsetOf(node));
  }
  return place(lines, 0);
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function place(lines: LineCounter, offset: number): ConfigPlace {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
