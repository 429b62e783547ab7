// `sallyport config`: the blocks for clients, whole and at work; what check finds; the schema.

import { chmod, mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { parse } from "yaml";
import { z } from "zod";
import { afterAll, beforeAll, expect } from "vitest";
import { clients, type ClientName } from "../../src/config/clients.ts";
import { settings } from "../../src/config/json-schema.ts";
import { loadConfig } from "../../src/config/load.ts";
import { meanings } from "../../src/config/meanings.ts";
import { makeAuthority } from "../cluster/pki.ts";
import { promise } from "../support/promise.ts";
import { freshFolder, runCommand, startServing, testIo } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

let place: Place;
let folder: string;
beforeAll(async () => {
  place = await openPlace();
  folder = await freshFolder();
});
afterAll(async () => {
  await place.stop();
  await rm(folder, { recursive: true, force: true });
});

const launched = { node: "/opt/node/bin/node", file: "/opt/sallyport/dist/main.js" };
const byNpx = { ...launched, file: "/home/olga/.npm/_npx/f00d/node_modules/.bin/sallyport" };
const { version } = testIo({}, new AbortController().signal);

/** A state folder with this configuration, and the environment that names it. */
async function stateWith(name: string, config: string): Promise<Record<string, string>> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(join(home, "sallyport.yaml"), config);
  return { SALLYPORT_HOME: home, HOME: folder };
}

async function printed(env: Record<string, string>, words: readonly string[], outside = { launched }): Promise<string> {
  const { code, out, err } = await runCommand(["config", "print", ...words], env, outside);
  expect({ words, code, err: err.split("\n")[0] }).toEqual({
    words,
    code: 0,
    err: expect.stringMatching(/^Goes into /),
  });
  return out;
}

promise(
  "clients:print",
  "stdio, with this state folder, kubeconfig and configuration, whole for each client",
  async () => {
    const env = {
      ...(await stateWith("stdio", "version: 1\nhold: 30\n")),
      KUBECONFIG: "/k/one:/k/two",
      PATH: "/usr/bin::bin",
    };
    const file = join(folder, "stdio", "sallyport.yaml");
    const args = [launched.file, "serve", "--config", file];
    const server = {
      command: launched.node,
      args,
      env: { SALLYPORT_HOME: join(folder, "stdio"), KUBECONFIG: "/k/one:/k/two" },
    };
    const program = { type: "stdio", ...server };
    const print = async (client: ClientName): Promise<string> => await printed(env, [client, "--config", file]);
    expect(JSON.parse(await print("claude-code"))).toEqual({ mcpServers: { sallyport: program } });
    expect(JSON.parse(await print("cursor"))).toEqual({ mcpServers: { sallyport: program } });
    expect(JSON.parse(await print("vscode"))).toEqual({ servers: { sallyport: program } });
    expect(JSON.parse(await print("claude-desktop"))).toEqual({
      mcpServers: { sallyport: { ...server, env: { ...server.env, PATH: "/usr/bin" } } },
    });
    expect(await print("codex")).toBe(`[mcp_servers.sallyport]
command = "/opt/node/bin/node"
args = ["/opt/sallyport/dist/main.js", "serve", "--config", ${JSON.stringify(file)}]
tool_timeout_sec = 105

[mcp_servers.sallyport.env]
SALLYPORT_HOME = ${JSON.stringify(join(folder, "stdio"))}
KUBECONFIG = "/k/one:/k/two"
`);
  },
);

promise(
  "clients:print",
  "through npx where npx started it, which Claude Desktop has to be shown the way to",
  async () => {
    const env = { HOME: folder, XDG_STATE_HOME: join(folder, "xdg"), PATH: "/usr/bin" };
    const args = ["-y", `sallyport@${version}`];
    const own = { SALLYPORT_HOME: join(folder, "xdg", "sallyport") };
    expect(JSON.parse(await printed(env, ["cursor"], { launched: byNpx }))).toEqual({
      mcpServers: { sallyport: { type: "stdio", command: "npx", args, env: own } },
    });
    expect(JSON.parse(await printed(env, ["claude-desktop"], { launched: byNpx }))).toEqual({
      mcpServers: { sallyport: { command: "/opt/node/bin/npx", args, env: { ...own, PATH: "/usr/bin" } } },
    });
  },
);

