// The one-file verifier: built as it is published, run by the oldest Node that is at hand, in a folder where nothing else is.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { proofText, proveEntries } from "../../../src/transcript/proof.ts";
import { fileWrapping } from "../../../src/transcript/seal.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { buildVerifier } from "../../../toolchain/build-verifier.ts";
import { promise } from "../../support/promise.ts";
import { callId, openIn, plainRead, settled, temporaryFolder } from "./support.ts";

/** The system's own Node where it is one that the verifier promises to run on. */
function oldestNode(): string {
  const { stdout, status } = spawnSync("node", ["--version"], {
    encoding: "utf8",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  });
  const [major = 0, minor = 0] =
    /(\d+)\.(\d+)/
      .exec(stdout ?? "")
      ?.slice(1)
      .map(Number) ?? [];
  return status === 0 && (major > 20 || (major === 20 && minor >= 12)) ? "node" : process.execPath;
}

promise(
  "transcript:standalone",
  "says of a sound and of a changed record what the gateway's own says, and checks proofs",
  async () => {
    const [folder, alone] = [await temporaryFolder(), await temporaryFolder()];
    const secret = randomBytes(32);
    const wrapping = fileWrapping(secret, (count) => randomBytes(count));
    const transcript = await openIn(folder, {
      bodies: { wrapping: () => Promise.resolve(wrapping), classes: ["output"] },
    });
    await transcript.append(plainRead(callId(1)));
    await transcript.append([
      ...plainRead(callId(2)).slice(0, 2),
      { ...settled(callId(2)), body: { class: "output", text: "told" } } as never,
    ]);
    await transcript.close();

    const program = join(alone, "verify.mjs");
    expect(await buildVerifier(program)).toBeLessThan(142_000);
    const code = await readFile(program, "utf8");
    const imports = [...code.matchAll(/^import .* from "([^"]+)";$/gm)].map((one) => one[1]);
    expect(code.match(/\bimport\(|\brequire\(|\bfetch\(/g)).toBe(null);
    expect([...new Set(imports)].toSorted()).toEqual([
      "node:buffer",
      // For an anchor that is a git repository, and nothing else.
      "node:child_process",
      "node:crypto",
      "node:fs/promises",
      "node:path",
      "node:util",
    ]);

    const copy = join(alone, "copy");
    await cp(join(folder, "transcript"), copy, { recursive: true });
    await writeFile(join(alone, "bodies.key"), secret);
    const run = (...words: readonly string[]) => {
      const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: alone };
      const { status, stdout, stderr } = spawnSync(oldestNode(), [program, ...words], {
        cwd: alone,
        encoding: "utf8",
        env,
      });
      return { status, stdout, stderr };
    };
    const ours = async () =>
      JSON.parse(JSON.stringify(await verifyTranscript(copy, { now: Date.now(), unwrap: wrapping.unwrap }))) as unknown;
    const sound = run("copy", "--json", "--bodies-key", "bodies.key");
    expect([sound.status, JSON.parse(sound.stdout)]).toEqual([0, await ours()]);
    expect(run("copy").stdout).toContain("BODIES        ok");

    const segment = join(copy, "segments", "00000000.ndjson");
    const text = await readFile(segment, "utf8");
    await writeFile(segment, text.replace("objects_list", "objects_gist"));
    const changed = run("copy", "--json", "--bodies-key", "bodies.key");
    expect([changed.status, JSON.parse(changed.stdout)]).toEqual([3, await ours()]);

    const [proof] = await proveEntries(folder, [1]);
    if (proof === undefined) return;
    await writeFile(join(alone, "one.tlog-proof"), proofText(proof));
    expect(run("one.tlog-proof", "--key", "copy/log.vkey")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Proved: entry 1 of /),
    });
    await writeFile(join(alone, "one.tlog-proof"), proofText({ ...proof, index: 2 }));
    expect(run("one.tlog-proof", "--key", "copy/log.vkey").status).toBe(3);
    await mkdir(join(alone, "empty"));
    expect([run().status, run("empty").status, run("none").status, run("copy", "--kye", "x").status]).toEqual([
      2, 1, 1, 2,
    ]);
  },
);
