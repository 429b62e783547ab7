// The record alone under kill -9: a writer with 64 callers dies at random moments, its opening among them, and another goes on. Eight times in npm test, as often as SALLYPORT_KILLS says in `npm run test:kills`.

import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { textAt, type JsonObject } from "../../../src/domain/json.ts";
import { leafHash } from "../../../src/transcript/tree.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import { linesIn, openIn, temporaryFolder } from "./support.ts";

const kills = Number(process.env["SALLYPORT_KILLS"] ?? 8);
const callsOfOneLife = 1_000_000;

interface Life {
  readonly ready: boolean;
  readonly said: string;
}

async function acknowledgedIn(folder: string): Promise<readonly string[]> {
  return (await readFile(join(folder, "acknowledged"), "utf8")).split("\n").slice(0, -1);
}

/** One writer from its start to its death; every fourth may die while it opens. */
async function oneLife(folder: string, number: number): Promise<Life> {
  const program = join(import.meta.dirname, "killed-writer.ts");
  const first = String(number * callsOfOneLife);
  const writer = spawn(process.execPath, [program, folder, first], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(writer, "exit");
  let said = "";
  writer.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ready = once(writer.stdout, "data").then(() => true);
  try {
    const ended = exited.then(() => false);
    const opened =
      number % 4 === 3 ? await Promise.race([ready, pause(randomInt(600), false)]) : await Promise.race([ready, ended]);
    if (opened) await pause(randomInt(400));
    // One of them lives until something was acknowledged, however slow the disk is.
    if (number === 0) while ((await acknowledgedIn(folder)).length <= kills) await pause(20);
    return { ready: opened, said };
  } finally {
    writer.kill("SIGKILL");
    await exited;
  }
}

promise(
  "transcript:killed-writer",
  `${kills} times with 64 callers: what was acknowledged is there, the tree is whole, and every unfinished call is marked`,
  async () => {
    const folder = await temporaryFolder();
    for (let life = 0; life < kills; life++) {
      const { ready, said } = await oneLife(folder, life);
      // The next one always opens, and finds what was kept to be right.
      expect([life, said, ready || life % 4 === 3]).toEqual([life, "", true]);
    }
    const transcript = await openIn(folder, { now: () => Date.now() });
    await transcript.close();
    const report = await verifyTranscript(folder, { now: Date.now() });
    expect([report.verdicts.filter((one) => one.verdict === "failed"), report.open]).toEqual([[], 0]);

    const lines = await linesIn(folder);
    const acknowledged = await acknowledgedIn(folder);
    const wrong = acknowledged.filter((one) => {
      const [index = "", leaf = ""] = one.split(" ");
      return leafHash(Buffer.from(lines[Number(index)] ?? "")).toString("hex") !== leaf;
    });
    expect(wrong).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(kills);

    const entries = lines.map((line) => JSON.parse(line) as JsonObject);
    const callsOf = (...kinds: string[]): Set<string> =>
      new Set(entries.filter((one) => kinds.includes(textAt(one, "kind"))).map((one) => textAt(one, "call")));
    const ended = callsOf("call.settled", "call.unknown");
    expect([...callsOf("call.received")].filter((call) => !ended.has(call))).toEqual([]);
    if (process.env["SALLYPORT_KILLS"] !== undefined)
      process.stdout.write(
        `${kills} kills: ${callsOf("call.received").size} calls, ${entries.length} entries, ${acknowledged.length} of them acknowledged, ${callsOf("call.unknown").size} calls marked unknown\n`,
      );
  },
  60_000 + kills * 20_000,
);
