// Loads a policy from its YAML files, or says where and why not. Only plain YAML passes: no anchors, aliases, tags or directives.

import { Composer, CST, isMap, isNode, isScalar, isSeq, Lexer, LineCounter, Parser, type Document } from "yaml";
import { assemble, refused, type LoadedPolicy } from "./assemble.ts";
import type { ParsedFile } from "./named.ts";
import type { Known } from "./known.ts";
import { show, type Finding, type Problem, type Step } from "./problems.ts";

export type { LoadedPolicy } from "./assemble.ts";
export type { Problem } from "./problems.ts";

/** Bounds that hold the cost of a hostile or broken file to about a second: the parser's own cost has no limit. */
const most = { bytes: 1_048_576, allBytes: 4_194_304, tokens: 400_000, depth: 40, indent: 160 };

export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

/** Merges the files into one policy: shapes checked, ids unique across files, every example run, nothing named that is not known. */
export function loadPolicy(files: readonly PolicyFile[], known: Known = {}): LoadedPolicy {
  const whole = (sentence: string): LoadedPolicy =>
    refused([{ path: files[0]?.path ?? "", line: 1, column: 1, sentence }]);
  if (files.length === 0) return whole("No policy file was given.");
  if (files.reduce((sum, file) => sum + file.text.length, 0) > most.allBytes)
    return whole(`The policy files together are larger than ${most.allBytes} bytes.`);
  const problems: Problem[] = [];
  const parsed: ParsedFile[] = [];
  const room = { tokens: most.tokens };
  for (const file of files) {
    const result = parse(file, room);
    if (result.kind === "refused") problems.push(result.problem);
    else parsed.push(result.parsed);
  }
  return assemble(parsed, problems, known);
}

/** How many parts the files may still hold, all together. */
interface TokenRoom {
  tokens: number;
}

/** One file as plain data. */
function parse(
  file: PolicyFile,
  room: TokenRoom,
): { readonly kind: "parsed"; readonly parsed: ParsedFile } | { readonly kind: "refused"; readonly problem: Problem } {
  const { path, text } = file;
  const stop = (line: number, column: number, sentence: string) =>
    ({ kind: "refused", problem: { path, line, column, sentence } }) as const;
  if (Buffer.byteLength(text) > most.bytes) return stop(1, 1, `The file is larger than ${most.bytes} bytes.`);
  const lexemes = screen(text, room);
  if ("sentence" in lexemes) return stop(...positionOf(text, lexemes.offset), lexemes.sentence);

  const lineCounter = new LineCounter();
  const [document, second] = compose(lexemes, lineCounter, text.length);
  const stopAt = (offset: number, sentence: string) => {
    const { line, col } = lineCounter.linePos(offset);
    return stop(Math.max(1, line), Math.max(1, col), sentence);
  };
  if (document === undefined) return stop(1, 1, "The file is empty.");
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined)
    return stopAt(broken.pos[0], `This is not valid YAML: ${broken.code.toLowerCase().replaceAll("_", " ")}.`);
  if (second !== undefined) return stopAt(second.range[0], "A policy file is one YAML document.");
  let content: unknown;
  try {
    content = plain(document.contents);
  } catch (thrown) {
    if (thrown instanceof OddNode) return stopAt(thrown.offset, thrown.sentence);
    throw thrown;
  }

  const place = ({ at, key, inside }: Finding): { line: number; column: number } => {
    const start = offsetOf(document, at, key);
    const value: unknown = inside === undefined ? undefined : document.getIn(at);
    const offset = typeof value === "string" ? offsetInside(text, start, value, inside ?? 0) : start;
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    kind: "parsed",
    parsed: {
      content,
      problem: (finding) => ({ path, ...place(finding), sentence: finding.sentence }),
      valueAt: (at) => document.getIn(at),
    },
  };
}

interface Screened {
  readonly offset: number;
  readonly sentence: string;
}

const unwanted: { readonly [type: string]: string } = {
  anchor: "Anchors and aliases are refused: write each rule out.",
  alias: "Anchors and aliases are refused: write each rule out.",
  tag: "Tags are refused: a policy is plain text, numbers, lists and mappings.",
  "directive-line": "YAML directives are refused.",
  "explicit-key-ind": "Complex keys are refused.",
};

