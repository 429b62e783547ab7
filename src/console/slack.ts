// The console's pages for linking one's Slack user: begun after a fresh login, finished in the session that began it, confirmed in Slack, and ended with a button.

import type { Context, Hono } from "hono";
import { html } from "hono/html";
import type { SlackLinks } from "./contract.ts";
import { foreignPage, framed, sentencePage, signedOutPage, time, type Page } from "./pages.ts";
import type { Session } from "./sessions.ts";

/** What the console lends these pages. */
export interface SlackPages {
  readonly slack: SlackLinks;
  readonly sessionOf: (c: Context) => Session | null;
  readonly page: (c: Context, body: Page, status?: 200 | 401 | 403 | 409) => Response | Promise<Response>;
  readonly freshLogin: (
    c: Context,
    session: Session,
    leaving: { readonly digest: string; readonly next: string },
  ) => Promise<Response>;
  readonly formOf: (c: Context, session: Session | null) => Promise<URLSearchParams | null>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const path = "/console/slack";
/** What the fresh login is for, in the place of a request's digest: none of those looks like it. */
const linking = "slack link";

export function addSlackPages(app: Hono, { slack, sessionOf, page, freshLogin, formOf, now }: SlackPages): void {
  const isFresh = ({ fresh }: Session): boolean => fresh !== null && fresh.digest === linking && fresh.until > now();

  app.get(path, (c) => {
    const session = sessionOf(c);
    if (session === null) return page(c, signedOutPage(path), 401);
    return page(c, linkPage(slack, session, isFresh(session)));
  });

  app.get(`${path}/sign-in`, async (c) => {
    const session = sessionOf(c);
    return session === null
      ? page(c, signedOutPage(path), 401)
      : await freshLogin(c, session, { digest: linking, next: path });
  });

  // An address that begins a link could be sent to somebody else: only this console's own button does.
  app.post(`${path}/link`, async (c) => {
    const session = sessionOf(c);
    if (session === null || (await formOf(c, session)) === null) return page(c, foreignPage(), 403);
    if (!isFresh(session)) return page(c, linkPage(slack, session, false), 409);
    session.fresh = null;
    return page(c, onwardPage(session, slack.begin(session.csrf, session.person)));
  });

  app.get(`${path}/cb`, async (c) => {
    const session = sessionOf(c);
    if (session === null) return page(c, signedOutPage(path), 401);
    const { searchParams } = new URL(c.req.url);
    const only = (name: string): string =>
      searchParams.getAll(name).length === 1 ? (searchParams.get(name) ?? "") : "";
    const back = { state: only("state"), code: only("code") };
    const finished = await slack.finish(session.csrf, session.person, back);
    if (finished.kind === "refused") return page(c, sentencePage("Not linked", finished.says, session), 403);
    return c.redirect(path, 303);
  });

  app.post(`${path}/unlink`, async (c) => {
    const session = sessionOf(c);
    if (session === null || (await formOf(c, session)) === null) return page(c, foreignPage(), 403);
    await slack.unlink(session.person);
    return c.redirect(path, 303);
  });
}

function linkPage(slack: SlackLinks, session: Session, fresh: boolean): Page {
  const csrf = html`<input type="hidden" name="csrf" value="${session.csrf}" />`;
  const [link, waiting] = [slack.of(session.person), slack.waiting(session.person)];
  const standing =
    link === null
      ? html`<p>No Slack user is linked to your account: what you press in Slack counts for nothing.</p>`
      : html`<p>
            The Slack user <code>${link.user}</code> answers as ${session.person.name} until ${time(link.until)}.
          </p>
          <p>What it presses counts for ${slack.standingHours} hours after each sign-in here.</p>`;
  const asked =
    waiting === null
      ? ""
      : html`<p class="notice" role="status">
          Slack has asked the user <code>${waiting.user}</code> by direct message: press Confirm there until
          ${time(waiting.until)}. Before that it counts for nothing.
        </p>`;
  const unlink =
    link === null && waiting === null
      ? ""
      : html`<form method="post" action="${path}/unlink">
          ${csrf}<button class="no" type="submit">${link === null ? "Take it back" : "Unlink"}</button>
        </form>`;
  const next = fresh
    ? html`<form method="post" action="${path}/link">
        ${csrf}
        <p>Next you sign in to Slack itself. Nobody else can finish what you begin here.</p>
        <button class="yes" type="submit">${link === null ? "Link my Slack user" : "Link it anew"}</button>
      </form>`
    : html`<p>Linking needs a fresh sign-in.</p>
        <p><a class="button" href="${path}/sign-in">Sign in again</a></p>`;
  const body = html`<h1>Your Slack user</h1>
    ${standing} ${asked} ${unlink} ${next}`;
  return framed({ title: "Your Slack user", session, body });
}

/** A form may lead to this console alone (form-action), so the way to Slack is a link of its own. */
function onwardPage(session: Session, url: string): Page {
  const body = html`<h1>Go on at Slack</h1>
    <p>Sign in there as yourself, in the workspace that requests are shown in. It brings you back here.</p>
    <p><a class="button" rel="noreferrer" href="${url}">To Slack</a></p>`;
  return framed({ title: "Go on at Slack", session, body });
}
