// What a gateway takes of the machine that it shares with a person's editor.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { promise } from "../support/promise.ts";

const run = promisify(execFile);
const held = JSON.stringify(join(import.meta.dirname, "../../src/memory.ts"));

/** Prints the MiB that the young generation came to, by turns of the event loop in which each thing lives for a while. */
const busy = `
  import { getHeapSpaceStatistics } from "node:v8";
  const memory = await import(${held});
  memory.holdMemory();
  memory.growUnderLoad();
  let [kept, most] = [[], 0];
  for (let turn = 0; turn < 3000; turn++) {
    kept.push(Array.from({ length: 4000 }, (_, index) => ({ index, text: String(index) })));
    if (kept.length > 60) kept = kept.slice(30);
    await new Promise((resolve) => setImmediate(resolve));
    const { space_size: size } = getHeapSpaceStatistics().find((one) => one.space_name === "new_space");
    most = Math.max(most, size / 1048576);
  }
  console.log(most);`;

promise(
  "commands:memory",
  "under load the young generation stays a fraction of what V8 would take, and can still grow",
  async () => {
    const own = Number((await run(process.execPath, ["--input-type=module", "-e", busy])).stdout);
    expect(own).toBeGreaterThan(2);
    // It is told after a collection: one more may have come in between. Left to itself V8 takes 128.
    expect(own).toBeLessThanOrEqual(32);
  },
);
