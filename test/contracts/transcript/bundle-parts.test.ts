// What stands in a bundle: bodies for one key, policies by digest, explanations beside the entries; and bundles that are large, or checked by others.

import { spawnSync } from "node:child_process";
import { cp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import { destroyKeys, readKeys } from "../../../src/transcript/bodies.ts";
import { storeTree } from "../../../src/transcript/stored-tree.ts";
import { consistencyProof, inclusionProof, leafHash, rootOf } from "../../../src/transcript/tree.ts";
import { ownWrapping } from "../../../src/wiring/state.ts";
import { promise } from "../../support/promise.ts";
import { independent, runIndependent } from "./independent.ts";
import {
  answersOf,
  bundled,
  copied,
  failed,
  linesOf,
  oldestNode,
  place,
  random,
  policy,
  refit,
  saysOf,
  verified,
} from "./bundles.ts";
import { callId, digest, draft, openIn, plainRead, quickDisk, session, start } from "./support.ts";

promise("bundle:bodies", "for the auditor's key, for another key, for none, and where they were left out", async () => {
  const here = await place();
  const secrets = ["auditor.secret", "other.secret"].map((name) => join(here.beside, name));
  const [recipient] = [
    (await here.run("auditor-key", secrets[0] ?? "")).out.trim(),
    await here.run("auditor-key", secrets[1] ?? ""),
  ];
  const bundle = await bundled(here, "--session", session, "--bodies", "output", "--recipient", recipient);
  // Only the bodies of what was asked for are there, and only their keys.
  expect((await linesOf(bundle, "bodies/00000000.sealed")).length).toBe(2);
  expect(
    (await linesOf(bundle, "bodies/keys.ndjson")).map((line) => (JSON.parse(line) as { sid: string }).sid),
  ).toEqual([session]);
  const own = join(here.folder, "keys", "bodies.key");
  const says = async (...words: readonly string[]): Promise<string> => {
    const report = await verified(here, bundle, ...words);
    return `${answersOf(report)["BODIES"]}: ${saysOf(report, "BODIES")}`;
  };
  expect(await says("--bodies-key", secrets[0] ?? "")).toBe(
    "ok: 2 bodies are there unchanged (2 opened with your key).",
  );
  expect(await says()).toBe("ok: 2 bodies are there unchanged (sealed; you gave no key to open them).");
  for (const key of [secrets[1] ?? "", own])
    expect(await says("--bodies-key", key)).toMatch(
      /^ok: 2 bodies are there unchanged \(sealed; .*They are for x25519:[0-9a-f]{16}, and your key is /,
    );
  const without = await verified(here, await bundled(here, "--session", session));
  expect([answersOf(without)["BODIES"], saysOf(without, "BODIES")]).toEqual([
    "not-checked",
    "No entry refers to a sealed body. 2 were left out, as the manifest says.",
  ]);
  const arguments_ = await verified(
    here,
    await bundled(here, "--session", session, "--bodies", "arguments", "--recipient", recipient),
  );
  expect([failed(arguments_), answersOf(arguments_)["BODIES"]]).toEqual([[], "not-checked"]);
});

promise("bundle:bodies", "what was purged is said to be, by the entry that stands beside", async () => {
  const here = await place();
  const secret = join(here.beside, "auditor.secret");
  const recipient = (await here.run("auditor-key", secret)).out.trim();
  const folder = join(here.folder, "transcript", "bodies");
  const keys = (await readKeys(folder)).filter(({ sid }) => sid === session).map(({ key }) => key);
  const transcript = await openIn(here.folder, { now: () => start + 86_400_000, disk: quickDisk });
  const details = { keys, classes: ["output"], before: "", session, why: "asked for by the customer" };
  await transcript.append([draft("retention.purged", null, details)]);
  await transcript.close();
  await destroyKeys(quickDisk, folder, new Set(keys));
  const bundle = await bundled(here, "--session", session, "--bodies", "all", "--recipient", recipient);
  const report = await verified(here, bundle, "--bodies-key", secret);
  expect([failed(report), saysOf(report, "BODIES")]).toEqual([
    [],
    expect.stringContaining("2 were purged, each by an entry"),
  ]);
  // Without that entry they are missing.
  const copy = await copied(bundle);
  for (const name of ["entries.ndjson", "proofs.txt"]) {
    const lines = await linesOf(copy, name);
    const at = (await linesOf(bundle, "entries.ndjson")).findIndex((line) =>
      line.includes('"kind":"retention.purged"'),
    );
    await writeFile(
      join(copy, name),
      lines
        .toSpliced(at, 1)
        .map((line) => `${line}\n`)
        .join(""),
    );
  }
  await refit(copy);
  expect(failed(await verified(here, copy, "--bodies-key", secret))).toEqual(["INTEGRITY", "BODIES", "COMPLETENESS"]);
});

promise("bundle:policies", "by digest, and those that were not kept are named", async () => {
  const here = await place();
  const bundle = await bundled(here, "--session", session);
  expect(await readdir(join(bundle, "policies"))).toEqual([`${policy.digest}.json`]);
  expect(await readFile(join(bundle, "policies", `${policy.digest}.json`), "utf8")).toBe(policy.text);
  const { policiesMissing } = JSON.parse(await readFile(join(bundle, "manifest.json"), "utf8")) as {
    policiesMissing: string[];
  };
  expect(policiesMissing).toEqual([digest("b")]);
  expect(saysOf(await verified(here, bundle), "INTEGRITY")).toContain(
    "Of 1 policies that entries name the text was not kept",
  );
});

promise(
  "bundle:selection",
  "beside the entries: comparisons of their time, and heads that are kept elsewhere",
  async () => {
    const compared = (from: string, to: string, theft = 0): EntryDraft =>
      draft("reconcile.ran", null, {
        cluster: "prod",
        from,
        to,
        log: digest("f"),
        events: 10,
        namespaces: ["shop"],
        calls: 3,
        theft,
        bypass: 0,
        missing: 0,
        differ: 0,
      });
    const within = ["2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"] as const;
    const before = ["2026-02-01T00:00:00.000Z", "2026-02-02T00:00:00.000Z"] as const;
    const reads = plainRead(callId(1));
    const sound = await place([reads, [compared(...before, 1), compared(...within)]]);
    const report = await verified(sound, await bundled(sound, "--tool", "objects_list", "--whole-calls"));
    expect([failed(report), report.entries, saysOf(report, "COMPLETENESS")]).toEqual([
      [],
      4,
      expect.stringContaining("Compared with the API server's own audit log 1 times"),
    ]);
    const stolen = await place([reads, [compared(...within, 2)]]);
    const found = await verified(stolen, await bundled(stolen, "--tool", "objects_list"));
    expect([failed(found), saysOf(found, "COMPLETENESS")]).toEqual([
      ["COMPLETENESS"],
      expect.stringContaining("2 effects by our identities"),
    ]);
    // A receipt of an anchor: whoever fetches that head can hold it against the bundle.
    const kept = await place([reads]);
    const anchor = join(kept.beside, "anchored");
    await cp(join(kept.folder, "transcript", "checkpoint"), anchor);
    const [, size = "", root = ""] = (await readFile(anchor, "utf8")).split("\n");
    const transcript = await openIn(kept.folder, { now: () => Date.now(), disk: quickDisk });
    const details = {
      anchor: "wall",
      destination: "file",
      place: "wall.txt",
      size: Number(size),
      root: Buffer.from(root, "base64").toString("hex"),
      at: within[1],
      receipt: {},
    };
    await transcript.append([draft("checkpoint.anchored", null, details), ...plainRead(callId(9))]);
    await transcript.close();
    const anchored = await bundled(kept, "--tool", "objects_list", "--until", "2026-03-02");
    const held = await verified(kept, anchored, "--anchor", anchor);
    expect([failed(held), answersOf(held)["EXTENT"]]).toEqual([[], "ok"]);
    expect(await readdir(join(anchored, "heads"))).toEqual([`${size}.checkpoint`, `${size}.consistency`]);
  },
);

promise("bundle:independent", "the tree that keeps its nodes proves what RFC 6962 says", () => {
  const leaves = Array.from({ length: 70 }, (_, number) => leafHash(Buffer.from(String(number))));
  const tree = storeTree();
  for (const leaf of leaves) tree.grow(leaf);
  const hex = (hashes: readonly Uint8Array[]): readonly string[] =>
    hashes.map((one) => Buffer.from(one).toString("hex"));
  for (let size = 0; size <= leaves.length; size++) {
    const some = leaves.slice(0, size);
    expect(hex([tree.rootAt(size)])).toEqual(hex([rootOf(some)]));
    for (const index of some.keys()) {
      expect(hex(tree.inclusion(index, size))).toEqual(hex(inclusionProof(some, index)));
      expect(hex(tree.consistency(index + 1, size))).toEqual(hex(consistencyProof(some, index + 1)));
    }
  }
  expect(() => tree.inclusion(70, 70)).toThrow(RangeError);
  expect(() => tree.consistency(0, 70)).toThrow(RangeError);
  expect(() => tree.rootAt(71)).toThrow(RangeError);
});

const program = independent("bundles");

describe.skipIf("skip" in program)(
  `with golang.org/x/mod/sumdb${"skip" in program ? ` (skipped: ${program.skip})` : ""}`,
  () => {
    promise("bundle:independent", "sound, with a rotation and an anchor, and after each kind of change", async () => {
      const here = await place();
      const anchor = join(here.beside, "anchor");
      await cp(join(here.folder, "transcript", "checkpoint"), anchor);
      const first = (await readFile(join(here.folder, "transcript", "log.vkey"), "utf8")).trim();
      await here.run("rotate-key");
      const bundle = await bundled(here, "--session", session, "--anchor", anchor);
      const second = (await readFile(join(bundle, "log.vkey"), "utf8")).trim();
      const [, size, root] = (await readFile(join(bundle, "checkpoint"), "utf8")).split("\n");
      expect(runIndependent(program, "bundle", bundle, first, second)).toBe(
        `15 under ${size} ${root}, 2 earlier heads`,
      );
      expect(runIndependent(program, "proof", join(bundle, "rotations", "0001.tlog-proof"), first)).toMatch(
        /^\d+ of \d+$/,
      );
      expect(runIndependent(program, "bundle", bundle, first)).toMatch(/^failed: /);
      const changes: readonly (readonly [string, string | RegExp, string])[] = [
        ["entries.ndjson", "objects_list", "objects_gist"],
        ["proofs.txt", /^\d+/, "99"],
        ["proofs.txt", /.*\n/, ""],
        ["manifest.json", "audit of March", "audit of April"],
        ["handed-out.consistency", /.*\n/, ""],
        ["checkpoint", /^(.*)\n\d+/, "$1\n7"],
      ];
      for (const [name, from, to] of changes) {
        const copy = await copied(bundle);
        await writeFile(join(copy, name), (await readFile(join(copy, name), "utf8")).replace(from, to));
        expect([name, runIndependent(program, "bundle", copy, first, second)]).toEqual([
          name,
          expect.stringMatching(/^failed: /),
        ]);
      }
    });
  },
);

promise(
  "bundle:large",
  "with a heap that could not hold it",
  async () => {
    const calls = 10_000;
    const drafts = Array.from({ length: 100 }, (_, batch) =>
      Array.from({ length: calls / 100 }, (_one, number) => plainRead(callId(batch * 1000 + number))).flat(),
    );
    const here = await place(drafts);
    const bundle = await bundled(here);
    expect((await stat(join(bundle, "entries.ndjson"))).size).toBeGreaterThan(20_000_000);
    // What is remembered of each call takes some of it; the entries alone would take more than all of it.
    const heap = ["--max-old-space-size=24", "--max-semi-space-size=2"];
    const verify = (...words: readonly string[]) =>
      spawnSync(oldestNode(), [...heap, join(here.beside, "dist", "verify.mjs"), ...words], { encoding: "utf8" });
    const { status, stdout, stderr } = verify(bundle, "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout) as Parameters<typeof failed>[0];
    expect([failed(report), report.entries >= calls * 3]).toEqual([[], true]);
    // One changed byte among them is found.
    const entries = join(bundle, "entries.ndjson");
    const bytes = await readFile(entries);
    bytes[bytes.lastIndexOf("objects_list")] = 0x4f;
    await writeFile(entries, bytes);
    expect(verify(bundle).status).toBe(3);
    await rm(bundle, { recursive: true });
  },
  600_000,
);

promise(
  "transcript:purged-said",
  "a bundle holds no purged entry, and says which of a session or a period are",
  async () => {
    const here = await place();
    let now = start;
    const transcript = await openIn(here.folder, {
      now: () => now,
      disk: quickDisk,
      bodies: { wrapping: () => ownWrapping(here.folder, random), classes: ["output"] },
    });
    for (let week = 0; week < 7; week++) {
      now += 6 * 86_400_000;
      await transcript.append([draft("alert.raised", null, { alert: "x", about: {} })]);
    }
    await transcript.append(plainRead(callId(7)));
    const due = {
      before: "",
      session: "",
      classes: ["output"],
      why: "old",
      due: { arguments: 1, diff: 1, output: 1 },
    } as const;
    expect((await transcript.keeping.purge({ ...due, envelopes: 30 }, null)).envelopes?.entries).toBeGreaterThan(15);
    await transcript.close();
    const [ofSession, ofAll, recent] = [
      await bundled(here, "--session", session),
      await bundled(here, "--until", "2030-01-01"),
      await bundled(here, "--since", "2026-03-13"),
    ];
    for (const bundle of [ofSession, ofAll, recent])
      expect((await linesOf(bundle, "entries.ndjson")).filter((line) => !line.startsWith("{"))).toEqual([]);
    const says = async (bundle: string): Promise<readonly unknown[]> => {
      const report = await verified(here, bundle);
      return [failed(report), saysOf(report, "COMPLETENESS")];
    };
    expect([await says(ofSession), await says(ofAll), await says(recent)]).toEqual([
      [
        [],
        expect.stringMatching(
          /^Session ses_.* is here to number \d+, but \d+ entries that were purged, as entries here say\./,
        ),
      ],
      [
        [],
        expect.stringMatching(
          /^Every entry of the log from 0 to \d+ is here, but 19 that were purged, as entries here say, and/,
        ),
      ],
      [
        [],
        expect.stringMatching(
          /^Every entry of the log from 22 to \d+ is here, and those right before them were purged, and/,
        ),
      ],
    ]);
    // Without the entry that says so, they are missing.
    const copy = await copied(ofSession);
    const at = (await linesOf(ofSession, "entries.ndjson")).findIndex((line) => line.includes('"envelopes"'));
    for (const name of ["entries.ndjson", "proofs.txt"]) {
      const left = (await linesOf(copy, name)).toSpliced(at, 1);
      await writeFile(join(copy, name), left.map((line) => `${line}\n`).join(""));
    }
    await refit(copy);
    expect(failed(await verified(here, copy))).toEqual(["INTEGRITY", "ORDER", "COMPLETENESS"]);
  },
);

promise(
  "bundle:clock",
  "a step of the clock is told of in what was asked for, or found, or said to be open",
  async () => {
    const here = await place([]);
    let now = start + 3_600_000;
    const transcript = await openIn(here.folder, { now: () => now, disk: quickDisk });
    await transcript.append(plainRead(callId(7)));
    now -= 600_000;
    await transcript.append(plainRead(callId(8)));
    now += 1_200_000;
    await transcript.append([draft("alert.raised", null, { alert: "x", about: {} })]);
    await transcript.close();
    const [ofSession, ofAll] = [
      await bundled(here, "--session", session),
      await bundled(here, "--until", "2030-01-01"),
    ];
    const time = async (bundle: string): Promise<readonly string[]> => {
      const report = await verified(here, bundle);
      return [report.verdicts.find(({ question }) => question === "TIME")?.verdict ?? "", saysOf(report, "TIME")];
    };
    for (const bundle of [ofSession, ofAll])
      expect(await time(bundle)).toEqual([
        "ok",
        expect.stringContaining("; the clock stepped back 1 times, as entries here say."),
      ]);
    expect(
      (await linesOf(ofSession, "entries.ndjson")).filter((line) => line.includes('"audit.degraded"')).length,
    ).toBe(1);
    // Whoever takes that entry away leaves the question open where others are left out too, and an answer where none is.
    const without = async (bundle: string, move: (line: string) => string): Promise<string> => {
      const copy = await copied(bundle);
      const at = (await linesOf(bundle, "entries.ndjson")).findIndex((line) => line.includes('"audit.degraded"'));
      for (const name of ["entries.ndjson", "proofs.txt"]) {
        const left = (await linesOf(copy, name)).toSpliced(at, 1);
        await writeFile(
          join(copy, name),
          left.map((line) => `${name === "proofs.txt" ? move(line) : line}\n`).join(""),
        );
      }
      await refit(copy);
      return (await time(copy))[0] ?? "";
    };
    const indexAt = (await linesOf(ofAll, "entries.ndjson")).findIndex((line) => line.includes('"audit.degraded"'));
    const closeUp = (line: string): string => {
      const [index = "", ...rest] = line.split(" ");
      return [Number(index) > indexAt ? Number(index) - 1 : Number(index), ...rest].join(" ");
    };
    expect([await without(ofSession, (line) => line), await without(ofAll, closeUp)]).toEqual([
      "not-checked",
      "failed",
    ]);
  },
);
