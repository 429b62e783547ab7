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
}

export interface SigningParts {
  readonly checkpoints: Checkpoints;
  readonly tree: Tree;
  readonly troubles: Troubles;
  readonly now: () => number;
  /** When the newest head on the disk was signed. */
  readonly signedAt: number;
}

export function openSigning({ checkpoints, tree, troubles, now, signedAt }: SigningParts): Signing {
  let newest = signedAt;
  let turn: Promise<void> = Promise.resolve();

  async function signNow(): Promise<void> {
    const time = now();
    if (time < newest) {
      troubles.begin("clock", `the clock stands ${newest - time} ms before the last checkpoint`);
      throw unusable("no checkpoint is signed while the clock stands before the last one");
    }
    const grown = checkpoints.latest()?.size !== tree.size();
    try {
      await checkpoints.publish({ size: tree.size(), root: tree.root() });
    } catch (thrown) {
      troubles.begin("checkpoint", `no checkpoint can be written: ${diskCause(thrown)}`);
      throw unusable(`no checkpoint can be written: ${diskCause(thrown)}`);
    }
    troubles.end("checkpoint");
    if (grown) newest = time;
  }

  return {
    signedAt: () => newest,
    sign() {
      const signed = turn.then(signNow);
      turn = signed.catch(() => undefined);
      return signed;
    },
  };
}
