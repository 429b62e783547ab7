// What doctor says of issuers: their keys, what is wrong with them, and clocks that differ.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { CommandFailed } from "../../src/commands/io.ts";
import { issuerChecks, issuerRemarks } from "../../src/commands/issuer-checks.ts";
import { issuerVerifiers } from "../../src/commands/issuers.ts";
import { readConfig } from "../../src/commands/setting.ts";
import { jwksPath, openIssuer, signer, type LoopbackIssuer } from "../contracts/identity/loopback-issuer.ts";
import { prefixesBeside } from "../../src/config/issuers.ts";
import { loadConfig } from "../../src/config/load.ts";
import { promise } from "../support/promise.ts";
import { testIo } from "../support/world.ts";

let issuer: LoopbackIssuer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-issuers-"));
  issuer = await openIssuer([(await signer("ES256", "ec")).jwk, { kty: "oct", k: "AAAA" }]);
});
afterAll(async () => {
  await issuer.close();
  await rm(folder, { recursive: true });
});

async function says(more = "", turned = 0): Promise<readonly string[]> {
  const text = `version: 1\nissuers:\n  - { kind: oidc, name: corp, issuer: "${issuer.issuer}", audience: [us]${more} }\n`;
  await writeFile(join(folder, "sallyport.yaml"), text);
  const io = { ...testIo({ SALLYPORT_HOME: folder }, new AbortController().signal), now: () => Date.now() + turned };
  const checks = await issuerChecks(io, await readConfig(io, undefined), []);
  expect(checks.filter(({ result, next }) => result === "failed" && next === "")).toEqual([]);
  return checks.map(
    ({ name, result, says: sentence }) => `${result} ${name}: ${sentence.replaceAll(issuer.issuer, "URL")}`,
  );
}

promise(
  "commands:doctor-issuers",
  "keys that are there and for what, keys that help nobody, files that are not there",
  async () => {
    expect(await says()).toEqual(["ok issuer corp: URL publishes 1 key, 1 more that check no signatures, for ES256"]);
    expect(await says(", algorithms: [RS256]")).toEqual([
      "failed issuer corp: URL publishes 1 key, 1 more that check no signatures, none of them for RS256",
    ]);
    const [missing] = await says(", ca: missing.pem");
    expect(missing).toContain("sallyport.yaml:3:");
    expect(missing).toContain("missing.pem can't be read (ENOENT).");
    issuer.instead.set(jwksPath, (_, response) => void response.writeHead(503).end());
    expect(await says()).toEqual(["failed issuer corp: URL: its keys: it answered 503"]);
    issuer.instead.clear();
  },
);

