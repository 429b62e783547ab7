// Passwords in scripts that log in or set them: what is sent after a prompt, and lists of `user:password` for chpasswd.

import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { isPlaceholder, isReference } from "./values.ts";
import { indentAt, linesBelow } from "./yaml-block.ts";

/** How far behind `expect` the prompt's word stands at most, and behind that what is sent. */
const promptReach = 160;
const sendReach = 120;
const prompts = /assword|assphrase|asscode/i;
const sent = /^(?:_user|line)?[ \t]{0,4}[( ][ \t]{0,4}(?:-- )?b?(["'])([^"'\n]{1,200})/;

/** `expect "assword:"` with `send "…\r"` behind it, in Tcl's form and in that of its likes (expect(1), pexpect). */
export const promptCheck: Check = (scan, _start, end) => {
  const { text } = scan;
  scan.work += promptReach;
  const prompt = prompts.exec(text.slice(end, end + promptReach));
  if (prompt === null) return nothing;
  const from = end + prompt.index + prompt[0].length;
  const send = text.slice(from, from + sendReach).indexOf("send");
  if (send === -1) return nothing;
  const at = from + send + "send".length;
  const found = sent.exec(text.slice(at, at + 240));
  if (found === null) return nothing;
  const whole = found[2] ?? "";
  const value = whole.replace(/(?:\\[rn])+$/, "");
  return spanOf(scan, at + found[0].length - whole.length, value);
};

const listKey =
  /^[ \t]{0,8}\r?\n(?:[ \t]{1,32}expire:[^\n]{0,32}\n)?[ \t]{1,32}list:[ \t]{0,8}[|>][-+]?[ \t]{0,8}\r?\n/;
const hereDocument = /^[^\n]{0,80}<<-?[ \t]{0,4}["']?(\w{1,32})["']?[^\n]{0,80}\n/;

const longestDocument = 4096;

/** cloud-init's `chpasswd: {list: |}`, and a here-document for the command itself: of each line what stands behind the colon. */
export const passwordListCheck: Check = (scan, _start, end) => {
  const { text } = scan;
  scan.work += 64;
  const head = text.slice(end, end + 256);
  if (text[end] === ":") {
    const key = listKey.exec(head.slice(1))?.[0];
    if (key === undefined) return nothing;
    const at = end + 1 + key.lastIndexOf("list:");
    return behindColons(scan, linesBelow(text, at, indentAt(text, at)));
  }
  const here = hereDocument.exec(head);
  if (here === null) return nothing;
  const document = text.slice(0, end + longestDocument);
  const lines = linesBelow(document, end, -1);
  const close = lines.findIndex((line) => document.slice(line.start, line.end).trim() === here[1]);
  if (close === -1) scan.work += longestDocument;
  return close === -1 ? nothing : behindColons(scan, lines.slice(0, close));
};

function behindColons(scan: Scan, lines: readonly { start: number; end: number }[]): readonly Span[] {
  return lines.flatMap(({ start, end }) => {
    scan.work += end - start;
    const user = /^[\w.-]{1,64}:/.exec(scan.text.slice(start, Math.min(end, start + 72)))?.[0];
    return user === undefined ? [] : spanOf(scan, start + user.length, scan.text.slice(start + user.length, end));
  });
}

/** cloud-init makes a random one for `R` and `RANDOM`. */
function spanOf({ text }: Scan, start: number, value: string): readonly Span[] {
  if (value === "" || /^R(?:ANDOM)?$/.test(value) || isReference(value) || isPlaceholder(value)) return nothing;
  if (tokenEnd(text, start) === start + value.length) return nothing;
  return [{ start, end: start + value.length, type: "password", value: plainForm(value), why: "script" }];
}
