// `webhooks:` of sallyport.yaml, from a call to the signed notices that an on-call system gets; and what a dead one, or a secret that others can read, does.

import { createHmac } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { eventually, heading, openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { runCommand, startServing } from "../support/world.ts";

interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Takes notices; `answer` says with which status, or null for never. */
async function receiver(answer: () => number | null) {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => void (body += chunk.toString()));
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      const status = answer();
      if (status !== null) response.writeHead(status).end("approve");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const key = "a-key-of-this-test-that-is-long-enough";
let folder: string;
let secret: string;
let shop: Shop;
let onCall: Awaited<ReturnType<typeof receiver>>;
let silent: Awaited<ReturnType<typeof receiver>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-webhooks-"));
  secret = join(folder, "on-call");
  await writeFile(secret, `${key}\n`, { mode: 0o600 });
  onCall = await receiver(() => 204);
  silent = await receiver(() => null);
  const dead = await receiver(() => 204);
  await dead.stop();
  shop = await openShop({
    config: `
hold: 0
webhooks:
  - { name: on-call, url: "${onCall.url}", secret: "${secret}" }
  - { name: silent, url: "${silent.url}", secret: "${secret}" }
  - { name: dead, url: "${dead.url}", secret: "${secret}" }
`,
  });
});
afterAll(async () => {
  await shop?.stop();
  await onCall?.stop();
  await silent?.stop();
  await rm(folder, { recursive: true, force: true });
});

const signedBy = ({ headers, body }: Received): string => {
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
};

promise(
  "approval:webhook",
  "of a running gateway: a signed notice when a call asks, and of each state until it has run; beside two that do not answer",
  async () => {
    const { world } = shop;
    const asked = await world.call("workloads_scale", scaling("shop-prod", 4, { reason: "password=hunter2hunter2" }));
    const id = textAt(asked.facts, "approval");
    await eventually(() => onCall.received.length).toBe(1);
    const [first] = onCall.received as [Received];
    const notice = JSON.parse(first.body) as JsonObject;
    expect([first.headers["webhook-signature"], first.headers["content-type"], notice["type"]]).toEqual([
      signedBy(first),
      "application/json",
      "approval.requested",
    ]);
    expect(notice["data"]).toMatchObject({
      approval: id,
      state: "pending",
      tool: "workloads_scale",
      object: "Deployment shop-prod/api",
      where: "sallyport approvals",
    });
    expect(/hunter2|replicas|fault/.test(first.body)).toBe(false);
    await world.approve();
    expect(heading(await world.call("approval_wait", { id }))[0]).toBe("DONE workloads_scale Deployment shop-prod/api");
    await eventually(() =>
      onCall.received.map(({ body }) => textAt(JSON.parse(body) as JsonObject, "data", "state")),
    ).toEqual(["pending", "approved", "spent", "spent"]);
    const last = JSON.parse(onCall.received.at(-1)?.body ?? "") as JsonObject;
    expect((last["data"] as JsonObject)["ran"]).toEqual({ kind: "completed", effect: "applied" });
    const ids = onCall.received.map(({ headers }) => headers["webhook-id"]);
    expect([
      new Set(ids).size,
      onCall.received.every((one) => one.headers["webhook-signature"] === signedBy(one)),
    ]).toEqual([ids.length, true]);
    // What it answered ("approve") decided nothing, and the silent one has had its first notice alone, however often.
    expect(new Set(silent.received.map(({ body }) => textAt(JSON.parse(body) as JsonObject, "data", "state")))).toEqual(
      new Set(["pending"]),
    );
  },
);

promise(
  "approval:webhook",
  "a secret that others can read, a short one, or none: the gateway does not start, and says why",
  async () => {
    const { world } = shop;
    const refusals: readonly (readonly [string, () => Promise<void>, string])[] = [
      ["open", () => chmod(secret, 0o644), `webhooks on-call: ${secret} can be read by others: run chmod 600 on it.`],
      ["short", () => writeFile(secret, "short"), "webhooks on-call: a webhook's secret needs 24 bytes at least."],
      ["gone", () => rm(secret), `webhooks on-call: ${secret} can not be opened (ENOENT).`],
    ];
    for (const [what, make, says] of refusals) {
      await world.restart(async () => {
        await make();
        const started = startServing(world.env);
        await expect(started.then((one) => one.stop())).rejects.toThrow(says);
        await started.then(
          () => undefined,
          (thrown: { exitCode?: number }) => expect([what, thrown.exitCode]).toEqual([what, 3]),
        );
        const { code, out } = await runCommand(["doctor", "--json"], world.env);
        const found = (JSON.parse(out) as readonly JsonObject[]).find((one) => one["name"] === "webhooks");
        expect([what, code, found?.["result"], found?.["says"]]).toEqual([what, 3, "failed", says]);
        await rm(secret, { force: true });
        await writeFile(secret, key, { mode: 0o600 });
      });
    }
  },
);
