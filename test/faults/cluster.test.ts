// What a cluster can answer at each moment of a call: one sentence and its code, nothing half-done, everything on record.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { status, type Action } from "../support/proxy.ts";
import { promise } from "../support/promise.ts";
import { openWorld } from "../support/world.ts";
import {
  deploymentPath,
  eventually,
  expectVerifies,
  heading,
  listing,
  moments,
  openShop,
  scaling,
  striking,
  told,
  untouched,
  type Shop,
} from "./shop.ts";

/** Words that only the cluster's own messages hold: none may pass. */
const foreign = "message-of-the-server";
const object = { name: "api", kind: "deployments", group: "apps" };
const invalid = {
  causes: [{ reason: "FieldValueInvalid", field: "spec.replicas", message: `Invalid value: ${foreign}` }],
};

/** What a request may meet, by what it is. */
const answers = {
  "401": status(401, "Unauthorized", foreign),
  "403": status(403, "Forbidden", foreign),
  "404 of the object": status(404, "NotFound", foreign, object),
  "404 of the kind": status(404, "NotFound", foreign),
  "409": status(409, "Conflict", foreign, object),
  "410": status(410, "Expired", foreign),
  "422": status(422, "Invalid", foreign, { ...object, ...invalid }),
  "429": later(429, "TooManyRequests", "7"),
  "500": status(500, "InternalError", foreign),
  "503": later(503, "ServiceUnavailable", "9"),
  "504": status(504, "Timeout", foreign),
  "half an answer": { kind: "half" },
  "no JSON": { kind: "raw", body: `<html>${foreign}</html>` },
  "a dropped connection": { kind: "drop" },
  "no answer": { kind: "hang" },
} as const satisfies Record<string, Action>;

function later(code: number, reason: string, seconds: string): Action {
  const answer = status(code, reason, foreign);
  return answer.kind === "answer" ? { ...answer, headers: { "retry-after": seconds } } : answer;
}

let shop: Shop;
/** The clock of the gateway can be put forward. */
let ahead = 0;

beforeAll(async () => {
  shop = await openShop({ config: "hold: 0\ndeadline: 10", outside: { now: () => Date.now() + ahead } });
});
afterAll(async () => {
  await shop?.stop();
});

/** Tries one call against each answer: the headline and the facts of what the agent is told. The record must say the same. */
async function each(moment: keyof typeof moments): Promise<Record<string, string[]>> {
  const { world, wire } = shop;
  const tried: { readonly name: string; readonly call: string; readonly lines: string[] }[] = [];
  for (const [name, action] of Object.entries<Action>(answers)) {
    wire.rule = striking(moment, action);
    const answer =
      moment === "read"
        ? await world.call("objects_list", listing)
        : await world.call("workloads_scale", scaling("shop-dev", 5));
    expect(answer.isError).toBe(true);
    tried.push({ name, call: textAt(answer.facts, "call"), lines: heading(answer) });
  }
  wire.rule = () => ({ kind: "pass" });
  const entries = await world.entries();
  for (const { name, call, lines } of tried)
    expect([name, ...endsOf(entries, call)]).toEqual([name, lines.at(-1)?.replace(/ \w+$/, "")]);
  return Object.fromEntries(tried.map(({ name, lines }) => [name, lines]));
}

/** `failed not_found none`, one for each end that the record has of a call. */
function endsOf(entries: readonly JsonObject[], call: string): string[] {
  return entries
    .filter((entry) => entry["kind"] === "call.settled" && entry["call"] === call)
    .map((entry) => ["outcome", "code", "effect"].map((key) => textAt(entry, "details", key)).join(" "));
}

/** What a call meets before it writes: at the read it has failed, at the rehearsal it was refused. */
function beforeWriting(outcome: "failed" | "refused", denied: string, missing: string, stale: string) {
  const nothing = outcome === "refused" ? " Nothing was run." : "";
  const row = (head: string, code: string, retry: string): string[] => [
    `ERROR ${code}: ${head}${nothing}`,
    `${outcome} ${code} none ${retry}`,
  ];
  const away = (why: string): string[] => row(`The cluster can't be reached: ${why}.`, "cluster_unavailable", "later");
  const late = (why: string): string[] =>
    row(`The cluster did not answer in time: ${why}.`, "deadline_exceeded", "later");
  const busy = row("The cluster asks to be called less often.", "cluster_busy", "later");
  return {
    "401": row(noToken, "credential_unavailable", "later"),
    "403": row(`Kubernetes refuses to ${denied}, although policy had allowed it.`, "cluster_denied", "never"),
    "404 of the object": row(`${missing} api does not exist in namespace shop-dev.`, "not_found", "change"),
    "404 of the kind": row(`This cluster serves no kind ${missing}.`, "unknown_kind", "change"),
    "409": row(`${stale} was changed by someone else meanwhile.`, "stale", "same"),
    "410": row("What was read before is too old by now for the cluster to go on from.", "cursor_expired", "same"),
    "422": row("Kubernetes does not accept the object.", "invalid_object", "change"),
    "429": busy,
    "500": away("it answers with an error"),
    "503": busy,
    "504": late("a gateway before it gave up"),
    "half an answer": away("the connection broke"),
    "no JSON": away("what answers is no Kubernetes API server"),
    "a dropped connection": away("the connection broke"),
    "no answer": late("no answer came"),
  };
}

