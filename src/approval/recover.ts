// After a restart: what ran out of time ends, what was cut off says so, what was approved may still start.

import type { StoredResult } from "../domain/approval.ts";
import type { Append } from "../domain/entry.ts";
import type { ApprovalStore, KeptRequest } from "./stores/contract.ts";
import { expireDue } from "./verdict.ts";

export interface Recovered {
  /** Approved and still valid: to be planned, decided and run by whoever starts calls. */
  readonly startable: readonly KeptRequest[];
  /** Spent by a process that ended before the answer was kept: never run again. */
  readonly cutOff: readonly KeptRequest[];
}

/** To be called once, before any call is governed. `cutOff` is the answer for calls that had begun: effect unknown. */
export async function recover(
  store: ApprovalStore,
  append: Append,
  now: number,
  cutOff: StoredResult,
): Promise<Recovered> {
  await expireDue(store, append, now);
  const begun = (await store.list(["spent"])).filter((one) => one.answer === "none");
  for (const { id } of begun) await store.storeResult(id, cutOff, now);
  return { startable: await store.list(["approved"]), cutOff: begun };
}
