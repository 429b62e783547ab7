// A second `sallyport` on stdio: passes its client's lines to the owner and the owner's back, and keeps in mind what waits for an answer.

import type { Readable, Writable } from "node:stream";
import { greetOwner, type OwnerAddress } from "./client.ts";
import type { Conversation } from "./conversation.ts";
import { passLines } from "./lines.ts";

export interface RelayOptions extends OwnerAddress {
  /** Digest of this process's configuration and set of clusters: the owner serves only its equal. */
  readonly config: string;
  readonly input: Readable;
  readonly output: Writable;
  /** Ends the session as the client's leaving does. */
  readonly signal: AbortSignal;
  readonly conversation: Conversation;
  /** What this owner hears before the client's own lines: where an earlier one has ended in the middle. */
  readonly again: readonly string[];
}

export type Relayed =
  /** The client closed its end. */
  | { readonly kind: "ended" }
  /** The owner went away in the middle: calls that had begun have an unknown effect and are never sent again from here. */
  | { readonly kind: "owner-gone"; readonly sentence: string }
  | { readonly kind: "absent"; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string };

/** Settles when the session is over, or its owner. What the client said of a line that has not ended stays in `input`. */
export async function relay(options: RelayOptions): Promise<Relayed> {
  const greeted = await greetOwner(options, "mcp", options.config);
  if (greeted.kind !== "connected") return greeted;
  const socket = greeted.to;
  const { input, output, conversation } = options;
  const closed = Promise.withResolvers<void>();
  let clientLeft = false;
  const leave = (): void => {
    clientLeft = true;
    socket.end();
  };
  input.once("end", leave).once("close", leave);
  output.once("error", leave);
  options.signal.addEventListener("abort", leave, { once: true });
  socket.once("close", () => closed.resolve());
  for (const line of options.again) socket.write(`${line}\n`);
  const inward = passLines(input, socket, (line) => {
    conversation.said(line);
    return true;
  });
  const outward = passLines(socket, output, (line) => conversation.answered(line));
  if (options.signal.aborted || input.readableEnded || input.destroyed) leave();
  await closed.promise;
  const rest = inward.stop();
  outward.stop();
  input.off("end", leave).off("close", leave);
  output.off("error", leave);
  options.signal.removeEventListener("abort", leave);
  if (clientLeft) return { kind: "ended" };
  if (rest.length > 0 && !input.readableEnded) input.unshift(rest);
  return { kind: "owner-gone", sentence: "The Sallyport that served this session has ended." };
}
