// Token files: who may read them, what they may hold, whom they stand for.

import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { identify } from "../../../src/identity/identify.ts";
import { loadLocalTokens, writeTokenFile, type LocalToken } from "../../../src/identity/verifiers/index.ts";
import { promise } from "../../support/promise.ts";
import { noAccounts } from "../../support/accounts.ts";

const uid = process.getuid?.() ?? 0;
const random = (count: number): Uint8Array => randomBytes(count);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-tokens-"));
});
afterEach(() => rm(folder, { recursive: true }));

const entry = (name: string, more: Partial<LocalToken> = {}): LocalToken => ({
  file: join(folder, name),
  subject: name,
  kind: "agent",
  groups: [],
  agent: null,
  ...more,
});

/** The principal of a token, or what was said instead. */
async function ask(tokens: readonly LocalToken[], token: string): Promise<unknown> {
  const loaded = await loadLocalTokens(tokens, uid);
  if (loaded.kind === "refused") return loaded.sentence;
  const found = await identify([loaded.verifier], noAccounts)({ kind: "bearer", token, client: "c" });
  return found.kind === "identified" ? found.principal : found.kind;
}

promise("identity:token-names-principal", "each token the one of its file", async () => {
  const tokens = [entry("shopbot"), entry("olga", { kind: "person", groups: ["sre"], agent: "helper" })];
  const [bot, person] = [
    await writeTokenFile(join(folder, "shopbot"), random),
    await writeTokenFile(join(folder, "olga"), random),
  ];
  expect(await ask(tokens, bot)).toEqual({
    issuer: "local",
    subject: "shopbot",
    kind: "agent",
    groups: [],
    actors: [],
    client: "c",
    verifier: "local-token",
  });
  expect(await ask(tokens, person)).toMatchObject({
    subject: "olga",
    kind: "person",
    groups: ["sre"],
    actors: [{ issuer: "local", subject: "helper" }],
  });
});

promise("identity:token-names-principal", "and no other text is a token", async () => {
  const token = await writeTokenFile(join(folder, "a"), random);
  for (const wrong of [
    "",
    `${token}x`,
    token.slice(0, -1),
    token.toUpperCase(),
    ` ${token}`,
    `${token}\n`,
    "x".repeat(100_000),
  ])
    expect(await ask([entry("a")], wrong), wrong.slice(0, 50)).toBe("refused");
});

promise(
  "identity:token-file-private",
  "a new one has mode 0600, 256 bits, and never takes an old one's place",
  async () => {
    const path = join(folder, "a");
    const token = await writeTokenFile(path, random);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect([token.length, await readFile(path, "utf8")]).toEqual([43, `${token}\n`]);
    await expect(writeTokenFile(path, random)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(path, "utf8")).toBe(`${token}\n`);
  },
);

promise(
  "identity:token-file-private",
  "one that others can read, or that is not ours, is refused with a sentence",
  async () => {
    const path = join(folder, "a");
    const token = await writeTokenFile(path, random);
    for (const mode of [0o640, 0o604, 0o644, 0o660, 0o610]) {
      await chmod(path, mode);
      expect(await ask([entry("a")], token), mode.toString(8)).toBe(
        `${path} can be read by others: run chmod 600 on it.`,
      );
    }
    await chmod(path, 0o600);
    expect(await loadLocalTokens([entry("a")], uid + 1)).toEqual({
      kind: "refused",
      sentence: `${path} belongs to another user.`,
    });
    await symlink(path, join(folder, "link"));
    expect(await ask([entry("link")], token)).toBe(`${join(folder, "link")} is a link: name the file itself.`);
    expect(await ask([entry("absent")], token)).toBe(`${join(folder, "absent")} can not be opened (ENOENT).`);
    expect(await ask([{ ...entry("a"), file: folder }], token)).toBe(`${folder} is no plain file.`);
  },
);

promise("identity:token-file-private", "one that holds no token, or another's, is refused", async () => {
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  await write("short", "changeme");
  await write("empty", "");
  await write("words", `${"a".repeat(50)} ${"b".repeat(50)}`);
  for (const name of ["short", "empty", "words"])
    expect(await ask([entry(name)], "x")).toContain(`${join(folder, name)} holds no token`);
  await write("large", "a".repeat(5_000));
  expect(await ask([entry("large")], "x")).toContain("too large");
  await write("one", "a".repeat(43));
  await write("two", `${"a".repeat(43)}\n`);
  expect(await ask([entry("one"), entry("two")], "x")).toBe(
    `${join(folder, "two")} holds the same token as another file.`,
  );
});
