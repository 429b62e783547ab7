// The windows that open over a card: each is rendered anew from the store, so that what a person agrees to is what is kept, not what a message says.

import type { KeptRequest } from "../../stores/contract.ts";
import * as blocks from "./blocks.ts";
import { bold, ours, theirs, type Block } from "./blocks.ts";
import { actions, checkLine, checkTexts, factsOf, identityOf, peopleOf, reasonOf, type Standing } from "./card.ts";
import { excerpt, levelOf, missing, sentenceOf } from "./risk.ts";
import { valueOf } from "./wire.ts";

export type View = { readonly [field: string]: unknown };

export const callbacks = { approve: "sp.approve", deny: "sp.deny", notice: "sp.notice" } as const;

/** The whole diff: this many pieces of so many characters. */
const pieces = 8;
const pieceSize = 2900;
/** What was found beside it, dozens of lines where many objects are written. */
const checkPieces = 4;

const words = (text: string): Block => ({ type: "plain_text", text, emoji: false });

function modal(title: string, callback: string, nonce: string, submit: string | null, all: readonly Block[]): View {
  return {
    type: "modal",
    callback_id: callback,
    private_metadata: nonce,
    notify_on_close: true,
    title: words(title),
    close: words("Close"),
    ...(submit === null ? {} : { submit: words(submit) }),
    blocks: all,
  };
}

export interface Opening {
  readonly view: View;
  /** What its submission may be. */
  readonly kind: (typeof callbacks)[keyof typeof callbacks];
}

/** Everything that the store has of the request. `submit`: with the button that approves it, unless something of it does not fit even here. */
export function wholeModal(request: KeptRequest, nonce: string, standing: Standing, submit: boolean): Opening {
  const { card } = request;
  const whole = excerpt(card.diff, 2000, pieces * pieceSize - pieces * 100, pieceSize - 100);
  const level = levelOf(request);
  const checks = excerpt(checkTexts(card), 200, checkPieces * (pieceSize - 100), pieceSize - 100);
  // Of several objects that change each stands in the diff as well.
  const listed = card.diff.some((line) => line.startsWith("in "));
  const fits = whole.whole && checks.whole && (listed || card.object.length <= pieceSize);
  const approves = submit && level !== "critical" && fits;
  const left = missing(whole);
  const all = [
    blocks.header(sentenceOf(card)),
    blocks.lines(factsOf(request, level, pieceSize)),
    ...inPieces(checks.lines)
      .filter((some) => some.length > 0)
      .map((some) => blocks.lines(some.map((text) => checkLine(text, pieceSize)))),
    ...(checks.left === 0 ? [] : [blocks.small(`and ${checks.left} more warnings, not shown here`)]),
    ...inPieces(whole.lines).map(blocks.preformatted),
    ...(left === "" ? [] : [blocks.small(left)]),
    ...(whole.unseen
      ? [blocks.lines([[bold("Some of this can't be inspected by anyone: it says so where it is.")]])]
      : []),
    ...(submit && !fits
      ? [
          blocks.lines([
            [bold("Too large to be approved here: "), ours("the terminal and the console show all of it.")],
          ]),
        ]
      : []),
    ...reasonOf(request),
    blocks.lines(peopleOf(request, standing)),
    ...(submit
      ? [blocks.taps([{ label: "Deny", action: actions.deny, value: valueOf(request.id, nonce), style: "danger" }])]
      : []),
    blocks.small(identityOf(request)),
  ];
  const kind = approves ? callbacks.approve : callbacks.notice;
  return { kind, view: modal(submit ? "Approve?" : "Details", kind, nonce, approves ? "Approve" : null, all) };
}

function inPieces(lines: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [[]];
  let size = 0;
  for (const line of lines) {
    if (size + line.length + 1 > pieceSize && (all.at(-1)?.length ?? 0) > 0) {
      all.push([]);
      size = 0;
    }
    all.at(-1)?.push(line);
    size += line.length + 1;
  }
  return all;
}

export const denyFields = { preset: "preset", why: "why", tell: "tell" } as const;

const presets = ["Wrong target", "Not now: wait for a window", "Too risky", "Not needed", "Ask a person first"];

/** Most characters of a person's own words: with a preset before them the store keeps them whole. */
export const longestReason = 460;

export function denyModal(request: KeptRequest, nonce: string): Opening {
  const option = (text: string): Block => ({ text: words(text), value: text });
  const all = [
    blocks.header(sentenceOf(request.card)),
    {
      type: "input",
      block_id: denyFields.preset,
      optional: true,
      label: words("Why"),
      element: { type: "static_select", action_id: "pick", placeholder: words("Choose"), options: presets.map(option) },
    },
    {
      type: "input",
      block_id: denyFields.why,
      optional: !needsReason(request),
      label: words("In your own words"),
      element: { type: "plain_text_input", action_id: "text", multiline: true, max_length: longestReason },
    },
    {
      type: "input",
      block_id: denyFields.tell,
      optional: true,
      label: words("The agent"),
      element: { type: "checkboxes", action_id: "pick", options: [option(tellAgent)] },
    },
    blocks.small(identityOf(request)),
  ];
  return { kind: callbacks.deny, view: modal("Deny", callbacks.deny, nonce, "Deny", all) };
}

const tellAgent = "May read this reason";

/** Does a no need a reason in the person's own words? */
export function needsReason(request: KeptRequest): boolean {
  const level = levelOf(request);
  return level === "high" || level === "critical";
}

export interface Denial {
  readonly reason: string;
  readonly tellAgent: boolean;
}

/** What was entered, or the fields that are wrong with the words for them. */
export function readDenial(
  request: KeptRequest,
  fields: { readonly [block: string]: readonly string[] },
):
  | { readonly kind: "denial"; readonly denial: Denial }
  | { readonly kind: "wrong"; readonly errors: { readonly [block: string]: string } } {
  const preset = presets.find((one) => fields[denyFields.preset]?.includes(one) === true) ?? "";
  const typed = (fields[denyFields.why]?.[0] ?? "").trim();
  if (typed.length > longestReason)
    return { kind: "wrong", errors: { [denyFields.why]: `At most ${longestReason} characters.` } };
  if (needsReason(request) && typed === "")
    return { kind: "wrong", errors: { [denyFields.why]: "Say why: this call destroys or runs something." } };
  const reason = [preset, typed].filter((one) => one !== "").join(": ");
  return { kind: "denial", denial: { reason, tellAgent: fields[denyFields.tell]?.includes(tellAgent) === true } };
}

/** A sentence of ours in a window; others' words only as `quoted`. */
export function noticeView(sentence: string, quoted = ""): View {
  const said = quoted === "" ? [] : [[theirs(quoted, 300)]];
  return modal("Sallyport", callbacks.notice, "", null, [blocks.lines([[ours(sentence)], ...said])]);
}
