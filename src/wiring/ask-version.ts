// The smallest question to a cluster: is it there, does it take our identity, and what time does it say?

import { isRefused } from "../credentials/send.ts";
import { Faulted } from "../domain/fault.ts";
import type { Reach } from "./reach.ts";

/** With the identity that looks up facts: a cluster that no longer takes it is of no use either. Faults: those of the answer. */
export async function askVersion(
  { client, credentials }: Pick<Reach, "client" | "credentials">,
  signal: AbortSignal,
  dated?: (at: number | null) => void,
): Promise<void> {
  try {
    const authorization = await credentials.readIdentity(signal);
    await client.path("/version", { authorization, signal, ...(dated === undefined ? {} : { dated }) });
  } catch (thrown) {
    // As for a call: the next one mints another token.
    if (thrown instanceof Faulted && isRefused(thrown.fault)) await credentials.refused(null);
    throw thrown;
  }
}
