// A cluster as issuer that does not answer. What a real one signs is tested in test/cluster/service-account.test.ts.

import { expect } from "vitest";
import type { ClusterIssuer } from "../../../src/identity/cluster-issuer.ts";
import { serviceAccount } from "../../../src/identity/verifiers/service-account.ts";
import { promise } from "../../support/promise.ts";
import { rawSigned } from "./loopback-issuer.ts";
import { clockAt } from "./place.ts";

const header = { alg: "RS256", kid: "other" };
const claims = { iss: "https://other.example.com", sub: "system:serviceaccount:a:b", "kubernetes.io": {} };
const token = rawSigned(header, claims, () => Buffer.from("x"));

promise(
  "identity:cluster-away",
  "the first token waits for its answer, the next do not, and it is asked again",
  async () => {
    const clock = clockAt();
    const asked: PromiseWithResolvers<never>[] = [];
    const cluster: ClusterIssuer = {
      discovery: async () => {
        const asking = Promise.withResolvers<never>();
        asked.push(asking);
        return await asking.promise;
      },
      keys: () => Promise.reject(new Error("not asked before its metadata")),
      review: () => Promise.reject(new Error("no token of this test gets so far")),
    };
    const verifier = serviceAccount({
      rules: { name: "away", audience: ["sallyport"], prefix: "", review: false, suffix: "" },
      cluster,
      now: clock.now,
      told: () => undefined,
      away: () => undefined,
      closing: new AbortController().signal,
    });
    const ask = () => verifier.verify({ kind: "bearer", token, client: "" });

    const first = ask();
    await expect.poll(() => asked.length, { timeout: 60_000 }).toBe(1);
    asked[0]?.reject(new Error("the connection was lost"));
    expect(await first).toBe(null);
    // Left alone for ten seconds; then a look hangs, and nobody waits for it.
    expect([await ask(), asked.length]).toEqual([null, 1]);
    clock.pass(11);
    expect([await ask(), asked.length]).toEqual([null, 2]);
    expect([await ask(), asked.length]).toEqual([null, 2]);
  },
);