promise(
  "clients:print",
  "by the name in PATH that leads to the interpreter, so that an upgrade breaks nothing",
  async () => {
    const bin = join(folder, "bin");
    await mkdir(bin, { recursive: true });
    await symlink(process.execPath, join(bin, "node"));
    const env = { HOME: folder, PATH: `/nonexistent:${bin}` };
    const out = await printed(env, ["claude-code"], { launched: { node: process.execPath, file: "/opt/s.js" } });
    const server = { type: "stdio", command: join(bin, "node"), args: ["/opt/s.js"] };
    expect(JSON.parse(out)).toEqual({ mcpServers: { sallyport: server } });
  },
);

const url = "https://sally.example/mcp";
const byOidc = "issuers:\n  - { kind: oidc, name: corp, issuer: https://id.example }\n";

promise("clients:print", "over HTTP with OAuth: the address alone, whole for each client", async () => {
  const env = await stateWith("oauth", `version: 1\nhttp:\n  url: ${url}\n${byOidc}`);
  const print = async (client: ClientName): Promise<string> => await printed(env, [client, "--http"]);
  expect(JSON.parse(await print("claude-code"))).toEqual({ mcpServers: { sallyport: { type: "http", url } } });
  expect(JSON.parse(await print("cursor"))).toEqual({ mcpServers: { sallyport: { url } } });
  expect(JSON.parse(await print("vscode"))).toEqual({ servers: { sallyport: { type: "http", url } } });
  expect(await print("claude-desktop")).toBe(`${url}\n`);
  expect(await print("codex")).toBe(`[mcp_servers.sallyport]\nurl = "${url}"\ntool_timeout_sec = 120\n`);
});

promise("clients:print", "over HTTP with a token: by reference, in each client's own way", async () => {
  const env = await stateWith(
    "token",
    "version: 1\nhttp:\n  tokens:\n    - { file: a.token, subject: a, kind: agent }\n",
  );
  const local = "http://127.0.0.1:7843/mcp";
  const header = (reference: string) => ({ headers: { Authorization: `Bearer ${reference}` } });
  expect(JSON.parse(await printed(env, ["claude-code", "--http"]))).toEqual({
    mcpServers: { sallyport: { type: "http", url: local, ...header("${SALLYPORT_TOKEN}") } },
  });
  expect(JSON.parse(await printed(env, ["cursor", "--http", url, "--token-env", "OLGA"]))).toEqual({
    mcpServers: { sallyport: { url, ...header("${env:OLGA}") } },
  });
  expect(JSON.parse(await printed(env, ["vscode", "--http"]))).toEqual({
    inputs: [
      { type: "promptString", id: "sallyport-token", description: "Bearer token for Sallyport", password: true },
    ],
    servers: { sallyport: { type: "http", url: local, ...header("${input:sallyport-token}") } },
  });
  expect(await printed(env, ["codex", "--http"])).toBe(
    `[mcp_servers.sallyport]\nurl = "${local}"\nbearer_token_env_var = "SALLYPORT_TOKEN"\ntool_timeout_sec = 120\n`,
  );
});

/** The program of a block, whatever the client's format. */
function programIn(
  client: ClientName,
  block: string,
): { command: string; args: string[]; env: Record<string, string> } {
  if (client !== "codex") {
    const { mcpServers, servers } = JSON.parse(block);
    return (mcpServers ?? servers).sallyport;
  }
  const pairs = [...block.matchAll(/^(\w+) = (.*)$/gm)].map(([, name = "", value = ""]) => [name, JSON.parse(value)]);
  const { command, args, tool_timeout_sec: _, ...env } = Object.fromEntries(pairs);
  return { command, args, env };
}

promise(
  "clients:print-works",
  "each client's stdio block starts a server that lists its tools",
  async () => {
    for (const client of clients) {
      const { code, out } = await runCommand(["config", "print", client], place.env(`print-${client}`));
      expect({ client, code }).toEqual({ client, code: 0 });
      const { command, args, env } = programIn(client, out);
      const started = new Client({ name: "printed", version: "1" });
      const own = { HOME: place.folder, ...env };
      await started.connect(new StdioClientTransport({ command, args, env: own, stderr: "ignore" }));
      try {
        const { tools } = await started.listTools();
        expect(
          tools.map(({ name }) => name),
          client,
        ).toContain("objects_list");
      } finally {
        await started.close();
      }
      expect(await readdir(join(place.folder, `print-${client}`)), client).toContain("transcript");
    }
  },
  600_000,
);

