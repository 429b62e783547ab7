// The console's routes: who is signed in, what they see, and what they answered. It carries answers; verdict.ts judges them.

import { Hono, type Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { timingSafeEqual } from "node:crypto";
import type { SignIn } from "../domain/sign-in.ts";
import type { ConsoleDesk, SlackLinks } from "./contract.ts";
import { foreignPage, queuePage, requestPage, sentencePage, signedOutPage, type Page } from "./pages.ts";
import { openSessions, type Session } from "./sessions.ts";
import { addSlackPages } from "./slack.ts";
import { style } from "./style.ts";

export interface ConsoleOptions {
  /** Under which address browsers see it, without a path: `https://sallyport.example.com`. */
  readonly origin: string;
  readonly signIn: SignIn;
  readonly desk: ConsoleDesk;
  /** Absent where nobody can be linked to Slack here. */
  readonly slack?: SlackLinks;
  /** Milliseconds until a sign-in is over. */
  readonly lasts: number;
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** What broke, for the operator. */
  readonly broke: (thrown: unknown) => void;
}

/** Milliseconds that a fresh login counts for the request that it was made for. */
const freshFor = 5 * 60_000;
const longestForm = 16_384;

/** One request to the console, answered. Everything below /console is its own. */
export type ServeConsole = (request: Request) => Promise<Response>;

export function consoleApp(options: ConsoleOptions): ServeConsole {
  const { desk, signIn, now, random } = options;
  const secure = options.origin.startsWith("https:");
  // RFC 6265bis, section 4.1.3.2: a cookie of that prefix comes from this host alone, over TLS.
  const [sessionCookie, leavingCookie] = secure
    ? ["__Host-sallyport", "__Host-sallyport-sign-in"]
    : ["sallyport", "sallyport-sign-in"];
  const cookie = { path: "/", httpOnly: true, secure, sameSite: "Lax" } as const;
  const sessions = openSessions({ now, random, lasts: options.lasts });
  const sessionOf = (c: Context): Session | null => sessions.find(getCookie(c, sessionCookie));
  const page = (c: Context, body: Page, status: 200 | 401 | 403 | 404 | 409 | 413 | 500 | 503 = 200) =>
    c.html(body, status);

  const app = new Hono({ strict: false });
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
    if (secure) c.res.headers.set("strict-transport-security", "max-age=31536000");
  });
  app.onError((thrown, c) => {
    options.broke(thrown);
    return page(c, sentencePage("Something broke", "It is not known what became of that. Look again.", null), 500);
  });
  app.notFound((c) => page(c, sentencePage("Not here", "There is no such page.", sessionOf(c)), 404));

  app.get("/console/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));

  app.get("/console", async (c) => {
    const session = sessionOf(c);
    if (session === null) return page(c, signedOutPage("/console"), 401);
    const ended = c.req.query("ended") === "1";
    const requests = await desk.list(session.person, ended);
    return page(c, queuePage({ requests, ended, session, now: now(), slack: options.slack !== undefined }));
  });

  app.get("/console/sign-in", async (c) => {
    const begun = await signIn.begin({ kind: "plain" });
    if ("kind" in begun) return page(c, awayPage(), 503);
    setCookie(
      c,
      leavingCookie,
      sessions.leave({ kept: begun.kept, next: ownPath(c.req.query("next")), digest: "" }),
      cookie,
    );
    return c.redirect(begun.url, 302);
  });

  app.get("/console/requests/:id/step-up", async (c) => {
    const session = sessionOf(c);
    const path = `/console/requests/${c.req.param("id")}`;
    if (session === null) return page(c, signedOutPage(path), 401);
    const seen = await desk.show(session.person, c.req.param("id"));
    return seen === null
      ? page(c, notThere(session), 404)
      : await freshLogin(c, session, { digest: seen.approvalDigest, next: path });
  });

  /** Sends them to prove once more who they are, for one thing: a request by its digest, or what else it is called. */
  async function freshLogin(
    c: Context,
    { person }: Session,
    leaving: { readonly digest: string; readonly next: string },
  ) {
    const begun = await signIn.begin({ kind: "fresh", subject: person.subject });
    if ("kind" in begun) return page(c, awayPage(), 503);
    setCookie(c, leavingCookie, sessions.leave({ kept: begun.kept, ...leaving }), cookie);
    return c.redirect(begun.url, 302);
  }

  app.get("/console/callback", async (c) => {
    const left = sessions.arrive(getCookie(c, leavingCookie));
    deleteCookie(c, leavingCookie, cookie);
    // Whoever did not begin here has been sent by somebody else (RFC 6749, section 10.12).
    if (left === null)
      return page(c, sentencePage("Not signed in", "That sign-in did not begin here, or took too long.", null), 403);
    const finished = await signIn.finish(new URL(c.req.url).searchParams, left.kept);
    if (finished.kind === "refused") return page(c, sentencePage("Not signed in", finished.says, sessionOf(c)), 403);
    await options.slack?.signedIn(finished.person);
    const before = sessionOf(c);
    if (left.digest === "") {
      setCookie(c, sessionCookie, sessions.open(finished.person, getCookie(c, sessionCookie)), cookie);
      return c.redirect(left.next, 303);
    }
    // A fresh login proves the same person once more; another one's proves nothing here.
    if (before?.person.issuer !== finished.person.issuer || before.person.subject !== finished.person.subject)
      return page(
        c,
        sentencePage("Not approved", "That was another account than the one that is signed in here.", before),
        403,
      );
    before.person = finished.person;
    before.fresh = { digest: left.digest, until: now() + freshFor };
    return c.redirect(left.next, 303);
  });

  app.get("/console/requests/:id", async (c) => await show(c, ""));

  async function show(c: Context, said: string, status: 200 | 409 = 200): Promise<Response> {
    const session = sessionOf(c);
    const id = c.req.param("id") ?? "";
    if (session === null) return page(c, signedOutPage(ownPath(`/console/requests/${id}`)), 401);
    const request = await desk.show(session.person, id);
    if (request === null) return page(c, notThere(session), 404);
    const history = await desk.history(session.person, request);
    return page(c, requestPage({ request, history, session, now: now(), said }), status);
  }

  app.post("/console/sign-out", async (c) => {
    const posted = await formOf(c, sessionOf(c), options.origin);
    if (posted === null) return page(c, foreignPage(), 403);
    sessions.close(getCookie(c, sessionCookie));
    deleteCookie(c, sessionCookie, cookie);
    return c.redirect("/console", 303);
  });

  const { slack } = options;
  if (slack !== undefined)
    addSlackPages(app, {
      slack,
      sessionOf,
      page,
      freshLogin,
      formOf: (c, session) => formOf(c, session, options.origin),
      now,
    });

  for (const answer of ["approve", "reject"] as const)
    app.post(`/console/requests/:id/${answer}`, async (c) => {
      const session = sessionOf(c);
      if (session === null) return page(c, signedOutPage(ownPath(`/console/requests/${c.req.param("id")}`)), 401);
      const form = await formOf(c, session, options.origin);
      if (form === null) return page(c, foreignPage(), 403);
      const seen = await desk.show(session.person, c.req.param("id"));
      if (seen === null) return page(c, notThere(session), 404);
      // What they answered is what they saw.
      if (form.get("digest") !== seen.approvalDigest)
        return await show(
          c,
          "That answer was to another request: nothing was counted. This is how it stands now.",
          409,
        );
      const fresh =
        session.fresh !== null && session.fresh.digest === seen.approvalDigest && session.fresh.until > now();
      const counted = await desk.answer(session.person, {
        id: seen.id,
        answer,
        reason: form.get("reason") ?? "",
        tellAgent: form.get("tell") === "yes",
        fresh: answer === "approve" && fresh,
      });
      // One login, one answer.
      if (fresh) session.fresh = null;
      if (counted.kind === "refused") return await show(c, counted.says, 409);
      return c.redirect(`/console/requests/${seen.id}`, 303);
    });

  return async (request) => await app.fetch(request);
}

