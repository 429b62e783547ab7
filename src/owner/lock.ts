// One owner process a state folder: an exclusive SQLite transaction that is held open, so that the lock dies with its process.

import { chmodSync } from "node:fs";
import { join } from "node:path";
import { prepareFolder } from "./folder.ts";

declare const held: unique symbol;

/** Proof that this process owns the state folder. */
export interface OwnerLock {
  readonly [held]: true;
  readonly folder: string;
  release(): void;
}

export type TakenLock =
  | { readonly kind: "taken"; readonly lock: OwnerLock }
  /** Another process owns the folder. */
  | { readonly kind: "busy" }
  | { readonly kind: "refused"; readonly sentence: string };

/**
 * Takes the lock or says who has it; never waits. The operating system lets go of it when the process ends, however it
 * ends. Nothing else may open `owner.lock`: closing any other descriptor of it in this process would drop the lock
 * (POSIX, fcntl: record locks).
 */
export async function takeLock(folder: string, uid: number): Promise<TakenLock> {
  const problem = prepareFolder(folder, uid);
  if (problem !== "") return { kind: "refused", sentence: problem };
  // Loaded here, so that a relay or a command that only asks never loads it.
  const { DatabaseSync } = await import("node:sqlite");
  const path = join(folder, "owner.lock");
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path);
    chmodSync(path, 0o600);
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (thrown) {
    database?.close();
    if (isBusy(thrown)) return { kind: "busy" };
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { kind: "refused", sentence: `The lock ${path} can't be taken (${why}).` };
  }
  const open = database;
  const lock = { folder, release: () => (open.isOpen ? open.close() : undefined) };
  return { kind: "taken", lock: lock as OwnerLock };
}

/** SQLITE_BUSY (SQLite, "Result and error codes"). */
function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && "errcode" in thrown && thrown.errcode === 5;
}