promise("clients:print-works", "the address of the HTTP block is where the gateway listens", async () => {
  const token = "t".repeat(43);
  const env = { ...place.env("print-http") };
  const home = env["SALLYPORT_HOME"] ?? "";
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, "a.token"), token, { mode: 0o600 });
  const started = await servingAtFreePort(home, env);
  try {
    const { out } = await runCommand(["config", "print", "claude-code", "--http"], env);
    const { url: at, headers } = JSON.parse(out).mcpServers.sallyport as {
      url: string;
      headers: { Authorization: string };
    };
    const authorization = headers.Authorization.replace("${SALLYPORT_TOKEN}", token);
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const common = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const send = async (more: object) =>
      (await fetch(at, { method: "POST", body, headers: { ...common, ...more } })).status;
    expect([await send({}), await send({ authorization })]).toEqual([401, 200]);
  } finally {
    await started.stop();
  }
});

promise("clients:print-no-token", "none of the files, of the environment or of the command line", async () => {
  const secret = "s3cr3t-".repeat(8);
  const env = {
    ...(await stateWith("secret", "version: 1\nhttp:\n  tokens:\n    - { file: a.token, subject: a, kind: agent }\n")),
    SALLYPORT_TOKEN: secret,
    OLGA: secret,
    KUBECONFIG: "/k/one",
  };
  await writeFile(join(folder, "secret", "a.token"), secret, { mode: 0o600 });
  for (const client of clients)
    for (const more of [
      [],
      ["--http", url],
      ["--http", url, "--token-env", "OLGA"],
      ["--http", url, "--token-env", secret],
    ]) {
      const { out, err } = await runCommand(["config", "print", client, ...more], env, { launched });
      expect(`${out}${err}`).not.toContain("s3cr3t");
    }
});

promise("clients:print-refused", "with exit code 2 and what to do", async () => {
  const env = await stateWith("refused", "version: 1\n");
  const anyPort = await stateWith("any-port", "version: 1\nhttp: { port: 0 }\n");
  const everywhere = await stateWith("everywhere", "version: 1\nhttp: { host: 0.0.0.0 }\n");
  const say = "say which: --http http://127.0.0.1:7843/mcp";
  const cases: readonly (readonly [Record<string, string>, readonly string[], string])[] = [
    [env, ["cursor", "--http"], `sallyport.yaml has no http: ${say}`],
    [anyPort, ["cursor", "--http"], `http.port is 0, another one at each start: ${say}`],
    [everywhere, ["cursor", "--http"], "http.host is every address: set http.url."],
    [env, ["cursor", "--http", "sally.example"], "--http takes an address that begins with http:// or https://."],
    [
      env,
      ["cursor", "--http", "http://sally.example/mcp"],
      "Over http to sally.example everybody on the way could read the token: use https.",
    ],
    [
      env,
      ["cursor", "--http", "https://a:b@sally.example/mcp"],
      "The address must have no user, password, parameters or fragment: they end up in logs.",
    ],
    [
      env,
      ["cursor", "--http", "https://sally.example/mcp?token=x"],
      "The address must have no user, password, parameters or fragment: they end up in logs.",
    ],
    [env, ["cursor", "--token-env", "A"], "--token-env goes with --http."],
    [
      env,
      ["cursor", "--http", url, "--token-env", "a b"],
      "--token-env takes the name of an environment variable, never a token.",
    ],
    [
      env,
      ["claude-desktop", "--http", "http://localhost:7843/mcp"],
      "Claude Desktop calls addresses from Anthropic's network, never one of this machine. Leave --http out: the program that it starts relays to the gateway that runs on the same state folder.",
    ],
  ];
  for (const [where, words, sentence] of cases)
    expect({ words, ...(await runCommand(["config", "print", ...words], where)) }).toEqual({
      words,
      code: 2,
      out: "",
      err: sentence,
    });
  const broken = await stateWith("broken", "version: 1\nhld: 3\n");
  expect(await runCommand(["config", "print", "cursor"], broken)).toEqual({
    code: 3,
    out: "",
    err: `${join(folder, "broken", "sallyport.yaml")}:2:1: hld is not a setting.`,
  });
});

