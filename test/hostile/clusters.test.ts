// Several clusters against whoever would have a call of one run in the other: by a cursor, by a guess of an argument, by an edited approval.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { deployment } from "../cluster/admin.ts";
import { openFleet, place, type Fleet } from "../cluster/fleet.ts";
import { promise } from "../support/promise.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet({ skip: "two small clusters are enough here" });
  for (const admin of [fleet.prod, fleet.dev])
    for (const name of ["web", "worker"])
      await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment(name, 1, "pw"));
  await fleet.world.restart(async () => {
    for (const name of ["prod", "dev"]) {
      const { code, out, err } = await fleet.world.sallyport([
        "enroll",
        "--context",
        name,
        "--namespace",
        place,
        "--yes",
      ]);
      if (code !== 0) throw new Error(`${out}${err}`);
    }
  });
}, 300_000);
afterAll(async () => {
  await fleet?.stop();
}, 300_000);

const scale = (cluster: string, more: JsonObject = {}): JsonObject => ({
  cluster,
  kind: "Deployment",
  namespace: place,
  name: "api",
  replicas: 5,
  reason: "more is asked of it",
  ...more,
});

promise("hostile:one-cluster", "a page of one cluster's list leads nowhere in the other", async () => {
  const list = { kind: "deployments", namespace: place, limit: 1 };
  const first = await fleet.world.call("objects_list", { ...list, cluster: "prod" });
  const cursor = textAt(first.facts, "cursor");
  expect(cursor).not.toBe("");
  const other = await fleet.world.call("objects_list", { ...list, cluster: "dev", cursor });
  expect(other.facts["code"]).toBe("invalid_input");
  expect((await fleet.world.call("objects_list", { ...list, cluster: "prod", cursor })).isError).toBe(false);
});

promise("hostile:one-cluster", "a second cluster in other clothing is no argument", async () => {
  for (const more of [
    { Cluster: "dev" },
    { "cluster ": "dev" },
    { context: "wire" },
    { cluster: "prod\u0000dev" },
    { cluster: "PROD" },
    { cluster: "ｐrod" },
    { cluster: { toString: "dev" } },
    { name: "api", namespace: `${place}/../dev` },
  ]) {
    const answer = await fleet.world.call("workloads_scale", scale("prod", more));
    expect([more, answer.facts["code"]]).toEqual([more, "invalid_input"]);
  }
});

promise("hostile:one-cluster", "a request that was moved to the other cluster by hand never runs there", async () => {
  const before = [await fleet.replicas(fleet.prod), await fleet.replicas(fleet.dev)];
  const pending = await fleet.world.call("workloads_scale", scale("prod"));
  expect(pending.facts["outcome"]).toBe("suspended");
  const path = join(fleet.world.folder, "approvals", "requests.json");
  const text = await readFile(path, "utf8");
  const moved = text
    .replaceAll('"cluster":"prod"', '"cluster":"dev"')
    .replaceAll('"cluster": "prod"', '"cluster": "dev"');
  expect(moved).not.toBe(text);
  // What no longer fits its own digests is used for nothing, not even for a start.
  await expect(fleet.world.restart(() => writeFile(path, moved))).rejects.toThrow("internal");
  await fleet.world.restart(() => writeFile(path, text));
  expect([await fleet.replicas(fleet.prod), await fleet.replicas(fleet.dev)]).toEqual(before);
});