const noToken = "No credential could be made for this call: Kubernetes did not accept the gateway's own.";

describe("what the cluster answers", () => {
  promise("faults:cluster-answers", "at the moment of the read", async () => {
    expect(await each("read")).toEqual(
      beforeWriting("failed", "list pods in namespace shop-dev", "pods", "The object"),
    );
    expect(await shop.standing()).toEqual(untouched);
  });

  promise("faults:cluster-answers", "at the moment of the dry run", async () => {
    const denied = "patch deployments.apps/scale api in namespace shop-dev";
    expect(await each("dryRun")).toEqual(beforeWriting("refused", denied, "deployments.apps", "deployments.apps api"));
    expect(await shop.standing()).toEqual(untouched);
  });

  promise("faults:cluster-answers", "at the moment of the write, where from 500 on the effect is unknown", async () => {
    const denied = "patch deployments.apps/scale api in namespace shop-dev";
    const unknown = (head: string, code: string): string[] => [
      `ERROR ${code}: ${head}`,
      `failed ${code} unknown later`,
    ];
    const lost = (why: string): string[] =>
      unknown(`The cluster's answer was lost while the call ran: ${why}.`, "deadline_exceeded");
    const away = (why: string): string[] =>
      unknown(`The cluster was lost while the call ran: ${why}.`, "cluster_unavailable");
    expect(await each("write")).toEqual({
      ...beforeWriting("failed", denied, "deployments.apps", "deployments.apps api"),
      "500": away("it answers with an error"),
      "503": unknown("The cluster asks to be called less often.", "cluster_busy"),
      "504": lost("a gateway before it gave up"),
      "half an answer": lost("the connection broke in the middle of the answer"),
      "no JSON": away("what answers is no Kubernetes API server"),
      "a dropped connection": lost("the connection broke in the middle of the answer"),
      "no answer": lost("no answer came"),
    });
    expect(await shop.standing()).toEqual(untouched);
  });

  promise(
    "faults:cluster-answers",
    "what the server said itself is nowhere: not in an answer, the record or the log",
    async () => {
      shop.wire.rule = striking("read", answers["422"]);
      const told = await shop.world.call("objects_list", listing);
      const all = JSON.stringify([told, await shop.world.entries(), shop.world.log()]);
      expect(all.includes(foreign)).toBe(false);
    },
  );

  promise("faults:retry-after", "the seconds that the server asks for, where nothing can have happened", async () => {
    shop.wire.rule = striking("read", answers["429"]);
    expect(told(await shop.world.call("objects_list", listing))).toEqual([
      "ERROR cluster_busy: The cluster asks to be called less often.",
      "next: send the same call again after 7 s.",
      "call - effect none - retry after 7 s",
      "failed cluster_busy none later",
    ]);
    shop.wire.rule = striking("write", answers["503"]);
    expect(told(await shop.world.call("workloads_scale", scaling("shop-dev", 5)))).toEqual([
      "ERROR cluster_busy: The cluster asks to be called less often.",
      "next: read the object first: nobody knows whether the change was made. Do not repeat it blindly.",
      "call - effect unknown - retry later",
      "failed cluster_busy unknown later",
    ]);
  });

  promise("faults:effect-known", "a write whose answer was swallowed was made, and nobody claims to know", async () => {
    shop.wire.rule = striking("write", { kind: "swallow" });
    const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 6));
    expect(heading(answer)).toEqual([
      "ERROR deadline_exceeded: The cluster's answer was lost while the call ran: the connection broke in the middle of the answer.",
      "failed deadline_exceeded unknown later",
    ]);
    expect(await shop.standing()).toEqual({ ...untouched, dev: 6 });
    await putBack();
  });

  promise("faults:token-renewed", "after a 401 the next read mints another token and goes through", async () => {
    shop.wire.rule = striking("read", answers["401"]);
    await shop.world.call("objects_list", listing);
    shop.wire.rule = () => ({ kind: "pass" });
    shop.wire.passed.length = 0;
    expect((await shop.world.call("objects_list", listing)).isError).toBe(false);
    const minted = shop.wire.passed.filter((one) => one.url.endsWith("/serviceaccounts/reader/token"));
    expect(minted).toHaveLength(1);
  });

  promise(
    "faults:cancel",
    "who leaves while the write is on its way: nobody knows, and the grant goes all the same",
    async () => {
      const writing = Promise.withResolvers<void>();
      shop.wire.rule = (one) => {
        if (!moments.write(one)) return { kind: "pass" };
        writing.resolve();
        return { kind: "hang" };
      };
      const leaving = new AbortController();
      const call = shop.world.call("workloads_scale", scaling("shop-dev", 6), { signal: leaving.signal });
      await writing.promise;
      leaving.abort();
      await expect(call).rejects.toThrow();
      await eventually(async () => endsOf(await shop.world.entries(), await lastCall())).toEqual([
        "failed cancelled unknown",
      ]);
      await eventually(() => shop.standing()).toEqual(untouched);
    },
  );

  promise("faults:cancel", "who leaves while the cluster is being discovered does not wait for it", async () => {
    ahead += 6 * 60_000;
    const asked = Promise.withResolvers<void>();
    shop.wire.rule = (one) => {
      if (one.url !== "/api" && one.url !== "/apis") return { kind: "pass" };
      asked.resolve();
      return { kind: "hang" };
    };
    const leaving = new AbortController();
    const call = shop.world.call("objects_list", listing, { signal: leaving.signal });
    await asked.promise;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await eventually(async () => endsOf(await shop.world.entries(), await lastCall())).toEqual([
      "refused cancelled none",
    ]);
  });

  promise("faults:slow", "a cluster that is slow to say what it serves ends the call at its deadline", async () => {
    const answer = await shop.world.call("objects_list", listing);
    expect(heading(answer)).toEqual([
      "ERROR deadline_exceeded: The cluster did not answer in time: no answer came. Nothing was run.",
      "refused deadline_exceeded none later",
    ]);
  });

  promise("faults:verifies", "after all of this the transcript verifies and nothing of a grant is left", async () => {
    shop.wire.rule = () => ({ kind: "pass" });
    expect(await shop.standing()).toEqual(untouched);
    await expectVerifies(shop.world);
  });
});