const kubeconfig = (): string => `kubeconfig: ${JSON.stringify(place.practice.kubeconfigPath)}\n`;

async function findings(env: Record<string, string>, now?: () => number) {
  const { code, out, err } = await runCommand(["config", "check", "--json"], env, now === undefined ? {} : { now });
  expect(err).toMatch(/^(\d+ of \d+ checks failed\.)?$/);
  return { code, found: JSON.parse(out) as readonly { setting: string; result: string; says: string }[] };
}

const wrongOf = (found: readonly { setting: string; result: string; says: string }[]) =>
  found.filter(({ result }) => result === "failed").map(({ says }) => says.replaceAll(folder, "…"));

promise("clients:check", "a whole configuration that is right: exit code 0, each part named", async () => {
  const authority = makeAuthority("check");
  const pair = authority.issue({ commonName: "sally.example", hosts: ["sally.example"] });
  const config = `version: 1
${kubeconfig()}http:
  url: ${url}
  tls: { certificate: c.pem, key: k.pem }
  operatorToken: o.token
  tokens:
    - { file: a.token, subject: alice, kind: person }
issuers:
  - { kind: oidc, name: corp, issuer: https://id.example, ca: ca.pem }
  - { kind: service-account, name: pods, prefix: "pods:" }
`;
  const env = await stateWith("right", config);
  const own = { mode: 0o600 };
  await writeFile(join(folder, "right", "c.pem"), pair.certificate);
  await writeFile(join(folder, "right", "k.pem"), pair.key, own);
  await writeFile(join(folder, "right", "ca.pem"), authority.certificate);
  await writeFile(join(folder, "right", "o.token"), "o".repeat(43), own);
  await writeFile(join(folder, "right", "a.token"), "a".repeat(43), own);
  const { code, found } = await findings(env);
  expect({ code, found: found.map(({ setting, result }) => `${result} ${setting}`) }).toEqual({
    code: 0,
    found: [
      "ok ",
      "ok policies",
      "ok masking",
      "ok kubeconfig",
      "ok http.tokens",
      "ok http.tls",
      "ok issuers.0",
      "ok issuers.1",
      "ok http.operatorToken",
    ],
  });
  const text = await runCommand(["config", "check"], env);
  expect(text.code).toBe(0);
  expect(text.out).toContain("ok      http.tokens         person alice\n");
  const soon = await findings(env, () => Date.now() + 20 * 86_400_000);
  expect([soon.code, soon.found.find(({ setting }) => setting === "http.tls")?.result]).toEqual([0, "note"]);
  const over = await findings(env, () => Date.now() + 40 * 86_400_000);
  expect([over.code, wrongOf(over.found)]).toEqual([
    3,
    [expect.stringMatching(/^…\/right\/sallyport\.yaml:5:8: http\.tls: The certificate .* was valid until /)],
  ]);
});

