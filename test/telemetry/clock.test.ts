// The clock against the clusters': what is measured, whatever the answer claims; and what a gateway makes of it while it serves.

import * as fc from "fast-check";
import { afterAll, beforeAll, expect } from "vitest";
import { isWithinLimit, offsetText } from "../../src/domain/clock.ts";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { hourly } from "../../src/wiring/clock-checks.ts";
import { clockOffset } from "../../src/wiring/clock-offset.ts";
import { clientOf, serve } from "../contracts/kubernetes/server.ts";
import { openShop, type Shop } from "../faults/shop.ts";
import type { Action } from "../support/proxy.ts";
import { promise } from "../support/promise.ts";

promise(
  "telemetry:clock-checked",
  "the true offset is never further away than it says, whatever the way costs",
  async () => {
    const span = fc.integer({ min: 0, max: 20_000 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        span,
        span,
        async (real, theirs, there, back) => {
          let time = theirs;
          const clocks = { now: () => time + real, steady: () => time + 17 };
          const found = await clockOffset(clocks, async (dated) => {
            time += there;
            const said = Math.floor(time / 1000) * 1000;
            time += back;
            dated(said);
            await Promise.resolve();
          });
          expect(Math.abs((found?.offset ?? Number.NaN) - real)).toBeLessThanOrEqual(found?.uncertainty ?? -1);
          expect(found?.uncertainty).toBe(Math.ceil((there + back) / 2 + 500));
        },
      ),
    );
  },
);

promise(
  "telemetry:clock-hostile",
  "a clock that is set during the request is compared as it stands afterwards",
  async () => {
    for (const step of [-86_400_000, -1, 3_600_000]) {
      let [wall, steady] = [1_000_000_000_500, 0];
      const found = await clockOffset({ now: () => wall, steady: () => steady }, async (dated) => {
        [wall, steady] = [wall + step + 40, steady + 40];
        dated(1_000_000_000_000);
        await Promise.resolve();
      });
      expect(found).toEqual({ offset: step + 20, uncertainty: 520 });
    }
  },
);

promise(
  "telemetry:clock-hostile",
  "no Date, several, and what is none in the one form that servers write",
  async () => {
    let headers: Record<string, string | string[]> = {};
    const stage = await serve((_, response) => {
      response.sendDate = false;
      response.writeHead(200, { "content-type": "application/json", ...headers });
      response.end("{}");
    });
    const client = clientOf(stage.url);
    const told = async (given: Record<string, string | string[]>): Promise<number | null | undefined> => {
      headers = given;
      let said: number | null | undefined;
      const dated = (at_: number | null): void => void (said = at_);
      await client.path("/version", { authorization: null, signal: AbortSignal.timeout(30_000), dated });
      return said;
    };
    expect(await told({ date: "Sun, 06 Nov 1994 08:49:37 GMT" })).toBe(784_111_777_000);
    expect(await told({ date: "Fri, 31 Dec 9999 23:59:59 GMT" })).toBe(253_402_300_799_000);
    for (const date of [
      "",
      "now",
      "0",
      "784111777000",
      "1994-11-06T08:49:37Z",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Mon, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 +0100",
      "Sun, 06 Nov 1994 08:49:60 GMT",
      "Sun, 31 Feb 1994 08:49:37 GMT",
      "Fri, 31 Dec 275760 23:59:59 GMT",
    ])
      expect([date, await told({ date })]).toEqual([date, null]);
    expect(await told({})).toBe(null);
    await client.close();
  },
);

promise(
  "telemetry:clock-checked",
  "the limit counts only beyond what is not known; once an hour, so that an idle gateway stays idle",
  () => {
    expect([5_500, -5_500, 5_501, -5_501].map((offset) => isWithinLimit({ offset, uncertainty: 500 }))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(offsetText({ offset: -212, uncertainty: 504 })).toBe("0.2 s behind, give or take 0.5 s");
    expect(offsetText({ offset: 315_360_000_000, uncertainty: 504 })).toBe("3650 days ahead, give or take 0.5 s");
    expect(hourly).toEqual({ first: 0, every: 3_600_000, again: 60_000 });
  },
);

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ outside: { clockTimes: { first: 0, every: 100, again: 100 } } });
});
afterAll(async () => await shop?.stop());

const of = async (kind: string): Promise<readonly JsonObject[]> =>
  (await shop.world.entries()).filter((one) => one["kind"] === kind);
