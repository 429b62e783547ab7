// What an API server can do to each request of each tool: the code that the agent reads, and an effect that is true.

import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { tools } from "../../tools/index.ts";
import { deployment } from "../cluster/admin.ts";
import { openArena, until, type Arena } from "../support/arena.ts";
import { promise } from "../support/promise.ts";
import { status, type Action, type Passing } from "../support/proxy.ts";
import type { Answer } from "../support/world.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "server-faults";

function later(code: number, reason: string): Action {
  const answer = status(code, reason, "the server's own words");
  return answer.kind === "answer" ? { ...answer, headers: { "retry-after": "7" } } : answer;
}
const large = "a huge object";
const huge = `{"kind":"X","items":["${"x".repeat(17 * 1024 * 1024)}"]}`;

/** What a request meets, the code of a read or a rehearsal that met it, and the code and the effect of a write. */
const faults: { readonly [what: string]: readonly [action: Action, read: string, write: string, left: string] } = {
  "429 with Retry-After": [later(429, "TooManyRequests"), "cluster_busy", "cluster_busy", "none"],
  "503 with Retry-After": [later(503, "ServiceUnavailable"), "cluster_busy", "cluster_busy", "unknown"],
  "500": [status(500, "InternalError", "no"), "cluster_unavailable", "cluster_unavailable", "unknown"],
  "504": [status(504, "Timeout", "no"), "deadline_exceeded", "deadline_exceeded", "unknown"],
  "410": [status(410, "Expired", "no"), "cursor_expired", "cursor_expired", "none"],
  "half an answer": [{ kind: "half" }, "cluster_unavailable", "deadline_exceeded", "unknown"],
  "a page of HTML": [
    { kind: "raw", body: "<html>busy</html>" },
    "cluster_unavailable",
    "cluster_unavailable",
    "unknown",
  ],
  "JSON that breaks off": [
    { kind: "raw", body: '{"kind":"X","a":' },
    "cluster_unavailable",
    "cluster_unavailable",
    "unknown",
  ],
  "a list where an object should be": [
    { kind: "raw", body: "[1,2,3]" },
    "cluster_unavailable",
    "cluster_unavailable",
    "unknown",
  ],
  [large]: [{ kind: "raw", body: huge }, "limit_exceeded", "limit_exceeded", "unknown"],
  "a dropped connection": [{ kind: "drop" }, "cluster_unavailable", "deadline_exceeded", "unknown"],
  "no answer": [{ kind: "hang" }, "deadline_exceeded", "deadline_exceeded", "unknown"],
};

/** Requests of a call that its tool sends, by the moment at which they come. */
const isRead = (one: Passing): boolean => one.method === "GET";
const isRehearsal = (one: Passing): boolean => one.method !== "GET" && one.url.includes("dryRun=All");
const isWrite = (one: Passing): boolean => one.method !== "GET" && !one.url.includes("dryRun=All");
const ofTool = (one: Passing): boolean =>
  String(one.headers["audit-id"]).startsWith("call_") &&
  !/\/sallyport-|rbac\.authorization|selfsubject|\/token$/.test(one.url) &&
  !String(one.headers["accept"]).includes("PartialObjectMetadata");

