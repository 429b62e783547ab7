// The console in a real browser, with a real identity provider: what a person sees, and what their answer does.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { ApprovalRequest } from "../../src/domain/approval.ts";
import { jo, keep, request, requirement } from "../contracts/approval/fixtures.ts";
import { promise } from "../support/promise.ts";
import { browserPath, openBrowser, openPlace, type Place } from "./place.ts";

const why = browserPath === undefined ? " (skipped: there is no Chromium)" : "";

describe.skipIf(browserPath === undefined)(`the console in a browser${why}`, () => {
  let place: Place;
  let browser: Browser;
  beforeAll(async () => {
    place = await openPlace({ acr: ["phr"] });
    browser = await openBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await place?.stop();
  });

  /** A browser of its own, signed in as this person, on the page that was asked for. */
  async function signedIn(person: string, path = "/console", scripts = false): Promise<Page> {
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    const page = await context.newPage();
    await page.goto(`${place.origin}${path}`);
    await page.click("a.button");
    await prove(page, person);
    return page;
  }
  /** What the provider asks: who it is, and whether they agree. */
  async function prove(page: Page, person: string): Promise<void> {
    for (let tries = 0; tries < 4 && (await page.locator("input[name=person]").count()) > 0; tries++) {
      await page.fill("input[name=person]", person);
      await page.click("button");
      await page.waitForLoadState();
    }
  }
  async function asked(given: Parameters<typeof request>[0] = {}): Promise<ApprovalRequest> {
    return await keep(place.store, request({ now: Date.now(), ...given }));
  }
  const stateOf = async (one: ApprovalRequest): Promise<unknown> => (await place.store.get(one.id))?.state;

  promise(
    "console:answer",
    "without scripts: signed in, the queue, the whole request, approved by its button",
    async () => {
      const one = await asked();
      const page = await signedIn("sam");
      expect(await page.title()).toBe("1 request waits · Sallyport");
      await page.click("text=workloads_scale (change): Deployment shop/api");
      const text = await page.innerText("main");
      for (const seen of [
        "~ spec.replicas: 3 -> 5",
        "more load is coming",
        "prod-1 (environment prod)",
        "jo, through scaler",
        one.approvalDigest.slice(0, 8),
      ])
        expect(text).toContain(seen);
      await page.fill("form[action$=approve] textarea", "looks right");
      await page.click("button.yes");
      expect(await stateOf(one)).toBe("approved");
      const [verdict] = (await place.store.get(one.id))?.verdicts ?? [];
      expect([verdict?.by.subject, verdict?.by.channel, verdict?.by.assurance, verdict?.reason]).toEqual([
        "sam",
        "console",
        "chat",
        "looks right",
      ]);
      expect(await page.innerText("main")).toContain("sam approved at");
      await page.fill("form[action$=reject] textarea", "no, wait");
      await page.click("button.no");
      expect(await stateOf(one)).toBe("revoked");
    },
  );

  promise(
    "console:who",
    "the requester, by any account of theirs, and whoever is not named see no button; strangers see nothing",
    async () => {
      const one = await asked();
      const own = await signedIn("jo");
      await own.click("text=workloads_scale");
      expect(await own.innerText("main")).toContain("Nobody answers their own request");
      expect(await own.locator("form[action*=requests]").count()).toBe(0);
      const stranger = await signedIn("eve");
      expect(await stranger.title()).toBe("0 requests wait · Sallyport");
      await stranger.goto(`${place.origin}/console/requests/${one.id}`);
      expect(await stranger.innerText("main")).toContain("There is no such request, or none that you may see.");
      const none = await stranger.goto(`${place.origin}/console/requests/apr_01a1ff62-baa3-7655-80c9-79cfe40239dc`);
      expect([none?.status(), await stranger.innerText("main")]).toEqual([
        404,
        expect.stringContaining("There is no such request, or none that you may see."),
      ]);
    },
  );

  promise(
    "console:step-up",
    "asked for by the rule: approved only after a fresh login for this very request, and once",
    async () => {
      const one = await asked({ requirements: [requirement({ assurance: "step-up" })] });
      const other = await asked({
        requirements: [requirement({ assurance: "step-up" })],
        call: { digest: "55".repeat(32) },
      });
      const page = await signedIn("kim", `/console/requests/${one.id}`);
      expect(await page.locator("button.yes").count()).toBe(0);
      await page.click("a.button");
      // A session at the provider alone is no fresh login: it asks who it is.
      expect(page.url().startsWith(place.issuer.url)).toBe(true);
      await prove(page, "kim");
      expect(page.url()).toBe(`${place.origin}/console/requests/${one.id}`);
      await page.goto(`${place.origin}/console/requests/${other.id}`);
      expect(await page.locator("button.yes").count()).toBe(0);
      await page.goto(`${place.origin}/console/requests/${one.id}`);
      await page.click("button.yes");
      expect([await stateOf(one), await stateOf(other)]).toEqual(["approved", "pending"]);
      expect((await place.store.get(one.id))?.verdicts[0]?.by).toMatchObject({ subject: "kim", assurance: "step-up" });
    },
  );

  promise(
    "console:text",
    "names, reasons and diffs of others are text, whatever they hold; no script runs and nothing else is loaded",
    async () => {
      const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>"\'>&amp;\u202e';
      await asked({
        call: {
          reason: evil,
          tool: "workloads_scale",
          principal: { ...jo, subject: `jo${evil}` } as never,
          digest: "66".repeat(32),
        },
        environment: evil,
      });
      const context = await browser.newContext();
      const page = await context.newPage();
      const elsewhere: string[] = [];
      page.on("request", (sent) => {
        if (![place.origin, place.issuer.url].some((ours) => sent.url().startsWith(ours))) elsewhere.push(sent.url());
      });
      const violations: string[] = [];
      page.on("console", (message) => void violations.push(message.text()));
      await page.goto(`${place.origin}/console`);
      await page.click("a.button");
      await prove(page, "sam");
      await page.locator("ul.queue a").last().click();
      expect(await page.innerText("blockquote")).toContain('<img src=x onerror="document.title=1"><script>');
      expect([await page.locator("main img, main script").count(), elsewhere]).toEqual([0, []]);
      expect(await page.title()).not.toMatch(/^[12]$/);
      expect(violations.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
    },
  );

  promise("console:readable", "in the dark, on a phone, with the keyboard alone", async () => {
    const one = await asked({ call: { digest: "77".repeat(32) } });
    const page = await signedIn("kim", `/console/requests/${one.id}`, true);
    await page.setViewportSize({ width: 360, height: 740 });
    const colours: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      colours.push(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    }
    expect(new Set(colours).size).toBe(2);
    // Every control has a name that a reader can say, and the first key press leads to the content.
    const nameless = await page.evaluate(
      "[...document.querySelectorAll('a, button, textarea, input:not([type=hidden])')].filter((one) => !(one.textContent || one.labels?.length)).length",
    );
    expect([nameless, await page.evaluate("document.documentElement.lang")]).toEqual([0, "en"]);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    for (let presses = 0; presses < 20; presses++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate("document.activeElement.className")) === "yes") break;
    }
    await page.keyboard.press("Enter");
    await page.waitForLoadState();
    await expect.poll(() => stateOf(one)).toBe("approved");
  });
});
