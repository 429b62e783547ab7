// Waiting on a real kube-apiserver: one look, one watch, progress as it comes, and an end at once when nobody waits any more.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { openWire, status, type Action, type Passing, type Wire } from "../support/proxy.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "watch-shop";
const path = `/apis/apps/v1/namespaces/${place}/deployments`;

describe.skipIf("skip" in cluster)(`waiting on a real kube-apiserver${why}`, () => {
  let world: World;
  let wire: Wire;
  let admin: Admin;
  let folder = "";

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    folder = await mkdtemp(join(tmpdir(), "sallyport-watch-"));
    wire = await openWire({ target: cluster, adminToken: cluster.adminToken, folder });
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    // Paused, so that the controller leaves the counts to the test.
    for (const name of ["rolls", "goes", "stays", "leaves"]) await admin.create(path, paused(name));
    world = await openWorld({ kubeconfigPath: wire.kubeconfigPath, enroll: [place] });
    // The kinds and the reader's token are there before anything is counted.
    await world.call("objects_list", { kind: "configmaps", namespace: place });
  });
  afterAll(async () => {
    await world?.stop();
    await wire?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    wire.rule = () => ({ kind: "pass" });
  });

  const paused = (name: string): JsonObject => {
    const object = deployment(name, 3, "pw") as { readonly spec: JsonObject };
    return { ...object, spec: { ...object.spec, paused: true } };
  };
  const isWatch = ({ url }: Passing): boolean => url.includes("watch=true");
  const ofObject =
    (name: string) =>
    ({ method, url }: Passing) =>
      method === "GET" &&
      (url.split("?")[0]?.endsWith(`/deployments/${name}`) === true ||
        (isWatch({ url } as Passing) && url.includes(name)));
  async function condition(name: string, value: string): Promise<void> {
    const conditions = [{ type: "Checked", status: value, reason: "Test", lastUpdateTime: "2026-01-01T00:00:00Z" }];
    const answer = await admin.send(
      "PATCH",
      `${path}/${name}/status`,
      { status: { conditions } },
      { contentType: "application/merge-patch+json" },
    );
    expect(answer.status).toBe(200);
  }
  /** Waits, and keeps what the client was told meanwhile. */
  function waiting(arguments_: JsonObject, signal?: AbortSignal) {
    const told: string[] = [];
    const before = wire.passed.length;
    const answer = world.agent.callTool(
      { name: "conditions_wait", arguments: { kind: "Deployment", namespace: place, ...arguments_ } },
      {
        timeout: 60_000,
        onprogress: ({ message = "" }) => void told.push(message),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    return {
      told,
      text: async () => ((await answer).content as readonly { text?: string }[])[0]?.text ?? "",
      answer,
      sent: (name: string) =>
        wire.passed
          .slice(before)
          .filter(ofObject(name))
          .map((one) => (isWatch(one) ? "watch" : "get")),
      watching: () => expect.poll(() => wire.passed.slice(before).some(isWatch), { timeout: 60_000 }).toBe(true),
    };
  }

  promise(
    "tools:wait-watched",
    "one look and one watch, whatever happens to the object until its condition holds",
    async () => {
      const wait = waiting({ name: "rolls", for: "Checked=True", wait_seconds: 30 });
      await wait.watching();
      for (let turn = 0; turn < 50; turn++) await condition("rolls", turn % 2 === 0 ? "Unknown" : "False");
      await condition("rolls", "True");
      expect(await wait.text()).toMatch(
        /^Deployment watch-shop\/rolls: Checked=True after \d+ s: Checked is True \(Test\)\./,
      );
      expect(wait.sent("rolls")).toEqual(["get", "watch"]);
      expect(wait.told.some((message) => message.includes("not Checked=True yet"))).toBe(true);
      await expect.poll(() => wire.left.some((url) => url.includes("watch=true")), { timeout: 60_000 }).toBe(true);
    },
  );

  promise("tools:wait-watched", "a deletion is seen as it comes", async () => {
    const wait = waiting({ name: "goes", for: "deleted", wait_seconds: 30 });
    await wait.watching();
    await admin.send("DELETE", `${path}/goes`);
    expect(await wait.text()).toMatch(/^Deployment watch-shop\/goes: deleted after \d+ s: it is gone\./);
    expect(wait.sent("goes")).toEqual(["get", "watch"]);
  });

  promise("tools:wait-watched", "a watch that expires, breaks, or may not be: it is looked at anew", async () => {
    const expired = {
      type: "ERROR",
      object: { kind: "Status", status: "Failure", code: 410, reason: "Expired", message: "too old" },
    };
    const ways: readonly (readonly [string, Action, number])[] = [
      ["expires as an event", { kind: "begin", body: `${JSON.stringify(expired)}\n`, after: "hang" }, 2],
      ["expires as an answer", status(410, "Expired", "too old resource version"), 2],
      ["breaks", { kind: "begin", body: '{"type":"MODIFIED","object":{"metadata":', after: "drop" }, 2],
      ["is refused", status(403, "Forbidden", "no"), 1],
    ];
    for (const [name, action, watches] of ways) {
      await condition("stays", "False");
      let struck = false;
      wire.rule = (one) => {
        if (!isWatch(one) || struck) return { kind: "pass" };
        struck = true;
        return action;
      };
      const wait = waiting({ name: "stays", for: "Checked=True", wait_seconds: 30 });
      await wait.watching();
      await condition("stays", "True");
      expect([name, (await wait.text()).split(":")[1]]).toEqual([name, expect.stringMatching(/^ Checked=True after/)]);
      const sent = wait.sent("stays");
      expect([
        name,
        sent.filter((one) => one === "watch").length <= watches,
        sent.filter((one) => one === "get").length > 1,
      ]).toEqual([name, true, true]);
    }
  });

  promise("tools:wait-watched", "what is no watch is a fault, and what the server said of it is nowhere", async () => {
    wire.rule = (one) =>
      isWatch(one) ? { kind: "raw", body: "<html>message-of-the-server</html>\n" } : { kind: "pass" };
    const answer = await world.call("conditions_wait", {
      kind: "Deployment",
      namespace: place,
      name: "stays",
      for: "Checked=Never",
    });
    expect(answer.text.split("\n")[0]).toBe(
      "ERROR cluster_unavailable: The cluster can't be reached: what answers is no Kubernetes API server.",
    );
    expect(JSON.stringify([answer, await world.entries(), world.log()]).includes("message-of-the-server")).toBe(false);
  });

  promise("tools:wait-bounded", "its seconds are kept while nothing happens", async () => {
    const wait = waiting({ name: "stays", for: "Checked=Never", wait_seconds: 3 });
    expect(await wait.text()).toMatch(/^Deployment watch-shop\/stays: not Checked=Never after \d+ s: /);
    expect(wait.sent("stays")).toEqual(["get", "watch", "get"]);
  });

  promise("faults:cancel-to-the-socket", "a wait that is cancelled closes its watch at once", async () => {
    const leaving = new AbortController();
    // Watches of another object may still be closing.
    const left = (): string[] => wire.left.filter((url) => url.includes("watch=true") && url.includes("leaves"));
    const wait = waiting({ name: "leaves", for: "Checked=Never", wait_seconds: 45 }, leaving.signal);
    await wait.watching();
    expect(left()).toEqual([]);
    leaving.abort();
    await expect(wait.answer).rejects.toThrow();
    await expect.poll(left, { timeout: 60_000 }).toHaveLength(1);
    await expect
      .poll(
        async () =>
          textAt(
            (await world.entries()).findLast((entry) => entry["kind"] === "call.settled"),
            "details",
            "code",
          ),
        { timeout: 60_000 },
      )
      .toBe("cancelled");
  });
});
