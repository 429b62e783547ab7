// A process of its own that records calls with 64 callers until it is killed: `killed-writer.ts FOLDER FIRST-CALL`. What became durable stands in FOLDER/acknowledged, an index and a leaf a line.

import { randomBytes } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { callDrafts } from "../../../bench/recorded.ts";
import { openTranscript } from "../../../src/transcript/record.ts";

const [folder = "", first = ""] = process.argv.slice(2);
const acknowledged = openSync(join(folder, "acknowledged"), "a");
const transcript = await openTranscript({
  folder,
  gateway: { version: "1", config: "", policy: "" },
  now: () => Date.now(),
  random: (count) => randomBytes(count),
  say: (sentence) => writeSync(2, `${sentence}\n`),
  segmentSize: 65_536,
  checkpointEvery: 20,
});
writeSync(1, "ready\n");

let next = Number(first);
async function caller(): Promise<void> {
  for (;;) {
    const drafts = callDrafts(next++);
    // As the gateway does: what lets a call in is durable before it runs, what ends it before it is answered.
    for (const part of [drafts.slice(0, 2), drafts.slice(2)]) {
      const receipts = await transcript.append(part);
      writeSync(acknowledged, receipts.map(({ index, leaf }) => `${index} ${leaf}\n`).join(""));
    }
  }
}
await Promise.all(Array.from({ length: 64 }, caller));
