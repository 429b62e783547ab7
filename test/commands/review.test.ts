// `sallyport evidence review` through a whole gateway: whose reviews are taken, what of them is on record, and what is refused.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { isJsonObject, textAt, type JsonObject } from "../../src/domain/json.ts";
import { fault, Faulted } from "../../src/domain/fault.ts";
import { writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { connectOwner } from "../../src/owner/client.ts";
import { verifyTranscript } from "../../src/transcript/verify.ts";
import { openShop, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { runCommand, testIo } from "../support/world.ts";

let shop: Shop;
const roles = `transcript:
  auditors: ["user:audrey"]
  operators: ["user:otto", "user:agent"]`;

beforeAll(async () => {
  shop = await openShop({ config: `hold: 0\n${roles}` });
  const yaml = join(shop.world.folder, "sallyport.yaml");
  const random = testIo({}, new AbortController().signal).random;
  const lines: string[] = [];
  for (const name of ["audrey", "otto", "nina"]) {
    const file = join(shop.world.folder, `${name}.token`);
    await writeTokenFile(file, random);
    lines.push(`    - { file: ${JSON.stringify(file)}, subject: ${name}, kind: person, groups: [] }`);
  }
  await shop.world.restart(async () => {
    await writeFile(yaml, `${(await readFile(yaml, "utf8")).trimEnd()}\n${lines.join("\n")}\n`);
  });
  await shop.world.call("objects_list", { kind: "Pod", namespace: "shop-dev" });
});
afterAll(async () => await shop?.stop());

const review = (...words: readonly string[]) => shop.world.sallyport(["evidence", "review", ...words]);
const as = (name: string, ...words: readonly string[]) =>
  runCommand(words, { ...shop.world.env, SALLYPORT_TOKEN_FILE: join(shop.world.folder, `${name}.token`) });
const reviews = async (): Promise<readonly JsonObject[]> =>
  (await shop.world.entries()).filter((one) => one["kind"] === "review.completed");
const detailsOf = (entry: JsonObject | undefined): JsonObject =>
  isJsonObject(entry?.["details"]) ? entry["details"] : {};
/** An evidence.note as a program would send it that is not ours; "" where it was taken. */
async function noted(details: JsonObject): Promise<string> {
  const { folder } = shop.world;
  const io = testIo(shop.world.env, new AbortController().signal);
  const connected = await connectOwner({ folder, uid: io.uid, version: io.version });
  if (connected.kind !== "connected") throw new Faulted(fault("internal", {}, connected.kind));
  try {
    const answer = await connected.to.call("evidence.note", { kind: "review.completed", details });
    return answer.kind === "fault" ? textAt(answer.fault.detail, "problem") : answer.kind === "gone" ? "gone" : "";
  } finally {
    connected.to.close();
  }
}

promise(
  "evidence:review",
  "of the owner, an auditor and an operator: who, what of, how many, and the tree",
  async () => {
    const before = await shop.world.entries();
    const calls = before.filter((one) => one["kind"] === "call.decided").length;
    const ran = await review("--kind", "call.decided", "--since", "2020-01-01", "--findings", " none ", "--json");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const [entry] = await reviews();
    const { root, ...told } = detailsOf(entry);
    expect(told).toEqual({
      scope: { kind: "call.decided", since: "2020-01-01T00:00:00.000Z" },
      findings: "none",
      entries: calls,
      size: before.length,
    });
    expect(entry?.["index"]).toBe(before.length);
    expect(textAt(entry, "principal", "iss")).toBe("local");
    expect(JSON.parse(ran.out)).toEqual({ scope: told["scope"], entries: calls, size: before.length, root });
    // Whoever has the files computes the same root over so many lines.
    const copy = join(shop.folder, "then");
    await shop.world.restart(async () => {
      const { cp, readdir } = await import("node:fs/promises");
      await cp(join(shop.world.folder, "transcript"), join(copy, "transcript"), { recursive: true });
      const segments = join(copy, "transcript", "segments");
      const [name = ""] = (await readdir(segments)).filter((one) => one.endsWith(".ndjson"));
      const lines = (await readFile(join(segments, name), "utf8")).split("\n").slice(0, before.length);
      await writeFile(join(segments, name), `${lines.join("\n")}\n`);
    });
    expect((await verifyTranscript(copy, { now: Date.now() })).root).toBe(root);
    await rm(copy, { recursive: true, force: true });

    for (const name of ["audrey", "otto"]) {
      const done = await as(name, "evidence", "review", "--tool", "objects_list", "--findings", "one list; expected");
      expect([name, done.code, done.err]).toEqual([name, 0, ""]);
      expect(done.out).toMatch(/^Your review of \d+ entr(y|ies) is on record\. Tree of \d+, root [0-9a-f]{64}\n$/);
      expect(textAt((await reviews()).at(-1), "principal", "sub")).toBe(name);
    }
    expect((await shop.world.sallyport(["transcript", "verify"])).code).toBe(0);
  },
);

promise("evidence:review", "a page, a line and a report tell it", async () => {
  expect((await review("--principal", "agent", "--findings", "quiet week")).code).toBe(0);
  const listed = await shop.world.sallyport(["transcript", "search", "--kind", "review.completed"]);
  expect(listed.out).toMatch(/review\.completed {4}\d+ entries {2}principal agent {2}quiet week/);
  const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const words = ["evidence", "report", "--period", `${day(-1)}/${day(2)}`, "--controls", "AU-6", "--format", "csv"];
  const report = await shop.world.sallyport(words);
  const count = (await reviews()).length;
  expect(report.out).toMatch(new RegExp(`AU-6.*record-reviews.*\\b${count}\\b`));
});

promise("evidence:review", "where no gateway runs the owner's command writes it by itself", async () => {
  const count = (await reviews()).length;
  await shop.world.restart(async () => {
    const ran = await review("--kind", "gateway.*", "--findings", "none");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect((await reviews()).length).toBe(count + 1);
    const named = await as("audrey", "evidence", "review", "--kind", "gateway.*", "--findings", "none");
    expect([named.code, named.out]).toEqual([1, ""]);
    expect(named.err).toContain("start one first");
  });
});

promise("evidence:review-attacks", "an agent, somebody without a role, and an auditor whose role is gone", async () => {
  const words = ["evidence", "review", "--tool", "objects_list", "--findings", "all is well"];
  const before = (await reviews()).length;
  // The configuration names the agent an operator: an agent holds no role all the same.
  for (const name of ["agent", "nina"]) {
    const ran = await as(name, ...words);
    expect([name, ran.code, ran.out]).toEqual([name, 1, ""]);
    expect(ran.err).toContain("transcript.auditors and transcript.operators");
  }
  const yaml = join(shop.world.folder, "sallyport.yaml");
  const text = await readFile(yaml, "utf8");
  await shop.world.restart(async () => await writeFile(yaml, text.replace('["user:audrey"]', "[]")));
  expect((await as("audrey", ...words)).code).toBe(1);
  await shop.world.restart(async () => await writeFile(yaml, text));
  expect((await reviews()).length).toBe(before);
});

promise(
  "evidence:review-attacks",
  "of nothing, of everything unsaid, without findings, or with a book of them",
  async () => {
    const before = (await reviews()).length;
    const cases = [
      [["--session", "ses_none", "--findings", "none"], "No entry answers --session ses_none"],
      [["--since", "2020-01-01", "--until", "2020-02-01", "--findings", "none"], "transcript search"],
      [["--findings", "none"], "Say what you reviewed"],
      [["--tool", "objects_list", "--findings", "  "], "Say in 3 to 2000 characters"],
      [["--tool", "objects_list", "--findings", "x".repeat(2001)], "Say in 3 to 2000 characters"],
    ] as const;
    for (const [words, says] of cases) {
      const ran = await review(...words);
      expect([words, ran.code, ran.out]).toEqual([words, 2, ""]);
      expect(ran.err).toContain(says);
    }
    const silent = await review("--tool", "objects_list");
    expect([silent.code === 0, silent.err.includes("--findings"), (await reviews()).length]).toEqual([
      false,
      true,
      before,
    ]);
  },
);

promise(
  "evidence:review-attacks",
  "what another program sends: a tree that never was, a scope that is none",
  async () => {
    const done = await review("--tool", "objects_list", "--findings", "none", "--json");
    expect(done.code).toBe(0);
    const { scope, entries, size, root } = JSON.parse(done.out) as Record<string, number & string>;
    const good = { scope: scope as unknown as JsonObject, entries: entries ?? 0, size: size ?? 0, root: root ?? "" };
    const now = (await shop.world.entries()).length;
    const full = { ...good, findings: "none" };
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ ...full, size: now + 1 }, "not the tree of this record"],
      [{ ...full, size: now }, "not the tree of this record"],
      [{ ...full, entries: 0 }, "not an entry as it is published"],
      [{ ...full, root: "f" }, "not an entry as it is published"],
      [{ ...full, more: 1 }, "not an entry as it is published"],
      [{ ...full, scope: {} }, "not what a review can be of"],
      [{ ...full, scope: { everything: "yes" } }, "not what a review can be of"],
      [{ ...full, scope: { since: "soon" } }, "not what a review can be of"],
      [{ ...full, findings: "" }, "a review has a scope, and findings of 3 to 2000 characters"],
      [{ ...full, findings: "x".repeat(2001) }, "a review has a scope, and findings of 3 to 2000 characters"],
      [{ ...full, scope: { kind: "x".repeat(301) } }, "a review has a scope, and findings of 3 to 2000 characters"],
    ];
    for (const [details, problem] of cases) expect([details, await noted(details)]).toEqual([details, problem]);
    expect((await shop.world.entries()).length).toBe(now);
  },
);

promise(
  "evidence:review-attacks",
  "secrets in it are masked, and control characters do nothing to a terminal",
  async () => {
    const secret = "AKIAIOSFODNN7EXAMPLE";
    const words = `password=hunter2-quartz and ${secret} \u001b[2J\u202Egone`;
    const done = await review("--tool", "objects_*", "--findings", words);
    expect([done.code, done.err]).toEqual([0, ""]);
    const kept = (await reviews()).at(-1);
    const text = JSON.stringify(kept);
    expect([text.includes("hunter2-quartz"), text.includes(secret)]).toEqual([false, false]);
    for (const shown of [
      await shop.world.sallyport(["transcript", "show", JSON.stringify(kept?.["index"])]),
      await shop.world.sallyport(["transcript", "search", "--kind", "review.*", "--limit", "1"]),
    ]) {
      expect([shown.code, /[\u001b\u202e]/.test(shown.out)]).toEqual([0, false]);
      expect(shown.out).toContain(String.raw`\u{1b}[2J\u{202e}gone`);
    }
  },
);
