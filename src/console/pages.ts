// The console's pages: every text is escaped, and nothing needs a script. Long: one file is every word that a person reads there.

import { html } from "hono/html";
import type { Verdict } from "../domain/approval.ts";
import type { Sentence } from "../domain/output.ts";
import type { Earlier, SeenRequest } from "./contract.ts";
import type { Session } from "./sessions.ts";

/** Escaped HTML, as Hono's `html` makes it. */
export type Page = ReturnType<typeof html>;

interface Frame {
  readonly title: string;
  readonly session: Session | null;
  readonly body: Page;
}

/** The frame around every page. */
export function framed({ title, session, body }: Frame): Page {
  const who =
    session === null
      ? ""
      : html`<form method="post" action="/console/sign-out">
          <input type="hidden" name="csrf" value="${session.csrf}" />
          <span>${session.person.name}</span>
          <button class="plain" type="submit">Sign out</button>
        </form>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Sallyport</title>
        <link rel="stylesheet" href="/console/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <nav aria-label="Console"><a href="/console">Sallyport approvals</a></nav>
          ${who}
        </header>
        <main id="main" tabindex="-1">${body}</main>
      </body>
    </html>`;
}

export function signedOutPage(next: string): Page {
  const body = html`<h1>Sign in to see what waits for you</h1>
    <p>Requests for approval are shown to those who may answer them.</p>
    <p><a class="button" href="/console/sign-in?next=${encodeURIComponent(next)}">Sign in</a></p>`;
  return framed({ title: "Sign in", session: null, body });
}

/** A page with one sentence: something was refused, or is not there. */
export function sentencePage(title: string, says: string, session: Session | null): Page {
  const body = html`<h1>${title}</h1>
    <p class="notice bad" role="alert">${says}</p>
    <p><a href="/console">To the requests</a></p>`;
  return framed({ title, session, body });
}

/** What came as a form and was none of ours. */
export const foreignPage = (): Page =>
  sentencePage("Refused", "That form did not come from this console: open the page again.", null);

/** What the page of all requests is made of. */
export interface QueueMatter {
  readonly requests: readonly SeenRequest[];
  /** Those that have ended, too. */
  readonly ended: boolean;
  readonly session: Session;
  readonly now: number;
  /** Can people be linked to Slack here? */
  readonly slack: boolean;
}

export function queuePage({ requests, ended, session, now, slack }: QueueMatter): Page {
  const waiting = requests.filter((one) => one.state === "pending").length;
  const title = ended ? "Requests of the last day" : waiting === 1 ? "1 request waits" : `${waiting} requests wait`;
  const rows = requests.map(
    (one) =>
      html`<li>
        <a href="/console/requests/${one.id}">${headline(one)}</a>
        <div class="quiet">
          ${one.card.cluster}${one.card.environment === "" ? "" : ` (${one.card.environment})`} · asked by
          ${one.card.requester} through ${one.card.agent} · ${standing(one, now)}
        </div>
      </li>`,
  );
  const body = html`<h1>${title}</h1>
    ${
      rows.length === 0
        ? html`<p>Nothing waits for you.</p>`
        : html`<ul class="queue">
            ${rows}
          </ul>`
    }
    <p>
      <a href="${ended ? "/console?ended=1" : "/console"}">Look again</a> ·
      ${ended ? html`<a href="/console">Only what waits</a>` : html`<a href="/console?ended=1">Also what has ended</a>`}
      ${slack ? html`· <a href="/console/slack">Your Slack user</a>` : ""}
    </p>`;
  return framed({ title, session, body });
}

/** What the page of one request is made of. */
export interface RequestMatter {
  readonly request: SeenRequest;
  readonly history: readonly Earlier[];
  readonly session: Session;
  readonly now: number;
  /** What became of the person's last answer; "" for nothing. */
  readonly said: string;
}

