// Passes a stream on line by line, so that what it is cut off in the middle of can be told from what was said.

import type { Readable, Writable } from "node:stream";

const newline = 0x0a;
/** A longer line is passed on as it comes, unseen: whoever reads it has a limit of its own. */
const longest = 4 * 1_048_576;

export interface Passing {
  /** Stops, and gives what was read of a line that has not ended. */
  stop(): Buffer;
}

/** Passes on each line that `see` answers true for, at the speed of the slower end. */
export function passLines(from: Readable, to: Writable, see: (line: string) => boolean): Passing {
  let rest: Buffer = Buffer.alloc(0);
  let overlong = false;
  let stopped = false;
  const send = (bytes: Uint8Array): void => {
    if (to.destroyed || to.writableEnded || to.write(bytes)) return;
    from.pause();
    to.once("drain", () => void (stopped || from.resume()));
  };
  const take = (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(newline); at !== -1; at = rest.indexOf(newline)) {
      const line = rest.subarray(0, at + 1);
      rest = rest.subarray(at + 1);
      if (overlong || see(line.subarray(0, -1).toString())) send(line);
      overlong = false;
    }
    if (rest.length <= longest) return;
    overlong = true;
    send(rest);
    rest = Buffer.alloc(0);
  };
  // Whoever read its beginning may have left it paused, and a listener alone does not change that.
  from.on("data", take).resume();
  return {
    stop() {
      stopped = true;
      from.off("data", take).pause();
      return rest;
    },
  };
}
