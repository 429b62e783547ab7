// The lowdb store: the contract, and what only a store on a disk can suffer.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";
import { Faulted } from "../../../src/domain/fault.ts";
import { promise } from "../../support/promise.ts";
import { folder, keep, openStore, plannedCall, random, request, result, start, transcript } from "./fixtures.ts";
import { keptAs, storeSuite } from "./store-suite.ts";

storeSuite("lowdb", async () => {
  const at = folder();
  return { store: await openStore(at), again: () => openStore(at) };
});

/** The sentence for the operator with which opening this folder fails. */
async function refusal(at: string): Promise<string> {
  const error: unknown = await openStore(at).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof Faulted ? error.fault.cause : `opened, or threw ${String(error)}`;
}

/** A closed store with one request in it. */
async function leftBehind(): Promise<{ readonly at: string; readonly file: string }> {
  const at = folder();
  const store = await openStore(at);
  await keep(store, request());
  await store.close();
  return { at, file: join(at, "requests.json") };
}

const damages: { readonly [name: string]: { readonly says: string; readonly to: (text: string) => string } } = {
  "an empty file": { says: "is empty", to: () => "" },
  "a blank file": { says: "is empty", to: () => "\n \n" },
  "a file cut short": { says: "is not JSON", to: (text) => text.slice(0, -30) },
  "a file of zeros": { says: "is not JSON", to: (text) => "\0".repeat(text.length) },
  "another program's JSON": { says: "does not hold what it should", to: () => "[]" },
  null: { says: "does not hold what it should", to: () => "null" },
  "a later format": {
    says: "does not hold what it should (format",
    to: (text) => text.replace('"format":1', '"format":2'),
  },
  "an unknown state": { says: "requests.0.state", to: (text) => text.replace('"pending"', '"granted"') },
  "an unknown key": { says: "requests.0", to: (text) => text.replace('"state":', '"approvedBy":"me","state":') },
  "a request that asks nobody": {
    says: "requests.0.requirements",
    to: (text) => text.replace(/"requirements":\[.*?\}\]/, '"requirements":[]'),
  },
  "a card that was changed": { says: "holds a card that was changed", to: (text) => text.replace("3 -> 5", "3 -> 4") },
};

for (const [name, { says, to }] of Object.entries(damages)) {
  promise("approval:refuses-damage", name, async () => {
    const { at, file } = await leftBehind();
    const damaged = to(readFileSync(file, "utf8"));
    writeFileSync(file, damaged);
    const sentence = await refusal(at);
    expect(sentence).toContain(says);
    expect(sentence).toContain(file);
    expect(sentence).toContain("Nothing was changed.");
    expect(readFileSync(file, "utf8")).toBe(damaged);
    expect(readdirSync(join(at, "keys"))).toHaveLength(1);
  });
}

promise("approval:refuses-damage", "a file that is gone while its sealed requests are there", async () => {
  const { at, file } = await leftBehind();
  rmSync(file);
  expect(await refusal(at)).toContain("is gone, though sealed requests still lie beside it");
  expect(readdirSync(at)).not.toContain("requests.json");
});

promise(
  "approval:refuses-damage",
  "a file that goes or breaks while the store is open is not written over",
  async () => {
    const at = folder();
    const store = await openStore(at);
    const made = await keep(store, request());
    const file = join(at, "requests.json");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, "{");
    await expect(store.get(made.id)).rejects.toThrow(Faulted);
    await expect(keep(store, request())).rejects.toThrow(Faulted);
    expect(readFileSync(file, "utf8")).toBe("{");
    rmSync(file);
    await expect(store.list(null)).rejects.toThrow(Faulted);
    writeFileSync(file, whole);
    expect(await store.get(made.id)).toEqual(keptAs(made));
  },
);

promise("approval:durable", "a write that can't be made changes nothing and says so", async () => {
  const at = folder();
  const store = await openStore(at);
  const made = await keep(store, request());
  // A folder in the file's place: a rename onto it fails whoever asks, the superuser too.
  const file = join(at, "requests.json");
  const text = readFileSync(file, "utf8");
  const step = store.transition(made.id, () => {
    rmSync(file);
    mkdirSync(join(file, "in the way"), { recursive: true });
    return Promise.resolve({ change: { to: "rejected", at: start, verdict: null, why: "" }, reply: "done" });
  });
  await expect(step).rejects.toThrow(Faulted);
  rmSync(file, { recursive: true });
  writeFileSync(file, text);
  expect((await store.get(made.id))?.state).toBe("pending");
  expect(await store.recall(made.id)).toEqual(made);
  expect(readdirSync(at).filter((name) => name.endsWith(".unfinished"))).toEqual([]);
});

