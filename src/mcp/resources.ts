// The one resource: a caller's own call, read back from the record.

import { ResourceNotFoundError } from "@modelcontextprotocol/server";
import type { CallReceipt } from "../domain/call-receipt.ts";
import { parseCallId, type CallId } from "../domain/ids.ts";
import { hardCap } from "./caps.ts";
import { bytesOf, cutBytes, fitFirst, oneLine } from "./layout.ts";
import { insert } from "./render.ts";

const scheme = "sallyport://calls/";

export const callTemplate = {
  uriTemplate: `${scheme}{call}`,
  name: "call",
  title: "One of your calls",
  description:
    "The receipt of a call of yours: decision, outcome, effect, times, its place on record, its whole diff; and its whole answer while that is kept, where it was cut. Reading it is recorded.",
  mimeType: "text/plain",
};

/** The call that an address names, or undefined where it names none. */
export function callOf(uri: unknown): CallId | undefined {
  return typeof uri === "string" && uri.startsWith(scheme) ? parseCallId(uri.slice(scheme.length)) : undefined;
}

/** Another's call, a call that never was and an address of no call answer alike. */
export function noSuchCall(uri: unknown): ResourceNotFoundError {
  return new ResourceNotFoundError(
    typeof uri === "string" ? cutBytes(oneLine(uri), 200) : "",
    "There is no such call of yours.",
  );
}

/** The receipt as text, with what was kept of the answer, within 24 KiB. */
export function receiptText(receipt: CallReceipt, kept: string | null): string {
  const head = [
    `call ${receipt.call} - ${insert(receipt.tool)}${receipt.preview ? ", preview only" : ""}${receipt.cluster === "" ? "" : ` in cluster ${insert(receipt.cluster)}`}`,
    `decision: ${decisionText(receipt)}`,
    `outcome: ${outcomeText(receipt)} - effect ${receipt.effect}`,
    timesText(receipt),
    ...(receipt.objects.length === 0 ? [] : [`changed: ${objectsText(receipt)}`]),
    ...(receipt.masked.length === 0
      ? []
      : [`masked: ${receipt.masked.map((one) => `${one.count} ${oneLine(one.type)}`).join(", ")}`]),
    `on record: ${receipt.entries.map(({ kind, index }) => `${kind} ${index}`).join(", ")}`,
    checkpointText(receipt),
  ].map((line) => cutBytes(line, 2_000));
  const diff = receipt.diff.map((line) => cutBytes(oneLine(line), 2_000));
  const answer = kept === null ? [] : ["the answer in full:", ...kept.split("\n")];
  return fitted(head, diff, answer).join("\n");
}

/** Room for the notes on what was cut. */
const notes = 200;

/** The head as it is; of diff and answer what fits, and how much does not. */
function fitted(head: readonly string[], diff: readonly string[], answer: readonly string[]): readonly string[] {
  const lines = [...head];
  let left = hardCap - bytesOf(head.join("\n")) - notes;
  for (const [what, part] of [["diff", diff] as const, ["answer", answer] as const]) {
    if (part.length === 0) continue;
    const title = what === "diff" ? ["diff:"] : [];
    const shown = fitFirst(part, left - 8);
    left -= bytesOf(shown.join("\n")) + 8;
    lines.push(...title, ...shown);
    if (shown.length < part.length)
      lines.push(
        `cut: ${part.length - shown.length} of ${part.length} lines of the ${what}, which is more than 24 KiB`,
      );
  }
  return lines;
}

function decisionText({ decision, approval, code }: CallReceipt): string {
  switch (decision) {
    case "allow":
      return approval === null ? "allowed" : `allowed after approval ${insert(approval)}`;
    case "require-approval":
      return `needs approval${approval === null ? "" : ` ${insert(approval)}`}`;
    case "deny":
      return "denied";
    case "":
      return code === "" ? "none yet" : `none, it was refused before (${insert(code)})`;
  }
}

function outcomeText({ outcome, code }: CallReceipt): string {
  switch (outcome) {
    case "open":
      return "it runs, or waits for a person";
    case "unknown":
      return "not known: the gateway stopped before it was settled";
    case "completed":
    case "failed":
    case "refused":
      return code === "" ? outcome : `${outcome}, ${insert(code)}`;
  }
}

function timesText({ receivedAt, endedAt }: CallReceipt): string {
  if (endedAt === null) return `times: received ${receivedAt}`;
  return `times: received ${receivedAt}, ended ${endedAt} (${Date.parse(endedAt) - Date.parse(receivedAt)} ms)`;
}

function objectsText({ objects }: CallReceipt): string {
  const shown = objects.slice(0, 20).map(({ kind, namespace, name }) => {
    const place = namespace === "" ? insert(name) : `${insert(namespace)}/${insert(name)}`;
    return `${insert(kind)} ${place}`;
  });
  return [...shown, ...(objects.length > 20 ? [`${objects.length - 20} more`] : [])].join(", ");
}

function checkpointText({ checkpoint, entries }: CallReceipt): string {
  const last = Math.max(...entries.map((one) => one.index));
  if (checkpoint === null || checkpoint.size <= last)
    return "checkpoint: not under a signed one yet; they come each second";
  return `checkpoint: ${insert(checkpoint.origin)} ${checkpoint.size} ${insert(checkpoint.root)}`;
}
