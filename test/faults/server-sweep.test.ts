// What a sweep finds at start and each minute: leftovers go, and what nobody recorded is told once.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { uuidv7 } from "../../src/domain/ids.ts";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { eventually, expectVerifies, openShop, scaling, type Shop } from "./shop.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop-dev";
const sessions = "/api/v1/namespaces/sallyport-sessions";
let shop: Shop;
let gateway = "";

beforeAll(async () => {
  // The minute between two sweeps is the test's to end.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  shop = await openShop();
  await shop.world.call("workloads_scale", scaling("shop-dev", 2));
  const made = shop.wire.passed.find((one) => one.method === "POST" && one.url.endsWith("/shop-dev/roles"));
  gateway = textAt(JSON.parse(made?.body ?? "{}") as JsonObject, "metadata", "labels", "sallyport.dev/gateway");
});
afterAll(async () => {
  await shop?.stop();
  vi.useRealTimers();
});

/** An object under this gateway's label that no entry of the transcript tells of. */
async function plant(list: string, kind: string, name: string, grant: string): Promise<void> {
  const labels = { "sallyport.dev/gateway": gateway, "sallyport.dev/grant": grant };
  const role = kind === "Role" ? { apiVersion: "rbac.authorization.k8s.io/v1", rules: [] } : { apiVersion: "v1" };
  const answer = await shop.admin.send("POST", list, { ...role, kind, metadata: { name, labels } });
  expect([name, answer.status]).toEqual([name, 201]);
}
async function alerts(): Promise<JsonObject[]> {
  const raised = (await shop.world.entries()).filter((entry) => entry["kind"] === "alert.raised");
  return raised.map((entry) => at(entry, "details", "about") as JsonObject);
}
const isThere = async (path: string): Promise<boolean> => (await shop.admin.send("GET", path)).status === 200;
const minute = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(60_000));

promise(
  "faults:swept",
  "a grant that nobody recorded is removed in the next minute, and one alert names its objects",
  async () => {
    expect(gateway).not.toBe("");
    const grant = uuidv7(Date.now(), randomBytes(10));
    await plant(`${rbac}/roles`, "Role", `run-${grant}`, grant);
    await plant(`${sessions}/serviceaccounts`, "ServiceAccount", `run-${grant}`, grant);
    const known = (await alerts()).length;
    await minute();
    await eventually(async () => (await alerts()).length).toBe(known + 1);
    const about = (await alerts()).at(-1);
    const objects = at(about, "objects");
    expect([at(about, "grant"), at(about, "removed"), Array.isArray(objects) ? objects.toSorted() : objects]).toEqual([
      grant,
      true,
      [`roles shop-dev/run-${grant}`, `serviceaccounts sallyport-sessions/run-${grant}`],
    ]);
    expect(await isThere(`${rbac}/roles/run-${grant}`)).toBe(false);
  },
);

promise(
  "faults:swept",
  "an object that only bears the label is left for a person, and told once however often it is met",
  async () => {
    const grant = uuidv7(Date.now(), randomBytes(10));
    await plant(`${rbac}/roles`, "Role", "billing-admin", grant);
    const known = (await alerts()).length;
    await minute();
    await eventually(async () => (await alerts()).length).toBe(known + 1);
    await minute();
    await minute();
    const later = uuidv7(Date.now(), randomBytes(10));
    await plant(`${rbac}/roles`, "Role", `run-${later}`, later);
    await minute();
    await eventually(async () => (await alerts()).length).toBe(known + 2);
    expect((await alerts()).slice(known).map((about) => [about["grant"], about["removed"]])).toEqual([
      [grant, false],
      [later, true],
    ]);
    expect(await isThere(`${rbac}/roles/billing-admin`)).toBe(true);
    await shop.admin.send("DELETE", `${rbac}/roles/billing-admin`);
  },
);

promise("faults:swept", "what was left while the gateway was down goes at its start", async () => {
  const grant = uuidv7(Date.now(), randomBytes(10));
  await shop.world.restart(async () => {
    await plant(`${sessions}/secrets`, "Secret", `anchor-${grant}`, grant);
    await plant(`${rbac}/roles`, "Role", `run-${grant}`, grant);
  });
  await eventually(async () => (await alerts()).some((about) => about["grant"] === grant)).toBe(true);
  expect([await isThere(`${sessions}/secrets/anchor-${grant}`), await isThere(`${rbac}/roles/run-${grant}`)]).toEqual([
    false,
    false,
  ]);
  await expectVerifies(shop.world);
});

promise("faults:swept", "another gateway's grants are not touched", async () => {
  const grant = uuidv7(Date.now(), randomBytes(10));
  const mine = gateway;
  gateway = "another";
  await plant(`${rbac}/roles`, "Role", `run-${grant}`, grant);
  gateway = mine;
  const known = (await alerts()).length;
  await minute();
  const mark = uuidv7(Date.now(), randomBytes(10));
  await plant(`${rbac}/roles`, "Role", `run-${mark}`, mark);
  await minute();
  await eventually(async () => (await alerts()).length).toBe(known + 1);
  expect(await isThere(`${rbac}/roles/run-${grant}`)).toBe(true);
});
