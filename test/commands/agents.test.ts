// `sallyport agents`: accounts from registering to disabling, beside a gateway and without one.

import { randomBytes } from "node:crypto";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { operatorOf } from "../../src/commands/agent-identities.ts";
import { openAccounts } from "../../src/wiring/accounts.ts";
import { openAccountsFile } from "../../src/wiring/accounts-file.ts";
import {
  eventually,
  expectVerifies,
  heading,
  listing,
  openShop,
  scaling,
  untouched,
  type Shop,
} from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { freshFolder, runCommand, startServing } from "../support/world.ts";

const day = 86_400_000;
/** Days are told, so the run begins at noon whatever the time is: a midnight in its middle would change them all. */
const offset = 12 * 3_600_000 - (Date.now() % day);
let ahead = offset;
let shop: Shop;
beforeAll(async () => {
  const config = `hold: 0
issuers:
  - { kind: oidc, name: corp, issuer: "https://id.example.com", audience: [sallyport] }
agents: { reviewDays: 30 }`;
  shop = await openShop({ config, outside: { now: () => Date.now() + ahead } });
});
afterAll(async () => {
  await shop?.stop();
});

/** What the command printed, with the days of today as they count from it. */
async function agents(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await shop.world.sallyport(["agents", ...words]);
  return dated(`${code === 0 ? "" : `${code}: `}${out}${err}`);
}
function dated(text: string): string {
  const today = Math.floor((Date.now() + ahead) / day);
  return text.replaceAll(/(?<!\()\b20\d\d-\d\d-\d\d\b/g, (found) => {
    const days = Date.parse(found) / day - today;
    return days === 0 ? "today" : `today${days > 0 ? "+" : ""}${days}`;
  });
}
const registering = (name: string, subject: string, ...more: readonly string[]): readonly string[] => [
  "register",
  name,
  ...Object.entries({ issuer: "local", subject, owner: "olga@example.com", purpose: "Scales the shop" }).flatMap(
    ([option, value]) => [`--${option}`, value],
  ),
  ...more,
];
const ofAgents = async (): Promise<readonly JsonObject[]> =>
  (await shop.world.entries()).filter((entry) => textAt(entry, "kind").startsWith("agent."));
const says = (entry: JsonObject | undefined): Json[] => [
  textAt(entry, "kind"),
  textAt(entry, "principal", "sub"),
  textAt(entry, "details", "agent"),
  textAt(entry, "details", "reason") || textAt(entry, "details", "note"),
];
/** How whoever shows this token fares now. */
async function connecting(token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const { status } = await fetch(shop.world.url, { method: "POST", headers, body: "{}" });
  return status === 401 ? "401" : "let in";
}

promise(
  "accounts:reviewed",
  "registered with an owner, a purpose, an end a year off and a day to look again",
  async () => {
    expect(await agents("list")).toBe("-  by configuration  agent of local\n");
    expect(await agents(...registering("scaler", "agent"))).toBe(
      "Registered: scaler. It expires today+365; somebody has to look again by today+30.\nThat is a year, since --expires said nothing.\n",
    );
    expect(
      await agents(
        "register",
        "ci",
        "--issuer",
        "corp",
        "--subject",
        "ci-bot",
        "--owner",
        "ann",
        "--purpose",
        "Builds",
        "--expires",
        "7d",
        "--review-days",
        "5",
      ),
    ).toBe("Registered: ci. It expires today+7; somebody has to look again by today+5.\n");
    expect((await agents("list")).replaceAll(/ {2,}/g, "  ")).toBe(
      [
        "ci      active  ci-bot of https://id.example.com  ann               expires today+7    review today+5   never used",
        "scaler  active  agent of local                    olga@example.com  expires today+365  review today+30  never used\n",
      ]
        .join("\n")
        .replaceAll(/ {2,}/g, "  "),
    );
  },
);

promise("accounts:reviewed", "what is mistyped is told, and changes nothing", async () => {
  const wrong = async (...words: readonly string[]): Promise<string> => await agents(...words);
  expect([
    await wrong(...registering("scaler", "other")),
    await wrong(...registering("another", "agent")),
    await wrong(...registering("Not_A_Name", "x")),
    await wrong(...registering("x", "x", "--expires", "yesterday")),
    await wrong(...registering("x", "x", "--expires", "2020-01-01")),
    await wrong(...registering("x", "x", "--expires", "4000d")),
    await wrong(...registering("x", "x", "--review-days", "0")),
    await wrong(...registering("x", "bad\u202ename")),
    await wrong("register", "x", "--issuer", "crop", "--subject", "x", "--owner", "o", "--purpose", "p"),
    await wrong("disable", "nobody"),
    await wrong("review", "nobody"),
    await wrong("enable", "scaler"),
  ]).toEqual([
    "1: There is an agent of that name already.",
    "1: That identity has an account already: one identity, one account.",
    "1: The gateway refused: invalid_input (name: must be small letters, digits and - alone, 40 at most).",
    "1: The gateway refused: invalid_input (expires: must be a number of days (90d), a date (2027-01-31) or a time (RFC 3339)).",
    "1: The gateway refused: invalid_input (expires: must lie ahead).",
    "1: The gateway refused: invalid_input (expires: must lie within ten years).",
    "1: The gateway refused: invalid_input (reviewDays: Too small: expected number to be >=1).",
    "1: The gateway refused: invalid_input (subject: holds characters that can't be seen).",
    "1: The gateway refused: invalid_input (issuer: is not one of the configuration's: local, corp).",
    "1: There is no agent of that name: sallyport agents list shows those there are.",
    "1: There is no agent of that name: sallyport agents list shows those there are.",
    "1: It is not disabled, and its expiry is the same.",
  ]);
  expect(await ofAgents()).toHaveLength(2);
});

promise("accounts:owner-alone", "an approver's token is refused, with a gateway and without one", async () => {
  const asApprover = async (): Promise<unknown> =>
    await shop.world.sallyport(["agents", "disable", "scaler"], "approver");
  const refused = { code: 1, out: "", err: "The gateway does not take the token of SALLYPORT_TOKEN_FILE for this." };
  expect(await asApprover()).toEqual(refused);
  expect(await shop.world.sallyport(["agents", "list"], "approver")).toEqual(refused);
  await shop.world.restart(async () => expect(await asApprover()).toEqual(refused));
  expect(await agents("show", "scaler")).toContain("state       active\n");
});

promise(
  "accounts:next-request",
  "a disabled agent meets 401 like any stranger, others do not, and it comes back",
  async () => {
    const { world } = shop;
    expect((await world.call("objects_list", listing)).isError).toBe(false);
    expect(await agents("disable", "scaler", "--reason", "it went astray")).toBe(
      "Disabled: scaler. Its next request is refused.\n",
    );
    expect([
      await connecting(world.tokens.agent),
      await connecting(world.tokens.approver),
      await connecting("x".repeat(43)),
    ]).toEqual(["401", "let in", "401"]);
    await expect(world.call("objects_list", listing)).rejects.toThrow();
    expect(await agents("disable", "scaler")).toBe("1: It is disabled already; --now ends what it may still run.");
    expect(await agents("enable", "scaler", "--expires", "10d")).toBe(
      "Enabled: scaler. It expires today+10; somebody has to look again by today+30.\n",
    );
    expect((await world.call("objects_list", listing)).isError).toBe(false);
    expect((await ofAgents()).slice(-2).map(says)).toEqual([
      ["agent.disabled", userInfo().username, "scaler", "it went astray"],
      ["agent.enabled", says((await ofAgents())[0])[1], "scaler", ""],
    ]);
  },
);

promise("accounts:approved-meanwhile", "its request is approved while it is disabled: nothing runs", async () => {
  const { world } = shop;
  const asked = await world.call("workloads_scale", scaling("shop-prod", 9));
  expect(heading(asked)[0]).toMatch(/^APPROVAL PENDING/);
  await agents("disable", "scaler");
  await world.approve();
  const id = textAt(asked.facts, "approval");
  await eventually(
    async () => JSON.parse((await world.sallyport(["approvals", "show", id, "--json"], "approver")).out) as JsonObject,
  ).toMatchObject({ request: { state: "stale", why: "the caller is no longer accepted" } });
  expect(await shop.standing()).toEqual(untouched);
  await agents("enable", "scaler");
});

promise(
  "accounts:on-record",
  "with who did it, also without a gateway; last uses are kept without an entry",
  async () => {
    const { world } = shop;
    await world.call("objects_list", listing);
    const before = (await ofAgents()).length;
    await world.restart(async () => {
      expect(
        dated(
          (await world.sallyport(["agents", "review", "scaler", "--note", "still needed", "--expires", "20d"])).out,
        ),
      ).toBe("Reviewed: scaler. It expires today+20; somebody has to look again by today+30.\n");
      const shown = JSON.parse((await world.sallyport(["agents", "show", "scaler", "--json"])).out) as JsonObject;
      expect(Math.abs(Date.parse(textAt(shown, "agent", "lastUsed")) - Date.now() - ahead)).toBeLessThan(600_000);
    });
    const entries = await ofAgents();
    expect(entries).toHaveLength(before + 1);
    expect(says(entries.at(-1)).slice(2)).toEqual(["scaler", "still needed"]);
    expect(at(entries.at(-1) ?? {}, "principal", "iss")).toBe("local");
    await expectVerifies(world);
  },
);

promise(
  "accounts:on-record",
  "six commands at once without a gateway, and a gateway that starts in their middle: each waits its turn",
  async () => {
    const { world } = shop;
    const before = (await ofAgents()).length;
    await world.restart(async () => {
      const notes = Array.from({ length: 6 }, (_, count) => `look ${count}`);
      const looking = notes.map((note) => world.sallyport(["agents", "review", "scaler", "--note", note]));
      const starting = startServing(world.env, { now: () => Date.now() + ahead });
      const looked = await Promise.all(looking);
      expect(looked.map(({ code, err }) => [code, err])).toEqual(notes.map(() => [0, ""]));
      await (await starting).stop();
    });
    const reviews = (await ofAgents()).slice(before);
    expect(reviews.map((entry) => textAt(entry, "details", "note")).toSorted()).toEqual(
      Array.from({ length: 6 }, (_, count) => `look ${count}`),
    );
    await expectVerifies(world);
  },
);

promise(
  "accounts:on-record",
  "what can't be put on record does not count, nor what the disk does not take",
  async () => {
    const folder = await freshFolder();
    const random = (count: number): Uint8Array => randomBytes(count);
    const file = await openAccountsFile(folder, random);
    let broken = true;
    const append = async (): Promise<readonly []> => {
      if (broken) throw new Error("no space");
      return [];
    };
    const accounts = openAccounts({ file, append, now: Date.now, broke: () => undefined });
    const asked = {
      name: "ci",
      issuer: "local",
      subject: "ci",
      owner: "o",
      purpose: "p",
      expiresAt: Date.now() + day,
      reviewDays: 9,
    };
    await expect(accounts.register(asked, operatorOf("olga"))).rejects.toThrow("no space");
    expect(accounts.list()).toEqual([]);
    broken = false;
    expect((await accounts.register(asked, operatorOf("olga"))).kind).toBe("changed");
    await rm(join(folder, "accounts"), { recursive: true });
    await expect(accounts.disable("ci", "", false, operatorOf("olga"))).rejects.toThrow();
    expect(accounts.list().map((one) => one.disabled)).toEqual([null]);
    await accounts.close();
    await rm(folder, { recursive: true });
  },
);

promise(
  "accounts:kill-unrecorded",
  "thrown while record, disk or both fail: shut at once, and on record once when they are back",
  async () => {
    const folder = await freshFolder();
    const random = (count: number): Uint8Array => randomBytes(count);
    const file = await openAccountsFile(folder, random);
    const failing = { record: false, file: false };
    const written: string[] = [];
    const append = async (drafts: readonly { readonly kind: string }[]): Promise<readonly []> => {
      if (failing.record) throw new Error("no space");
      written.push(...drafts.map(({ kind }) => kind));
      return [];
    };
    const write: typeof file.write = async (all) => {
      if (failing.file) throw new Error("no space");
      await file.write(all);
    };
    const options = { append, now: Date.now, broke: () => undefined };
    const accounts = openAccounts({ ...options, file: { ...file, write } });
    const by = operatorOf("olga");
    const standing = (name: string, of = accounts): string =>
      of.standing({ issuer: "local", subject: name, kind: "agent", groups: [], actors: [] }, "local-token");
    for (const name of ["one", "two", "three"]) {
      const asked = {
        name,
        issuer: "local",
        subject: name,
        owner: "o",
        purpose: "p",
        expiresAt: Date.now() + day,
        reviewDays: 9,
      };
      await accounts.register(asked, by);
    }
    written.length = 0;
    const cases = [
      { name: "one", record: true, file: false },
      { name: "two", record: false, file: true },
      { name: "three", record: true, file: true },
    ];
    for (const { name, ...broken } of cases) {
      Object.assign(failing, broken);
      const thrown = await accounts.disable(name, "leaked", true, by);
      expect([name, thrown.kind, thrown.kind === "changed" && thrown.lacks, standing(name)]).toEqual([
        name,
        "changed",
        [...(broken.record ? ["record"] : []), ...(broken.file ? ["file"] : [])],
        `the agent ${name} is disabled`,
      ]);
      // Without the switch, as ever: what can't be recorded does not count.
      if (broken.record)
        await expect(accounts.disable("nobody-else", "", false, by)).resolves.toMatchObject({ code: "not_found" });
    }
    // Nothing that is changed meanwhile takes the shutting back.
    Object.assign(failing, { record: false, file: false });
    await accounts.review("three", "", null, by);
    expect(standing("three")).toBe("the agent three is disabled");
    const again = await accounts.disable("one", "leaked", true, by);
    expect([again.kind, again.kind === "changed" && again.lacks]).toEqual(["changed", []]);
    await accounts.close();
    expect(written.toSorted()).toEqual(["agent.disabled", "agent.disabled", "agent.disabled", "agent.reviewed"]);
    const kept = openAccounts({ ...options, file: await openAccountsFile(folder, random) });
    expect(["one", "two", "three"].map((name) => standing(name, kept))).toEqual(
      ["one", "two", "three"].map((name) => `the agent ${name} is disabled`),
    );
    expect((await kept.enable("three", null, by)).kind).toBe("changed");
    expect(standing("three", kept)).toBe("");
    await kept.close();
    await rm(folder, { recursive: true });
  },
);

promise("accounts:next-request", "also by the clock alone; doctor and --due tell it", async () => {
  const { world } = shop;
  expect(await agents("list", "--due")).toBe("Nothing is due.\n");
  ahead = offset + 21 * day;
  expect([await connecting(world.tokens.agent), await connecting(world.tokens.approver)]).toEqual(["401", "let in"]);
  expect((await agents("list", "--due")).split("\n").map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
    ["ci", "expired"],
    ["scaler", "expired"],
    [""],
  ]);
  expect(await agents("enable", "scaler")).toBe("1: It has expired: give it another date with --expires.");
  expect(await agents("enable", "scaler", "--expires", "400d")).toMatch(/^Enabled/);
  expect(await connecting(world.tokens.agent)).toBe("let in");
  ahead = offset + 60 * day;
  const doctor = await runCommand(["doctor", "--json"], world.env, { now: () => Date.now() + ahead });
  const checks = (JSON.parse(doctor.out) as readonly JsonObject[]).filter((check) => check["name"] === "agents");
  expect(checks.map((check) => [check["result"], dated(textAt(check, "says"))]).toSorted()).toEqual([
    ["note", "ci expired today-53: its requests are refused"],
    ["note", "scaler was to be reviewed by today-30"],
  ]);
  ahead = offset;
});

