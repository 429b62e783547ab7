// `sallyport mask`: what a person sees of their own logs.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect } from "vitest";
import { maskCommand } from "../../../src/commands/mask.ts";
import { promise } from "../../support/promise.ts";

async function run(input: string, ...words: string[]): Promise<{ out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    input: Readable.from([Buffer.from(input)]),
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    random: (count: number) => new Uint8Array(count).fill(9),
    signal: new AbortController().signal,
  };
  await maskCommand(io).parseAsync(words, { from: "user" });
  return { out, err };
}

const log = "ready\npassword=hunter2 user=bob\nAuthorization: Bearer abc123def456\n";

describe("sallyport mask", () => {
  promise("masking:text", "masks standard input and counts on standard error", async () => {
    expect(await run(log)).toEqual({
      out: "ready\npassword=[MASKED:password] user=bob\nAuthorization: Bearer [MASKED:authorization]\n",
      err: "Masked: 1 authorization, 1 password.\n",
    });
    expect(await run("ready\n")).toEqual({ out: "ready\n", err: "Nothing was masked.\n" });
  });

  promise("masking:text", "--why names line, type and check, never the value", async () => {
    expect(await run(log, "--why")).toEqual({
      out: "line 2: password (name:password)\nline 3: authorization (header)\n",
      err: "",
    });
  });

  promise("masking:structure", "--object masks JSON as an object", async () => {
    const { out } = await run('{"kind":"Secret","data":{"a":"YQ=="}}', "--object");
    expect(JSON.parse(out)).toEqual({ kind: "Secret", data: { a: "[MASKED:secret]" } });
    await expect(run("[1]", "--object")).rejects.toThrow("The input is not a JSON object.");
    await expect(run("{", "--object")).rejects.toThrow("The input is not valid JSON.");
  });

  promise("masking:profiles", "--profile adds a profile, and a bad one is told apart", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "sallyport-mask-")), "profile.yaml");
    writeFileSync(path, "version: 1\npersonal: [email]\n");
    expect((await run("to bob@example.com\n", "--profile", path)).out).toMatch(
      /^to \[MASKED:email(?::[0-9a-f]{8})?\]\n$/,
    );
    writeFileSync(path, "version: 3\n");
    await expect(run("x", "--profile", path)).rejects.toThrow("version");
    await expect(run("x", "--profile", `${path}.none`)).rejects.toThrow("can't be read");
  });
});