export function requestPage({ request, history, session, now, said }: RequestMatter): Page {
  const { card } = request;
  const body = html`${said === "" ? "" : html`<p class="notice" role="status">${said}</p>`}
    <h1>${headline(request)}</h1>
    <dl>
      <dt>Cluster</dt>
      <dd>${card.cluster}${card.environment === "" ? "" : ` (environment ${card.environment})`}</dd>
      <dt>Asked by</dt>
      <dd>${card.requester}, through ${card.agent}</dd>
      <dt>State</dt>
      <dd>${standing(request, now)}${request.why === "" ? "" : `: ${request.why}`}</dd>
      <dt>Rules</dt>
      <dd>${card.rules.join(", ")}</dd>
      <dt>Needs</dt>
      <dd>${request.requirements.map(({ count, approvers }) => `${count} of ${approvers.join(", ")}`).join("; ")}</dd>
      <dt>Undo</dt>
      <dd>${card.undo === "" ? "not known" : card.undo}</dd>
      <dt>Digest</dt>
      <dd><code>${request.approvalDigest.slice(0, 8)}</code> <span class="quiet">${request.id}</span></dd>
    </dl>
    <h2>The agent's words, unverified</h2>
    <blockquote>${card.reason === "" ? "none" : card.reason}</blockquote>
    <h2 id="effect">What will change</h2>
    <ol class="diff" aria-labelledby="effect">
      ${card.diff.map((line) => html`<li class="${line.startsWith("!") ? "risk" : ""}">${line}</li>`)}
    </ol>
    ${
      card.checks.length === 0
        ? ""
        : html`<ul>
            ${card.checks.map((check) => html`<li>${sentenceText(check)}</li>`)}
          </ul>`
    }
    ${
      request.verdicts.length === 0
        ? ""
        : html`<h2>Answers</h2>
            <ul>
              ${request.verdicts.map(verdictItem)}
            </ul>`
    }
    ${answering(request, session, now)}
    <h2>What was done to it before</h2>
    ${
      history.length === 0
        ? html`<p class="quiet">Nothing that this gateway has on record.</p>`
        : html`<ul>
            ${history.map((one) => html`<li>${time(one.at)}: ${one.says} <span class="quiet">(${one.who})</span></li>`)}
          </ul>`
    }`;
  return framed({ title: headline(request), session, body });
}

/** The forms, or why there are none. */
function answering(request: SeenRequest, session: Session, now: number): Page | string {
  if (request.state !== "pending" && request.state !== "approved") return "";
  if (request.barred !== "") return html`<p class="notice">${request.barred}</p>`;
  const hidden = html`<input type="hidden" name="csrf" value="${session.csrf}" />
    <input type="hidden" name="digest" value="${request.approvalDigest}" />`;
  const reject = html`<form method="post" action="/console/requests/${request.id}/reject">
    <fieldset>
      <legend>${request.state === "approved" ? "Take it back" : "Reject"}</legend>
      ${hidden}
      <label>Why <textarea name="reason" rows="2" maxlength="500" required></textarea></label>
      <label><input type="checkbox" name="tell" value="yes" /> The agent may read this</label>
      <button class="no" type="submit">${request.state === "approved" ? "Take it back" : "Reject"}</button>
    </fieldset>
  </form>`;
  if (request.state === "approved") return html`<div class="answers">${reject}</div>`;
  const isFresh =
    session.fresh !== null && session.fresh.digest === request.approvalDigest && session.fresh.until > now;
  const approve =
    request.stepUp && !isFresh
      ? html`<fieldset>
          <legend>Approve</legend>
          <p>This needs a fresh sign-in, for this one request.</p>
          <p><a class="button" href="/console/requests/${request.id}/step-up">Sign in again to approve</a></p>
        </fieldset>`
      : html`<form method="post" action="/console/requests/${request.id}/approve">
          <fieldset>
            <legend>Approve</legend>
            ${hidden}
            <p>${afterwards(request)}</p>
            <label>Note <textarea name="reason" rows="2" maxlength="500"></textarea></label>
            <button class="yes" type="submit">Approve</button>
          </fieldset>
        </form>`;
  return html`<h2>Your answer</h2>
    <div class="answers">${approve}${reject}</div>`;
}

/** What an approval does now: the last one that is needed runs the call. */
function afterwards({ have, need }: SeenRequest): string {
  const left = need - have - 1;
  if (left > 0) return `${left} more of those who may answer must agree before it runs.`;
  return "It runs at once, exactly as shown above, unless something of it has changed.";
}

function headline({ card }: SeenRequest): string {
  return `${card.tool} (${card.effect}): ${card.object}`;
}

function standing({ state, have, need, expiresAt, ran }: SeenRequest, now: number): string {
  if (state !== "pending") return ran === "" ? state : `${state}, ${ran}`;
  const minutes = Math.max(0, Math.round((expiresAt - now) / 60_000));
  return `${have} of ${need} agreed, ${minutes} min left`;
}

function verdictItem({ by, answer, reason, at }: Verdict): Page {
  const verb = answer === "approve" ? "approved" : "rejected";
  return html`<li>
    ${by.subject} ${verb} at ${time(at)} by ${by.channel}
    (${by.assurance})${reason === "" ? "" : html`: <q>${reason}</q>`}
  </li>`;
}

export const time = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

function sentenceText(sentence: Sentence): string {
  return sentence.map((part) => (typeof part === "string" ? part : JSON.stringify(part.quoted))).join("");
}