promise(
  "accounts:kept",
  "edited, cut, emptied, gone, without its key: it does not start, and says which file",
  async () => {
    const { world, folder } = shop;
    const copy = join(folder, "copy");
    await world.restart(() => cp(world.folder, copy, { recursive: true }));
    const home = join(folder, "damaged");
    const file = join(home, "accounts", "accounts.json");
    const starting = async (how: () => Promise<unknown>): Promise<string> => {
      await rm(home, { recursive: true, force: true });
      await cp(copy, home, { recursive: true });
      await how();
      const { code, err } = await runCommand(["serve", "--http"], { ...world.env, SALLYPORT_HOME: home });
      return (
        `${code}: ${err}`
          .replaceAll(home, "STATE")
          .replace(/: the file/, "|")
          .replace(/\. Nothing was changed\. .*$/s, "")
          .split("|")
          .at(-1) ?? ""
      );
    };
    const editing = async (change: (text: string) => string): Promise<void> => {
      const text = await readFile(file, "utf8");
      expect(change(text)).not.toBe(text);
      await writeFile(file, change(text));
    };
    expect([
      await starting(() => editing((text) => text.replace('"name": "scaler"', '"name": "scalar"'))),
      await starting(() => editing((text) => text.replace(/"expiresAt": \d/, '"expiresAt": 9'))),
      await starting(() => editing((text) => text.slice(0, -20))),
      await starting(() => editing(() => "")),
      await starting(() => editing((text) => text.replace('"owner"', '"boss"'))),
      await starting(() => rm(file)),
      await starting(() => rm(join(home, "keys", "accounts.key"))),
    ]).toEqual([
      " was changed by something other than Sallyport",
      " was changed by something other than Sallyport",
      " is not JSON",
      " is not JSON",
      " does not hold what it should (accounts.0.owner: Invalid input: expected string, received undefined)",
      " is gone",
      " has lost its key",
    ]);
    const kept = JSON.parse(await readFile(join(copy, "accounts", "accounts.json"), "utf8")) as Json;
    expect(isJsonObject(kept) && Array.isArray(kept["accounts"]) ? kept["accounts"].length : 0).toBe(2);
  },
);
