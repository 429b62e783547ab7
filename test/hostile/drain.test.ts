// A drain whose pods are not the ones that were agreed: what nobody was shown is not evicted, whatever its name.

import { expect } from "vitest";
import type { Access } from "../../src/domain/access.ts";
import type { SessionId } from "../../src/domain/ids.ts";
import { Faulted } from "../../src/domain/fault.ts";
import { guardCluster } from "../../src/execution/guarded-cluster.ts";
import { openMasking } from "../../src/masking/mask.ts";
import type { ResourceKind } from "../../src/tool.ts";
import { clientOf, serve } from "../contracts/kubernetes/server.ts";
import { promise } from "../support/promise.ts";

const pods: ResourceKind = {
  group: "",
  version: "v1",
  resource: "pods",
  kind: "Pod",
  namespaced: true,
  verbs: [],
  shortNames: [],
  subresources: [],
};
const eviction: Access = {
  cluster: "test",
  verb: "create",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "eviction",
  kind: "Pod",
  namespace: "shop",
  name: "web-0",
  optional: false,
};

promise(
  "hostile:drain-agreed",
  "a pod that no rehearsal showed, or that took an agreed one's name, stays",
  async () => {
    const { url, seen } = await serve((_, response) =>
      response.writeHead(201, { "content-type": "application/json" }).end('{"kind":"Status","status":"Success"}'),
    );
    const masker = openMasking({ key: new Uint8Array(32) }).forCall({ id: "ses_test" as SessionId, door: "stdio" }, {});
    const evicting = async (agreed: string | null, uid: string, namespace = "shop"): Promise<string> => {
      const marks = { resourceVersion: "1", substance: "" };
      const cluster = guardCluster({
        client: clientOf(url),
        accesses: [eviction],
        forbids: () => false,
        leftOut: 0,
        authorization: () => "Bearer token-of-a-test",
        masking: { ...masker, asRead: (read) => masker.object(read) },
        rehearse: false,
        preconditions: agreed === null ? [] : [{ resource: "pods", namespace, name: "web-0", uid: agreed, ...marks }],
        nextAuditId: () => "call_0190.1",
        agent: "test",
        signal: new AbortController().signal,
        timeout: 60_000,
        now: () => 0,
        streamed: () => undefined,
      });
      return await cluster.evict({ kind: pods, namespace, name: "web-0" }, { metadata: { uid } }).then(
        () => "evicted",
        (thrown: unknown) => (thrown instanceof Faulted ? thrown.fault.code : String(thrown)),
      );
    };
    expect([await evicting("one", "one"), await evicting("one", "two"), await evicting(null, "one")]).toEqual([
      "evicted",
      "stale",
      "stale",
    ]);
    // RBAC can't tell the namespaces of a ClusterRole apart: where one is not enrolled, this look is what holds an eviction to the pod's own.
    expect(await evicting("one", "one", "other")).toBe("internal");
    expect(seen.map(({ body }) => (JSON.parse(body) as { deleteOptions: unknown }).deleteOptions)).toEqual([
      { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: "one" } },
    ]);
  },
);
