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
  });
  afterAll(async () => {
    await browser?.close();
    await place?.stop();
  });

  /** A browser of its own, signed in as this person, on the page that was asked for. */
  async function signedIn(person: string, path = "/console", scripts = false): Promise<Page> {
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    const page = await context.newPage();
    await page.goto(`${place.origin}${path}`);
    await press(page, "a.button");
    await prove(page, person);
    return page;
  }
  /** What leads to another page is pressed, and that page is there: a click alone says only that it was begun. */
  async function press(page: Page, what: string): Promise<void> {
    const there = page.waitForEvent("load");
    await page.click(what);
    await there;
  }
  /** What the provider asks: who it is, and whether they agree. */
  async function prove(page: Page, person: string): Promise<void> {
    for (let tries = 0; tries < 4 && (await page.locator("input[name=person]").count()) > 0; tries++) {
      await page.fill("input[name=person]", person);
      await press(page, "button");
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
      await press(page, "text=workloads_scale (change): Deployment shop/api");
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
      await press(page, "button.yes");
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
      await press(page, "button.no");
      expect(await stateOf(one)).toBe("revoked");
    },
  );

  promise(
    "console:who",
    "the requester, by any account of theirs, and whoever is not named see no button; strangers see nothing",
    async () => {
      const one = await asked();
      const own = await signedIn("jo");
      await press(own, "text=workloads_scale");
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
      await press(page, "a.button");
      // A session at the provider alone is no fresh login: it asks who it is.
      expect(page.url().startsWith(place.issuer.url)).toBe(true);
      await prove(page, "kim");
      expect(page.url()).toBe(`${place.origin}/console/requests/${one.id}`);
      await page.goto(`${place.origin}/console/requests/${other.id}`);
      expect(await page.locator("button.yes").count()).toBe(0);
      await page.goto(`${place.origin}/console/requests/${one.id}`);
      await press(page, "button.yes");
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
      await press(page, "a.button");
      await prove(page, "sam");
      await press(page, "ul.queue a >> nth=-1");
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
    await expect.poll(() => stateOf(one), { timeout: 60_000 }).toBe("approved");
  });

  const schemes = ["light", "dark"] as const;
  /** Every page that an approver sees, each as it is. */
  async function eachPage(look: (page: Page, name: string) => Promise<void>): Promise<void> {
    const open = await asked({ call: { digest: "88".repeat(32) }, requirements: [requirement({ count: 2 })] });
    const strict = await asked({
      call: { digest: "99".repeat(32) },
      requirements: [requirement({ assurance: "step-up" })],
    });
    const page = await signedIn("kim", "/console", true);
    await look(page, "queue");
    for (const [name, path] of [
      ["request", `/console/requests/${open.id}`],
      ["step-up", `/console/requests/${strict.id}`],
      ["ended", "/console?ended=1"],
      ["nothing there", "/console/requests/apr_01a1ff62-baa3-7655-80c9-79cfe40239dc"],
    ] as const) {
      await page.goto(`${place.origin}${path}`);
      await look(page, name);
    }
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(`${place.origin}/console`);
    await look(stranger, "signed out");
  }

  promise(
    "console:spoken",
    "a screen reader finds its way: landmarks, headings in their order, names for all",
    async () => {
      await eachPage(async (page, name) => {
        const found = {
          main: await page.getByRole("main").count(),
          banner: await page.getByRole("banner").count(),
          navigation: await page.getByRole("navigation", { name: "Console" }).count(),
          h1: await page.getByRole("heading", { level: 1 }).count(),
        };
        expect([name, found]).toEqual([name, { main: 1, banner: 1, navigation: 1, h1: 1 }]);
        const levels = (await page.evaluate(
          "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((one) => Number(one.tagName[1]))",
        )) as number[];
        expect([name, levels.filter((level, at) => at > 0 && level > (levels[at - 1] ?? 0) + 1)]).toEqual([name, []]);
        // As the browser tells it to assistive programs, not as the tags look.
        const spoken = await page.locator("body").ariaSnapshot();
        expect([
          name,
          spoken
            .split("\n")
            .filter(
              (line) => /- (button|link|textbox|checkbox|list)(:|$)/.test(line.trim()) && !/list:?$/.test(line.trim()),
            ),
        ]).toEqual([name, []]);
        expect(await page.title()).toMatch(/^.+ · Sallyport$/);
      });
    },
  );

  promise("console:spoken", "what is asked, what it does and how to answer are spoken by their names", async () => {
    const one = await asked({ call: { digest: "aa".repeat(32) } });
    const page = await signedIn("kim", `/console/requests/${one.id}`);
    const role = async (...given: Parameters<Page["getByRole"]>): Promise<number> =>
      await page.getByRole(...given).count();
    expect({
      heading: await role("heading", { level: 1, name: "workloads_scale (change): Deployment shop/api", exact: true }),
      effect: await role("list", { name: "What will change", exact: true }),
      approve: await role("button", { name: "Approve", exact: true }),
      reject: await role("button", { name: "Reject", exact: true }),
      groups: [
        await role("group", { name: "Approve", exact: true }),
        await role("group", { name: "Reject", exact: true }),
      ],
      note: await role("textbox", { name: "Note", exact: true }),
      why: await role("textbox", { name: "Why", exact: true }),
      tell: await role("checkbox", { name: "The agent may read this", exact: true }),
      quoted: await role("blockquote"),
    }).toEqual({ heading: 1, effect: 1, approve: 1, reject: 1, groups: [1, 1], note: 1, why: 1, tell: 1, quoted: 1 });
    // A no without a reason stays in the form, where the browser says what is missing.
    await page.getByRole("button", { name: "Reject", exact: true }).click();
    expect([await stateOf(one), page.url().endsWith(one.id)]).toEqual(["pending", true]);
    // What became of an answer is an alert or a status, not a colour.
    await page.getByRole("textbox", { name: "Why" }).fill("no");
    await press(page, 'role=button[name="Reject"]');
    await page.goto(`${place.origin}/console/requests/none`);
    expect(await role("alert")).toBe(1);
  });

  promise(
    "console:keyboard",
    "Tab goes through all of it in the order it is read, visibly, and leads out again",
    async () => {
      const one = await asked({ call: { digest: "bb".repeat(32) } });
      const page = await signedIn("kim", `/console/requests/${one.id}`, true);
      for (const colorScheme of schemes) {
        // Without the slow scrolling, which is still under way when the key has been heard.
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.goto(`${place.origin}/console/requests/${one.id}`);
        const order: unknown[] = [];
        const unseen: unknown[] = [];
        for (let presses = 0; presses < 9; presses++) {
          await page.keyboard.press("Tab");
          const [name, seen] = (await page.evaluate(`(() => {
          const one = document.activeElement;
          const style = getComputedStyle(one);
          const box = one.getBoundingClientRect();
          const marked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
          const named = one.labels?.length ? one.labels[0].textContent.trim() : one.textContent.trim();
          return [named.split(" ").slice(0, 3).join(" "), marked && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight];
        })()`)) as [string, boolean];
          order.push(name);
          // The last one is out of the page.
          if (!seen && presses < 8) unseen.push(name);
        }
        expect([colorScheme, order, unseen]).toEqual([
          colorScheme,
          [
            "Skip to the",
            "Sallyport approvals",
            "Sign out",
            "Note",
            "Approve",
            "Why",
            "The agent may",
            "Reject",
            // Out of the page, to the browser itself: nothing holds the focus.
            expect.anything(),
          ],
          [],
        ]);
      }
      await page.goto(`${place.origin}/console/requests/${one.id}`);
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(() => page.evaluate("document.activeElement.id"), { timeout: 60_000 }).toBe("main");
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.name")).toBe("reason");
    },
  );

  promise(
    "console:readable",
    "every text stands out from what is behind it, in the light and in the dark, at 320 pixels",
    async () => {
      await eachPage(async (page, name) => {
        await page.setViewportSize({ width: 320, height: 700 });
        for (const colorScheme of schemes) {
          await page.emulateMedia({ colorScheme });
          const found = (await page.evaluate(contrasts)) as { text: string; ratio: number; needs: number }[];
          expect(found.length).toBeGreaterThan(3);
          expect([name, colorScheme, found.filter((one) => one.ratio < one.needs)]).toEqual([name, colorScheme, []]);
          expect([name, await page.evaluate("document.documentElement.scrollWidth <= innerWidth")]).toEqual([
            name,
            true,
          ]);
          const small = await page.evaluate(
            "[...document.querySelectorAll('button, a.button, input:not([type=hidden])')].filter((one) => { const box = (one.closest('label') ?? one).getBoundingClientRect(); return box.height < 24 || box.width < 24; }).map((one) => one.textContent)",
          );
          expect([name, small]).toEqual([name, []]);
          // What is too faint is found: the check itself can fail.
          await page.evaluate("document.querySelector('h1').style.color = 'rgb(128 128 128 / 30%)'");
          const planted = (await page.evaluate(contrasts)) as typeof found;
          expect([name, planted.filter((one) => one.ratio < one.needs).length]).toEqual([name, 1]);
          await page.evaluate("document.querySelector('h1').style.color = ''");
        }
      });
    },
  );
});

/** WCAG 2.2, 1.4.3: the ratio of each text's colour to the nearest background that is painted, and what it needs by its size. */
const contrasts = `(() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (text) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (one) => {
    for (let at = one; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    throw new Error("nothing is painted behind " + one.textContent);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const one = texts.currentNode.parentElement;
    const box = one.getBoundingClientRect();
    if (text === "" || box.width === 0 || one.closest(".skip, script, style, title")) continue;
    const style = getComputedStyle(one);
    const [back, front] = [behind(one), parse(style.color)];
    const shown = front.map((value, at) => (value * front[3] + back[at] * (255 - front[3])) / 255);
    const [a, b] = [light(shown), light(back)];
    const big = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({ text: text.slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), needs: big ? 3 : 4.5 });
  }
  return found;
})()`;
