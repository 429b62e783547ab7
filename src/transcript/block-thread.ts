// A thread that measures whole files for `threads.ts`: it takes the next file that nobody has taken, and waits where its blocks are not judged as fast as it reads.

import { parentPort, workerData } from "node:worker_threads";
import { openBlocks, type BlockRoom } from "./blocks.ts";
import { mostAhead, nextFile, roomsIn, takenBlocks, type FromThread, type ThreadTask } from "./thread-talk.ts";

const { files, counters, memory, number } = workerData as ThreadTask;
const rooms = roomsIn(memory);
const taken = takenBlocks(number);
const visitBlocks = openBlocks(freeRoom);
let posted = 0;

for (let file = Atomics.add(counters, nextFile, 1); file < files.length; file = Atomics.add(counters, nextFile, 1)) {
  let lines = 0;
  const rest = await visitBlocks(files[file] as string, ({ count, problems }) => {
    say({ kind: "block", file, first: lines, count, room: posted++ % mostAhead, problems });
    lines += count;
  });
  say({ kind: "end", file, lines, rest });
}
say({ kind: "done" });

/** The room for the next block, once the one that lay there was judged. */
function freeRoom(): BlockRoom {
  for (let of = Atomics.load(counters, taken); posted - of >= mostAhead; of = Atomics.load(counters, taken))
    Atomics.wait(counters, taken, of);
  return rooms[posted % mostAhead] as BlockRoom;
}

function say(message: FromThread): void {
  parentPort?.postMessage(message, []);
}
