// What evidence commands answer to what is easily typed wrong: another folder, a word that no entry has, a day that is none.

import { readdir } from "node:fs/promises";
import { expect } from "vitest";
import { temporaryFolder } from "../contracts/transcript/support.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";

const runIn =
  (folder: string) =>
  async (...words: readonly string[]): Promise<readonly [number, string]> => {
    const { code, out, err } = await runCommand(words, { SALLYPORT_HOME: folder, HOME: folder });
    // What the parser of the command line refuses ends the program with 2 (src/main.ts), by whatever number it throws.
    return [err.startsWith("error: ") ? 2 : code, `${out}${err}`];
  };

const keeping: readonly (readonly string[])[] = [
  ["transcript", "hold", "place", "case-17", "--everything", "--reason", "incident of 3 March"],
  ["transcript", "hold", "release", "case-17", "--reason", "case closed"],
  ["transcript", "hold", "confirm", "case-17", "--reason", "as agreed"],
  ["transcript", "purge", "--due", "--why", "monthly", "--yes"],
  ["transcript", "rotate-key"],
];

promise("transcript:no-record-by-mistake", "holds, purges and keys", async () => {
  for (const words of keeping) {
    const folder = await temporaryFolder();
    const [code, said] = await runIn(folder)(...words);
    expect([words, code, said]).toEqual([
      words,
      1,
      `There is no transcript in ${folder}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`,
    ]);
    expect([words, await readdir(folder)]).toEqual([words, []]);
  }
});
