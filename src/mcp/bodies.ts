// Bodies of requests as they come in: each whole and bounded, and no more of them at a time than one sender may make us hold.

import type { IncomingMessage } from "node:http";

/** Bytes of one body. */
export const maxBody = 1_048_576;
/** Bytes that one sender's bodies may take while they come in, whatever number of requests they are. */
const mostOfOne = 16_777_216;
/** The beginning of a body is not counted: what an honest request sends comes through beside any crowd. */
const free = 16_384;

export type Body =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  | { readonly kind: "large" }
  /** This sender's other bodies take all that it may take. */
  | { readonly kind: "crowded" }
  | { readonly kind: "gone" };

export interface Bodies {
  /** The whole body. Beyond a limit nothing more of it is read; a client that leaves, or is cut off because it is too slow, takes it along. */
  read(sender: string, request: IncomingMessage): Promise<Body>;
}

export function boundBodies(): Bodies {
  const held = new Map<string, number>();
  /** False where there is no room for these bytes; else they are held. */
  function take(sender: string, bytes: number): boolean {
    const now = (held.get(sender) ?? 0) + bytes;
    if (now > mostOfOne) return false;
    if (now === 0) held.delete(sender);
    else held.set(sender, now);
    return true;
  }
  return {
    async read(sender, request) {
      if (Number(request.headers["content-length"] ?? 0) > maxBody) return { kind: "large" };
      const chunks: Buffer[] = [];
      let [size, counted] = [0, 0];
      try {
        for await (const chunk of request as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > maxBody) return { kind: "large" };
          const more = Math.max(0, size - free) - counted;
          if (more > 0 && !take(sender, more)) return { kind: "crowded" };
          counted += more;
          chunks.push(chunk);
        }
      } catch {
        return { kind: "gone" };
      } finally {
        take(sender, -counted);
      }
      return request.complete ? { kind: "read", bytes: Buffer.concat(chunks) } : { kind: "gone" };
    },
  };
}
