// The sweep at the network edge: what it asks, when it looks at what is in flight, and what it leaves alone.

import { afterEach, beforeEach, describe, expect } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import { promise } from "../../support/promise.ts";
import { testIds } from "./calls.ts";
import { brief, status } from "./loopback.ts";
import { faultOf, listPods, never, openBench, patchApi, type Bench } from "./support.ts";

let bench: Bench;
const ids = testIds();
const record = "/api/v1/namespaces/sallyport-system/configmaps/enrolment";

beforeEach(async () => {
  bench = await openBench();
  bench.loopback.objects.set(record, { data: { version: "1", namespaces: "shop,kube-system,pay" } });
  await bench.credentials.standing(never);
});
afterEach(async () => {
  await bench.loopback.close();
});

function plant(path: string, grant: string, more: JsonObject = {}): void {
  const labels = { "sallyport.dev/gateway": "g1", "sallyport.dev/grant": grant };
  const name = path.split("/").at(-1) ?? "";
  bench.loopback.objects.set(path, { metadata: { name, labels, ...more } });
}
const sessions = "/api/v1/namespaces/sallyport-sessions";
const rbac = (namespace: string): string => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;

describe("sweep", () => {
  promise("credentials:sweep", "asks for metadata alone, only of what is ours", async () => {
    bench.loopback.seen.length = 0;
    await bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never);
    const lists = bench.loopback.seen.filter((seen) => seen.path !== record);
    expect(lists.map(brief)).toEqual([
      "GET serviceaccounts sallyport-sessions",
      "GET secrets sallyport-sessions",
      "GET rolebindings pay",
      "GET roles pay",
      "GET rolebindings shop",
      "GET roles shop",
    ]);
    for (const seen of lists)
      expect([seen.accept, Object.fromEntries(seen.query)]).toEqual([
        "application/json;as=Table;g=meta.k8s.io;v=v1",
        { labelSelector: "sallyport.dev/gateway=g1", includeObject: "Metadata", limit: "500" },
      ]);
  });

  promise(
    "credentials:cluster-grant",
    "the sweep looks for ClusterRoles where nodes are enrolled, and removes what is left",
    async () => {
      const data = { version: "1", namespaces: "shop", nodes: "true" };
      bench.loopback.objects.set(record, { data });
      const grant = ids.grant();
      const cluster = "/apis/rbac.authorization.k8s.io/v1";
      plant(`${cluster}/clusterroles/run-${grant}`, grant);
      plant(`${cluster}/clusterrolebindings/run-${grant}`, grant);
      plant(`${cluster}/clusterroles/somebody-elses`, grant);
      bench.loopback.seen.length = 0;
      const answer = await bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never);
      expect(bench.loopback.seen.filter((seen) => seen.method === "DELETE").map((seen) => seen.path)).toEqual([
        `${cluster}/clusterrolebindings/run-${grant}`,
        `${cluster}/clusterroles/run-${grant}`,
      ]);
      expect(answer?.swept).toEqual([
        { grant, call: "", objects: [`clusterrolebindings run-${grant}`, `clusterroles run-${grant}`], complete: true },
      ]);
      expect(answer?.unknown).toEqual([{ grant, objects: ["clusterroles somebody-elses"], removed: false }]);
    },
  );

  promise("credentials:sweep", "a server that answers with whole objects is not read on", async () => {
    bench.loopback.instead = (seen) =>
      seen.path.endsWith("/secrets") ? { status: 200, body: { kind: "SecretList", items: [] } } : undefined;
    await expect(bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never)).rejects.toThrow(
      "not a Table",
    );
  });

  promise("credentials:sweep", "what is left of a grant goes in the order of a removal", async () => {
    const grant = ids.grant();
    const call = ids.call();
    plant(`${rbac("shop")}/roles/run-${grant}`, grant);
    plant(`${sessions}/serviceaccounts/run-${grant}`, grant, { annotations: { "sallyport.dev/call": call } });
    plant(`${sessions}/secrets/anchor-${grant}`, grant);
    plant(`${rbac("shop")}/rolebindings/run-${grant}`, grant);
    bench.loopback.seen.length = 0;
    const asked: string[][] = [];
    const knows = (...of: string[]): boolean => asked.push(of) > 0;
    const answer = await bench.credentials.sweep({ knows, sessionGrants: [] }, never);
    const removed = bench.loopback.seen.map(brief).filter((one) => one.startsWith("DELETE"));
    expect(removed.slice(0, 2)).toEqual(["DELETE rolebindings shop", "DELETE secrets sallyport-sessions"]);
    expect(removed.slice(2).sort()).toEqual(["DELETE roles shop", "DELETE serviceaccounts sallyport-sessions"]);
    expect(answer).toMatchObject({ swept: [{ grant, call, complete: true }], unknown: [], unread: [] });
    expect(asked).toEqual([[grant, call]]);
  });

  promise("credentials:sweep", "a grant that was made while it listed is not taken for a leftover", async () => {
    let issued: Awaited<ReturnType<Bench["issue"]>> | null = null;
    bench.loopback.instead = async (seen) => {
      if (issued === null && brief(seen) === "GET secrets sallyport-sessions") {
        bench.loopback.instead = () => undefined;
        issued = await bench.issue({ effect: "change", accesses: patchApi });
      }
      return undefined;
    };
    const answer = await bench.credentials.sweep({ knows: () => false, sessionGrants: [] }, never);
    expect(issued).not.toBe(null);
    expect(answer).toEqual({ swept: [], unknown: [], unread: [] });
  });

  promise("credentials:sweep", "what its own removal could not finish is taken up", async () => {
    const issued = await bench.issue({ effect: "change", accesses: patchApi });
    bench.loopback.instead = (seen) => (seen.method === "DELETE" ? status(500, "InternalError", seen.path) : undefined);
    expect(await issued.revoke()).toBe(false);
    bench.loopback.instead = () => undefined;
    const answer = await bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never);
    expect(answer?.swept.map(({ grant, complete }) => [grant, complete])).toEqual([[issued.grant.id, true]]);
    expect([...bench.loopback.objects.keys()]).toEqual([record]);
  });

  promise(
    "credentials:sweep",
    "a list that can't be read is told and stops no other; a refused token stops all",
    async () => {
      const grant = ids.grant();
      plant(`${rbac("pay")}/roles/run-${grant}`, grant);
      bench.loopback.instead = (seen) =>
        brief(seen) === "GET roles shop" ? status(403, "Forbidden", seen.path) : undefined;
      const answer = await bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never);
      expect(answer?.swept.map((one) => one.objects)).toEqual([[`roles pay/run-${grant}`]]);
      expect(answer?.unread.map((one) => one.split(":")[0])).toEqual(["roles shop"]);
      bench.loopback.instead = (seen) =>
        brief(seen) === "GET roles shop" ? status(401, "Unauthorized", seen.path) : undefined;
      const found = await faultOf(bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never));
      expect(found.code).toBe("credential_unavailable");
    },
  );

  promise(
    "credentials:sweep",
    "a dead session's anchor is removed by its name, a living one's stays, one that is gone is told as gone",
    async () => {
      const [dead, gone] = [ids.grant(), ids.grant()];
      const alive = await bench.issue({ effect: "read", accesses: listPods });
      const anchor = (grant: string): string => `/api/v1/namespaces/sallyport-system/secrets/anchor-${grant}`;
      plant(anchor(dead), dead);
      const sessionGrants = [dead, gone, alive.grant.id];
      const answer = await bench.credentials.sweep({ knows: () => true, sessionGrants }, never);
      expect(answer?.swept).toEqual([
        { grant: dead, call: "", objects: [`secrets sallyport-system/anchor-${dead}`], complete: true },
        { grant: gone, call: "", objects: [], complete: true },
      ]);
      expect([...bench.loopback.objects.keys()].sort()).toEqual([anchor(alive.grant.id), record].sort());
    },
  );

  promise("credentials:sweep-unknown", "objects that only claim to be ours stay, and are told", async () => {
    const grant = ids.grant();
    plant(`${rbac("shop")}/roles/billing-admin`, grant);
    plant(`${rbac("shop")}/roles/run-x`, "x");
    plant(`${rbac("shop")}/roles/run-${grant}`, "");
    const answer = await bench.credentials.sweep({ knows: () => true, sessionGrants: [] }, never);
    expect(answer?.swept).toEqual([]);
    expect(answer?.unknown).toEqual([
      { grant, objects: ["roles shop/billing-admin"], removed: false },
      { grant: "x", objects: ["roles shop/run-x"], removed: false },
      { grant: "", objects: [`roles shop/run-${grant}`], removed: false },
    ]);
    expect([...bench.loopback.objects.keys()].filter((path) => path !== record).length).toBe(3);
  });
});
