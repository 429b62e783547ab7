// Takes calls' credentials back without letting a cluster that does not answer hold up the record of what they did.

import type { CallRequest } from "../domain/call.ts";
import type { Append } from "../domain/entry.ts";
import type { Issued } from "../pipeline.ts";
import { inTime } from "./in-time.ts";

export interface TakingBack {
  /**
   * The same credential. Its removal is waited for a moment; where that is too short `revoke` answers null, as if
   * there were nothing to remove, the call's end is put on record, and the removal's own entry follows it.
   */
  soon(issued: Issued, request: Pick<CallRequest, "id" | "principal" | "session">): Issued;
  /** Settles once no removal is on its way any more. */
  settled(): Promise<void>;
}

export interface TakingBackOptions {
  readonly append: Append;
  /** A removal that broke, or whose entry could not be written: the sweep's, and the next start's. */
  readonly lost: (thrown: unknown, call: string) => void;
  /** Milliseconds that a removal is waited for. */
  readonly patience?: number;
}

/** A removal takes some hundredths of a second; who stops the gateway gives it eight seconds for everything. */
const aMoment = 1_500;

export function openTakingBack({ append, lost, patience = aMoment }: TakingBackOptions): TakingBack {
  const goingOn = new Set<Promise<void>>();
  return {
    soon: (issued, { id: call, principal, session }) => ({
      ...issued,
      async revoke() {
        const removal = issued.revoke();
        const found = await inTime(patience, removal);
        if (found !== undefined) return found;
        const rest = removal
          .then(async (complete) => {
            const details = { grant: issued.grant.id, complete: complete === true };
            if (complete !== null) await append([{ kind: "grant.revoked", session, call, principal, details }]);
          })
          .catch((thrown: unknown) => lost(thrown, call))
          .finally(() => goingOn.delete(rest));
        goingOn.add(rest);
        return null;
      },
    }),
    async settled() {
      await Promise.all(goingOn);
    },
  };
}
