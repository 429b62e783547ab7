// What the state folder holds, opened in its order: the transcript, the approvals, the gateway's own keys.

import { join } from "node:path";
import type { ApprovalStore } from "../approval/stores/contract.ts";
import { openLowdbStore } from "../approval/stores/lowdb.ts";
import { openTranscript, type Transcript, type TranscriptOptions } from "../transcript/record.ts";
import { keptKey } from "./keys.ts";

export interface State {
  readonly transcript: Transcript;
  readonly store: ApprovalStore;
  readonly keys: { readonly masking: Uint8Array; readonly digest: Uint8Array; readonly cursor: Uint8Array };
}

/** How long ended requests are kept, and an answer waits for its caller, in milliseconds. */
const keep = 30 * 86_400_000;
const answerFor = 3_600_000;

/** Opens all of it, or none: a part that can't be trusted lets go of those before it. Faults: transcript_unavailable, internal, with the operator's sentence. */
export async function openState(options: TranscriptOptions): Promise<State> {
  const { folder, random } = options;
  const opened: { close(): Promise<void> }[] = [];
  try {
    const transcript = await openTranscript(options);
    opened.push(transcript);
    const store = await openLowdbStore({ folder: join(folder, "approvals"), random, keep, answerFor });
    opened.push(store);
    const [masking, digest, cursor] = [
      await keptKey(folder, "masking.key", random),
      await keptKey(folder, "digest.key", random),
      await keptKey(folder, "cursor.key", random),
    ];
    return { transcript, store, keys: { masking, digest, cursor } };
  } catch (thrown) {
    await Promise.allSettled(opened.map((one) => one.close()));
    throw thrown;
  }
}
