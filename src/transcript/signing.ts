// When a head may be signed: one at a time, never while the clock stands before the last one.

import type { Checkpoints } from "./checkpoints.ts";
import { diskCause } from "./disk.ts";
import type { Tree } from "./tree.ts";
import type { Troubles } from "./troubles.ts";
import { unusable } from "./unusable.ts";

export interface Signing {
  /** When the newest head was signed, in milliseconds since 1970. */
  readonly signedAt: () => number;
  /** Signs the tree's head if it has grown. Faults: transcript_unavailable. */
  sign(): Promise<void>;
  /** The same, but only if it has grown by more than receipts of anchors. */
  round(): Promise<void>;
}

export interface SigningParts {
  readonly checkpoints: Checkpoints;
  readonly tree: Tree;
  readonly troubles: Troubles;
  readonly now: () => number;
  /** When the newest head on the disk was signed. */
  readonly signedAt: number;
  /** Entries up to the last that is more than an anchor's receipt. */
  readonly substance: () => number;
}

export function openSigning({ checkpoints, tree, troubles, now, signedAt, substance }: SigningParts): Signing {
  let newest = signedAt;
  let turn: Promise<void> = Promise.resolve();

  async function signNow(receiptsToo: boolean): Promise<void> {
    const time = now();
    if (time < newest) {
      troubles.begin("clock", `the clock stands ${newest - time} ms before the last checkpoint`);
      throw unusable("no checkpoint is signed while the clock stands before the last one");
    }
    const latest = checkpoints.latest();
    const grown = latest === null || (receiptsToo ? tree.size() : substance()) > latest.size;
    try {
      await checkpoints.publish(grown ? { size: tree.size(), root: tree.root() } : latest);
    } catch (thrown) {
      troubles.begin("checkpoint", `no checkpoint can be written: ${diskCause(thrown)}`);
      throw unusable(`no checkpoint can be written: ${diskCause(thrown)}`);
    }
    troubles.end("checkpoint");
    if (grown) newest = time;
  }

  function inTurn(receiptsToo: boolean): Promise<void> {
    const signed = turn.then(() => signNow(receiptsToo));
    turn = signed.catch(() => undefined);
    return signed;
  }

  return {
    signedAt: () => newest,
    sign: () => inTurn(true),
    round: () => inTurn(false),
  };
}