/** No script, no frame, no other site: the pages are text and forms. */
const headers: { readonly [name: string]: string } = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
};

/** The form that this page's own button sent; null for another site's, and for one that is too long. */
async function formOf(c: Context, session: Session | null, origin: string): Promise<URLSearchParams | null> {
  if (session === null || c.req.header("origin") !== origin) return null;
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return null;
  if (!/^application\/x-www-form-urlencoded(?:;|$)/.test(c.req.header("content-type") ?? "")) return null;
  const text = await c.req.text();
  if (text.length > longestForm) return null;
  const form = new URLSearchParams(text);
  const [given, own] = [Buffer.from(form.get("csrf") ?? ""), Buffer.from(session.csrf)];
  return given.length === own.length && timingSafeEqual(given, own) ? form : null;
}

/** A path of the console itself; anything else would send people where somebody else wants them. */
function ownPath(path: string | undefined): string {
  return path !== undefined && /^\/console(?:\/slack|\/requests\/[a-z0-9_-]{1,60})?$/.test(path) ? path : "/console";
}

const notThere = (session: Session): Page =>
  sentencePage("Not here", "There is no such request, or none that you may see.", session);
const awayPage = (): Page =>
  sentencePage(
    "Sign-in is not possible now",
    "The identity provider does not answer. The terminal still works: sallyport approvals list.",
    null,
  );