promise("clients:check", "each mistake with its place: files, pairs, names, doors", async () => {
  const authority = makeAuthority("check");
  const [one, other] = [
    authority.issue({ commonName: "x", hosts: ["x.example"] }),
    authority.issue({ commonName: "y", hosts: ["y.example"] }),
  ];
  const cases: readonly (readonly [
    string,
    { readonly [file: string]: readonly [string, number] },
    readonly string[],
  ])[] = [
    [
      `version: 1\n${kubeconfig()}hold: 99\nhld: 1\n`,
      {},
      [
        "…/N/sallyport.yaml:3:7: hold: Too big: expected number to be <=45",
        "…/N/sallyport.yaml:4:1: hld is not a setting.",
      ],
    ],
    [`version: 1\n${kubeconfig()}policies: [none.yaml]\n`, {}, ["…/N/none.yaml can't be read (ENOENT)."]],
    ["version: 1\nkubeconfig: none\n", {}, ["The kubeconfig …/N/none can't be used: there is no such file."]],
    [
      `version: 1\n${kubeconfig()}clusters: [{ context: nowhere }]\n`,
      {},
      [expect.stringMatching(/^…\/N\/sallyport\.yaml:3:23: clusters\.0: /)],
    ],
    [
      `version: 1\n${kubeconfig()}http:\n  tokens: [{ file: a.token, subject: a, kind: agent }]\n`,
      { "a.token": ["a".repeat(43), 0o644] },
      ["…/N/sallyport.yaml:4:11: http.tokens: …/N/a.token can be read by others: run chmod 600 on it."],
    ],
    [
      `version: 1\n${kubeconfig()}http: { operatorToken: o }\n`,
      { o: ["o".repeat(43), 0o640] },
      ["…/N/sallyport.yaml:3:24: http.operatorToken: …/N/o can be read by others: run chmod 600 on it."],
    ],
    [
      `version: 1\n${kubeconfig()}http: { operatorToken: o }\n`,
      {},
      ["…/N/sallyport.yaml:3:24: http.operatorToken: …/N/o can not be opened (ENOENT)."],
    ],
    [
      `version: 1\n${kubeconfig()}http: { operatorToken: o }\n`,
      { o: ["short", 0o600] },
      [expect.stringMatching(/^…\/N\/sallyport\.yaml:3:24: http\.operatorToken: …\/N\/o holds no token: /)],
    ],
    [
      `version: 1\n${kubeconfig()}http:\n  operatorToken: o\n  tokens: [{ file: a, subject: a, kind: agent }]\n`,
      { o: ["t".repeat(43), 0o600], a: ["t".repeat(43), 0o600] },
      ["…/N/sallyport.yaml:4:18: http.operatorToken: …/N/o holds the same token as another file."],
    ],
    [
      `version: 1\n${kubeconfig()}http: { host: 0.0.0.0 }\n`,
      {},
      [
        expect.stringMatching(
          /^…\/N\/sallyport\.yaml:3:15: http\.host: .* 0\.0\.0\.0: .* an issuer .* TLS .* the address that clients call/,
        ),
      ],
    ],
    [
      `version: 1\n${kubeconfig()}http:\n  tls: { certificate: c, key: k }\n`,
      { c: [other.certificate, 0o644], k: [one.key, 0o604] },
      ["…/N/sallyport.yaml:4:8: http.tls: …/N/k can be read by others: run chmod 600 on it."],
    ],
    [
      `version: 1\n${kubeconfig()}http:\n  tls: { certificate: c, key: k }\n`,
      { c: [other.certificate, 0o644], k: [one.key, 0o600] },
      ["…/N/sallyport.yaml:4:8: http.tls: …/N/k is not the key of the certificate in …/N/c."],
    ],
    [
      `version: 1\n${kubeconfig()}http:\n  url: https://x.example/mcp\n  tls: { certificate: c, key: k }\n`,
      { c: [other.certificate, 0o644], k: [other.key, 0o600] },
      ["…/N/sallyport.yaml:5:23: http.tls.certificate: does not bear x.example, the name of http.url"],
    ],
    [
      `version: 1\n${kubeconfig()}http:\n  tls: { certificate: c, key: k }\n`,
      { c: [one.key, 0o600], k: [one.key, 0o600] },
      ["…/N/sallyport.yaml:4:8: http.tls: …/N/c holds no certificate in PEM."],
    ],
    [
      `version: 1\n${kubeconfig()}issuers:\n  - { kind: oidc, name: b, issuer: https://id.example, audience: [x], ca: ca.pem }\n`,
      {},
      ["…/N/sallyport.yaml:4:75: issuers.0.ca: …/N/ca.pem can't be read (ENOENT)."],
    ],
    [
      `version: 1\n${kubeconfig()}tracing: { endpoint: "http://127.0.0.1:4318/v1/traces", headersFile: h }\n`,
      { h: ["", 0o600] },
      ["…/N/sallyport.yaml:3:70: tracing.headersFile: …/N/h is empty"],
    ],
  ];
  for (const [index, [config, files, expected]] of cases.entries()) {
    const env = await stateWith(`wrong-${index}`, config);
    for (const [name, [text, mode]] of Object.entries(files)) {
      await writeFile(join(folder, `wrong-${index}`, name), text);
      await chmod(join(folder, `wrong-${index}`, name), mode);
    }
    const { code, found } = await findings(env);
    const wrong = wrongOf(found).map((says) => says.replaceAll(`wrong-${index}/`, "N/"));
    expect({ config, code, wrong }).toEqual({ config, code: 3, wrong: expected });
  }
});

