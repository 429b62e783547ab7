// A fault inside each part of masking, through the door: the answer is withheld, says nothing of the value, and the gateway goes on.

import { afterAll, afterEach, beforeAll, describe, expect, vi } from "vitest";
import { Faulted } from "../../src/domain/fault.ts";
import { openMasking } from "../../src/masking/mask.ts";
import type { SessionId } from "../../src/domain/ids.ts";
import { promise } from "../support/promise.ts";
import { expectVerifies, openShop, type Shop } from "./shop.ts";

const planted = "the-value-that-broke-it";

/** Lets the named part of a module throw, also from what it made before; all else of the module is its own. */
const faults = vi.hoisted(() => {
  const armed = { part: "", struck: 0 };
  const breakable = (name: string, made: unknown): unknown => {
    if (Array.isArray(made)) return made.map((one) => breakable(name, one));
    if (typeof made !== "function") return made;
    const original = made as (...given: unknown[]) => unknown;
    return (...given: unknown[]): unknown => {
      if (armed.part === name) {
        armed.struck += 1;
        throw new TypeError(`can't judge ${String(given[0])} the-value-that-broke-it`);
      }
      return breakable(name, original(...given));
    };
  };
  const broken =
    (module: string) =>
    async (load: () => Promise<object>): Promise<object> =>
      Object.fromEntries(
        Object.entries(await load()).map(([name, value]) => [name, breakable(`${module} ${name}`, value)]),
      );
  return { armed, broken };
});
vi.mock("../../src/masking/base64.ts", faults.broken("base64"));
vi.mock("../../src/masking/cards.ts", faults.broken("cards"));
vi.mock("../../src/masking/columns.ts", faults.broken("columns"));
vi.mock("../../src/masking/escapes.ts", faults.broken("escapes"));
vi.mock("../../src/masking/files.ts", faults.broken("files"));
vi.mock("../../src/masking/formats.ts", faults.broken("formats"));
vi.mock("../../src/masking/headers.ts", faults.broken("headers"));
vi.mock("../../src/masking/idioms.ts", faults.broken("idioms"));
vi.mock("../../src/masking/languages.ts", faults.broken("languages"));
vi.mock("../../src/masking/leaves.ts", faults.broken("leaves"));
vi.mock("../../src/masking/manifests.ts", faults.broken("manifests"));
vi.mock("../../src/masking/neutral.ts", faults.broken("neutral"));
vi.mock("../../src/masking/objects.ts", faults.broken("objects"));
vi.mock("../../src/masking/opened.ts", faults.broken("opened"));
vi.mock("../../src/masking/pairs.ts", faults.broken("pairs"));
vi.mock("../../src/masking/pem.ts", faults.broken("pem"));
vi.mock("../../src/masking/personal.ts", faults.broken("personal"));
vi.mock("../../src/masking/places.ts", faults.broken("places"));
vi.mock("../../src/masking/programs.ts", faults.broken("programs"));
vi.mock("../../src/masking/scripts.ts", faults.broken("scripts"));
vi.mock("../../src/masking/speaking.ts", faults.broken("speaking"));
vi.mock("../../src/masking/value-runs.ts", faults.broken("value-runs"));
vi.mock("../../src/masking/values.ts", faults.broken("values"));
vi.mock("../../src/masking/web.ts", faults.broken("web"));
vi.mock("../../src/masking/yaml-block.ts", faults.broken("yaml-block"));

const jwt = ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "c2lnbmF0dXJlLW9mLWEtdGVzdA"].join(
  ".",
);
const words = Buffer.from(`some words before password=${planted}-1 and behind`).toString("base64");

