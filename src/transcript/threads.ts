// Measures the blocks of several files in threads, and hands them out in one: in their order, each once, none left out.

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Faulted } from "../domain/fault.ts";
import { visitFiles, type BlockRoom, type FilesVisit, type VisitFiles } from "./blocks.ts";
import { makeMemory, roomsIn, takenBlocks, type FileMessage, type FromThread, type ThreadTask } from "./thread-talk.ts";
import { unusable } from "./unusable.ts";

export interface Threads {
  /** How many; with fewer than two all work is done by the caller's. */
  readonly count: number;
  /** What each of them runs. */
  readonly file: URL;
}

/** As many threads as there are cores. More than four could not be kept busy by the one that judges. */
export function ownThreads(cores: number): Threads {
  // Beside this file, among the sources as among what is built of them.
  return { count: Math.min(cores, 4), file: new URL(`block-thread${extname(import.meta.url)}`, import.meta.url) };
}

/** Milliseconds in which some thread must be heard of while one is waited for. A block takes a hundredth of a second. */
const longestSilence = 60_000;

/**
 * Visits files by threads. Faults: transcript_unavailable where one does not do what it has to, or nothing is heard of
 * any for `silence` milliseconds while one is waited for: then nothing is known of the files.
 */
export function inThreads(threads: Threads, silence = longestSilence): VisitFiles {
  return async (files, visit) =>
    await (Math.min(threads.count, files.length) > 1
      ? visitInThreads(files, threads, silence, visit)
      : visitFiles(files, visit));
}

async function visitInThreads(
  files: readonly string[],
  threads: Threads,
  silence: number,
  visit: FilesVisit,
): Promise<void> {
  const count = Math.min(threads.count, files.length);
  const counters = new Int32Array(new SharedArrayBuffer(4 * takenBlocks(count)));
  const memories = Array.from({ length: count }, makeMemory);
  const rooms = memories.map(roomsIn);
  const mail = openMail(files.length, silence);
  const workers = memories.map((memory, number) =>
    startThread(threads.file, { files, counters, memory, number }, mail),
  );
  try {
    for (const file of files.keys()) {
      let lines = 0;
      for (let { sent, by } = await mail.next(file); ; { sent, by } = await mail.next(file)) {
        if (lines !== (sent.kind === "end" ? sent.lines : sent.first)) throw broken("left lines out");
        if (sent.kind === "end") {
          visit.end(file, sent.rest);
          break;
        }
        const { count, problems } = sent;
        visit.block({ ...(rooms[by]?.[sent.room] as BlockRoom), count, problems }, file);
        lines += count;
        Atomics.add(counters, takenBlocks(by), 1);
        Atomics.notify(counters, takenBlocks(by));
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Its environment is empty: it needs none. */
function startThread(runs: URL, workerData: ThreadTask, mail: Mail): Worker {
  const worker = new Worker(runs, { workerData, execArgv: [], env: {} });
  let isDone = false;
  worker.on("message", (message: FromThread) => {
    if (message.kind === "done") isDone = true;
    else mail.put({ sent: message, by: workerData.number });
  });
  worker.on("messageerror", () => mail.fail(broken("sent what can't be read")));
  worker.on("error", (thrown) => mail.fail(isOfSystem(thrown) ? thrown : broken("failed")));
  worker.on("exit", () => {
    if (!isDone) mail.fail(broken("ended before its work was done"));
  });
  return worker;
}

interface Letter {
  readonly sent: FileMessage;
  /** The thread that sent it. */
  readonly by: number;
}

interface Mail {
  put(letter: Letter): void;
  /** From now on nothing is handed out. */
  fail(why: Error): void;
  /** The next one about a file. Rejects with what failed, and where nothing comes of any file for too long. */
  next(file: number): Promise<Letter>;
}

function openMail(files: number, silence: number): Mail {
  const letters = Array.from({ length: files }, (): Letter[] => []);
  let failure: Error | null = null;
  let wake = (): void => undefined;
  /** Did something come before the time was over? */
  const wakes = (time: number): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), time);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  return {
    put(letter) {
      letters[letter.sent.file]?.push(letter);
      wake();
    },
    fail(why) {
      failure ??= why;
      wake();
    },
    async next(file) {
      for (let waits = 0; ;) {
        if (failure !== null) throw failure;
        const letter = letters[file]?.shift();
        if (letter !== undefined) return letter;
        // By halves: where this process itself was stopped, what came meanwhile is found between the two.
        waits = (await wakes(silence / 2)) ? 0 : waits + 1;
        if (waits === 2) throw broken("was not heard of any more");
      }
    },
  };
}

/** Did the operating system refuse to read a file? */
function isOfSystem(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "syscall" in thrown;
}

function broken(how: string): Faulted {
  return unusable(
    `a thread of the verification ${how}: nothing is known of the record by that; verify it again, or with verify.mjs, which uses none`,
  );
}
