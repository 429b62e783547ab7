// One writer at a time over all processes, by a lock that dies with its holder.

import { closeSync, openSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";
import { fault, Faulted } from "../domain/fault.ts";

export interface Lock {
  /** Runs `work` while no other holder, here or in another process, does. Fault: internal, after ten seconds of waiting. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

const busy = 5; // SQLITE_BUSY
const longestWait = 10_000;
const longestPause = 16;

/**
 * An exclusive transaction on an empty SQLite database: the kernel drops it with the process, so that kill -9 leaves
 * nothing to clean up, as a file with a process id in it would.
 */
export function openLock(path: string): Lock {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 0 });
  return {
    async hold(work) {
      await begin(database);
      try {
        return await work();
      } finally {
        database.exec("ROLLBACK");
      }
    },
    close() {
      if (database.isOpen) database.close();
    },
  };
}

async function begin(database: DatabaseSync): Promise<void> {
  let wait = 1;
  for (let waited = 0; waited <= longestWait; waited += wait) {
    if (attempt(database)) return;
    await pause(wait);
    wait = Math.min(wait * 2, longestPause);
  }
  throw new Faulted(fault("internal", {}, "another process has kept the approvals locked for ten seconds"));
}

function attempt(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === busy) return false;
    throw error;
  }
}
