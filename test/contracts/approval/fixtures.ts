// What the approval tests work with: a folder that goes away, a store in it, a transcript in memory.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openLowdbStore } from "../../../src/approval/stores/lowdb.ts";
import type { ApprovalStore } from "../../../src/approval/stores/contract.ts";
import type { ApprovalRequest } from "../../../src/domain/approval.ts";
import type { Append, EntryDraft } from "../../../src/domain/entry.ts";
import { fault, Faulted } from "../../../src/domain/fault.ts";
import { day, hour, random } from "./matter.ts";

export * from "./matter.ts";

/** A transcript that keeps its entries in a list and can be made to fail. */
export function transcript(): {
  readonly entries: EntryDraft[];
  readonly append: Append;
  readonly breakDown: () => void;
} {
  const entries: EntryDraft[] = [];
  let broken = false;
  return {
    entries,
    append: (drafts) => {
      if (broken) return Promise.reject(new Faulted(fault("transcript_unavailable")));
      entries.push(...drafts);
      return Promise.resolve(drafts.map((_draft, index) => ({ index, leaf: "" })));
    },
    breakDown: () => {
      broken = true;
    },
  };
}

/** `approval.decided pending`, `approval.spent`: what the transcript says, in few words. */
export function kinds(entries: readonly EntryDraft[]): readonly string[] {
  return entries.map((entry) =>
    entry.kind === "approval.decided" ? `${entry.kind} ${entry.details.state}` : entry.kind,
  );
}

/** A folder of this test alone. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "sallyport-approval-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "approvals");
}

export async function openStore(at: string = folder()): Promise<ApprovalStore> {
  const store = await openLowdbStore({ folder: at, random, keep: 30 * day, answerFor: hour });
  onTestFinished(async () => {
    await store.close();
  });
  return store;
}

/** Keeps a request as it is: what `seek` does, without its entry. */
export async function keep(store: ApprovalStore, made: ApprovalRequest): Promise<ApprovalRequest> {
  await store.insert(
    made,
    () => false,
    () => Promise.resolve(),
  );
  return made;
}
