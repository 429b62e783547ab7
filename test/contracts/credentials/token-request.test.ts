// One grant a call, at the network edge: in which order it is made and taken back, and what is left when any step fails.

import { afterEach, beforeEach, describe, expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import { at, textAt } from "../../../src/domain/json.ts";
import type { IssuedGrant } from "../../../src/credentials/issue.ts";
import { promise } from "../../support/promise.ts";
import { access, auditIds, authorizedCall } from "./calls.ts";
import { brief, status, type Loopback, type Seen } from "./loopback.ts";
import { faultOf, never, openBench, type Bench } from "./support.ts";

let bench: Bench;
let loopback: Loopback;

beforeEach(async () => {
  bench = await openBench();
  ({ loopback } = bench);
  await bench.credentials.standing(never);
  loopback.seen.length = 0;
});
afterEach(async () => {
  await loopback.close();
});

const accesses: readonly Access[] = ["shop", "pay"].map((namespace) =>
  access("loopback", { verb: "patch", resource: "deployments", name: "api", namespace }),
);

function issue(signal = never, nextAuditId = auditIds("call")): Promise<IssuedGrant> {
  const call = authorizedCall({ cluster: "loopback", effect: "change", accesses });
  return bench.credentials.issue(call, { nextAuditId, deadline: 30_000, signal });
}
/** Holds the first `count` requests that match until all of them have come, and tells what came beside them. */
function holdTogether(count: number): (seen: Seen) => Promise<undefined> {
  let waiting = 0;
  let release = (): void => undefined;
  const all = new Promise<void>((resolve) => (release = resolve));
  return async () => {
    if (++waiting === count) release();
    if (waiting <= count) await all;
    return undefined;
  };
}

const makingOne = ["POST secrets sallyport-sessions", "POST serviceaccounts sallyport-sessions"];
const rounds = [
  [...makingOne, "POST roles shop", "POST roles pay"],
  ["POST serviceaccounts/token sallyport-sessions", "POST rolebindings shop", "POST rolebindings pay"],
  ["POST selfsubjectaccessreviews", "POST selfsubjectaccessreviews"],
];
const removals = [
  ["DELETE rolebindings shop", "DELETE rolebindings pay"],
  ["DELETE secrets sallyport-sessions"],
  ["DELETE roles shop", "DELETE roles pay", "DELETE serviceaccounts sallyport-sessions"],
];
/** What came, cut into rounds of these sizes, each sorted. */
function inRounds(seen: readonly Seen[], sizes: readonly number[]): string[][] {
  const names = seen.map(brief);
  return sizes.map((size) => names.splice(0, size).sort());
}
const sorted = (lists: readonly (readonly string[])[]): string[][] => lists.map((list) => [...list].sort());

describe("token-request", () => {
  promise("credentials:order", "the rounds of making and of taking back", async () => {
    loopback.instead = holdTogether(4);
    const issued = await issue();
    expect(inRounds(loopback.seen, [4, 3, 2, 1])).toEqual([...sorted(rounds), []]);
    const gateway = loopback.seen.slice(0, 7).map((seen) => seen.authorization);
    expect(new Set(gateway).size).toBe(1);
    expect(gateway[0]).not.toBe("Bearer kubeconfig");
    expect(loopback.seen.slice(7).map((seen) => seen.authorization)).toEqual(
      Array(2).fill(issued.grant.authorization()),
    );

    const { id } = issued.grant;
    const anchor = loopback.objects.get(`/api/v1/namespaces/sallyport-sessions/secrets/anchor-${id}`) ?? {};
    expect(at(anchor, "type")).toBe("sallyport.dev/anchor");
    expect([anchor["data"], at(anchor, "metadata", "finalizers")]).toEqual([undefined, undefined]);
    const token = loopback.seen.find((seen) => seen.path.endsWith("/token"));
    expect(token?.body["spec"]).toEqual({
      expirationSeconds: 600,
      boundObjectRef: {
        apiVersion: "v1",
        kind: "Secret",
        name: `anchor-${id}`,
        uid: textAt(anchor, "metadata", "uid"),
      },
    });

    loopback.seen.length = 0;
    expect(await issued.revoke()).toBe(true);
    expect(inRounds(loopback.seen, [2, 1, 3, 1])).toEqual([...sorted(removals), []]);
    expect([...loopback.objects.keys()]).toEqual([]);
  });

  promise("credentials:order", "each request carries an audit id of its call", async () => {
    const issued = await issue(undefined, auditIds("call_x"));
    await issued.revoke();
    expect(loopback.seen.map((seen) => seen.auditId).sort()).toEqual(
      loopback.seen.map((_, index) => `call_x.${index + 1}`).sort(),
    );
  });

  promise("credentials:order", "taking back goes on past a failure, says so, and can be done again", async () => {
    const issued = await issue();
    loopback.seen.length = 0;
    loopback.instead = (seen) =>
      brief(seen) === "DELETE rolebindings shop" ? status(500, "Internal", seen.path) : undefined;
    expect(await issued.revoke()).toBe(false);
    expect(inRounds(loopback.seen, [2, 1, 3, 1])).toEqual([...sorted(removals), []]);
    loopback.instead = () => undefined;
    expect(await issued.revoke()).toBe(true);
    loopback.seen.length = 0;
    expect(await issued.revoke()).toBe(true);
    expect(loopback.seen).toEqual([]);
  });

  const failures = [
    ["403", (seen: Seen) => status(403, "Forbidden", seen.path, "secret words of the server")],
    ["409", (seen: Seen) => status(409, "AlreadyExists", seen.path, "secret words of the server")],
    ["429", (seen: Seen) => status(429, "TooManyRequests", seen.path, "secret words of the server")],
    ["500", (seen: Seen) => status(500, "InternalError", seen.path, "secret words of the server")],
    ["no answer, though it was done", () => "hang up" as const],
  ] as const;
  for (const step of rounds.slice(0, 2).flat())
    for (const [how, instead] of failures)
      promise("credentials:nothing-left", `${step}: ${how}`, async () => {
        loopback.instead = (seen) => (brief(seen) === step ? instead(seen) : undefined);
        const found = await faultOf(issue());
        expect([...loopback.objects.keys()]).toEqual([]);
        expect([found.code, found.effect]).toEqual(["credential_unavailable", "none"]);
        expect(JSON.stringify(found.detail)).not.toContain("secret words");
        expect(found.cause).not.toContain("secret words");
        expect(found.cause).not.toBe("");
      });

  promise("credentials:nothing-left", "rights that never take hold", async () => {
    loopback.instead = (seen) =>
      seen.path.endsWith("/selfsubjectaccessreviews")
        ? { status: 201, body: { status: { allowed: false } } }
        : undefined;
    const found = await faultOf(issue());
    expect([found.code, found.cause]).toEqual([
      "credential_unavailable",
      "the grant does not take hold: patch apps/deployments shop/api",
    ]);
    expect([...loopback.objects.keys()]).toEqual([]);
  });

  promise("credentials:nothing-left", "an answer that holds no token", async () => {
    loopback.instead = (seen) =>
      brief(seen) === "POST serviceaccounts/token sallyport-sessions"
        ? { status: 201, body: { status: { token: "opaque" } } }
        : undefined;
    expect(await faultOf(issue())).toMatchObject({ code: "credential_unavailable" });
    expect([...loopback.objects.keys()]).toEqual([]);
  });

  promise("credentials:nothing-left", "a call that is cancelled while its grant is made", async () => {
    for (const step of rounds.slice(0, 2).flat()) {
      const caller = new AbortController();
      loopback.instead = (seen) => {
        if (brief(seen) === step) caller.abort();
        return undefined;
      };
      const found = await faultOf(issue(caller.signal));
      expect([found.code, found.effect]).toEqual(["cancelled", "none"]);
      // The server may still be at work on what was sent before the connection closed.
      await expect.poll(() => [...loopback.objects.keys()], { timeout: 60_000 }).toEqual([]);
    }
  });

  promise("credentials:nothing-left", "a cluster that another gateway's call is for", async () => {
    const elsewhere = [access("another", { verb: "patch", resource: "deployments", name: "api" })];
    const call = authorizedCall({ cluster: "another", effect: "change", accesses: elsewhere });
    const terms = { nextAuditId: auditIds("call"), deadline: 1, signal: never };
    expect(await faultOf(bench.credentials.issue(call, terms))).toMatchObject({ code: "credential_unavailable" });
    expect(loopback.seen).toEqual([]);
  });

  promise("credentials:gateway-account", "a refused gateway token is minted anew for the next call", async () => {
    loopback.instead = (seen) =>
      brief(seen) === "POST roles shop" ? status(401, "Unauthorized", seen.path) : undefined;
    expect(await faultOf(issue())).toMatchObject({ code: "credential_unavailable" });
    loopback.instead = () => undefined;
    loopback.seen.length = 0;
    const issued = await issue();
    expect(await issued.revoke()).toBe(true);
    expect([...loopback.objects.keys()]).toEqual([]);
  });
});
