// The owner's lock between real processes, and the folders that it refuses.

import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect } from "vitest";
import { takeLock } from "../../../src/owner/lock.ts";
import { promise } from "../../support/promise.ts";

const uid = process.getuid?.() ?? 0;
const program = fileURLToPath(new URL("./child.ts", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "sallyport-owner-")), "state");
});
afterEach(() => rm(join(folder, ".."), { recursive: true }));

/** Another process that tries for the lock: what it got, and its end. */
async function other() {
  const child = spawn(process.execPath, [program, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const said = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { said: said.value, kill: () => child.kill("SIGKILL"), leave: () => child.stdin.end(), ended };
}

promise("mcp:one-owner", "a second process and a second taker in the same process find it busy", async () => {
  const mine = await takeLock(folder, uid);
  expect(mine.kind).toBe("taken");
  expect(await takeLock(folder, uid)).toEqual({ kind: "busy" });
  const second = await other();
  expect(second.said).toBe("busy");
  second.leave();
  await second.ended;
  // A refused taker closes its own handle: that must not have dropped ours.
  const third = await other();
  expect(third.said).toBe("busy");
  third.leave();
  await third.ended;
  if (mine.kind === "taken") mine.lock.release();
  const fourth = await other();
  expect(fourth.said).toBe("taken");
  fourth.leave();
  await fourth.ended;
});

promise("mcp:lock-dies-with-process", "by kill -9, with nothing to clean up", async () => {
  for (let round = 0; round < 3; round++) {
    const owner = await other();
    expect(owner.said).toBe("taken");
    expect((await takeLock(folder, uid)).kind).toBe("busy");
    owner.kill();
    await owner.ended;
  }
  const mine = await takeLock(folder, uid);
  expect(mine.kind).toBe("taken");
  if (mine.kind === "taken") mine.lock.release();
});

promise("mcp:state-folder-private", "a new one has mode 0700, its lock 0600", async () => {
  const mine = await takeLock(folder, uid);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "owner.lock"))).mode & 0o777).toBe(0o600);
  if (mine.kind === "taken") mine.lock.release();
});

promise(
  "mcp:state-folder-private",
  "one that others can write in, that is a link, a file or someone else's is refused with a sentence",
  async () => {
    await mkdir(folder, { mode: 0o700 });
    for (const mode of [0o770, 0o707, 0o1777, 0o722]) {
      await chmod(folder, mode);
      expect(await takeLock(folder, uid), mode.toString(8)).toEqual({
        kind: "refused",
        sentence: `The state folder ${folder} can be written by others: run chmod 700 on it.`,
      });
    }
    await chmod(folder, 0o755);
    expect(await takeLock(folder, uid + 1)).toEqual({
      kind: "refused",
      sentence: `The state folder ${folder} belongs to another user.`,
    });
    const link = `${folder}-link`;
    await symlink(folder, link);
    expect(await takeLock(link, uid)).toMatchObject({
      kind: "refused",
      sentence: expect.stringContaining("is a link"),
    });
    const file = `${folder}-file`;
    await writeFile(file, "");
    expect(await takeLock(file, uid)).toMatchObject({
      kind: "refused",
      sentence: expect.stringContaining("can't be made"),
    });
  },
);

promise("mcp:one-owner", "a lock file that is no lock is refused with a sentence, not taken over", async () => {
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "owner.lock"), "this is no database, but somebody's notes".repeat(20));
  expect(await takeLock(folder, uid)).toMatchObject({
    kind: "refused",
    sentence: expect.stringContaining("owner.lock"),
  });
});
