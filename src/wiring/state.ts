// What the state folder holds, opened in its order: the transcript, the approvals, the agents' accounts, the gateway's own keys.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ApprovalStore } from "../approval/stores/contract.ts";
import { openKeptCalls, type KeptCalls } from "../approval/kept-calls.ts";
import { openLowdbStore } from "../approval/stores/lowdb.ts";
import type { BodyClass } from "../domain/entry.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { codeOf } from "../owner/folder.ts";
import { readKeys } from "../transcript/bodies.ts";
import { unlessAbsent } from "../transcript/files.ts";
import { unusable } from "../transcript/unusable.ts";
import { openTranscript, type Transcript, type TranscriptOptions } from "../transcript/record.ts";
import { fileWrapping, type KeyWrapping } from "../transcript/seal.ts";
import { openAccountsFile, type AccountsFile } from "./accounts-file.ts";
import { keptKey } from "./keys.ts";
import { cutOff } from "./results.ts";

export interface State {
  readonly transcript: Transcript;
  readonly store: ApprovalStore;
  readonly calls: KeptCalls;
  readonly accounts: AccountsFile;
  readonly keys: { readonly masking: Uint8Array; readonly digest: Uint8Array; readonly cursor: Uint8Array };
}

export interface StateOptions extends Omit<TranscriptOptions, "bodies"> {
  /** What is sealed beside the entries, under `keys/bodies.key`. */
  readonly seal: readonly BodyClass[];
}

/** The key that wraps the keys of bodies, from its file; made on first use, and never in the place of one that is gone. */
export async function ownWrapping(folder: string, random: (count: number) => Uint8Array): Promise<KeyWrapping> {
  const path = join(folder, "keys", "bodies.key");
  const wrapped = await readKeys(join(folder, "transcript", "bodies"));
  if (wrapped.length > 0 && (await unlessAbsent(stat(path))) === null)
    throw unusable(`${path} is missing, and bodies are sealed under it: put it back, or move transcript/bodies away`);
  return fileWrapping(await named(join(folder, "keys"), keptKey(folder, "bodies.key", random)), random);
}

/** How long ended requests are kept, and an answer waits for its caller, in milliseconds. */
const keep = 30 * 86_400_000;
const answerFor = 3_600_000;

/** Opens all of it, or none: a part that can't be trusted lets go of those before it. Faults: transcript_unavailable, internal, with the operator's sentence. */
export async function openState({ seal, ...options }: StateOptions): Promise<State> {
  const { folder, random } = options;
  const opened: { close(): Promise<void> }[] = [];
  try {
    const bodies = seal.length === 0 ? {} : { bodies: { wrapping: () => ownWrapping(folder, random), classes: seal } };
    const transcript = await openTranscript({ ...options, ...bodies }).catch(inFolder(folder));
    opened.push(transcript);
    const approvals = join(folder, "approvals");
    const store = await named(approvals, openLowdbStore({ folder: approvals, random, keep, answerFor }));
    opened.push(store);
    const kept = join(folder, "calls");
    const calls = await named(kept, openKeptCalls({ folder: kept, random, answerFor, now: options.now, cutOff }));
    const accounts = await named(join(folder, "accounts"), openAccountsFile(folder, random));
    const key = (name: string): Promise<Uint8Array> => named(join(folder, "keys"), keptKey(folder, name, random));
    const [masking, digest, cursor] = [await key("masking.key"), await key("digest.key"), await key("cursor.key")];
    return { transcript, store, calls, accounts, keys: { masking, digest, cursor } };
  } catch (thrown) {
    await Promise.allSettled(opened.map((one) => one.close()));
    throw thrown;
  }
}

/** Names the folder where the transcript's own sentence names only a file in it. */
function inFolder(folder: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof Faulted) || thrown.fault.cause.includes(folder)) throw thrown;
    const cause = `The transcript in ${folder} can't be used: ${thrown.fault.cause}.`;
    throw new Faulted({ ...thrown.fault, cause });
  };
}

/** What the operating system says of a folder, as a sentence for the operator. */
async function named<T>(folder: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (thrown) {
    if (!(thrown instanceof Error && "syscall" in thrown)) throw thrown;
    throw new Faulted(fault("internal", {}, `The folder ${folder} can't be used (${codeOf(thrown)}).`));
  }
}