async function putBack(): Promise<void> {
  shop.wire.rule = () => ({ kind: "pass" });
  const contentType = "application/merge-patch+json";
  await shop.admin.send("PATCH", deploymentPath("shop-dev"), { spec: { replicas: 1 } }, { contentType });
}

async function lastCall(): Promise<string> {
  const received = (await shop.world.entries()).filter((entry) => entry["kind"] === "call.received");
  return textAt(received.at(-1) ?? {}, "call");
}

describe("a cluster that can't be used at all", () => {
  promise("faults:cluster-away", "the gateway starts, and each tool answers that nothing listens there", async () => {
    const kubeconfigPath = join(shop.folder, "away.kubeconfig");
    await writeFile(kubeconfigPath, kubeconfig("http://127.0.0.1:1", "unused"), { mode: 0o600 });
    const world = await openWorld({ kubeconfigPath, enroll: null, config: "hold: 0" });
    const away = "The cluster can't be reached: nothing listens at its address.";
    for (const [tool, arguments_] of [
      ["objects_list", listing],
      ["objects_get", { kind: "Deployment", namespace: "shop-dev", name: "api" }],
      ["logs_read", { namespace: "shop-dev", name: "api-0" }],
      ["workloads_scale", scaling("shop-dev", 2)],
      ["access_review", {}],
    ] as const)
      expect([tool, ...heading(await world.call(tool, arguments_))]).toEqual([
        tool,
        `ERROR cluster_unavailable: ${away}${tool === "access_review" ? "" : " Nothing was run."}`,
        `${tool === "access_review" ? "failed" : "refused"} cluster_unavailable none later`,
      ]);
    await expectVerifies(world);
    await world.stop();
  });

  promise(
    "faults:expired-token",
    "a kubeconfig whose token has expired is said to be refused, on every tool",
    async () => {
      const kubeconfigPath = join(shop.folder, "expired.kubeconfig");
      await writeFile(kubeconfigPath, kubeconfig(shop.wire.server, "expired"), { mode: 0o600 });
      const world = await openWorld({ kubeconfigPath, enroll: null, config: "hold: 0" });
      for (const [tool, arguments_] of [
        ["objects_list", listing],
        ["workloads_scale", scaling("shop-dev", 2)],
      ] as const)
        expect([tool, ...heading(await world.call(tool, arguments_))]).toEqual([
          tool,
          `ERROR credential_unavailable: ${noToken} Nothing was run.`,
          "refused credential_unavailable none later",
        ]);
      expect(await shop.standing()).toEqual(untouched);
      await expectVerifies(world);
      await world.stop();
    },
  );
});

function kubeconfig(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  });
}