promise("clients:check", "a secret behind a link is refused as a start refuses it", async () => {
  const env = await stateWith("linked", `version: 1\n${kubeconfig()}http: { operatorToken: o }\n`);
  await writeFile(join(folder, "linked", "real"), "o".repeat(43), { mode: 0o600 });
  await symlink("real", join(folder, "linked", "o"));
  const { code, found } = await findings(env);
  expect([code, wrongOf(found)]).toEqual([
    3,
    ["…/linked/sallyport.yaml:3:24: http.operatorToken: …/linked/o is a link: name the file itself."],
  ]);
});

promise("clients:check-starts-nothing", "no file made, no folder, no lock", async () => {
  const env = { SALLYPORT_HOME: join(folder, "never-made"), HOME: folder, KUBECONFIG: place.practice.kubeconfigPath };
  const { code, found } = await findings(env);
  expect([code, found[0]?.result, (await readdir(folder)).includes("never-made")]).toEqual([0, "note", false]);
  const there = await stateWith("untouched", `version: 1\n${kubeconfig()}`);
  await findings(there);
  expect(await readdir(join(folder, "untouched"))).toEqual(["sallyport.yaml"]);
});

promise("clients:schema", "what the command prints is what docs/ has, and every setting has one meaning", async () => {
  const { code, out } = await runCommand(["config", "schema"], { HOME: folder });
  const kept = await readFile(join(import.meta.dirname, "..", "..", "docs", "sallyport.schema.json"), "utf8");
  expect([code, out]).toEqual([0, kept]);
  expect(
    settings()
      .map(({ place: at }) => at)
      .toSorted(),
  ).toEqual(Object.keys(meanings).toSorted());
});

promise("clients:schema", "files that the loader takes, and refuses, by the schema too", async () => {
  const { out } = await runCommand(["config", "schema"], { HOME: folder });
  const schema = z.fromJSONSchema(JSON.parse(out));
  const agree = (text: string): readonly boolean[] => [
    loadConfig(text).kind === "loaded",
    schema.safeParse(parse(text)).success,
  ];
  const taken = [
    "version: 1\n",
    `version: 1\nhttp:\n  url: ${url}\n  port: 1\n${byOidc}`,
    "version: 1\nclusters: [a, { context: b, name: c }]\nlimits: { inFlight: 3 }\n",
    "version: 1\nissuers: [{ kind: service-account, name: pods, review: true }]\n",
  ];
  const refused = [
    "mode: single-user\n",
    "version: 2\n",
    "version: 1\nhold: 46\n",
    "version: 1\nnonsense: 1\n",
    "version: 1\nhttp: { prt: 1 }\n",
    "version: 1\nissuers: [{ kind: other, name: a }]\n",
    "version: 1\nissuers: [{ kind: oidc, name: a, issuer: https://i.example, audience: [x], algorithms: [none] }]\n",
    "version: 1\nissuers: [{ kind: oidc, name: a, issuer: https://i.example, audience: [x], algorithms: [HS256] }]\n",
  ];
  expect(taken.map(agree)).toEqual(taken.map(() => [true, true]));
  expect(refused.map(agree)).toEqual(refused.map(() => [false, false]));
});

/** One that was free a moment ago. */
/** As the configuration says; at another port where somebody took the first one meanwhile. */
async function servingAtFreePort(home: string, env: Record<string, string>): ReturnType<typeof startServing> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const config = `version: 1\nhttp:\n  port: ${port}\n  tokens:\n    - { file: a.token, subject: a, kind: agent }\n`;
    await writeFile(join(home, "sallyport.yaml"), config);
    try {
      return await startServing(env);
    } catch (thrown) {
      if (tries === 10 || !/EADDRINUSE|taken|in use/.test(String(thrown))) throw thrown;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
