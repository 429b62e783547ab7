// What doctor, and the configuration's own checks, say of the console, Slack, webhooks and people before anything runs.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-checks-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** A state folder with this configuration and these secrets, each with its mode; what doctor says of the three. */
async function doctor(name: string, config: string, secrets: { readonly [file: string]: readonly [string, number] }) {
  const home = join(folder, name);
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, "sallyport.yaml"), `version: 1\n${config}`);
  for (const [file, [text, mode]] of Object.entries(secrets)) await writeFile(join(home, file), text, { mode });
  const env = { SALLYPORT_HOME: home, HOME: folder, KUBECONFIG: join(home, "none") };
  const { out } = await runCommand(["doctor", "--json"], env);
  const found = (JSON.parse(out) as readonly JsonObject[]).filter((one) =>
    ["console", "slack", "webhooks", "configuration"].includes(textAt(one, "name")),
  );
  return found.map((one) =>
    `${textAt(one, "result")} ${textAt(one, "name")}: ${textAt(one, "says")}`.replaceAll(home, "."),
  );
}

const issuers = `issuers: [{ kind: oidc, name: corp, issuer: "https://id.example", audience: ["https://s.example/mcp"] }]\n`;
const consoleAt = (url: string, more = ""): string =>
  `${issuers}console: { url: "${url}", issuer: corp, clientId: c, clientSecret: console${more} }\n`;
const http = "http: { port: 0 }\n";
const slack = `slack: { botToken: bot, appToken: app, team: T77, channel: C77, client: { id: "1.2", secret: client } }\n`;
const good = {
  bot: ["xoxb-1234567", 0o600],
  app: ["xapp-1234567", 0o600],
  client: ["abc", 0o600],
  console: ["s", 0o600],
} as const;
const ours = (says: readonly string[]): readonly string[] => says.filter((one) => !one.includes("configuration"));

promise("commands:doctor", "a console, Slack and a webhook that are well", async () => {
  const hook = `webhooks: [{ name: on-call, url: "https://on-call.example/h", secret: hook }]\n`;
  const text = `${http}${consoleAt("https://s.example", ", acr: [phr]")}${slack}${hook}`;
  expect(ours(await doctor("well", text, { ...good, hook: ["x".repeat(24), 0o600] }))).toEqual([
    "ok console: https://s.example/console, sign-in at corp back to https://s.example/console/callback; step-up checks acr phr",
    "ok slack: secrets of workspace T77 are there; sallyport slack check asks Slack",
    "ok slack: people link their Slack users in the console; each sign-in there counts 12 h in Slack",
    "ok webhooks: on-call is told at on-call.example",
  ]);
});

promise("commands:doctor", "secrets that others can read, and addresses that would not do", async () => {
  const open = { ...good, console: ["s", 0o644], client: ["abc", 0o640] } as const;
  expect(ours(await doctor("open", `${http}${consoleAt("https://s.example")}${slack}`, open))).toEqual([
    "failed console: console: ./console can be read by others: run chmod 600 on it.",
    "failed slack: slack: ./client can be read by others: run chmod 600 on it.",
  ]);
  const hook = `webhooks: [{ name: on-call, url: "http://on-call.example/h", secret: hook }]\n`;
  const plain = `${consoleAt("http://s.example/sallyport")}${slack.replace(/, client: {.*?}/, "")}${hook}`;
  expect(ours(await doctor("plain", plain, { ...good, hook: ["x".repeat(24), 0o600] }))).toEqual([
    "note console: there is no http: it is served with serve --http alone, on a port of this machine",
    "note console: its url says http beyond this machine: sign-ins would travel in clear",
    "note console: its url names a path, and the console is at http://s.example/console",
    "ok slack: secrets of workspace T77 are there; sallyport slack check asks Slack",
    "note slack: nobody can be linked: that takes slack.client and console",
    "failed webhooks: on-call has an http address: notices are sent over TLS alone",
  ]);
});

promise(
  "commands:doctor",
  "a console at no issuer, and an account of two people, are refused with their line",
  async () => {
    const text = `console: { url: "https://s.example", issuer: corp, clientId: c }
people:
  - { name: Sam, accounts: [{ issuer: local, subject: sam }] }
  - { name: Kim, accounts: [{ issuer: local, subject: kim }, { issuer: local, subject: sam }] }
`;
    const [says = ""] = await doctor("twice", text, {});
    expect(says.split("\n").map((line) => line.replace(/^.*sallyport\.yaml:/, ""))).toEqual([
      "2:46: console.issuer: is the name of no oidc issuer in `issuers`",
      "5:62: people.1.accounts.1: stands twice: an account is one person's",
    ]);
  },
);
