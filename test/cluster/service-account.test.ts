// ServiceAccount tokens of a real kube-apiserver: whom they stand for, what is refused, and an account that is deleted.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { clusterIssuer } from "../../src/commands/issuers.ts";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { rollUp, type Told } from "../../src/identity/refused.ts";
import type { Verifier } from "../../src/identity/verifiers/contract.ts";
import { serviceAccount, type ServiceAccountRules } from "../../src/identity/verifiers/service-account.ts";
import { openContexts } from "../../src/kubernetes/kubeconfig.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "callers";
const accounts = `/api/v1/namespaces/${place}/serviceaccounts`;
const issuer = "https://kubernetes.default.svc";

describe.skipIf("skip" in cluster)(`ServiceAccounts of a real kube-apiserver as callers${why}`, () => {
  let admin: Admin;
  let world: World;
  const told: Told[] = [];
  const closing = new AbortController();
  let turned = 0;
  const now = (): number => Date.now() + turned;

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    for (const name of ["shopbot", "leaver", "lingerer"]) await admin.create(accounts, { metadata: { name } });
    const config = "hold: 0\nissuers:\n  - { kind: service-account, name: lab, review: true }\n";
    world = await openWorld({ kubeconfigPath: cluster.kubeconfigPath, enroll: null, config });
  });
  afterAll(async () => {
    closing.abort();
    await world?.stop();
  });

  async function tokenOf(name: string, audiences: readonly string[] = ["sallyport"], more: JsonObject = {}) {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences, ...more } };
    return textAt(await admin.create(`${accounts}/${name}/token`, body), "status", "token");
  }
  async function verifier(more: Partial<ServiceAccountRules> = {}): Promise<Verifier> {
    if ("skip" in cluster) throw new Error("no cluster");
    const contexts = await openContexts({
      kubeconfig: [cluster.kubeconfigPath],
      env: {},
      readFile: (path) => readFile(path, "utf8"),
      now: Date.now,
    });
    const connection = await contexts.open(contexts.current);
    const io = { version: "0.0.0", now: Date.now, random: (count: number) => randomBytes(count) };
    return serviceAccount({
      rules: { name: "lab", audience: ["sallyport"], prefix: "", review: false, suffix: "", ...more },
      cluster: clusterIssuer(io, connection, closing.signal),
      now,
      told: rollUp(now, (one) => told.push(one)),
      away: (sentence) => told.push({ why: sentence, found: "", times: 1 }),
      closing: closing.signal,
    });
  }
  const ask = (by: Verifier, token: string) => by.verify({ kind: "bearer", token, client: "" });
  const lastTold = (): string => told.at(-1)?.why ?? "";

  promise(
    "identity:service-account",
    "an account by namespace and name, with every scope, until its token ends",
    async () => {
      const token = await tokenOf("shopbot");
      const expected = {
        verified: {
          issuer,
          subject: "callers/shopbot",
          kind: "agent",
          groups: ["serviceaccounts", "serviceaccounts:callers"],
          actors: [],
        },
        scopes: ["sallyport:read", "sallyport:change", "sallyport:execute"],
        expires: expect.any(Number) as number,
      };
      for (const review of [false, true]) {
        const one = await verifier({ review });
        const accepted = await ask(one, token);
        expect(accepted).toEqual(expected);
        expect((accepted?.expires ?? 0) - Date.now()).toBeGreaterThan(3_000_000);
        expect(one.standing?.()).toEqual({ kind: "ready" });
        if (accepted === null) continue;
        expect(await one.stillAccepts(accepted.verified)).toBe(true);
        expect(await one.stillAccepts({ ...accepted.verified, groups: ["admins"] })).toBe(false);
        expect(await one.stillAccepts({ ...accepted.verified, issuer: `${issuer}/` })).toBe(false);
      }
      expect((await ask(await verifier({ suffix: "#lab" }), token))?.verified.issuer).toBe(`${issuer}#lab`);
    },
  );

  promise(
    "identity:service-account",
    "a token for another audience, and one that is for the cluster itself",
    async () => {
      const one = await verifier();
      expect(await ask(one, await tokenOf("shopbot", ["vault"]))).toBe(null);
      expect(lastTold()).toBe("the token is for somebody else (aud)");
      expect(await ask(one, await tokenOf("shopbot", []))).toBe(null);
      expect((await ask(one, await tokenOf("shopbot", ["vault", "sallyport"])))?.verified.subject).toBe(
        "callers/shopbot",
      );
    },
  );

  promise("identity:service-account", "a changed token, and one that the cluster never signed", async () => {
    const one = await verifier();
    const token = await tokenOf("shopbot");
    const [head = "", body = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as JsonObject;
    const as = (sub: string): string =>
      `${head}.${Buffer.from(JSON.stringify({ ...claims, sub })).toString("base64url")}.${signature}`;
    expect(await ask(one, as("system:serviceaccount:kube-system:shopbot"))).toBe(null);
    expect(lastTold()).toBe("the token is not bound to a ServiceAccount");
    expect(await ask(one, as("system:serviceaccount:callers:shopbot"))).not.toBe(undefined);
    expect(await ask(one, `${head}.${body}.${signature.slice(0, -8)}AAAAAAAA`)).toBe(null);
  });

  promise(
    "identity:service-account-legacy",
    "a token of a Secret, which never ends, is refused with and without a review",
    async () => {
      const name = "lingerer-token";
      const secrets = `/api/v1/namespaces/${place}/secrets`;
      const annotations = { "kubernetes.io/service-account.name": "lingerer" };
      await admin.create(secrets, { type: "kubernetes.io/service-account-token", metadata: { name, annotations } });
      const legacy = await expect
        .poll(async () => textAt((await admin.send("GET", `${secrets}/${name}`)).body, "data", "token"), {
          timeout: 60_000,
        })
        .not.toBe("")
        .then(async () => textAt((await admin.send("GET", `${secrets}/${name}`)).body, "data", "token"));
      const token = Buffer.from(legacy, "base64").toString();
      expect(token.split(".").length).toBe(3);
      for (const review of [false, true]) expect(await ask(await verifier({ review }), token)).toBe(null);
    },
  );

  promise(
    "identity:service-account-gone",
    "a deleted account is refused soon where the cluster is asked of each token",
    async () => {
      const token = await tokenOf("leaver");
      const [asking, trusting] = [await verifier({ review: true }), await verifier()];
      expect((await ask(asking, token))?.verified.subject).toBe("callers/leaver");
      expect((await ask(trusting, token))?.verified.subject).toBe("callers/leaver");
      expect((await admin.send("DELETE", `${accounts}/leaver`)).status).toBe(200);
      // What was asked ten seconds ago is asked again.
      turned = 10_000;
      await expect.poll(async () => await ask(asking, token), { timeout: 60_000 }).toBe(null);
      turned = 0;
      expect(lastTold()).toBe("the cluster does not take the token");
      expect((await ask(trusting, token))?.verified.subject).toBe("callers/leaver");
    },
  );

  promise(
    "identity:service-account",
    "through the whole gateway: a stranger until it is registered, then itself",
    async () => {
      const token = await tokenOf("shopbot");
      const knock = async (): Promise<number> => {
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
        const headers = {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        };
        return (await fetch(world.url, { method: "POST", headers, body })).status;
      };
      expect(await knock()).toBe(401);
      const flags = ["--subject", "callers/shopbot", "--owner", "olga", "--purpose", "watches the shop"];
      const named = await world.sallyport(["agents", "register", "shopbot", "--issuer", "lab", ...flags]);
      expect(named.err).toContain("is a cluster: write its issuer in full");
      const registered = await world.sallyport(["agents", "register", "shopbot", "--issuer", issuer, ...flags]);
      expect([registered.code, registered.err]).toEqual([0, ""]);
      expect(await knock()).toBe(200);
      expect(world.log()).not.toContain(token.slice(-40));
    },
  );
});
