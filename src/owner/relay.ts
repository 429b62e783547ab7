// A second `sallyport` on stdio: passes its client's bytes to the owner and the owner's back, and understands none of them.

import type { Readable, Writable } from "node:stream";
import { greetOwner, type OwnerAddress } from "./client.ts";

export interface RelayOptions extends OwnerAddress {
  /** Digest of this process's configuration and set of clusters: the owner serves only its equal. */
  readonly config: string;
  readonly input: Readable;
  readonly output: Writable;
  /** Ends the session as the client's leaving does. */
  readonly signal: AbortSignal;
}

export type Relayed =
  /** The client closed its end. */
  | { readonly kind: "ended" }
  /** The owner went away in the middle: calls that had begun have an unknown effect and are never sent again from here. */
  | { readonly kind: "owner-gone"; readonly sentence: string }
  | { readonly kind: "absent"; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string };

/** Settles when the session is over. */
export async function relay(options: RelayOptions): Promise<Relayed> {
  const greeted = await greetOwner(options, "mcp", options.config);
  if (greeted.kind !== "connected") return greeted;
  const socket = greeted.to;
  const { input, output } = options;
  const closed = Promise.withResolvers<void>();
  let clientLeft = false;
  const leave = (): void => {
    clientLeft = true;
    socket.end();
  };
  input.once("end", leave).once("close", leave);
  output.once("error", leave);
  options.signal.addEventListener("abort", leave, { once: true });
  if (options.signal.aborted) leave();
  socket.once("close", () => closed.resolve());
  input.pipe(socket);
  socket.pipe(output, { end: false });
  await closed.promise;
  input.unpipe(socket).off("end", leave).off("close", leave);
  options.signal.removeEventListener("abort", leave);
  return clientLeft
    ? { kind: "ended" }
    : { kind: "owner-gone", sentence: "The Sallyport that served this session has ended." };
}
