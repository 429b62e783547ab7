// The console on loopback for the tests: a real store, a real identity provider, the pages behind node:http, and a browser where there is one.

import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { chromium, type Browser } from "playwright-core";
import { openDesk } from "../../src/approval/desk.ts";
import { openLowdbStore } from "../../src/approval/stores/lowdb.ts";
import { openPeople, type Person } from "../../src/approval/people.ts";
import { consoleApp } from "../../src/console/app.ts";
import { reachOf } from "../../src/identity/addresses.ts";
import { guardedFetch, guardedPost } from "../../src/identity/guarded-fetch.ts";
import { keepFresh } from "../../src/identity/kept.ts";
import { fetchPublished } from "../../src/identity/published.ts";
import { openSignIn } from "../../src/identity/sign-in.ts";
import { consoleDesk } from "../../src/wiring/console.ts";
import { day, hour, random, transcript } from "../contracts/approval/fixtures.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const browserPath = paths.find((path) => existsSync(path));

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: browserPath ?? "",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** People of the provider: the approvers, somebody else, and who asks. */
export const people = { sam: { groups: [] }, kim: { groups: [] }, eve: { groups: [] }, jo: { groups: [] } };
const confidential = { id: "sallyport-console", secret: "console-secret-of-this-test" };

export async function openPlace(
  given: { readonly acr?: readonly string[]; readonly agentsWhere?: { readonly [claim: string]: string } } = {},
) {
  let serve: (request: Request) => Promise<Response> = () => Promise.reject(new Error("not yet"));
  const answer = getRequestListener((request) => serve(request));
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: Issuer = await openIssuer({
    resources: [],
    people,
    clients: [
      {
        client_id: confidential.id,
        client_secret: confidential.secret,
        grant_types: ["authorization_code"],
        redirect_uris: [`${origin}/console/callback`],
        response_types: ["code"],
      },
    ],
  });
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const reach = reachOf(issuer.url, false);
  const closing = new AbortController();
  const told: string[] = [];
  const fetch_ = guardedFetch({ reach });
  const signIn = openSignIn({
    rules: {
      issuer: issuer.url,
      algorithms: ["ES256"],
      requiredClaims: {},
      subject: { claim: "sub", prefix: "" },
      claims: {},
      agentsWhere: given.agentsWhere ?? {},
      others: [],
      scopes: { claim: "scope" },
    },
    clientId: confidential.id,
    clientSecret: confidential.secret,
    redirect: `${origin}/console/callback`,
    scopes: ["openid"],
    acr: given.acr ?? [],
    fetch: fetch_,
    post: guardedPost({ reach }),
    keys: keepFresh({
      load: () => fetchPublished(issuer.url, fetch_, closing.signal),
      now,
      failed: (why) => void told.push(why),
    }),
    now,
    random,
    told: ({ why }) => void told.push(why),
    closing: closing.signal,
  });
  const folder = await mkdtemp(join(tmpdir(), "sallyport-console-"));
  const store = await openLowdbStore({ folder: join(folder, "approvals"), random, keep: 30 * day, answerFor: hour });
  const record = transcript();
  const account = (subject: string) => ({ issuer: issuer.url, subject });
  const known: readonly Person[] = [
    { name: "Sam", accounts: [account("sam")], groups: ["sre"] },
    { name: "Kim", accounts: [account("kim"), account("kim-other")], groups: ["sre"] },
    { name: "Jo", accounts: [account("jo"), { issuer: "https://id.example", subject: "jo" }], groups: ["sre"] },
  ];
  const mode = { kind: "multi-user" } as const;
  const desk = openDesk({ store, append: record.append, mode, mask: (text) => text, now });
  const broke: unknown[] = [];
  serve = consoleApp({
    origin,
    signIn,
    desk: consoleDesk({
      store,
      desk,
      people: openPeople(known),
      mode,
      viewed: () => Promise.resolve(),
      about: async () => [],
      now,
    }),
    lasts: 3_600_000,
    now,
    random,
    broke: (thrown) => void broke.push(thrown),
  });
  return {
    origin,
    issuer,
    store,
    told,
    broke,
    entries: record.entries,
    /** Turns the gateway's clock on, in milliseconds; the provider's stays. */
    pass: (milliseconds: number) => void (ahead += milliseconds),
    async stop() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await issuer.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type Place = Awaited<ReturnType<typeof openPlace>>;