/** The documents of a text that passed the screen; there should be one. */
function compose(lexemes: readonly string[], lineCounter: LineCounter, length: number): readonly Document.Parsed[] {
  lineCounter.addNewLine(0);
  const parser = new Parser(lineCounter.addNewLine);
  const tokens = function* () {
    for (const lexeme of lexemes) yield* parser.next(lexeme);
    yield* parser.end();
  };
  // Duplicate keys are looked for below: the library compares every pair, which a large mapping turns into minutes.
  const composer = new Composer({ stringKeys: true, uniqueKeys: false, version: "1.2" });
  return [...composer.compose(tokens(), true, length)];
}

/** The text's lexemes, or the first among them that a policy has no use for: found before the parser spends time on it. */
function screen(text: string, room: TokenRoom): readonly string[] | Screened {
  const lexemes: string[] = [];
  let [offset, flow, dashes, documents] = [0, 0, 0, 0];
  let before: string | null = "newline";
  for (const source of new Lexer().lex(text)) {
    // What follows a scalar mark is text, whatever it looks like.
    const type: string | null = before === "scalar" ? "text" : CST.tokenType(source);
    const refusal = unwanted[type ?? ""];
    if (refusal !== undefined) return { offset, sentence: refusal };
    if (room.tokens-- <= 0) return { offset, sentence: "The file holds more parts than a policy may." };
    lexemes.push(source);
    if (type === "flow-map-start" || type === "flow-seq-start") flow += 1;
    if (type === "flow-map-end" || type === "flow-seq-end") flow -= 1;
    if (type === "seq-item-ind") dashes += 1;
    if (type === "newline") dashes = 0;
    if (type === "doc-start") documents += 1;
    if (documents > 1) return { offset, sentence: "A policy file is one YAML document." };
    const indented = before === "newline" && type === "space" && source.length > most.indent;
    if (flow > most.depth || dashes > most.depth || indented)
      return { offset, sentence: "The file is nested too deeply." };
    // Marks that the lexer puts between tokens are no part of the text.
    if (type !== "doc-mode" && type !== "flow-error-end" && type !== "scalar") offset += source.length;
    before = type;
  }
  return lexemes;
}

function positionOf(text: string, offset: number): [line: number, column: number] {
  const before = text.slice(0, offset).split("\n");
  return [before.length, (before.at(-1)?.length ?? 0) + 1];
}

/** The document's plain data; throws the first node that plain data has no place for: a key given twice, one that JavaScript treats specially, half a character. */
function plain(node: unknown): unknown {
  if (isMap(node)) {
    const data: { [key: string]: unknown } = {};
    for (const { key, value } of node.items) {
      const text = isScalar(key) ? key.value : undefined;
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (typeof text !== "string") throw new OddNode(offset, "A key must be text.");
      if (text === "__proto__") throw new OddNode(offset, `Unknown key ${show(text)}.`);
      if (Object.hasOwn(data, text)) throw new OddNode(offset, `The key ${show(text)} is given twice.`);
      plain(key);
      data[text] = plain(value);
    }
    return data;
  }
  if (isSeq(node)) return node.items.map(plain);
  if (!isScalar(node)) return null;
  if (typeof node.value !== "string" || node.value.isWellFormed()) return node.value;
  throw new OddNode(node.range?.[0] ?? 0, "This text holds half of a surrogate pair.");
}

/** Ends the walk through a document where it stands. */
class OddNode extends Error {
  readonly offset: number;
  readonly sentence: string;
  constructor(offset: number, sentence: string) {
    super(sentence);
    this.offset = offset;
    this.sentence = sentence;
  }
}

/** Where a path into the data stands in the text: its value, its key, or the nearest thing around it. */
function offsetOf(document: Document, at: readonly Step[], key: boolean): number {
  const holder: unknown = document.getIn(at.slice(0, -1), true);
  const last = at.at(-1);
  if (key && isMap(holder)) {
    const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === last);
    if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
  }
  for (let length = at.length; length >= 0; length--) {
    const node: unknown = document.getIn(at.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/**
 * Where the character at `inside` of a scalar's value stands in the file. The value is the source without quotes,
 * escapes, indentation and folded line ends: both are read side by side, and what only the source has is passed over.
 */
function offsetInside(text: string, start: number, value: string, inside: number): number {
  const quote = text.charAt(start);
  let at = start;
  if (quote === '"' || quote === "'") at += 1;
  else if (quote === "|" || quote === ">") at = text.indexOf("\n", start) + 1;
  for (let index = 0; index <= inside && index < value.length; index++) {
    const wanted = value.charAt(index);
    if (/\s/.test(wanted)) continue;
    while (at < text.length && text.charAt(at) !== wanted) at += 1;
    if (index === inside) return at;
    at += 1;
  }
  return Math.min(at, text.length);
}