promise("approval:owner-only", "folders are 0700 and files 0600", async () => {
  const { at } = await leftBehind();
  const modes = readdirSync(at, { recursive: true, withFileTypes: true }).map((entry) => {
    const mode = (statSync(join(entry.parentPath, entry.name)).mode & 0o777).toString(8);
    return entry.isDirectory() ? `folder ${mode}` : `file ${mode}`;
  });
  expect(new Set(modes)).toEqual(new Set(["folder 700", "file 600"]));
  expect(modes).toHaveLength(6);
  expect(statSync(at).mode & 0o777).toBe(0o700);
});

promise(
  "approval:arguments-sealed",
  "neither arguments nor result stand anywhere in clear, and the key goes at the end",
  async () => {
    const at = folder();
    const store = await openStore(at);
    const call = plannedCall({ arguments: { value: "CANARY-argument" } });
    const made = await keep(store, request({ call }));
    const everything = (): string =>
      readdirSync(at, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
        .join();
    expect(everything()).not.toContain("CANARY");
    expect(readdirSync(join(at, "keys"))).toEqual([`${made.id}.arguments`]);
    for (const to of ["approved", "spent"] as const)
      await store.transition(made.id, () =>
        Promise.resolve({ change: { to, at: start, verdict: null, why: "" }, reply: null }),
      );
    expect([readdirSync(join(at, "keys")), readdirSync(join(at, "sealed"))]).toEqual([[], []]);
    const output = { headline: ["CANARY-result"], blocks: [], facts: {}, untrusted: false };
    await store.storeResult(made.id, { kind: "completed", output, effect: "applied", delivered: false }, start);
    expect(everything()).not.toContain("CANARY");
    expect(readdirSync(join(at, "keys"))).toEqual([`${made.id}.result`]);
    expect(await store.takeAnswer(made.id, start)).toMatchObject({ kind: "result", result: { output } });
    expect([readdirSync(join(at, "keys")), readdirSync(join(at, "sealed"))]).toEqual([[], []]);
  },
);

promise("approval:arguments-sealed", "a box that was changed, swapped or lost its key does not open", async () => {
  const at = folder();
  const store = await openStore(at);
  const [one, other] = [await keep(store, request()), await keep(store, request())];
  const box = (id: string): string => join(at, "sealed", `${id}.arguments`);
  const bytes = readFileSync(box(one.id));
  writeFileSync(box(one.id), readFileSync(box(other.id)));
  await expect(store.recall(one.id)).rejects.toThrow(Faulted);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(box(one.id), bytes);
  await expect(store.recall(one.id)).rejects.toThrow(Faulted);
  rmSync(join(at, "keys", `${other.id}.arguments`));
  await expect(store.recall(other.id)).rejects.toThrow(Faulted);
});

promise("approval:arguments-sealed", "an older file put back can't run what has ended", async () => {
  const at = folder();
  const store = await openStore(at);
  const made = await keep(store, request());
  const old = readFileSync(join(at, "requests.json"));
  await store.transition(made.id, () =>
    Promise.resolve({ change: { to: "withdrawn", at: start, verdict: null, why: "" }, reply: null }),
  );
  await store.close();
  writeFileSync(join(at, "requests.json"), old);
  const reopened = await openStore(at);
  expect((await reopened.get(made.id))?.state).toBe("pending");
  await expect(reopened.recall(made.id)).rejects.toThrow(Faulted);
});

promise("approval:durable", "opening sweeps what a crash left between two steps", async () => {
  const { at } = await leftBehind();
  writeFileSync(join(at, "keys", `${request().id}.arguments`), random(32));
  writeFileSync(join(at, "sealed", `${request().id}.result`), random(32));
  writeFileSync(join(at, "requests.json.12ab.unfinished"), '{"format":1,');
  await openStore(at);
  expect(readdirSync(join(at, "keys"))).toHaveLength(1);
  expect(readdirSync(join(at, "sealed"))).toHaveLength(1);
  expect(readdirSync(at).toSorted()).toEqual(["keys", "lock", "requests.json", "sealed"]);
});

promise("approval:one-spender", "two stores on one folder see each other's changes at once and lose none", async () => {
  const at = folder();
  const [one, other] = [await openStore(at), await openStore(at)];
  const made = await Promise.all([...Array(10).keys()].map((index) => keep(index % 2 === 0 ? one : other, request())));
  expect((await one.list(null)).length).toBe(10);
  expect(new Set((await other.list(null)).map(({ id }) => id))).toEqual(new Set(made.map(({ id }) => id)));
  const id = made[0]?.id ?? request().id;
  await one.transition(id, () =>
    Promise.resolve({ change: { to: "rejected", at: start, verdict: null, why: "" }, reply: null }),
  );
  expect((await other.get(id))?.state).toBe("rejected");
});

promise(
  "approval:one-spender",
  "two processes race for thirty approvals: each is spent once, by one of them",
  async () => {
    const at = folder();
    const store = await openStore(at);
    const { append } = transcript();
    const made = await Promise.all(Array.from({ length: 30 }, () => keep(store, request())));
    for (const { id } of made)
      await store.transition(id, () =>
        Promise.resolve({ change: { to: "approved", at: start, verdict: null, why: "" }, reply: null }),
      );
    await append([]);
    await store.close();
    const racers = [1, 2].map(() => child("spend.ts", at));
    const lines = await Promise.all(
      racers.map(async ({ process, lines }) => {
        expect((await lines.next()).value).toBe("ready");
        return { process, lines };
      }),
    );
    for (const { process } of lines) process.stdin?.end("go\n");
    const spent = await Promise.all(
      lines.map(async ({ lines }) => JSON.parse(String((await lines.next()).value)) as string[]),
    );
    expect(spent.flat().toSorted()).toEqual(made.map(({ id }) => id).toSorted());
    const reopened = await openStore(at);
    expect(await reopened.list(["spent"])).toHaveLength(30);
  },
);

promise("approval:durable", "kill -9 while writing: what was acknowledged is there, the file is whole", async () => {
  const at = folder();
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    const { process, lines } = child("write.ts", at);
    const stopAfter = 5 + 7 * round;
    for (let read = 0; read < stopAfter; read++) {
      const [id = "", state = ""] = String((await lines.next()).value).split(" ");
      acknowledged.set(id, state);
    }
    process.kill("SIGKILL");
    // What it had written to the pipe before it died was acknowledged too.
    for await (const line of lines) {
      const [id = "", state = ""] = line.split(" ");
      acknowledged.set(id, state);
    }
  }
  const store = await openStore(at);
  const order = ["pending", "approved", "spent", "answered"];
  for (const [id, state] of acknowledged) {
    const kept = (await store.list(null)).find((one) => one.id === id);
    const reached = kept?.answer === "waiting" ? "answered" : (kept?.state ?? "");
    expect(order.indexOf(reached), `${id} was acknowledged as ${state} and is ${reached}`).toBeGreaterThanOrEqual(
      order.indexOf(state),
    );
    if (kept !== undefined && (reached === "pending" || reached === "approved"))
      expect((await store.recall(kept.id))?.call.arguments).toEqual(plannedCall().arguments);
    if (kept !== undefined && reached === "answered")
      expect(await store.takeAnswer(kept.id, start)).toMatchObject({
        kind: "result",
        result: { ...result, delivered: true },
      });
  }
  expect(acknowledged.size).toBeGreaterThan(10);
});

/** A real process on the same folder, and the lines that it prints. */
function child(script: string, at: string): { readonly process: ChildProcess; readonly lines: AsyncGenerator<string> } {
  const started = spawn(process.execPath, [join(import.meta.dirname, "children", script), at], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (started.exitCode !== null || started.signalCode !== null) return;
    started.kill("SIGKILL");
    await once(started, "exit");
  });
  return { process: started, lines: linesOf(started) };
}

async function* linesOf(started: ChildProcess): AsyncGenerator<string> {
  if (started.stdout !== null) for await (const line of createInterface({ input: started.stdout })) yield line;
}
