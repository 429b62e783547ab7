// What a hand can do to a bundle on its way, clumsy or careful: each change fails the questions that it touches, and none passes.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { canonical } from "../../../src/transcript/canonical.ts";
import { makeKey } from "../../../src/transcript/key.ts";
import { openCheckpoint, parseVkey, checkpointText, signNote } from "../../../src/transcript/note.ts";
import { makeAuditorKey, recipientWrapping, type WrappedKey } from "../../../src/transcript/seal.ts";
import { promise } from "../../support/promise.ts";
import {
  answersOf,
  bundled,
  copied,
  failed,
  linesOf,
  other,
  place,
  policy,
  random,
  refit,
  saysOf,
  verified,
  writeLines,
  type Place,
} from "./bundles.ts";
import { linesIn, session, start } from "./support.ts";

interface Scene {
  readonly here: Place;
  /** A session's bundle with its bodies, and what the auditor holds. */
  readonly bundle: string;
  readonly given: readonly string[];
  /** A bundle of the same session of another gateway's log. */
  readonly stranger: string;
  /** An earlier head of the same log. */
  readonly earlier: string;
}

async function scene(): Promise<Scene> {
  const here = await place();
  const earlier = await readFile(join(here.folder, "transcript", "checkpoint"), "utf8");
  const secret = join(here.beside, "auditor.secret");
  const recipient = (await here.run("auditor-key", secret)).out.trim();
  // Entries behind it, so that the bundle's head is another than the first.
  await bundled(here, "--session", other);
  const bundle = await bundled(here, "--session", session, "--bodies", "all", "--recipient", recipient);
  const key = join(here.beside, "held.vkey");
  await cp(join(here.folder, "transcript", "log.vkey"), key);
  const stranger = await bundled(await place(), "--session", session);
  return { here, bundle, given: ["--key", key, "--bodies-key", secret], stranger, earlier };
}

type Hand = (copy: string, scene: Scene) => Promise<void>;

const swapIn =
  (name: string, from: string | RegExp, to: string): Hand =>
  async (copy) => {
    const text = await readFile(join(copy, name), "utf8");
    const changed = text.replace(from, to);
    if (changed === text) throw new Error("nothing was changed");
    await writeFile(join(copy, name), changed);
  };
const linewise =
  (names: readonly string[], change: (lines: string[]) => readonly string[]): Hand =>
  async (copy) => {
    for (const name of names) await writeLines(copy, name, change(await linesOf(copy, name)));
  };
const both = ["entries.ndjson", "proofs.txt"];
const swapped = ([a = "", b = "", c = "", ...rest]: string[]): readonly string[] => [a, c, b, ...rest];

const keyChanged =
  (change: (key: WrappedKey) => Promise<WrappedKey>): Hand =>
  async (copy) => {
    const keys = await linesOf(copy, "bodies/keys.ndjson");
    const changed = await Promise.all(keys.map(async (one) => canonical(await change(JSON.parse(one) as WrappedKey))));
    await writeLines(copy, "bodies/keys.ndjson", changed);
  };

