// Who may read the record and what each reading leaves behind, through a whole gateway: commands, roles, and what an agent can ask.

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { rolesOf } from "../../src/domain/role.ts";
import { writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { openShop, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { runCommand, testIo } from "../support/world.ts";
import { root } from "./place.ts";

let shop: Shop;
/** A call of the agent's. */
let call = "";
/** One of the approver's, with words that no other caller may read. */
let others = "";
const marker = "quartz-lantern-4711";
const names = ["olga", "otto", "audrey", "nina"] as const;
type Name = (typeof names)[number];

beforeAll(async () => {
  shop = await openShop({
    config: `hold: 0
transcript:
  auditors: ["user:audrey", "group:audit"]
  operators: ["group:operations", "user:agent"]
people:
  - { name: Olga, accounts: [{ issuer: local, subject: olga }, { issuer: local, subject: olga-2 }], groups: [operations] }`,
  });
  const yaml = join(shop.world.folder, "sallyport.yaml");
  const random = testIo({}, new AbortController().signal).random;
  const lines: string[] = [];
  for (const name of [...names, "olga-2"]) {
    const file = join(shop.world.folder, `${name}.token`);
    await writeTokenFile(file, random);
    const groups = name === "otto" ? "[operations]" : "[]";
    lines.push(`    - { file: ${JSON.stringify(file)}, subject: ${name}, kind: person, groups: ${groups} }`);
  }
  await shop.world.restart(async () => {
    await writeFile(yaml, `${(await readFile(yaml, "utf8")).trimEnd()}\n${lines.join("\n")}\n`);
  });
  call = textAt((await shop.world.call("objects_list", { kind: "Pod", namespace: "shop-dev" })).facts, "call");
  const { Client: OtherClient } = await import("@modelcontextprotocol/client");
  const { clientTransport } = await import("../support/world.ts");
  const other = new OtherClient({ name: marker, version: "1" });
  await other.connect(clientTransport(shop.world.url, shop.world.tokens.approver));
  const asked = { kind: "Pod", namespace: "shop-dev", name: marker, reason: marker };
  const answer = await other.callTool({ name: "objects_get", arguments: asked });
  others = textAt((answer._meta?.["sallyport/facts"] ?? {}) as JsonObject, "call");
  await other.close();
});
afterAll(async () => await shop?.stop());

const as = (name: Name | "olga-2" | "agent", ...words: readonly string[]) =>
  runCommand(words, { ...shop.world.env, SALLYPORT_TOKEN_FILE: join(shop.world.folder, `${name}.token`) });
const own = (...words: readonly string[]) => shop.world.sallyport(words);

const copy = (): string => join(shop.world.folder, "..", `${shop.world.folder.split("/").at(-1)}-handed-out`);

/** Every command that reads the record: the file that has it, its words, and the entry that it leaves. */
const readings: () => readonly (readonly [file: string, words: readonly string[], kind: string])[] = () => [
  ["transcript.ts", ["transcript", "list", "--limit", "3"], "evidence.viewed"],
  ["transcript.ts", ["transcript", "show", call], "evidence.viewed"],
  ["transcript.ts", ["transcript", "verify"], "evidence.verified"],
  ["transcript-search.ts", ["transcript", "search", "--tool", "objects_list"], "evidence.searched"],
  ["transcript-search.ts", ["transcript", "search", "--tool", "objects_list", "--count"], "evidence.searched"],
  ["transcript-replay.ts", ["transcript", "replay", "ses_none"], "evidence.viewed"],
  ["transcript-again.ts", ["transcript", "replay", "ses_none", "--policy", "observe"], "evidence.viewed"],
  ["transcript-stats.ts", ["transcript", "stats"], "evidence.viewed"],
  ["approvals-stats.ts", ["approvals", "stats"], "evidence.viewed"],
  ["policy.ts", ["policy", "simulate", "default"], "evidence.viewed"],
  ["transcript-export.ts", ["transcript", "export", "--format", "csv"], "evidence.exported"],
  ["transcript-bundle.ts", ["transcript", "export", "--bundle", copy(), "--why", "audit"], "evidence.exported"],
  ["transcript-proofs.ts", ["transcript", "prove", "1"], "evidence.exported"],
  ["transcript-hold.ts", ["transcript", "hold", "list"], "evidence.viewed"],
  ["transcript-hold.ts", ["transcript", "hold", "show", "none"], "evidence.viewed"],
  ["evidence.ts", ["evidence", "report", "--period", "2020-01-01/2020-02-01"], "evidence.exported"],
  ["evidence-review.ts", ["evidence", "review", "--tool", "objects_list", "--findings", "none"], "review.completed"],
  ["transcript-auditor.ts", ["transcript", "auditor-key"], "evidence.exported"],
  ["transcript-reconcile.ts", ["transcript", "reconcile", "--audit-log", "LOG"], "reconcile.ran"],
];

const latest = async (): Promise<JsonObject> => (await shop.world.entries()).at(-1) ?? {};

const schedulersRead = {
  kind: "Event",
  auditID: "4711",
  stage: "ResponseComplete",
  verb: "list",
  user: { username: "system:kube-scheduler" },
  objectRef: { resource: "pods" },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: "2020-01-01T00:00:00Z",
};

/** The words as they can run here: an auditor's key and a log have to be there. */
async function runnable(words: readonly string[]): Promise<readonly string[]> {
  if (words[1] === "auditor-key") {
    const secret = join(shop.world.folder, "auditor.secret");
    await rm(secret, { force: true });
    const recipient = (await own("transcript", "auditor-key", secret)).out.trim();
    const out = join(shop.world.folder, "handed.ndjson");
    return ["transcript", "open-for", "--recipient", recipient, "--out", out, "--why", "audit"];
  }
  const log = join(shop.world.folder, "audit.log");
  // A log that holds no event compares nothing, and so leaves nothing on record.
  await writeFile(log, `${JSON.stringify(schedulersRead)}\n`);
  await rm(copy(), { recursive: true, force: true });
  return words.map((word) => (word === "LOG" ? log : word));
}

promise("transcript:readings", "each command that reads it, by whom, of how large a record", async () => {
  for (const [file, words, kind] of readings()) {
    const before = (await shop.world.entries()).length;
    const ran = await own(...(await runnable(words)));
    const entries = await shop.world.entries();
    const left = entries.slice(before).filter((one) => textAt(one, "kind") === kind);
    expect([file, ran.err.includes("No entry tells"), left.length]).toEqual([file, false, 1]);
    const [entry] = left;
    const { size, count } = (entry?.["details"] ?? {}) as JsonObject;
    expect([file, textAt(entry, "principal", "iss")]).toEqual([file, "local"]);
    if (kind === "reconcile.ran" || kind === "review.completed") continue;
    expect([file, Number(size) >= before, kind === "evidence.verified" || typeof count]).toEqual([
      file,
      true,
      kind === "evidence.verified" || "number",
    ]);
  }
  await rm(copy(), { recursive: true, force: true });
});

/** Doctor counts what is there and says nothing of what was done. */
const countsAlone = ["transcript-checks.ts", "keeping-checks.ts"];

promise("transcript:readings", "a new command that reads it can't be forgotten in that list", async () => {
  const folder = join(root, "src", "commands");
  const readers =
    /from "\.\.\/(?:transcript|evidence)\/(?:[a-z-]+\/)*(?:read|search|stats|replay|export|verify|proof|calls|make|look|collect|reconcile|signed|bodies|feed|receipts|approval-figures|scope)\.ts"|import\("\.\.\/transcript\/search\.ts"\)/;
  const found: string[] = [];
  for (const name of (await readdir(folder)).filter((one) => one.endsWith(".ts"))) {
    const lines = (await readFile(join(folder, name), "utf8")).split(/;\n/);
    // Types of what was read read nothing.
    if (lines.some((line) => readers.test(line) && !line.trimStart().startsWith("import type"))) found.push(name);
  }
  const listed = [...countsAlone, ...readings().map(([file]) => file)];
  expect(found.filter((name) => !listed.includes(name))).toEqual([]);
});

promise("transcript:readings", "where no gateway runs nothing of the record is written, and that is said", async () => {
  const { world } = shop;
  await world.restart(async () => {
    const before = (await world.entries()).length;
    for (const words of [["list"], ["search", "--count"], ["verify"], ["stats"]]) {
      const ran = await own("transcript", ...words);
      expect([words, ran.code, ran.err]).toEqual([words, 0, "No entry tells of this reading: no gateway runs.\n"]);
    }
    expect((await world.entries()).length).toBe(before);
    // Nobody's token is believed where no gateway can look at it.
    const named = await as("audrey", "transcript", "list");
    expect([named.code, named.out, named.err]).toEqual([
      1,
      "",
      "No gateway runs that could look at the token of SALLYPORT_TOKEN_FILE: start one first.",
    ]);
    expect((await as("audrey", "transcript", "rotate-key")).code).toBe(1);
    // What is handed out is on record, gateway or not.
    expect((await own("transcript", "export", "--format", "csv")).code).toBe(0);
    expect([textAt(await latest(), "kind"), (await world.entries()).length]).toEqual(["evidence.exported", before + 1]);
  });
});

/** What an operator may do as well. */
const operators = ["transcript-reconcile.ts", "evidence-review.ts"];

promise("transcript:roles", "a token reads as an auditor alone, and on record or not at all", async () => {
  for (const name of ["nina", "otto", "olga", "agent"] as const)
    for (const [file, words] of readings().filter(([one]) => !operators.includes(one))) {
      const ran = await as(name, ...(await runnable(words)));
      expect([name, file, ran.code, ran.out]).toEqual([name, file, 1, ""]);
      expect([name, file, ran.err]).toEqual([name, file, expect.stringContaining("transcript.auditors")]);
    }
  const listed = await as("audrey", "transcript", "list", "--limit", "1");
  expect([listed.code, listed.err, listed.out.trim().split("\n").length]).toEqual([0, "", 1]);
  expect(await latest()).toMatchObject({
    kind: "evidence.viewed",
    principal: { iss: "local", sub: "audrey" },
    details: { what: "transcript list", query: "--limit 1", count: 1, found: true },
  });
});

promise("transcript:roles", "and keeps it as an operator alone", async () => {
  const purge = ["transcript", "purge", "--before", "2020-01-01", "--why", "old", "--yes"];
  const hold = ["transcript", "hold", "place", "case-1", "--session", "ses_1", "--reason", "a case"];
  for (const name of ["nina", "audrey", "agent"] as const)
    for (const words of [purge, hold, ["transcript", "hold", "release", "case-1", "--reason", "over"]]) {
      const ran = await as(name, ...words);
      expect([name, words[1], ran.code, ran.err]).toEqual([
        name,
        words[1],
        1,
        expect.stringContaining("transcript.operators"),
      ]);
    }
  expect((await as("otto", ...purge)).out).toBe(
    "There was no such key: keys of today are in use, and stay until tomorrow.\n",
  );
  expect((await as("otto", "transcript", "list")).code).toBe(1);
});

promise(
  "transcript:hold-release",
  "from the command line: the one, himself again, her two accounts, the other",
  async () => {
    const release = (verb: string) => ["transcript", "hold", verb, "case-17", "--reason", "case closed"];
    expect((await own("transcript", "hold", "place", "case-17", "--reason", "x y z")).code).toBe(2);
    const place = ["transcript", "hold", "place", "case-17", "--namespace", "shop-dev", "--reason", "incident"];
    expect((await as("otto", ...place)).out).toContain("Hold case-17 is in force");
    expect((await as("otto", ...place)).err).toContain("There is a hold of this name already");
    expect((await as("olga", ...release("confirm"))).err).toContain("Nobody has asked for its release");
    expect((await as("olga", ...release("release"))).out).toContain("is asked for");
    for (const name of ["olga", "olga-2"] as const)
      expect([name, (await as(name, ...release("confirm"))).err]).toEqual([
        name,
        expect.stringContaining("another account of yours is no other person"),
      ]);
    const shown = await own("transcript", "hold", "show", "case-17");
    expect(shown.out).toMatch(
      /^case-17 {2}since \S+ {2}by otto {2}covers namespace shop-dev {2}incident {2}its release is asked for\n {2}release asked for by olga at /,
    );
    expect((await as("otto", ...release("confirm"))).out).toBe("Hold case-17 is over.\n");
    expect((await own("transcript", "hold", "list")).out).toBe("No hold is in force.\n");
    const kinds = (await shop.world.entries()).filter((one) => textAt(one, "kind").startsWith("hold."));
    expect(kinds.map((one) => [textAt(one, "kind"), textAt(one, "principal", "sub")])).toEqual([
      ["hold.placed", "otto"],
      ["hold.asked", "olga"],
      ["hold.released", "otto"],
    ]);
    expect((await own("transcript", "verify")).code).toBe(0);
  },
);

promise(
  "transcript:roles",
  "people alone hold them, whom the configuration names, and nobody for whom something acts",
  () => {
    const holders = { auditors: ["user:ada", "group:audit"], operators: ["group:ops"] };
    const who = { kind: "person", subject: "ada", groups: ["ops"], actors: [] } as const;
    const cases = [
      [who, ["auditor", "operator"]],
      [{ ...who, kind: "agent" }, []],
      [{ ...who, actors: [{ issuer: "i", subject: "bot" }] }, []],
      [{ ...who, subject: "grace", groups: ["audit"] }, ["auditor"]],
      [{ ...who, subject: "audit", groups: [] }, []],
      [{ ...who, subject: "group:audit", groups: ["user:ada"] }, []],
    ] as const;
    for (const [asked, held] of cases) expect([asked, [...rolesOf(asked, holders)]]).toEqual([asked, held]);
    expect([...rolesOf(who, { auditors: [], operators: [] })]).toEqual([]);
  },
);

/** Everything that an agent's session can ask of the door, answered or refused, as one text. */
async function askedFor(client: Client): Promise<string> {
  const said: string[] = [];
  const ask = async (work: Promise<unknown>): Promise<void> => {
    said.push(JSON.stringify(await work.catch((thrown: unknown) => String(thrown))));
  };
  const { tools } = await client.listTools();
  const { prompts } = await client.listPrompts();
  const { resourceTemplates } = await client.listResourceTemplates();
  await ask(client.listResources());
  said.push(JSON.stringify({ tools, prompts, resourceTemplates }));
  for (const uri of [
    `sallyport://calls/${others}`,
    "sallyport://calls/",
    "sallyport://calls",
    "sallyport://transcript",
  ])
    await ask(client.readResource({ uri }));
  for (const { name, arguments: arguments_ = [] } of prompts) {
    await ask(
      client.getPrompt({ name, arguments: Object.fromEntries(arguments_.map((one) => [one.name, "shop-dev"])) }),
    );
    for (const one of arguments_)
      for (const value of ["", "quartz", "call_"])
        await ask(client.complete({ ref: { type: "ref/prompt", name }, argument: { name: one.name, value } }));
  }
  for (const { uriTemplate } of resourceTemplates)
    for (const value of ["", others.slice(0, 12), "call_"])
      await ask(
        client.complete({ ref: { type: "ref/resource", uri: uriTemplate }, argument: { name: "call", value } }),
      );
  for (const { name, inputSchema } of tools) {
    await ask(client.callTool({ name, arguments: {} }));
    const given = Object.fromEntries(
      Object.entries(inputSchema.properties ?? {}).flatMap(([key, shape]) => {
        const value = valueFor(key, shape as JsonObject);
        return value === undefined ? [] : [[key, value]];
      }),
    );
    await ask(client.callTool({ name, arguments: { ...given, preview: true } }));
  }
  return said.join("\n");
}

function valueFor(key: string, shape: JsonObject): unknown {
  const known: { readonly [key: string]: string } = { namespace: "shop-dev", kind: "Pod", name: "api", call: others };
  if (known[key] !== undefined) return known[key];
  const { type } = shape;
  return type === "string" && shape["enum"] === undefined ? others : undefined;
}

promise(
  "transcript:own-alone",
  "tools, resources, templates, prompts and completions, one after the other",
  async () => {
    const said = await askedFor(shop.world.agent);
    expect(said.length).toBeGreaterThan(10_000);
    // What it was asked with comes back in refusals; what only the record knows does not.
    const record = (await shop.world.entries()).filter((entry) => textAt(entry, "call") === others);
    expect(record.length).toBeGreaterThan(1);
    const session = textAt(record[0], "sid");
    expect([said.includes(marker), said.includes(session), session.startsWith("ses_")]).toEqual([false, false, true]);
  },
);
