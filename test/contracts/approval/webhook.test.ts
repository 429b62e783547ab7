// The webhook channel against a receiver that checks each notice as the Standard Webhooks specification tells its readers to.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { keyOf, webhookChannel, type SendNotice, type WebhookOptions } from "../../../src/approval/channels/webhook.ts";
import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import type { KeptRequest } from "../../../src/approval/stores/contract.ts";
import { promise } from "../../support/promise.ts";
import { jo, keep, openStore, request, start, voter } from "./fixtures.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

interface Came {
  readonly id: string;
  readonly stamp: string;
  readonly signed: boolean;
  readonly body: JsonObject;
  readonly text: string;
}

let came: Came[];
/** What the receiver answers, in turn; then 204. */
let answers: number[];
let address: string;
let stop: () => Promise<void>;
beforeEach(async () => {
  [came, answers] = [[], []];
  const server = createServer((asked, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const header = (name: string): string => String(asked.headers[name]);
      const [id, stamp] = [header("webhook-id"), header("webhook-timestamp")];
      const mine = createHmac("sha256", Buffer.from(secret.slice(6), "base64")).update(`${id}.${stamp}.${text}`);
      const theirs = Buffer.from(header("webhook-signature").replace(/^v1,/, ""), "base64");
      const own = mine.digest();
      const signed = own.length === theirs.length && timingSafeEqual(own, theirs);
      came.push({ id, stamp, signed, body: JSON.parse(text) as JsonObject, text });
      response.writeHead(answers.shift() ?? 204).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  stop = async () => await new Promise((resolve) => server.close(() => resolve()));
});
afterEach(async () => {
  await stop();
});

const send: SendNotice = async (headers, body, signal) => {
  try {
    const { status } = await fetch(address, { method: "POST", headers, body, signal });
    return { status, why: "" };
  } catch {
    return { status: null, why: "no connection" };
  }
};
const lost: string[] = [];
function open(given: Partial<WebhookOptions> = {}) {
  lost.length = 0;
  let clock = start;
  const now = (): number => (clock += 1_000);
  const more = { now, lost: (why: string) => void lost.push(why), waits: [1, 1, 1] };
  return webhookChannel({ name: "on-call", secret, send, where: "https://sallyport.example.com", ...more, ...given });
}
async function kept(): Promise<KeptRequest> {
  const store = await openStore();
  const { id } = await keep(store, request({ call: { principal: { ...jo, actors: jo.actors } as never } }));
  const found = await store.get(id);
  if (found === undefined) throw new Error("not kept");
  return found;
}
const arrived = (count: number) => expect.poll(() => came.length, { timeout: 60_000 }).toBe(count);

describe("webhook", () => {
  promise(
    "approval:webhook",
    "signed over id, time and body; says what is asked of whom, and no argument, diff or word of the agent",
    async () => {
      const asked = await kept();
      const channel = open();
      await channel.tell(asked);
      await arrived(1);
      const [{ id, signed, body, text } = { id: "", signed: false, body: {}, text: "" }] = came;
      expect([signed, id, textAt(body, "type")]).toEqual([true, `${asked.id}.pending.0.0`, "approval.requested"]);
      expect(at(body, "data")).toEqual({
        approval: asked.id,
        state: "pending",
        tool: "workloads_scale",
        effect: "change",
        cluster: "prod-1",
        environment: "prod",
        object: "Deployment shop/api",
        requester: "jo",
        agent: "scaler",
        rules: ["reads", "production-changes"],
        approvers: ["group:sre"],
        answers: 0,
        requestedAt: new Date(asked.requestedAt).toISOString(),
        expiresAt: new Date(asked.expiresAt).toISOString(),
        digest: asked.approvalDigest.slice(0, 8),
        where: "https://sallyport.example.com",
      });
      expect(["more load", "replicas", "3 -> 5", asked.nonce].filter((word) => text.includes(word))).toEqual([]);
      await channel.close();
    },
  );

  promise(
    "approval:webhook",
    "tried again under the same id and a new time where nobody or a fault answered, in order",
    async () => {
      const asked = await kept();
      answers = [500, 429, 204, 503];
      const channel = open();
      await channel.tell(asked);
      const verdict = { by: { ...voter("sam") }, answer: "approve" as const, reason: "", tellAgent: false, at: start };
      await channel.update({ ...asked, state: "approved", verdicts: [verdict] });
      await arrived(5);
      expect(came.map(({ id, signed }) => [id.slice(asked.id.length), signed])).toEqual([
        [".pending.0.0", true],
        [".pending.0.0", true],
        [".pending.0.0", true],
        [".approved.1.0", true],
        [".approved.1.0", true],
      ]);
      expect(new Set(came.map((one) => one.stamp)).size).toBe(5);
      expect(lost).toEqual([]);
      await channel.close();
    },
  );

  promise(
    "approval:webhook",
    "given up, with a word for the operator, where it is refused or the tries are over; the next one goes on",
    async () => {
      const asked = await kept();
      answers = [410, 500, 500, 500, 500];
      const channel = open();
      await channel.tell(asked);
      await channel.update({ ...asked, state: "expired" });
      await channel.update({ ...asked, state: "withdrawn" });
      await arrived(6);
      await expect.poll(() => lost.length, { timeout: 60_000 }).toBe(2);
      expect(lost).toEqual([
        `notice ${asked.id}.pending.0.0 was given up: it answered 410`,
        `notice ${asked.id}.expired.0.0 was given up: it answered 500`,
      ]);
      expect(came.at(-1)?.id).toBe(`${asked.id}.withdrawn.0.0`);
      await channel.close();
    },
  );

  promise(
    "approval:webhook",
    "a receiver that never answers keeps at most a thousand notices, holds nobody up, and is left at close",
    async () => {
      const asked = await kept();
      const hanging: SendNotice = (_headers, _body, signal) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve({ status: null, why: "left" })));
      const channel = open({ send: hanging });
      for (let index = 0; index < 1_200; index++) await channel.update({ ...asked, escalated: index });
      expect(lost.length).toBe(200);
      await channel.close();
      expect(lost.length).toBe(200);
    },
  );

  promise("approval:webhook", "a key that proves nothing is refused", () => {
    for (const weak of ["", "whsec_", "short", `whsec_${Buffer.alloc(23).toString("base64")}`])
      expect(() => keyOf(weak)).toThrow(RangeError);
    expect(keyOf(`${"k".repeat(24)}\n`).length).toBe(24);
  });
});