promise("commands:doctor-issuers", "a clock that is half a minute off", async () => {
  expect(await says("", 10_000)).toHaveLength(1);
  expect((await says("", 95_000))[1]).toMatch(/^failed issuer corp: its clock differs from this machine's by 9\d s$/);
});

promise(
  "identity:setting-mistakes",
  "a cluster or a file that is not there, with its place; an address that could not be guarded",
  async () => {
    const path = join(folder, "sallyport.yaml");
    const io = testIo({ SALLYPORT_HOME: folder }, new AbortController().signal);
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const mistake = async (issuers: string): Promise<unknown> => {
      await writeFile(path, `version: 1\nissuers:\n  - ${issuers}\n`);
      try {
        const read = await readConfig(io, undefined);
        return (await issuerVerifiers({ io, read, connections: [], log, closing: io.signal })).map(({ name }) => name);
      } catch (thrown) {
        if (!(thrown instanceof CommandFailed)) throw thrown;
        return [thrown.exitCode, thrown.message.replaceAll(path, "FILE")];
      }
    };
    expect(await mistake("{ kind: service-account, name: lab, cluster: nowhere }")).toEqual([
      3,
      "FILE:3:50: issuers.0.cluster: there is no cluster nowhere; this gateway has .",
    ]);
    const oidc = (more: string): string => `{ kind: oidc, name: corp, audience: [us], ${more} }`;
    expect(await mistake(oidc('issuer: "https://id.example.com", ca: gone.pem'))).toEqual([
      3,
      expect.stringMatching(/^FILE:3:\d+: issuers\.0\.ca: .*gone\.pem can't be read \(ENOENT\)\.$/),
    ]);
    expect(await mistake(oidc("issuer: http://id.example.com"))).toEqual([3, expect.stringContaining("must be https")]);
    expect(await mistake(oidc('issuer: "https://id.example.com?x=1"'))).toEqual([
      3,
      expect.stringContaining("must have no ?"),
    ]);
    expect(await mistake(oidc("issuer: https://id.example.com, groups: { path: https://example.com/roles }"))).toEqual([
      3,
      expect.stringContaining("stands in brackets"),
    ]);
    // One that can't be reached is no mistake: it is refused until it answers.
    expect(await mistake(oidc("issuer: https://id.invalid"))).toEqual(["oidc:corp", "unknown-issuer"]);
  },
);

promise("identity:names-apart", "several issuers: one may go without a prefix, all others say theirs", () => {
  const problems = (...issuers: readonly string[]): readonly string[] => {
    const loaded = loadConfig(`version: 1\nissuers:\n${issuers.map((one) => `  - { ${one} }\n`).join("")}`);
    return loaded.kind === "loaded"
      ? []
      : loaded.problems.map(({ sentence }) => sentence.replace(/: is missing, and (\w+) has none.*$/, " (as $1)"));
  };
  const corp = (more = "") => `kind: oidc, name: corp, issuer: "https://a.example", audience: [x]${more}`;
  const partner = (more = "") => `kind: oidc, name: partner, issuer: "https://b.example", audience: [x]${more}`;
  const pods = (name: string, more = "") => `kind: service-account, name: ${name}, cluster: ${name}${more}`;
  const [names, groups] = [', subject: { prefix: "p:" }', ', groups: { path: groups, prefix: "p:" }'];
  const bare = ", groups: { path: groups }";
  expect(problems(corp(bare))).toEqual([]);
  expect(problems(corp(bare), partner(names))).toEqual([]);
  expect(problems(corp(bare), partner(names + groups))).toEqual([]);
  expect(problems(corp(bare), partner())).toEqual(["issuers.1.subject.prefix (as corp)"]);
  expect(problems(corp(bare), partner(names + bare))).toEqual(["issuers.1.groups.prefix (as corp)"]);
  expect(problems(corp(), partner(`${names}, agent: { claim: azp }`))).toEqual(["issuers.1.agent.prefix (as corp)"]);
  expect(problems(corp(), pods("lab"))).toEqual(["issuers.1.prefix (as corp)"]);
  expect(problems(pods("lab"), pods("prod"), corp(names))).toEqual(["issuers.1.prefix (as lab)"]);
  expect(problems(pods("lab"), pods("prod", ', prefix: "prod:"'), corp(names + groups))).toEqual([]);
  // The same one twice says that they speak of the same people.
  expect(problems(corp(names + groups), partner(names + groups))).toEqual([]);
  expect(
    prefixesBeside(
      issuersOf(corp(names), partner(', subject: { prefix: "q:" }'), pods("lab", ', prefix: "r:"')),
      "corp",
    ),
  ).toEqual(["q:", "r:"]);
});

function issuersOf(...issuers: readonly string[]) {
  const loaded = loadConfig(`version: 1\nissuers:\n${issuers.map((one) => `  - { ${one} }\n`).join("")}`);
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.issuers;
}

promise(
  "identity:setting-mistakes",
  "an address with a name or a password in it would be published, or lie in a file that is no secret",
  () => {
    const problems = (text: string): readonly string[] => {
      const loaded = loadConfig(`version: 1\n${text}\n`);
      return loaded.kind === "loaded" ? [] : loaded.problems.map(({ sentence }) => sentence);
    };
    const said = "must have no user and no password in it";
    for (const who of ["olga:secret@", "olga@", ":secret@"]) {
      expect(problems(`issuers: [{ kind: oidc, name: a, issuer: "https://${who}id.example", audience: [x] }]`)).toEqual(
        [`issuers.0.issuer: ${said}`],
      );
      expect(problems(`http: { url: "https://${who}gate.example/mcp" }`)).toEqual([`http.url: ${said}`]);
      expect(problems(`tracing: { endpoint: "https://${who}collector.example/v1/traces" }`)).toEqual([
        `tracing.endpoint: ${said}`,
      ]);
    }
    expect(
      problems('issuers: [{ kind: oidc, name: a, issuer: "https://id.example/@x", audience: [x], peopleWhere: {} }]'),
    ).toEqual(["issuers.0.peopleWhere: must name a claim"]);
  },
);

promise("identity:doctor", "doctor says who is let in as a person, who as nobody, and whose names may meet", () => {
  const remarks = (text: string, registered: number): readonly string[] => {
    const loaded = loadConfig(`version: 1\n${text}\n`);
    if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
    return issuerRemarks(loaded.config, registered).map(({ name, says }) => `${name}: ${says.split(/[:,]| and /)[0]}`);
  };
  const issuer = (more = "") =>
    `issuers: [{ kind: oidc, name: corp, issuer: "https://a.example", audience: [x]${more} }]`;
  const told = {
    agents: "agents: no agent is registered",
    people: "issuer corp: whoever nothing marks as software is a person",
    names: "issuer corp: its names have no prefix",
    tokens: "http tokens: the tokens of http.tokens never end",
  };
  const tokens = (more = "") => `http: { tokens: [{ file: f, subject: s, kind: agent }]${more} }`;
  expect([remarks("", 0), remarks(tokens(), 0)]).toEqual([[], []]);
  expect(remarks(issuer(), 0)).toEqual([told.agents, told.people]);
  expect(remarks(issuer(), 1)).toEqual([told.people]);
  expect(remarks(issuer(", peopleWhere: { amr: pwd }"), 1)).toEqual([]);
  expect(remarks(`${issuer()}\n${tokens()}`, 1)).toEqual([told.people, told.names]);
  expect(remarks(`${issuer(', peopleWhere: { amr: pwd }, subject: { prefix: "c:" }')}\n${tokens()}`, 1)).toEqual([]);
  expect(
    remarks(`${issuer(', peopleWhere: { amr: pwd }, subject: { prefix: "c:" }')}\n${tokens(", host: 10.0.0.5")}`, 1),
  ).toEqual([told.tokens]);
  expect(remarks("issuers: [{ kind: service-account, name: lab }]", 0)).toEqual([told.agents]);
});
