// A bundle of what a running gateway recorded: on record through it, under the head that it signs, with the policies that it kept.

import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import type { Report } from "../../src/transcript/verify.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

const policyOf = (reason: string): string => `version: 1
rules:
- id: reading
  effect: allow
  match: {effects: [read], verbs: [get, list, watch], kinds: [pods]}
  reason: ${reason}
`;

let place: Place;
let world: World;
let hangup: () => void = () => undefined;
beforeAll(async () => {
  place = await openPlace();
  world = await openWorld({
    kubeconfigPath: place.practice.kubeconfigPath,
    enroll: null,
    config: "credentials: ambient",
    policy: policyOf("Everyone may look."),
    outside: {
      onHangup(run) {
        hangup = run;
        return () => undefined;
      },
    },
  });
});
afterAll(async () => {
  await world.stop();
  await place.stop();
});

/** The first entry that is as wanted, once there is one. */
async function entry(wanted: (one: JsonObject) => boolean): Promise<JsonObject> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = (await world.entries()).map((one) => JSON.parse(JSON.stringify(one)) as JsonObject).find(wanted);
    if (found !== undefined) return found;
    await pause(50);
  }
  throw new Error(`no such entry: ${world.log()}`);
}

promise(
  "bundle:policies",
  "kept by the gateway at its start and at each reload, and handed out with what they decided",
  async () => {
    const listPods = { kind: "pods", namespace: "shop" };
    expect((await world.call("objects_list", listPods)).isError).toBe(false);
    await writeFile(join(world.folder, "policy.yaml"), policyOf("Still everyone may look."));
    hangup();
    const changed = await entry((one) => one["kind"] === "policy.changed");
    const [from, to] = [textAt(changed, "details", "from"), textAt(changed, "details", "to")];
    const kept = join(world.folder, "transcript", "policies");
    expect((await readdir(kept)).sort()).toEqual([`${from}.json`, `${to}.json`].sort());
    expect((await stat(join(kept, `${to}.json`))).mode & 0o077).toBe(0);
    expect(await readFile(join(kept, `${to}.json`), "utf8")).toContain("Still everyone may look.");
    expect((await world.call("objects_list", listPods)).isError).toBe(false);
    // Counted by a signed head before it is handed out.
    const last = await entry((one) => one["kind"] === "call.settled" && textAt(one, "gateway", "policy") === to);
    const size =
      (await world.entries()).findIndex((one) => JSON.stringify(one["details"]) === JSON.stringify(last["details"])) +
      1;
    for (let tries = 0; ; tries++) {
      const [, signed = "0"] = (await readFile(join(world.folder, "transcript", "checkpoint"), "utf8")).split("\n");
      if (Number(signed) >= size) break;
      if (tries > 1200) throw new Error("no head counts the calls");
      await pause(50);
    }

    const out = join(place.folder, "bundle");
    const made = await world.sallyport([
      "transcript",
      "export",
      "--bundle",
      out,
      "--tool",
      "objects_list",
      "--whole-calls",
      "--why",
      "audit of March",
    ]);
    expect([made.code, made.out]).toEqual([0, ""]);
    expect((await readdir(join(out, "policies"))).sort()).toEqual([`${from}.json`, `${to}.json`].sort());
    const verified = await world.sallyport(["transcript", "verify", out, "--json"]);
    const report = JSON.parse(verified.out) as Report;
    expect([verified.code, report.verdicts.flatMap((one) => (one.verdict === "failed" ? [one] : []))]).toEqual([0, []]);
    const told = await entry((one) => one["kind"] === "evidence.exported");
    expect(told["details"]).toMatchObject({ what: "a bundle of entries", why: "audit of March" });
  },
  120_000,
);
