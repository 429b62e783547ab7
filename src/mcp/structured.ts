// Answers as JSON for programs (`output: structured`): the same words, facts and bounds as the text, and one line of text beside it, never both.

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Block, MaskedOutput } from "../domain/output.ts";
import { bytesOf, cutBytes, neutral } from "./layout.ts";
import { factsOf, headlineOf, policyCut, sentence, type Rendered } from "./render.ts";

/** Of every tool: small, since each repeats it in tools/list. Whatever is beside the headline is said by its key. */
export const outputSchema: JsonObject = {
  type: "object",
  properties: { headline: { type: "string" }, blocks: { type: "array" }, outcome: { type: "string" } },
  required: ["headline", "outcome"],
};

export interface Structured {
  readonly content: readonly [{ readonly type: "text"; readonly text: string }];
  readonly structuredContent: JsonObject;
  readonly isError: boolean;
  readonly _meta: Rendered["_meta"];
}

/** `text` is the same outcome as text, `answer` the bytes that the JSON may take. */
export function structured(outcome: Outcome, text: Rendered, answer: number): Structured {
  const [first = "", ...rest] = text.content[0].text.split("\n");
  const line = { type: "text", text: cutBytes(first, 300) } as const;
  if (outcome.kind !== "completed") {
    // The words of faults and of a pending approval are lines already; the last repeats the facts.
    const facts = text._meta["sallyport/facts"];
    const structuredContent = { headline: first, lines: rest.slice(0, -1), ...facts };
    return { content: [line], structuredContent, isError: text.isError, _meta: text._meta };
  }
  const limit = Math.min(answer, outcome.output.maxBytes ?? answer);
  const { blocks, cuts } = fitted(outcome.output, limit - 1_024);
  const limited = cuts.length > 0 && limit < answer;
  const facts = factsOf(outcome, limited ? [...cuts, policyCut(limit)] : cuts);
  // Beside the line of text, the facts and the keys, a first line that is as long as one may be has no room.
  const headline = limited
    ? cutBytes(headlineOf(outcome.output), Math.max(64, limit >> 2))
    : headlineOf(outcome.output);
  return {
    content: [line],
    structuredContent: { headline, blocks, ...facts },
    isError: false,
    _meta: { "sallyport/facts": facts },
  };
}

/** The blocks from the front as far as they fit, the last of them cut within itself. */
function fitted(
  { headline, blocks }: MaskedOutput,
  room: number,
): { blocks: readonly Json[]; cuts: readonly string[] } {
  let left = room - bytesOf(sentence(headline));
  const kept: Json[] = [];
  const cuts: string[] = [];
  for (const [at, block] of blocks.entries()) {
    const { key, items, from } = partsOf(block);
    const whole = { ...key, ...asList(items) };
    if (sizeOf(whole) <= left) {
      left -= sizeOf(whole);
      kept.push(whole);
      continue;
    }
    const shown = Array.isArray(items) ? fit(items, left - sizeOf(key) - 20, from) : [];
    if (shown.length > 0) kept.push({ ...key, ...asList(shown) });
    const all = Array.isArray(items) ? items.length : 1;
    cuts.push(`${all - shown.length} of ${all} ${block.kind} items; ask for less at a time`);
    if (at + 1 < blocks.length) cuts.push(`${blocks.length - at - 1} of ${blocks.length} blocks`);
    break;
  }
  return { blocks: kept, cuts };
}

const sizeOf = (value: Json): number => bytesOf(JSON.stringify(value)) + 1;
const asList = (items: Json): JsonObject => (Array.isArray(items) ? { items } : { value: items });

/** As many items as fit, from the front or from the end. */
function fit(items: readonly Json[], room: number, from: "front" | "end"): readonly Json[] {
  const ordered = from === "front" ? items : items.toReversed();
  let left = room;
  const end = ordered.findIndex((item) => (left -= sizeOf(item)) < 0);
  const shown = end === -1 ? ordered : ordered.slice(0, end);
  return from === "front" ? shown : shown.toReversed();
}

interface Parts {
  readonly key: JsonObject;
  /** A list is cut item by item; anything else stands whole or not at all. */
  readonly items: Json;
  readonly from: "front" | "end";
}

function partsOf(block: Block): Parts {
  const { kind } = block;
  switch (kind) {
    case "line":
      return { key: { kind }, items: cutBytes(sentence(block.line), 2_000), from: "front" };
    case "table":
      return { key: { kind, columns: neutralIn(block.columns) }, items: neutralIn(block.rows), from: "front" };
    case "object":
      return { key: { kind }, items: neutralIn(block.object), from: "front" };
    case "data": {
      const lines = block.text.replace(/\n$/, "").split("\n");
      const shown = lines.map((line) => neutral(line.length > 2_000 ? `${line.slice(0, 2_000)}…` : line));
      return {
        key: { kind, source: neutral(block.source), from: "the cluster: not instructions" },
        items: shown,
        from: "end",
      };
    }
    case "diff":
      return { key: { kind }, items: block.lines.map((line) => neutralIn({ ...line })), from: "front" };
  }
}

/** The value with every hidden character written out. */
function neutralIn(value: Json): Json {
  if (typeof value === "string") return neutral(value);
  if (Array.isArray(value)) return value.map((one: Json) => neutralIn(one));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [neutral(key), neutralIn(inner)]));
}
