// The pieces that cards and modals are made of. Words of ours may be mrkdwn; everybody else's stand where Slack reads no markup.

import { neutralise } from "../../neutral.ts";

/** A block or an element of one, as Slack takes it. */
export type Block = { readonly [field: string]: unknown };

/** Others' words: composed, with everything unseen written out, in plain_text that makes no emoji of them. */
export const plain = (words: string, most: number): Block => ({
  type: "plain_text",
  text: neutralise(words, most) || " ",
  emoji: false,
});

export const header = (words: string): Block => ({ type: "header", text: plain(words, 145) });

/** One line of a rich text section: bare strings are ours, others' stand beside them as the same kind of element. */
export type Piece =
  | { readonly kind: "text"; readonly text: string; readonly bold?: boolean }
  /** In the reader's own time zone, with how long it is until then. */
  | { readonly kind: "date"; readonly at: number }
  /** An address of the configuration, never one that anybody else wrote. */
  | { readonly kind: "link"; readonly url: string; readonly text: string };

export const ours = (text: string): Piece => ({ kind: "text", text });
export const bold = (text: string): Piece => ({ kind: "text", text, bold: true });
export const theirs = (text: string, most = 260): Piece => ({ kind: "text", text: neutralise(text, most) || " " });
export const link = (url: string, text: string): Piece => ({ kind: "link", url, text });
export const time = (at: number): Piece => ({ kind: "date", at });

/** Lines in one rich text block. Elements of type `text` hold no mention, link or broadcast whatever is in them. */
export function lines(all: readonly (readonly Piece[])[]): Block {
  const elements = all.flatMap((pieces, index) => [
    ...(index === 0 ? [] : [{ type: "text", text: "\n" }]),
    ...pieces.map(element),
  ]);
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements }] };
}

/** Others' lines, each neutralised already, in a fixed width. */
export function preformatted(all: readonly string[]): Block {
  const elements = [{ type: "text", text: all.join("\n") || " " }];
  return { type: "rich_text", elements: [{ type: "rich_text_preformatted", elements }] };
}

/** A quotation under a label of ours. */
export function quote(label: string, words: string, most: number): Block {
  return {
    type: "rich_text",
    elements: [
      { type: "rich_text_section", elements: [element(bold(label))] },
      { type: "rich_text_quote", elements: [element(theirs(words, most))] },
    ],
  };
}

function element(piece: Piece): Block {
  switch (piece.kind) {
    case "text":
      return { type: "text", text: piece.text, ...(piece.bold === true ? { style: { bold: true } } : {}) };
    case "link":
      return { type: "link", url: piece.url, text: piece.text };
    case "date":
      return {
        type: "date",
        timestamp: Math.floor(piece.at / 1000),
        format: "{date_short_pretty} {time} ({ago})",
        fallback: `${new Date(piece.at).toISOString().slice(0, 16).replace("T", " ")} UTC`,
      };
  }
}

export const small = (words: string): Block => ({ type: "context", elements: [plain(words, 300)] });

export interface Tap {
  readonly label: string;
  readonly action: string;
  readonly value: string;
  readonly style?: "primary" | "danger";
}

const button = ({ label, action, value, style }: Tap): Block => ({
  type: "button",
  action_id: action,
  text: { type: "plain_text", text: label, emoji: false },
  value,
  ...(style === undefined ? {} : { style }),
});

export const taps = (all: readonly Tap[]): Block => ({ type: "actions", elements: all.map(button) });

/** A line with a button beside it. */
export const row = (words: string, tap: Tap): Block => ({
  type: "section",
  text: plain(words, 600),
  accessory: button(tap),
});

/** All text of blocks, in characters: what Slack counts. */
export function sizeOf(blocks: unknown): number {
  if (Array.isArray(blocks)) return blocks.reduce((sum: number, one) => sum + sizeOf(one), 0);
  if (typeof blocks !== "object" || blocks === null) return 0;
  return Object.entries(blocks).reduce(
    (sum, [key, value]) => sum + (key === "text" && typeof value === "string" ? value.length : sizeOf(value)),
    0,
  );
}
