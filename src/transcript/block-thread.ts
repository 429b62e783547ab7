// A thread that measures whole files for `threads.ts`: it takes the next file that nobody has taken, and waits where its blocks are not judged as fast as it reads.

import { parentPort, workerData } from "node:worker_threads";
import { visitBlocks } from "./blocks.ts";
import { mostAhead, nextFile, placeIn, takenBlocks, type FromThread, type ThreadTask } from "./thread-talk.ts";
import { rowLength } from "./rows.ts";

const { files, counters, room, number } = workerData as ThreadTask;
const places = Array.from({ length: mostAhead }, (_, place) => placeIn(room, place));
const taken = takenBlocks(number);
let posted = 0;

for (let file = Atomics.add(counters, nextFile, 1); file < files.length; file = Atomics.add(counters, nextFile, 1)) {
  let lines = 0;
  const rest = await visitBlocks(files[file] as string, ({ bytes, count, rows, leaves, problems }) => {
    for (let of = Atomics.load(counters, taken); posted - of >= mostAhead; of = Atomics.load(counters, taken))
      Atomics.wait(counters, taken, of);
    const place = posted++ % mostAhead;
    places[place]?.bytes.set(bytes);
    places[place]?.rows.set(rows.subarray(0, count * rowLength));
    places[place]?.leaves.set(leaves.subarray(0, count * 32));
    say({ kind: "block", file, first: lines, count, place, problems });
    lines += count;
  });
  say({ kind: "end", file, lines, rest });
}
say({ kind: "done" });

function say(message: FromThread): void {
  parentPort?.postMessage(message, []);
}
