// Masking profiles in other hands while the gateway runs: changed, half-written, bad, costly, deleted, linked, piped, and good again.

import { execFile } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { isJsonObject, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

/** Hides the names of pods by a format of one's own. */
const format = (id: string, keyword: string, body = "a-z0-9-"): string =>
  `formats:\n  - {id: ${id}, keywords: [${keyword}], body: ${body}, min: 8, max: 40, source: ours, positives: [${keyword}5c9f7d8b6-abcde]}\n`;
const profile = (...parts: readonly string[]): string => `version: 1\n${parts.join("")}`;
const plain = profile("personal: [card, ssn]\n");
const hiding = profile("personal: [card, ssn]\n", format("pods", "api-"));
/** Its keyword stands in its own characters, so that each hit looks at thousands of them. */
const costly = profile(
  `formats:\n  - {id: pods, keywords: ['aa '], body: 'a-z ', min: 4000, max: 4096, source: ours, positives: ['aa ${"b".repeat(4000)}']}\n`,
);

let place: Place;
let world: World;
let hangup: () => void = () => undefined;
beforeAll(async () => {
  place = await openPlace();
  world = await openWorld({
    kubeconfigPath: place.practice.kubeconfigPath,
    enroll: null,
    config: "credentials: ambient\nmasking: {profile: ours, files: [masking/ours.yaml]}",
    files: { "masking/ours.yaml": plain },
    outside: {
      onHangup(run) {
        hangup = run;
        return () => undefined;
      },
    },
  });
});
afterAll(async () => {
  await world?.stop();
  await place?.stop();
});

const file = (name = "ours.yaml"): string => join(world.folder, "masking", name);
const pods = async (): Promise<string> =>
  (await world.call("objects_list", { kind: "pods", namespace: "shop-dev" })).text;
const hides = async (): Promise<boolean> => (await pods()).includes("[MASKED:custom");
const detailsOf = async (kind: string): Promise<readonly JsonObject[]> =>
  (await world.entries())
    .filter((entry) => entry["kind"] === kind)
    .map((entry) => (isJsonObject(entry["details"]) ? entry["details"] : {}));
const took = "The masking profiles were reloaded";
const kept = "The changed masking profiles were not taken";
const times = (what: string): number => world.log().split(what).length - 1;
async function told(what: string, work: () => Promise<unknown>, tell = (): void => hangup()): Promise<void> {
  const before = times(what);
  await work();
  tell();
  for (let tries = 0; times(what) === before; tries++) {
    if (tries > 1200) throw new Error(`not told ${what}: ${world.log()}`);
    await pause(50);
  }
}
const problems = async (): Promise<unknown> => (await detailsOf("alert.raised")).at(-1)?.["about"];
/** The alert follows what is told of it. */
const lastProblems = () => expect.poll(problems, { timeout: 60_000 });
const lastAlert = () => expect.poll(async () => JSON.stringify(await problems()), { timeout: 60_000 });

promise("masking:reloads", "by itself and at SIGHUP, on record with digests and what differs", async () => {
  expect(await hides()).toBe(false);
  await told(
    took,
    () => writeFile(file(), hiding),
    () => undefined,
  );
  expect(await hides()).toBe(true);
  const [changed] = await detailsOf("config.changed");
  expect(changed).toEqual({
    from: expect.stringMatching(/^[0-9a-f]{64}$/),
    to: expect.stringMatching(/^[0-9a-f]{64}$/),
    diff: expect.stringMatching(/^masking profiles [0-9a-f]{64} to [0-9a-f]{64}\nours: has the new format pods$/),
  });
  expect(await detailsOf("alert.raised")).toEqual([]);
  const ready = (await (await fetch(new URL("/readyz", world.url))).json()) as { inForce: { masking: string } };
  expect(changed?.["diff"]).toContain(` to ${ready.inForce.masking}\n`);
  await told(took, () => writeFile(file(), profile(format("pods", "api-"))));
  await lastProblems().toEqual({
    from: expect.stringMatching(/^[0-9a-f]{64}$/),
    to: expect.stringMatching(/^[0-9a-f]{64}$/),
    less: ["ours: no longer hides ssn"],
  });
  expect(await hides()).toBe(true);
});

promise("masking:reloads", "deleted, emptied, wrong, costly or no file, those before stay in force", async () => {
  const changes = (await detailsOf("config.changed")).length;
  await told(kept, () => rm(file()));
  await lastProblems().toEqual({
    kept: expect.stringMatching(/^[0-9a-f]{64}$/),
    problems: [expect.stringContaining("masking/ours.yaml can't be read (ENOENT).")],
  });
  const bad: readonly [string, string][] = [
    ["", "profile: "],
    [hiding.slice(0, -40), "is not valid YAML"],
    [profile("hide: [card]\n"), "Unrecognized key"],
    [profile(format("pods", "api-", "A-Z")), "positive example 1 is not found"],
    [costly, "pods: it would cost too much"],
    ["x".repeat(5_000_000), "(EFBIG)"],
  ];
  for (const [text, why] of bad) {
    await told(kept, () => writeFile(file(), text));
    await lastAlert().toContain(why);
  }
  await rm(file());
  await told(kept, () => mkdir(file()));
  await rm(file(), { recursive: true });
  await told(kept, () => promisify(execFile)("mkfifo", [file()]));
  await lastAlert().toContain("(no plain file)");
  await rm(file());
  await told(kept, () => symlink(file(), file()));
  await rm(file());
  expect(await hides()).toBe(true);
  expect(await doctor()).toEqual({
    name: "masking",
    result: "failed",
    says: expect.stringContaining("masking/ours.yaml can't be read (ENOENT)."),
    next: expect.stringContaining("A gateway that runs keeps the profiles that it has"),
  });
  expect((await detailsOf("config.changed")).length).toBe(changes);
});

promise("masking:reloads", "swapped by a link it is read whole, and half of it is not read", async () => {
  await writeFile(file("first.yaml"), plain);
  await writeFile(file("second.yaml"), profile("personal: [card, ssn, email]\n", format("pods", "api-")));
  await told(took, () => symlink("first.yaml", file()));
  expect(await hides()).toBe(false);
  const before = (await detailsOf("config.changed")).length;
  await symlink("second.yaml", file("next"));
  await told(took, () => rename(file("next"), file()));
  expect(await hides()).toBe(true);
  expect((await detailsOf("config.changed")).length).toBe(before + 1);
  await rm(file());
  const whole = profile("personal: [card, ssn, email, iban]\n", format("pods", "api-"));
  await told(
    took,
    async () => {
      // A profile too, but half of one.
      await writeFile(file(), whole.slice(0, whole.indexOf("formats")));
      await pause(300);
      await writeFile(file(), whole);
    },
    () => undefined,
  );
  expect((await detailsOf("config.changed")).at(-1)?.["diff"]).toMatch(/ours: also hides iban$/);
  expect(await hides()).toBe(true);
});

async function doctor(): Promise<JsonObject | undefined> {
  const { out } = await world.sallyport(["doctor", "--json"]);
  return (JSON.parse(out) as readonly JsonObject[]).find(({ name }) => name === "masking");
}