/** What is done, and which questions then fail, the manifest made to fit it: with the auditor's own key at hand. */
const attacks: readonly (readonly [what: string, hand: Hand, fails: readonly string[]])[] = [
  ["a word in an entry", swapIn("entries.ndjson", "objects_list", "objects_gist"), ["INTEGRITY", "ORDER"]],
  [
    "a byte that makes it no JSON",
    swapIn("entries.ndjson", "{", "["),
    ["FORMAT", "INTEGRITY", "ORDER", "COMPLETENESS"],
  ],
  ["a blank in an entry", swapIn("entries.ndjson", ',"', ', "'), ["FORMAT", "INTEGRITY", "ORDER"]],
  ["an entry dropped", linewise(both, (lines) => lines.toSpliced(3, 1)), ["INTEGRITY", "ORDER", "COMPLETENESS"]],
  ["the last entry dropped", linewise(both, (lines) => lines.slice(0, -1)), ["INTEGRITY", "COMPLETENESS"]],
  ["two entries swapped", linewise(both, swapped), ["INTEGRITY", "ORDER", "COMPLETENESS"]],
  ["two proofs swapped", linewise(["proofs.txt"], swapped), ["INTEGRITY", "ORDER"]],
  ["an entry twice", linewise(both, ([a = "", ...rest]) => [a, a, ...rest]), ["INTEGRITY", "ORDER", "COMPLETENESS"]],
  ["a proof dropped", linewise(["proofs.txt"], (lines) => lines.slice(0, -1)), ["FORMAT", "INTEGRITY", "COMPLETENESS"]],
  [
    "a hash in a proof",
    swapIn("proofs.txt", / [A-Za-z0-9+/]{43}=/, ` ${Buffer.alloc(32).toString("base64")}`),
    ["INTEGRITY"],
  ],
  ["an index in a proof", swapIn("proofs.txt", /^0 /, "1 "), ["INTEGRITY", "ORDER"]],
  ["a line that is no proof", swapIn("proofs.txt", /^0 /, "00 "), ["FORMAT", "INTEGRITY"]],
  [
    "an entry of another log",
    async (copy, { stranger }) => {
      for (const name of both)
        await writeLines(copy, name, [...(await linesOf(copy, name)), (await linesOf(stranger, name)).at(-1) ?? ""]);
    },
    ["INTEGRITY", "ORDER", "COMPLETENESS"],
  ],
  ["an earlier head of the log", (copy, { earlier }) => writeFile(join(copy, "checkpoint"), earlier), ["INTEGRITY"]],
  [
    "another log's head",
    (copy, { stranger }) => cp(join(stranger, "checkpoint"), join(copy, "checkpoint")),
    ["INTEGRITY"],
  ],
  [
    "the head signed again by another key, which is put in the place of the log's",
    async (copy) => {
      const held = parseVkey(await readFile(join(copy, "log.vkey"), "utf8"));
      const head = held === null ? null : openCheckpoint(await readFile(join(copy, "checkpoint"), "utf8"), held);
      const thief = makeKey(start, random);
      if (head === null) throw new Error("no head");
      await writeFile(join(copy, "checkpoint"), signNote(checkpointText(thief.name, head), thief));
      await writeFile(join(copy, "log.vkey"), `${thief.vkey}\n`);
    },
    ["INTEGRITY"],
  ],
  ["the word of the handing out dropped", (copy) => rm(join(copy, "handed-out.tlog-proof")), ["INTEGRITY"]],
  ["its continuation dropped", (copy) => rm(join(copy, "handed-out.consistency")), ["INTEGRITY"]],
  [
    "another bundle's handing out",
    (copy, { stranger }) => cp(join(stranger, "handed-out.tlog-proof"), join(copy, "handed-out.tlog-proof")),
    ["INTEGRITY"],
  ],
  ["a body", swapIn("bodies/00000000.sealed", /"sealed":"..../, '"sealed":"AAAA'), ["INTEGRITY", "BODIES"]],
  ["a body dropped", linewise(["bodies/00000000.sealed"], (lines) => lines.slice(1)), ["INTEGRITY", "BODIES"]],
  ["all bodies dropped", (copy) => rm(join(copy, "bodies"), { recursive: true }), ["INTEGRITY", "BODIES"]],
  [
    "a key that was wrapped anew for the auditor, and is another",
    keyChanged(async (key) => {
      const to = recipientWrapping(makeAuditorKey().recipient, random);
      if (to === null) throw new Error("no recipient");
      return { ...(await to.wrap(random(32), key)), under: key.under };
    }),
    ["INTEGRITY", "BODIES"],
  ],
  [
    "a key in the place of another's",
    keyChanged(async (key) => await Promise.resolve({ ...key, sid: other })),
    ["INTEGRITY", "BODIES"],
  ],
  [
    "a key for somebody else",
    keyChanged(async (key) => await Promise.resolve({ ...key, under: "x25519:0000000000000000" })),
    ["INTEGRITY", "BODIES"],
  ],
  ["the README", swapIn("README.md", "can't", "can"), ["INTEGRITY"]],
  ["the trust file", swapIn("trust.txt", "prove nothing", "prove it all"), ["INTEGRITY"]],
  ["the verifier", swapIn("verify.mjs", "INTEGRITY", "integrity"), ["INTEGRITY"]],
  ["a policy's text", swapIn(`policies/${policy.digest}.json`, "[]", "[ ]"), ["INTEGRITY"]],
  ["a policy dropped", (copy) => rm(join(copy, "policies"), { recursive: true }), ["INTEGRITY"]],
  ["a file that was not there", (copy) => writeFile(join(copy, "heads.txt"), "x"), ["FORMAT", "INTEGRITY"]],
];

promise(
  "bundle:attacked",
  "by a careful hand that makes the manifest fit, and by one that does not",
  async () => {
    const here = await scene();
    const sound = await verified(here.here, here.bundle, ...here.given);
    expect([sound.code, failed(sound)]).toEqual([0, []]);
    const seen: [string, readonly string[]][] = [];
    for (const [what, hand] of attacks) {
      const copy = await copied(here.bundle);
      await hand(copy, here);
      const clumsy = await verified(here.here, copy, ...here.given);
      expect([what, clumsy.code]).toEqual([what, 3]);
      await refit(copy);
      const careful = await verified(here.here, copy, ...here.given);
      expect([what, careful.code]).toEqual([what, 3]);
      seen.push([what, failed(careful)]);
    }
    expect(seen).toEqual(attacks.map(([what, , fails]) => [what, fails]));
  },
  300_000,
);

promise(
  "bundle:attacked",
  "its query, its counts and the classes of its bodies are the record's, not the sender's",
  async () => {
    const here = await scene();
    for (const [change, fails] of [
      [{ query: { session: other } }, ["INTEGRITY", "COMPLETENESS"]],
      [{ query: {} }, ["INTEGRITY"]],
      [{ entries: { chosen: 14, beside: 0 } }, ["INTEGRITY", "COMPLETENESS"]],
      [{ bodies: { classes: [], recipient: "" } }, ["INTEGRITY", "BODIES"]],
      [{ asked: "--since 7d" }, ["INTEGRITY"]],
      [{ log: { origin: "sallyport.dev/x", size: 3, root: "" } }, ["INTEGRITY"]],
      [{ form: "sallyport.dev/bundle/v2" }, ["FORMAT", "INTEGRITY", "BODIES", "COMPLETENESS"]],
    ] as const) {
      const copy = await copied(here.bundle);
      await refit(copy, change);
      const report = await verified(here.here, copy, ...here.given);
      expect([change, report.code, failed(report)]).toEqual([change, 3, expect.arrayContaining([...fails])]);
    }
    // A whole log of another's, made with care: only the key that the auditor holds tells.
    const forged = await verified(here.here, here.stranger);
    expect([forged.code, saysOf(forged, "INTEGRITY")]).toEqual([
      0,
      expect.stringContaining("compare it with the one you hold"),
    ]);
    expect(failed(await verified(here.here, here.stranger, ...here.given))).toContain("INTEGRITY");
  },
  120_000,
);

promise(
  "bundle:attacked",
  "an owner who cut the log, or keeps two, can't hold against a head that was kept",
  async () => {
    const here = await scene();
    const before = join(here.here.beside, "before.checkpoint");
    await writeFile(before, here.earlier);
    const bundle = await bundled(here.here, "--session", session, "--anchor", before);
    const given = here.given.slice(0, 2);
    expect(answersOf(await verified(here.here, bundle, ...given, "--anchor", before))["EXTENT"]).toBe("ok");
    expect(failed(await verified(here.here, bundle, ...given, "--anchor", join(here.stranger, "checkpoint")))).toEqual([
      "EXTENT",
    ]);
    // A later head, by a key that signs without a time: it may be older than the bundle or not.
    const later = join(here.here.beside, "later.checkpoint");
    await bundled(here.here, "--session", other);
    await cp(join(here.here.folder, "transcript", "checkpoint"), later);
    const cut = await verified(here.here, bundle, ...given, "--anchor", later);
    expect([failed(cut), saysOf(cut, "EXTENT")]).toEqual([
      ["EXTENT"],
      expect.stringContaining("entries before this was made"),
    ]);
    // Such a head can't be made to fit when the bundle is made, either.
    const theirs = join(here.stranger, "checkpoint");
    const out = join(here.here.beside, "never");
    const made = await here.here.run(
      "export",
      "--bundle",
      out,
      "--why",
      "audit",
      "--session",
      session,
      "--anchor",
      theirs,
    );
    expect([made.code, made.err]).toEqual([1, expect.stringContaining("holds no checkpoint that this log signed")]);
    // And a record that was changed is not handed out.
    const segment = join(here.here.folder, "transcript", "segments", "00000000.ndjson");
    await writeFile(segment, (await readFile(segment, "utf8")).replace("objects_list", "objects_gist"));
    const changed = await here.here.run("export", "--bundle", out, "--why", "audit", "--session", session);
    expect([changed.code, changed.err]).toEqual([1, expect.stringContaining("not the ones that were signed")]);
  },
  120_000,
);

promise(
  "bundle:names",
  "links, folders, pipes, names that climb and files that are too large are not opened",
  async () => {
    const here = await scene();
    const outside = join(here.here.beside, "outside");
    await mkdir(outside);
    const moved =
      (name: string): Hand =>
      async (copy) => {
        await rename(join(copy, name), join(outside, "moved"));
        await symlink(join(outside, "moved"), join(copy, name));
      };
    const cases: readonly (readonly [string, Hand, RegExp])[] = [
      ["a link to the entries", moved("entries.ndjson"), /entries\.ndjson is a link or no file; it was not opened/],
      ["a link to the folder of bodies", moved("bodies"), /"bodies" is no file of a bundle; it was not opened/],
      ["a link to a body", moved("bodies/00000000.sealed"), /00000000\.sealed is a link or no file/],
      ["a link to the key", moved("log.vkey"), /log\.vkey is a link or no file/],
      ["a link to the manifest", moved("manifest.json"), /manifest\.json is a link or no file/],
      [
        "a folder in a folder",
        (copy) => mkdir(join(copy, "policies", "x")).then(() => undefined),
        /"policies\/x" is no file/,
      ],
      [
        "a folder named as a file",
        (copy) => mkdir(join(copy, "heads", "3.checkpoint"), { recursive: true }).then(() => undefined),
        /3\.checkpoint is a link or no file/,
      ],
      [
        "a pipe that nobody writes to",
        async (copy) => {
          await rm(join(copy, "README.md"));
          if (spawnSync("mkfifo", [join(copy, "README.md")]).status !== 0) throw new Error("no mkfifo");
        },
        /README\.md is a link or no file/,
      ],
      [
        "a manifest of a gigabyte",
        (copy) => truncate(join(copy, "manifest.json"), 2 ** 30),
        /manifest\.json is larger than/,
      ],
      [
        "keys of a gigabyte",
        (copy) => truncate(join(copy, "bodies", "keys.ndjson"), 2 ** 30),
        /keys\.ndjson is larger than/,
      ],
      [
        "a line without an end",
        (copy) => truncate(join(copy, "entries.ndjson"), 2 ** 23),
        /entries\.ndjson ends in the middle of a line/,
      ],
    ];
    for (const [what, hand, says] of cases) {
      await rm(join(outside, "moved"), { recursive: true, force: true });
      const copy = await copied(here.bundle);
      await hand(copy, here);
      const report = await verified(here.here, copy, ...here.given);
      const all = report.verdicts.flatMap((one) => one.places).join("\n");
      expect([what, report.code, all]).toEqual([what, 3, expect.stringMatching(says)]);
    }
    // Names that climb, in a manifest that lists what really lies there.
    const secret = await readFile(join(here.here.folder, "transcript", "checkpoint"));
    const sha256 = createHash("sha256").update(secret).digest("hex");
    const copy = await copied(here.bundle);
    await refit(copy);
    const manifest = JSON.parse(await readFile(join(copy, "manifest.json"), "utf8")) as { files: object[] };
    const climbing = { name: "../state/transcript/checkpoint", bytes: secret.length, sha256 };
    await writeFile(
      join(copy, "manifest.json"),
      `${canonical({ ...manifest, files: [climbing, ...manifest.files] })}\n`,
    );
    const report = await verified(here.here, copy, ...here.given);
    expect([failed(report), saysOf(report, "INTEGRITY")]).toEqual([
      ["INTEGRITY"],
      expect.stringContaining('"../state/transcript/checkpoint", which the manifest lists, is not here'),
    ]);
    expect((await linesIn(here.here.folder)).length).toBeGreaterThan(0);
  },
  120_000,
);
