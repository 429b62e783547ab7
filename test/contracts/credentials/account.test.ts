// The gateway's own account: what the kubeconfig is used for, and what is said before enrolment.

import { afterEach, beforeEach, describe, expect } from "vitest";
import { at, textAt } from "../../../src/domain/json.ts";
import type { Connection, KubeClient, KubeRequest } from "../../../src/kubernetes/contract.ts";
import { openSeparated } from "../../../src/credentials/separate.ts";
import { promise } from "../../support/promise.ts";
import { brief, status } from "./loopback.ts";
import { faultOf, never, openBench, patchApi, seconds, type Bench } from "./support.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench.loopback.close();
});

const account = "system:serviceaccount:sallyport-system:gateway";

describe("gateway account", () => {
  promise("credentials:gateway-account", "the kubeconfig's credential is seen on the mint alone", async () => {
    const { loopback, credentials } = bench;
    const issued = await bench.issue({ effect: "change", accesses: patchApi });
    await issued.revoke();
    await credentials.sweep({ knows: () => true, sessionGrants: [] }, never).catch(() => undefined);
    const own = loopback.seen.filter((seen) => seen.authorization === "Bearer kubeconfig");
    expect(own.map(brief)).toEqual(["POST serviceaccounts/token sallyport-system"]);
    expect(own[0]?.body["spec"]).toEqual({ expirationSeconds: 3600 });
    expect(await credentials.standing(never)).toMatchObject({ kind: "enrolled", account });
  });

  promise(
    "credentials:gateway-account",
    "a server that takes the token for somebody else's is not worked with",
    async () => {
      bench.loopback.instead = (seen) =>
        seen.path.endsWith("/selfsubjectreviews")
          ? { status: 201, body: { status: { userInfo: { username: "kubernetes-admin" } } } }
          : undefined;
      const found = await faultOf(bench.credentials.readIdentity(never));
      expect([found.code, found.effect]).toEqual(["credential_unavailable", "none"]);
      expect(found.cause).toContain("kubernetes-admin");
    },
  );

  promise(
    "credentials:gateway-account",
    "it waits until its rights hold, and for no longer than a moment",
    async () => {
      const { loopback, credentials } = bench;
      loopback.objects.set("/api/v1/namespaces/sallyport-system/configmaps/enrolment", {
        metadata: { name: "enrolment" },
        data: { namespaces: "pay,shop" },
      });
      const asked: string[] = [];
      let yes = false;
      loopback.instead = ({ path, body }) => {
        if (!path.endsWith("/selfsubjectaccessreviews")) return undefined;
        const right = at(body, "spec", "resourceAttributes");
        asked.push(["verb", "resource", "namespace", "name"].map((key) => textAt(right, key)).join(" "));
        // Each is refused twice before it holds.
        const allowed = yes && asked.filter((one) => one === asked.at(-1)).length > 2;
        return { status: 201, body: { status: { allowed } } };
      };
      yes = true;
      expect(await credentials.standing(never)).toMatchObject({ kind: "enrolled" });
      const record = "get configmaps sallyport-system enrolment";
      const last = "get namespaces shop shop";
      expect(asked).toEqual([record, record, record, last, last, last]);
      await credentials.refused(null);
      [yes, asked.length] = [false, 0];
      expect(await credentials.standing(never)).toMatchObject({ kind: "enrolled" });
      expect(asked).toEqual(Array.from({ length: 10 }, () => record));
    },
  );

  for (const [code, reason, because] of [
    [404, "NotFound", "no_account"],
    [403, "Forbidden", "may_not_mint"],
  ] as const)
    promise(
      "credentials:gateway-account",
      `${code} on the mint means that the cluster is not enrolled, until it is`,
      async () => {
        bench.loopback.instead = (seen) => (seen.path.endsWith("/token") ? status(code, reason, seen.path) : undefined);
        expect(await bench.credentials.standing(never)).toMatchObject({ kind: "not_enrolled", because });
        expect(await bench.credentials.readIdentity(never)).toBe("Bearer kubeconfig");
        bench.loopback.instead = () => undefined;
        bench.clock += seconds(5);
        expect(await bench.credentials.standing(never)).toMatchObject({ kind: "enrolled" });
      },
    );

  promise(
    "credentials:gateway-account",
    "an expired kubeconfig or a dead cluster is a fault, never taken for an unenrolled cluster",
    async () => {
      for (const [code, reason, fault] of [
        [401, "Unauthorized", "credential_unavailable"],
        [503, "ServiceUnavailable", "cluster_busy"],
      ] as const) {
        bench.loopback.instead = (seen) => status(code, reason, seen.path);
        expect(await faultOf(bench.credentials.standing(never))).toMatchObject({ code: fault, effect: "none" });
      }
    },
  );

  promise(
    "credentials:single-flight",
    "twenty at once mint once, and again when a fifth of its life is left",
    async () => {
      const { loopback, credentials } = bench;
      const mints = (): number => loopback.seen.filter((seen) => seen.path.endsWith("/token")).length;
      await Promise.all(Array.from({ length: 20 }, () => credentials.readIdentity(never)));
      expect(mints()).toBe(1);
      bench.clock += seconds(3600 * 0.8 - 1);
      const before = await credentials.readIdentity(never);
      expect(mints()).toBe(1);
      bench.clock += seconds(1);
      expect(await credentials.readIdentity(never)).not.toBe(before);
      expect(mints()).toBe(2);
    },
  );

  promise("credentials:single-flight", "a server that grants less is believed", async () => {
    bench.loopback.longest = 900;
    const before = await bench.credentials.readIdentity(never);
    bench.clock += seconds(720);
    expect(await bench.credentials.readIdentity(never)).not.toBe(before);
  });

  promise(
    "credentials:single-flight",
    "while a renewal fails the living token serves on, and no longer than it lives",
    async () => {
      const { loopback, credentials } = bench;
      const before = await credentials.readIdentity(never);
      loopback.instead = (seen) => (seen.path.endsWith("/token") ? status(500, "InternalError", seen.path) : undefined);
      bench.clock += seconds(3000);
      expect(await credentials.readIdentity(never)).toBe(before);
      const asked = loopback.seen.length;
      bench.clock += seconds(29);
      expect(await credentials.readIdentity(never)).toBe(before);
      expect(loopback.seen.length).toBe(asked);
      bench.clock += seconds(1);
      expect(await credentials.readIdentity(never)).toBe(before);
      expect(loopback.seen.length).toBe(asked + 1);
      bench.clock += seconds(570);
      expect(await faultOf(credentials.readIdentity(never))).toMatchObject({ effect: "none" });
    },
  );

  promise("credentials:single-flight", "one that leaves gets its own end, the others the token", async () => {
    const { loopback, credentials } = bench;
    const leaving = new AbortController();
    loopback.instead = (seen) => {
      if (seen.path.endsWith("/token")) leaving.abort();
      return undefined;
    };
    const [left, stayed] = await Promise.all([
      faultOf(credentials.readIdentity(leaving.signal)),
      credentials.readIdentity(never),
    ]);
    expect([left.code, stayed?.startsWith("Bearer ")]).toEqual(["cancelled", true]);
  });

  promise(
    "credentials:certificate",
    "requests with a token go through connections that have no certificate",
    async () => {
      const shown: string[] = [];
      const open = (connection: Connection): KubeClient => {
        const through = connection.tls.cert === undefined && connection.tls.key === undefined ? "bare" : "certificate";
        return {
          ...bench.loopback.client,
          request: (request: KubeRequest) => {
            shown.push(`${through}: ${request.authorization ?? "nothing"}`);
            return bench.loopback.client.request(request);
          },
        };
      };
      const tls = { insecure: false, cert: "a certificate", key: "its key", ca: "an authority" };
      const client = openSeparated({ ...bench.loopback.connection, tls }, open);
      const list = { verb: "get", group: "", version: "v1", resource: "pods", namespace: "shop", name: "a" } as const;
      for (const authorization of ["Bearer a.grant.token", null, "Bearer b"])
        await faultOf(client.request({ ...list, authorization, auditId: "x.1", agent: "a", signal: never }));
      expect(shown).toEqual(["bare: Bearer a.grant.token", "certificate: nothing", "bare: Bearer b"]);
    },
  );
});
