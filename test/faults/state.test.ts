// A state folder that can't be used or was tampered with: the gateway does not start, says which file, and changes nothing.

import { spawnSync } from "node:child_process";
import { appendFile, chmod, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";
import { expectVerifies, heading, listing, openShop, scaling, type Shop } from "./shop.ts";

let shop: Shop;
/** A copy of the state folder as a stopped gateway leaves it. */
let copy: string;

beforeAll(async () => {
  shop = await openShop();
  const { world } = shop;
  await world.call("objects_list", listing);
  await world.call("workloads_scale", scaling("shop-dev", 2));
  await world.call("workloads_scale", scaling("shop-prod", 5));
  copy = join(shop.folder, "copy");
  await world.restart(() => cp(world.folder, copy, { recursive: true }));
});
afterAll(async () => {
  await shop?.stop();
});

/** What `sallyport serve` says where it must not start; paths of the folder are shown from `STATE` on. */
async function starting(home: string): Promise<string> {
  const { code, out, err } = await runCommand(["serve", "--http"], { ...shop.world.env, SALLYPORT_HOME: home });
  return `${code}: ${out}${err}`.replaceAll(home, "STATE").replaceAll(shop.folder, "SHOP");
}

/** The same of a fresh copy that was damaged so. */
async function damaged(how: (path: (...parts: string[]) => string) => Promise<unknown>): Promise<string> {
  const home = join(shop.folder, "damaged");
  await rm(home, { recursive: true, force: true });
  await cp(copy, home, { recursive: true });
  await how((...parts) => join(home, ...parts));
  return await starting(home);
}

const segment = ["transcript", "segments", "00000000.ndjson"] as const;

async function changeLines(path: string, change: (lines: string[]) => string[]): Promise<void> {
  await writeFile(path, change((await readFile(path, "utf8")).split("\n")).join("\n"));
}

async function changeText(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(path, "utf8");
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  await writeFile(path, changed);
}

describe("a folder that can't be written", () => {
  promise("faults:state-folder", "a file in its place, or above it", async () => {
    const file = join(shop.folder, "file");
    await writeFile(file, "");
    expect(await starting(file)).toBe("1: The state folder STATE can't be made (EEXIST).");
    expect(await starting(join(file, "below"))).toBe("1: The state folder STATE can't be made (ENOTDIR).");
  });

  promise(
    "faults:state-folder",
    "where no folder can be made, it does not try for ever",
    () => {
      const home = "/proc/sallyport/home";
      const env = { ...shop.world.env, SALLYPORT_HOME: home };
      const main = join(import.meta.dirname, "..", "..", "src", "main.ts");
      // As a process of its own: one that goes on for ever, deaf to signals, can be ended.
      const ending = { timeout: 60_000, killSignal: "SIGKILL" } as const;
      const { status, stderr } = spawnSync(process.execPath, [main, "serve", "--http"], { env, ...ending });
      expect([status, stderr.toString()]).toEqual([1, `The state folder ${home} can't be made (ENOENT).\n`]);
    },
    300_000,
  );

  promise("faults:state-folder", "of what others may write in not even the compiled code is used", async () => {
    const home = join(shop.folder, "shared");
    await mkdir(home);
    await chmod(home, 0o777);
    const main = join(import.meta.dirname, "..", "..", "src", "main.ts");
    spawnSync(process.execPath, [main, "--version"], { env: { ...shop.world.env, SALLYPORT_HOME: home } });
    expect(await readdir(home)).toEqual([]);
  });

  promise("faults:state-folder", "one that others may write in", async () => {
    expect(await damaged((path) => chmod(path(), 0o777))).toBe(
      "1: The state folder STATE can be written by others: run chmod 700 on it.",
    );
  });

  promise("faults:state-folder", "a file where a folder of ours should be", async () => {
    const says = async (name: string): Promise<string> =>
      await damaged(async (path) => {
        await rm(path(name), { recursive: true });
        await writeFile(path(name), "");
      });
    expect({
      transcript: await says("transcript"),
      approvals: await says("approvals"),
      keys: await says("keys"),
    }).toEqual({
      transcript:
        "1: The transcript in STATE can't be opened: ENOTDIR: not a directory, mkdir 'STATE/transcript/segments'",
      approvals: "1: The folder STATE/approvals can't be used (EEXIST).",
      keys: "1: The transcript in STATE can't be opened: ENOTDIR: not a directory, open 'STATE/keys/transcript.key'",
    });
  });

  promise("faults:state-folder", "a folder where a file of ours should be", async () => {
    const says = async (name: string): Promise<string> =>
      await damaged(async (path) => {
        await rm(path(name), { force: true });
        await mkdir(path(name));
      });
    expect({
      lock: await says("owner.lock"),
      socket: await says("owner.sock"),
      meeting: await says("owner.json"),
      configuration: await says("sallyport.yaml"),
    }).toEqual({
      lock: "1: The lock STATE/owner.lock can't be taken (unable to open database file).",
      socket: "1: STATE/owner.sock is in the way and is no socket of ours: move it.",
      meeting: "1: STATE/owner.json can't be written (EISDIR).",
      configuration: "3: STATE/sallyport.yaml can't be read (EISDIR).",
    });
  });

  promise("faults:state-folder", "keys that are gone, short or open to others", async () => {
    expect({
      short: await damaged((path) => writeFile(path("keys", "digest.key"), "short")),
      open: await damaged((path) => chmod(path("keys", "masking.key"), 0o644)),
      gone: await damaged((path) => rm(path("keys", "transcript.key"))),
      damaged: await damaged((path) => writeFile(path("keys", "transcript.key"), "x")),
    }).toEqual({
      short: "1: STATE/keys/digest.key is not a key of 32 bytes: restore it from a backup.",
      open: "1: STATE/keys/masking.key can be read by others: chmod 600 it, or remove it if it may have been read.",
      gone: "1: The transcript in STATE can't be used: segments/00000000.ndjson line 1 stands there without a key.",
      damaged: "1: The transcript in STATE can't be used: keys/transcript.key is damaged; put back a copy of it.",
    });
  });
});

describe("a transcript that was changed", () => {
  promise("faults:corrupt-transcript", "a line that is no entry is named by file and number", async () => {
    const says = async (number: number, text: string): Promise<string> =>
      await damaged((path) =>
        changeLines(path(...segment), (lines) => lines.map((line, index) => (index === number - 1 ? text : line))),
      );
    const place = "1: The transcript in STATE can't be used: segments/00000000.ndjson line";
    expect({ garbage: await says(3, "garbage"), zeros: await says(5, "\0\0\0"), other: await says(4, "{}") }).toEqual({
      garbage: `${place} 3 is not JSON.`,
      zeros: `${place} 5 is not JSON.`,
      other: `${place} 4 has a version that this program does not know.`,
    });
  });

  promise(
    "faults:corrupt-transcript",
    "an entry that reads otherwise, lines that are gone, and a lost head",
    async () => {
      const place = "1: The transcript in STATE can't be used:";
      expect({
        changed: await damaged((path) => changeText(path(...segment), '"objects_list"', '"objects_lost"')),
        dropped: await damaged((path) => changeLines(path(...segment), (lines) => lines.toSpliced(2, 1))),
        cut: await damaged((path) => changeLines(path(...segment), (lines) => [...lines.slice(0, 3), ""])),
        gone: await damaged((path) => rm(path(...segment))),
        head: await damaged((path) => writeFile(path("transcript", "checkpoint"), "x")),
      }).toEqual({
        changed: expect.stringMatching(
          /^1: The transcript in STATE can't be used: an entry among the first \d+ is not what was signed; run: sallyport transcript verify\.$/,
        ),
        dropped: expect.stringMatching(
          /can't be used: the transcript was cut: (\d+) entries were signed, \d+ are here\.$/,
        ),
        cut: expect.stringMatching(/can't be used: the transcript was cut: \d+ entries were signed, 3 are here\.$/),
        gone: expect.stringMatching(/can't be used: the transcript was cut: \d+ entries were signed, 0 are here\.$/),
        head: `${place} the checkpoint is not signed by keys/transcript.key.`,
      });
    },
  );
});

describe("approvals that were damaged", () => {
  const file = (path: (...parts: string[]) => string): string => path("approvals", "requests.json");

  promise("faults:corrupt-approvals", "the file is named, and nothing is started over", async () => {
    const says = async (how: (path: string) => Promise<unknown>): Promise<string> =>
      (await damaged((path) => how(file(path)))).replace(/apr_[0-9a-f-]{36}/, "APPROVAL");
    const remedy =
      "Nothing was changed. Put back a good copy, or move the whole folder away to start without its requests.";
    const begins = "1: The approvals file STATE/approvals/requests.json";
    expect({
      torn: await says(async (path) => writeFile(path, (await readFile(path, "utf8")).slice(0, -40))),
      empty: await says((path) => writeFile(path, "")),
      gone: await says((path) => rm(path)),
      otherFormat: await says((path) => changeText(path, '"format":1', '"format":2')),
      otherCard: await says((path) => changeText(path, '"object":"', '"object":"other ')),
    }).toEqual({
      torn: `${begins} is not JSON. ${remedy}`,
      empty: `${begins} is empty. ${remedy}`,
      gone: `${begins} is gone, though sealed requests still lie beside it. ${remedy}`,
      otherFormat: `${begins} does not hold what it should (format: Invalid input: expected 1). ${remedy}`,
      otherCard: `${begins} holds a card that was changed (APPROVAL). ${remedy}`,
    });
  });

  promise("faults:corrupt-approvals", "with a good copy back in its place the request still waits", async () => {
    const home = join(shop.folder, "damaged");
    await rm(home, { recursive: true, force: true });
    await cp(copy, home, { recursive: true });
    await writeFile(join(home, "approvals", "requests.json"), "");
    await starting(home);
    await cp(join(copy, "approvals"), join(home, "approvals"), { recursive: true });
    expect(await readFile(join(home, "approvals", "requests.json"), "utf8")).toContain('"state":"pending"');
    const { code } = await runCommand(["transcript", "verify"], { ...shop.world.env, SALLYPORT_HOME: home });
    expect(code).toBe(0);
  });
});

describe("a configuration or a policy with a mistake", () => {
  promise(
    "faults:bad-configuration",
    "each is named with its file, line and column, and ends with exit code 3",
    async () => {
      const settings = (text: string) => (path: (...parts: string[]) => string) =>
        appendFile(path("sallyport.yaml"), text);
      const policy = (text: string) => async (path: (...parts: string[]) => string) => {
        await writeFile(path("policy.yaml"), text);
        await appendFile(path("sallyport.yaml"), "policies: [policy.yaml]\n");
      };
      const rule = (more: string): string => `version: 1\nrules:\n  - id: x\n${more}    reason: A test.\n`;
      expect({
        unknownKey: await damaged(settings("holds: 5\n")),
        twice: await damaged(settings("version: 1\n")),
        wrongType: await damaged((path) => writeFile(path("sallyport.yaml"), "version: 1\nhold: long\n")),
        noYaml: await damaged((path) => writeFile(path("sallyport.yaml"), "version: [1\n")),
        nestedKey: await damaged((path) =>
          changeText(path("sallyport.yaml"), "  port: 0\n", "  port: 0\n  hosts: any\n"),
        ),
        noPolicy: await damaged(settings("policies: [none.yaml]\n")),
        wrongEffect: await damaged(policy(rule("    effect: permit\n    match: {}\n"))),
        unknownMatch: await damaged(policy(rule("    effect: deny\n    match: { verb: [get] }\n"))),
        brokenPolicy: await damaged(policy("version: 1\nrules:\n  - id: x\n   effect: allow\n")),
      }).toEqual({
        unknownKey: "3: STATE/sallyport.yaml:11:1: holds is not a setting.",
        twice: "3: STATE/sallyport.yaml:11:1: duplicate key",
        wrongType: "3: STATE/sallyport.yaml:2:7: hold: Invalid input: expected number, received string",
        noYaml: "3: STATE/sallyport.yaml:2:1: bad indent",
        nestedKey: "3: STATE/sallyport.yaml:8:3: http.hosts is not a setting.",
        noPolicy: "3: STATE/none.yaml can't be read (ENOENT).",
        wrongEffect: '3: STATE/policy.yaml:4:13: `effect` "permit" must be one of allow, deny, require-approval.',
        unknownMatch: '3: STATE/policy.yaml:5:14: Unknown key "verb" in `match`; did you mean verbs?',
        brokenPolicy: "3: STATE/policy.yaml:4:1: This is not valid YAML: missing char.",
      });
    },
  );

  promise("faults:bad-configuration", "a kubeconfig that can't be used is named too", async () => {
    const kubeconfig = (to: string) => (path: (...parts: string[]) => string) =>
      changeText(path("sallyport.yaml"), /kubeconfig: .*/, `kubeconfig: ${to}`);
    await writeFile(join(shop.folder, "broken.kubeconfig"), ": : [");
    expect({
      absent: await damaged(kubeconfig(join(shop.folder, "absent.kubeconfig"))),
      broken: await damaged(kubeconfig(join(shop.folder, "broken.kubeconfig"))),
      context: await damaged((path) => appendFile(path("sallyport.yaml"), "context: other\n")),
    }).toEqual({
      absent: "3: The kubeconfig SHOP/absent.kubeconfig can't be used: there is no such file.",
      broken: "3: The kubeconfig SHOP/broken.kubeconfig can't be used: it is not valid YAML (line 1).",
      context:
        '3: STATE/sallyport.yaml:11:10: context: The kubeconfig SHOP/wire.kubeconfig can\'t be used: it has no context "other"; its contexts are wire.',
    });
  });
});

describe("the folder that was left alone", () => {
  promise(
    "faults:verifies",
    "its gateway goes on: the request that waited is approved and runs, and all verifies",
    async () => {
      const { world } = shop;
      const id = await world.approve();
      expect(heading(await world.call("approval_wait", { id }))).toEqual([
        "DONE workloads_scale Deployment shop-prod/api",
        "completed  none ",
      ]);
      expect(await shop.standing()).toEqual({ dev: 2, prod: 5, leftovers: [] });
      await expectVerifies(world);
    },
  );
});