describe.skipIf("skip" in cluster)(`what a server does to every tool${why}`, () => {
  let arena: Arena;
  let round = 0;
  const [core, apps, batch] = ["/api/v1", "/apis/apps/v1", "/apis/batch/v1"].map(
    (root) => `${root}/namespaces/${place}`,
  );

  beforeAll(async () => {
    if ("skip" in cluster) return;
    arena = await openArena(cluster, place, { config: "hold: 0\ndeadline: 30" });
    for (const name of ["restarted", "scaled", "updated"])
      await arena.admin.create(`${apps}/deployments`, deployment(name, 1, arena.password));
  });
  afterAll(async () => {
    await arena?.stop();
  });

  interface Change {
    readonly input: JsonObject;
    /** Where what it changes stands. */
    readonly path: string;
  }
  /** A change of each tool to an object of its own, another one each round. */
  function changesNow(): { readonly [tool: string]: Change } {
    const common = { namespace: place, reason: "a server that is not well" };
    const n = String(++round);
    const workload = (tool: string, name: string, more: JsonObject = {}): Change => ({
      input: { ...common, kind: "Deployment", name, ...more },
      path: `${apps}/deployments/${name}`,
    });
    const map = (name: string): string => `${core}/configmaps/${name}`;
    const manifest = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "applied", namespace: place },
      data: { n },
    });
    return {
      jobs_run: { input: { ...common, name: "report", job_name: `run-${n}` }, path: `${batch}/jobs/run-${n}` },
      manifests_apply: { input: { reason: common.reason, manifest }, path: map("applied") },
      objects_delete: { input: { ...common, kind: "ConfigMap", names: ["deleted"] }, path: map("deleted") },
      objects_patch: {
        input: { ...common, kind: "ConfigMap", name: "settings", patch: { data: { n } } },
        path: map("settings"),
      },
      rollouts_undo: workload("rollouts_undo", "worker"),
      workloads_restart: workload("workloads_restart", "restarted"),
      workloads_scale: workload("workloads_scale", "scaled", { replicas: round + 1 }),
      workloads_update: workload("workloads_update", "updated", { container: "main", image: `x:${n}` }),
    };
  }
  /** What of an object a tool writes; null where it is not there. */
  async function standing(path: string): Promise<Json> {
    const { status: code, body } = await arena.admin.send("GET", path);
    if (code === 404) return null;
    const parts = ["spec", "data"].map((part) => at(body, part) ?? null);
    return JSON.stringify([...parts, textAt(body, "metadata", "uid")]);
  }
  async function ready(): Promise<void> {
    arena.wire.rule = () => ({ kind: "pass" });
    await arena.admin.send("POST", `${core}/configmaps`, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "deleted" },
    });
    await until(async () => {
      const { body } = await arena.admin.send("GET", `${apps}/deployments/worker`);
      return at(body, "status", "observedGeneration") === at(body, "metadata", "generation");
    });
  }

  /** What every change tool tells of this fault at this moment, and where that is not true. */
  async function changed(
    is: (one: Passing) => boolean,
    action: Action,
  ): Promise<{ told: Record<string, string>; untrue: string[] }> {
    await ready();
    const changes = Object.entries(changesNow());
    const before = await Promise.all(changes.map(([, { path }]) => standing(path)));
    arena.wire.rule = (one) => (ofTool(one) && is(one) ? action : { kind: "pass" });
    const answers = await Promise.all(changes.map(([tool, { input }]) => arena.world.call(tool, input)));
    arena.wire.rule = () => ({ kind: "pass" });
    const after = await Promise.all(changes.map(([, { path }]) => standing(path)));
    const untrue = changes.flatMap(([tool], index) => {
      const differs = before[index] !== after[index];
      const effect = textAt(answers[index]?.facts, "effect");
      const lies = (effect === "none" && differs) || (effect === "applied" && !differs);
      return lies ? [`${tool} says ${effect}, and the object ${differs ? "differs" : "is as it was"}`] : [];
    });
    return { told: Object.fromEntries(changes.map(([tool], index) => [tool, toldBy(answers[index])])), untrue };
  }
  const toldBy = (answer: Answer | undefined): string =>
    `${textAt(answer?.facts, "code") || "done"} ${textAt(answer?.facts, "effect")}`;
  const all = (told: string): object => Object.fromEntries(Object.keys(changesNow()).map((tool) => [tool, told]));

  promise("faults:server-matrix", "each change tool has its row here", () => {
    const changing = tools.filter((tool) => tool.effects.some((effect) => effect !== "read")).map((tool) => tool.name);
    // Nodes and commands need a kubelet: their own tests have these rows.
    expect(changing.filter((name) => !/^(nodes_|pods_exec)/.test(name)).sort()).toEqual(
      Object.keys(changesNow()).sort(),
    );
  });

  promise(
    "faults:server-matrix",
    "at the reads of every read tool, and the answer says what was not checked or why it failed",
    async () => {
      const wrong: string[] = [];
      const reading = tools.filter((tool) => tool.effects.join() === "read").map((tool) => tool.name);
      for (const [what, [action, code]] of Object.entries(faults)) {
        arena.wire.rule = (one) => (ofTool(one) && isRead(one) ? action : { kind: "pass" });
        const answers: Answer[] = [];
        // Seventeen megabytes for everybody at once would only show how slow this machine is.
        if (action === faults[large]?.[0])
          for (const tool of reading) answers.push(await arena.world.call(tool, arena.inputFor(tool)));
        else answers.push(...(await Promise.all(reading.map((tool) => arena.world.call(tool, arena.inputFor(tool))))));
        for (const [index, answer] of answers.entries()) {
          const tool = reading[index] ?? "";
          const asked = arena.sentBy(textAt(answer.facts, "call")).length;
          // An OpenAPI document may be larger than an object.
          if (asked === 0 || (what === large && tool === "kinds_explain")) continue;
          const fine = answer.isError ? answer.facts["code"] === code : answer.text.includes("Not checked");
          if (!fine || answer.facts["effect"] !== "none") wrong.push(`${tool} meets ${what}: ${answer.text}`);
        }
      }
      expect(wrong).toEqual([]);
    },
    300_000,
  );

  promise(
    "faults:server-matrix",
    "at the rehearsal of every change tool: nothing has happened",
    async () => {
      const found: Record<string, object> = {};
      const expected: Record<string, object> = {};
      for (const [what, [action, code]] of Object.entries(faults)) {
        const { told, untrue } = await changed(isRehearsal, action);
        found[what] = { ...told, untrue };
        expected[what] = { ...all(`${code} none`), untrue: [] };
      }
      expect(found).toEqual(expected);
    },
    300_000,
  );

  promise(
    "faults:server-matrix",
    "at the write of every change tool: what may have happened is never told as nothing",
    async () => {
      const found: Record<string, object> = {};
      const expected: Record<string, object> = {};
      for (const [what, [action, , code, left]] of Object.entries(faults)) {
        const { told, untrue } = await changed(isWrite, action);
        found[what] = { ...told, untrue };
        expected[what] = { ...all(`${code} ${left}`), untrue: [] };
      }
      expect(found).toEqual(expected);
    },
    300_000,
  );

  promise(
    "faults:server-matrix",
    "a write that was made and whose answer was lost is told as unknown by every change tool",
    async () => {
      const { told, untrue } = await changed(isWrite, { kind: "swallow" });
      expect({ ...told, untrue }).toEqual({ ...all("deadline_exceeded unknown"), untrue: [] });
    },
  );

  promise("faults:server-matrix", "a server that is only slow is waited for, and all is done", async () => {
    const { told, untrue } = await changed(() => true, { kind: "late", milliseconds: 50 });
    expect({ ...told, untrue }).toEqual({ ...all("done applied"), untrue: [] });
  });

  promise("faults:server-matrix", "after all of this the transcript verifies, and no grant is left", async () => {
    expect((await arena.world.sallyport(["transcript", "verify"])).code).toBe(0);
    const left = await arena.admin.send(
      "GET",
      "/api/v1/namespaces/sallyport-sessions/serviceaccounts?labelSelector=sallyport.dev%2Fgrant",
    );
    const own = (at(left.body, "items") as readonly JsonObject[]).filter((one) => JSON.stringify(one).includes(place));
    expect(own).toEqual([]);
  });
});