const alerts = async (): Promise<readonly JsonObject[]> =>
  (await of("alert.raised")).filter((one) => textAt(one, "details", "alert").includes("clock"));
const asked = (): number => shop.wire.passed.filter(({ url }) => url === "/version").length;
const play = (action: (() => Action) | null): void => {
  shop.wire.rule = ({ url }) => (url === "/version" && action !== null ? action() : { kind: "pass" });
};
const dated = (date: () => string) => (): Action => ({
  kind: "answer",
  status: 200,
  body: { major: "1", minor: "34" },
  headers: { date: date() },
});
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> =>
  await expect.poll(holds, { timeout: 60_000, interval: 50 }).toBe(true);
/** So many checks on record with this answer, after now. */
async function checked(within: boolean, more = 1): Promise<readonly JsonObject[]> {
  const before = (await of("clock.checked")).length;
  const since = async (): Promise<readonly JsonObject[]> =>
    (await of("clock.checked")).slice(before).filter((one) => at(one, "details", "within") === within);
  await until(async () => (await since()).length >= more);
  return await since();
}
/** Asks go on, and nothing of them is on record. */
async function silent(): Promise<void> {
  const begun = asked();
  await until(() => asked() >= begun + 2);
  const before = (await of("clock.checked")).length;
  await until(() => asked() >= begun + 5);
  expect((await of("clock.checked")).length).toBe(before);
}

promise(
  "telemetry:clock-checked",
  "with a real gateway: within, off with one alert, within again, off again",
  async () => {
    const [first] = await checked(true);
    const { offset, uncertainty, ...told } = (first?.["details"] ?? {}) as JsonObject;
    expect(told).toEqual({ source: textAt(first, "details", "source"), limit: 5_000, within: true });
    expect(Number(uncertainty)).toBeGreaterThanOrEqual(500);
    // One machine, one clock: what it says is what it knows, but for the milliseconds that each reading cuts off.
    expect(Math.abs(Number(offset))).toBeLessThanOrEqual(Number(uncertainty) + 2);
    expect([first?.["principal"], first?.["sid"], await alerts()]).toEqual([null, null, []]);

    play(dated(() => new Date(Date.now() + 10 * 365 * 86_400_000).toUTCString()));
    const off = await checked(false, 3);
    expect(Math.round(Number(at(off[0], "details", "offset")) / 86_400_000)).toBe(-3650);
    expect((await alerts()).map((one) => textAt(one, "details", "alert"))).toEqual(["the clock is not the cluster's"]);
    play(null);
    await checked(true);
    play(dated(() => "Sun, 06 Nov 1994 08:49:37 GMT"));
    await checked(false, 2);
    expect((await alerts()).length).toBe(2);
    play(null);
    await checked(true);
    const searched = await shop.world.sallyport(["transcript", "search", "--kind", "clock.checked", "--limit", "1"]);
    expect(searched.out).toMatch(/clock\.checked +\S+ {2}\d+\.\d s (ahead|behind), give or take \d+\.\d s/);
    expect((await shop.world.sallyport(["transcript", "verify"])).code).toBe(0);
    const found = JSON.parse((await shop.world.sallyport(["doctor", "--json"])).out) as readonly JsonObject[];
    expect(
      textAt(
        found.find((one) => one["name"] === "clock"),
        "says",
      ),
    ).toMatch(/^agrees with the cluster's: \d+\.\d s /);
  },
);

promise(
  "telemetry:clock-hostile",
  "a time that is none, an error, half an answer, a cut: no entry, and calls go on",
  async () => {
    const plays: readonly (() => Action)[] = [
      dated(() => "yesterday"),
      () => ({ kind: "answer", status: 500, body: {}, headers: { date: "Sun, 06 Nov 1994 08:49:37 GMT" } }),
      () => ({ kind: "half" }),
      () => ({ kind: "drop" }),
    ];
    for (const one of plays) {
      play(one);
      await silent();
      const call = await shop.world.call("objects_list", { kind: "Pod", namespace: "shop-dev" });
      expect(call.isError).toBe(false);
    }
    play(() => ({ kind: "hang" }));
    const begun = asked();
    await until(() => asked() > begun);
    // It ends all the same, and the next one asks at its start.
    await shop.world.restart(() => Promise.resolve(play(null)));
    await checked(true);
  },
);
