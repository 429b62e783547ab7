// Attacks on the console without a browser: forged forms, stolen states, other sites, and answers to what was never shown.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { keep, request, requirement } from "../contracts/approval/fixtures.ts";
import { promise } from "../support/promise.ts";
import { openPlace, type Place } from "./place.ts";

let place: Place;
beforeAll(async () => {
  place = await openPlace({ acr: ["phr"] });
});
afterAll(async () => {
  await place?.stop();
});

const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((one) => one.split(";")[0] ?? "")
    .filter((one) => !one.endsWith("="))
    .join("; ");
const get = async (path: string, cookie = "", more: Record<string, string> = {}): Promise<Response> =>
  await fetch(`${place.origin}${path}`, { redirect: "manual", headers: { cookie, ...more } });

async function begin(path = "/console/sign-in", before = ""): Promise<{ url: string; cookie: string }> {
  const response = await get(path, before);
  return { url: response.headers.get("location") ?? "", cookie: cookieOf(response) };
}
async function signIn(person: string): Promise<string> {
  const { url, cookie } = await begin();
  const back = await place.issuer.signIn(url, person);
  const response = await get(`${back.pathname}${back.search}`, cookie);
  expect(response.status).toBe(303);
  return cookieOf(response);
}
async function waiting() {
  const one = await keep(place.store, request({ now: Date.now() }));
  const cookie = await signIn("sam");
  const text = await (await get(`/console/requests/${one.id}`, cookie)).text();
  const csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "";
  const state = async (): Promise<unknown> => (await place.store.get(one.id))?.state;
  const post = async (fields: Record<string, string>, headers: Record<string, string> = {}, answer = "approve") =>
    await fetch(`${place.origin}/console/requests/${one.id}/${answer}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, origin: place.origin, ...headers },
      body: new URLSearchParams(fields),
    });
  return { one, csrf, cookie, state, post, good: { csrf, digest: one.approvalDigest, reason: "" } };
}

describe("attacks on the console", () => {
  promise(
    "console:forged",
    "another site's form, one without the token, with another session's, too long, or of another kind counts nothing",
    async () => {
      const { post, good, state, one } = await waiting();
      const other = await waiting();
      const forged: readonly (readonly [Record<string, string>, Record<string, string>])[] = [
        [{ ...good, csrf: "" }, {}],
        [{ ...good, csrf: other.csrf }, {}],
        [good, { origin: "https://evil.example" }],
        [good, { origin: "null" }],
        [good, { "sec-fetch-site": "cross-site" }],
        [good, { "sec-fetch-site": "same-site" }],
        [good, { "content-type": "text/plain" }],
        [{ ...good, reason: "x".repeat(20_000) }, {}],
      ];
      for (const [fields, headers] of forged) expect((await post(fields, headers)).status).toBe(403);
      expect((await post({ ...good, digest: other.one.approvalDigest })).status).toBe(409);
      expect((await post({ ...good, digest: "" })).status).toBe(409);
      expect(await state()).toBe("pending");
      expect((await get(`/console/requests/${one.id}/approve`)).status).toBe(404);
      expect((await post(good)).status).toBe(303);
      expect(await state()).toBe("approved");
      // The same form once more finds another state, and changes nothing.
      expect((await post(good)).status).toBe(409);
      expect((await place.store.get(one.id))?.verdicts.length).toBe(1);
    },
  );

  promise(
    "console:sign-in-bound",
    "a sign-in counts for the browser that began it, once, for the state that it began with",
    async () => {
      const first = await begin();
      const second = await begin();
      const back = await place.issuer.signIn(first.url, "sam");
      const path = `${back.pathname}${back.search}`;
      const tried = [
        await get(path),
        await get(path, second.cookie),
        await get(path.replace(/state=[^&]+/, "state=another"), first.cookie),
      ];
      expect(tried.map((one) => [one.status, cookieOf(one)])).toEqual([
        [403, ""],
        [403, ""],
        [403, ""],
      ]);
      // Its one chance is gone with the wrong state: the sign-in begins anew.
      expect((await get(path, first.cookie)).status).toBe(403);
      const third = await begin();
      const again = await place.issuer.signIn(third.url, "sam");
      place.pass(11 * 60_000);
      expect((await get(`${again.pathname}${again.search}`, third.cookie)).status).toBe(403);
      place.pass(-11 * 60_000);
      const answer = await get("/console/callback?error=access_denied&state=x", (await begin()).cookie);
      expect([answer.status, (await answer.text()).includes("access_denied")]).toEqual([403, false]);
    },
  );

  promise(
    "console:session",
    "is over in time and at sign-out, and every page says what a browser may do with it",
    async () => {
      const cookie = await signIn("kim");
      const page = await get("/console", cookie);
      expect([page.status, page.headers.get("cache-control"), page.headers.get("x-frame-options")]).toEqual([
        200,
        "no-store",
        "DENY",
      ]);
      expect(page.headers.get("content-security-policy")).toBe(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
      const gone = await fetch(`${place.origin}/console/sign-out`, {
        method: "POST",
        redirect: "manual",
        headers: { cookie, origin: place.origin },
        body: new URLSearchParams({ csrf }),
      });
      expect([gone.status, (await get("/console", cookie)).status]).toEqual([303, 401]);
      for (const path of [
        "/console/sign-in?next=//evil.example",
        "/console/sign-in?next=https://evil.example/console",
      ]) {
        const { url, cookie: leaving } = await begin(path);
        const back = await place.issuer.signIn(url, "kim");
        expect((await get(`${back.pathname}${back.search}`, leaving)).headers.get("location")).toBe("/console");
      }
      const late = await signIn("kim");
      place.pass(3_600_001);
      expect((await get("/console", late)).status).toBe(401);
      place.pass(-3_600_001);
      expect(place.broke).toEqual([]);
    },
  );

  promise(
    "console:step-up",
    "another person's fresh login proves nothing, nor does an old login, one without the level, or one for another request",
    async () => {
      const one = await keep(
        place.store,
        request({ now: Date.now(), requirements: [requirement({ assurance: "step-up" })] }),
      );
      const kim = await signIn("kim");
      const mayApprove = async (): Promise<boolean> =>
        (await (await get(`/console/requests/${one.id}`, kim)).text()).includes(`${one.id}/approve`);
      const fresh = async (who: string, change: (url: URL) => void = () => undefined): Promise<number> => {
        const { url, cookie } = await begin(`/console/requests/${one.id}/step-up`, kim);
        const asked = new URL(url);
        change(asked);
        const back = await place.issuer.signIn(asked.href, who);
        return (await get(`${back.pathname}${back.search}`, `${kim}; ${cookie}`)).status;
      };
      expect([await fresh("sam"), await mayApprove()]).toEqual([403, false]);
      // What the browser could take out on the way: the provider then answers without the time, or without the level.
      expect([
        await fresh("kim", (url) =>
          ["max_age", "prompt", "acr_values"].forEach((name) => url.searchParams.delete(name)),
        ),
      ]).toEqual([403]);
      expect([await fresh("kim", (url) => url.searchParams.delete("acr_values")), await mayApprove()]).toEqual([
        403,
        false,
      ]);
      place.pass(20_000);
      expect([await fresh("kim"), await mayApprove()]).toEqual([403, false]);
      place.pass(-20_000);
      expect([await fresh("kim"), await mayApprove()]).toEqual([303, true]);
      place.pass(5 * 60_000 + 1);
      expect(await mayApprove()).toBe(false);
      place.pass(-5 * 60_000 - 1);
      expect((await place.store.get(one.id))?.state).toBe("pending");
    },
  );

  promise(
    "console:who",
    "software with an account at the provider, even one that is listed among the approvers, is not signed in",
    async () => {
      const other = await openPlace({ agentsWhere: { sub: "sam" } });
      try {
        const begun = await fetch(`${other.origin}/console/sign-in`, { redirect: "manual" });
        const back = await other.issuer.signIn(begun.headers.get("location") ?? "", "sam");
        const answered = await fetch(`${other.origin}${back.pathname}${back.search}`, {
          redirect: "manual",
          headers: { cookie: cookieOf(begun) },
        });
        expect([answered.status, cookieOf(answered), other.told]).toEqual([
          403,
          "",
          ["the subject is software, not a person"],
        ]);
      } finally {
        await other.stop();
      }
    },
  );

  promise("console:step-up", "asked for beside a weaker requirement too: one fresh login can meet both", async () => {
    const both = [requirement(), requirement({ rule: "exec", assurance: "step-up" })];
    const one = await keep(place.store, request({ now: Date.now(), requirements: both }));
    const kim = await signIn("kim");
    const page = await (await get(`/console/requests/${one.id}`, kim)).text();
    expect([page.includes(`${one.id}/step-up`), page.includes(`${one.id}/approve`)]).toEqual([true, false]);
  });
});