/** Each detector, and a text that reaches it. */
const detectors: readonly (readonly [part: string, text: string])[] = [
  ["base64 base64Probe", `note ${words} end`],
  ["opened contentOf", `note ${words} end`],
  ["cards cardAt", "paid with 4111 1111 1111 1111 today"],
  ["columns columnsBelow", `user,password\nbob,${planted}\n`],
  ["escapes unescapedLetters", `p%61ssword=${planted}`],
  ["idioms idioms", `sqlplus shop/${planted}1@db`],
  ["languages latinNameCheck", `mot de passe : ${planted}1`],
  ["languages spokenNames", `пароль: ${planted}1`],
  ["formats formatCheck", `pushed with ghp_${"a1B2c3D4".repeat(4)}a1B2 today`],
  ["manifests manifestCheck", `apiVersion: v1\nkind: Secret\nstringData:\n  login: ${planted}\n`],
  ["pairs pairCheck", `password=${planted}`],
  ["value-runs valueRun", `password=${planted}`],
  ["headers headerValue", `Authorization: Basic ${words}`],
  ["pem pemCheck", `-----BEGIN RSA PRIVATE KEY-----\n${words}\n-----END RSA PRIVATE KEY-----\n`],
  ["personal personalIn", "any words about a key"],
  ["programs programCheck", `mysql -u root -p${planted} shop`],
  ["scripts promptCheck", `expect "assword:"\nsend "${planted}"\n`],
  ["scripts passwordListCheck", `chpasswd:\n  list: |\n    bob:${planted}\n`],
  ["web jwtCheck", `token ${jwt} end`],
  ["web jwkCheck", `{"kty":"oct","k":"${words}"}`],
  ["web urlCheck", `postgres://shop:${planted}@db.internal/shop`],
  ["web goDsnCheck", `shop:${planted}@tcp(db.internal:3306)/shop`],
  ["web bearerCheck", `sent bearer ${words}`],
  ["web basicCheck", `sent basic ${words}`],
  ["yaml-block yamlBlock", `password: |\n  ${planted}\n  and more\n`],
];
/** What looks at every object or every answer. */
const passes = [
  "objects walker",
  "leaves leafMasker",
  "files fileSecret",
  "neutral neutralise",
  "places maskedIn",
  "speaking speakingTexts",
];

afterEach(() => {
  faults.armed.part = "";
  faults.armed.struck = 0;
});

describe("a fault inside masking", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
    for (const [index, [, text]] of detectors.entries())
      await shop.admin.create("/api/v1/namespaces/shop-dev/configmaps", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: `text-${index}` },
        data: { "notes.txt": text },
      });
  });
  afterAll(async () => {
    faults.armed.part = "";
    await shop?.stop();
  });

  const read = async (index: number) =>
    await shop.world.call("objects_get", {
      kind: "configmaps",
      namespace: "shop-dev",
      name: `text-${index}`,
      view: "spec",
    });

  promise("masking:faults-withhold", "each detector, by a text that reaches it", () => {
    const masking = openMasking({ key: new Uint8Array(32).fill(7) });
    const told = detectors.map(([part, text]) => {
      const masker = masking.forCall({ id: "ses_fault" as SessionId, door: "stdio" }, {});
      faults.armed.part = part;
      faults.armed.struck = 0;
      try {
        return [part, masker.text(text)];
      } catch (thrown) {
        const words_ = thrown instanceof Faulted ? `${thrown.fault.code} ${thrown.fault.cause}` : String(thrown);
        return [part, words_, faults.armed.struck > 0];
      }
    });
    expect(told).toEqual(detectors.map(([part]) => [part, "output_withheld masking of text failed: TypeError", true]));
  });

  promise(
    "masking:faults-withhold",
    "through the door: nothing of the answer is shown, the next call is answered, and the record holds",
    async () => {
      const told: unknown[] = [];
      for (const [index, [part]] of [...detectors, ...passes.map((name) => [name, ""] as const)].entries()) {
        const which = index < detectors.length ? index : 0;
        faults.armed.part = part;
        const { isError, text, facts } = await read(which);
        const struck = faults.armed.struck > 0;
        faults.armed.part = "";
        faults.armed.struck = 0;
        const after = await read(which);
        told.push([
          part,
          struck,
          isError,
          facts["code"],
          text.includes(planted) || text.includes(words),
          after.isError,
        ]);
      }
      expect(told).toEqual(
        [...detectors.map(([part]) => part), ...passes].map((part) => [
          part,
          true,
          true,
          "output_withheld",
          false,
          false,
        ]),
      );
      expect(shop.world.log()).not.toContain(planted);
      await expectVerifies(shop.world);
    },
  );
});
