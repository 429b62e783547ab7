// Credential plugins: real programs in a folder of their own.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { execToken, type ExecOptions, type ExecPlugin } from "../../../src/kubernetes/exec-plugin.ts";
import { promise } from "../../support/promise.ts";
import { faultFrom } from "./server.ts";

const apiVersion = "client.authentication.k8s.io/v1";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "plugin-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A program of this body at a path in a folder; `node` is the running one. */
async function program(home: string, name: string, body: string): Promise<void> {
  await mkdir(join(home, name, ".."), { recursive: true });
  await writeFile(join(home, name), `#!${process.execPath}\n${body}`);
  await chmod(join(home, name), 0o700);
}

const credential = (status: object, version = apiVersion): string =>
  JSON.stringify({ apiVersion: version, kind: "ExecCredential", status });
const prints = (text: string): string => `process.stdout.write(${JSON.stringify(text)})`;

function plugin(home: string, more: Partial<ExecPlugin> = {}): ExecPlugin {
  return { apiVersion, command: "./plugin", args: [], env: [], cluster: null, folder: home, ...more };
}
const options = (more: Partial<ExecOptions> = {}): ExecOptions => ({
  env: { PATH: "/usr/bin:/bin", HOME: "/home/x" },
  now: () => 0,
  ...more,
});

describe("running", () => {
  promise(
    "kubernetes:plugin-contained",
    "it gets its arguments as they are, its own environment and the question, and nothing of ours",
    async () => {
      const home = await folder();
      await program(
        home,
        "bin/plugin",
        `require("node:fs").writeFileSync(${JSON.stringify(join(home, "seen"))}, JSON.stringify({ argv: process.argv.slice(2), env: process.env }));
       ${prints(credential({ token: "t" }))}`,
      );
      const args = ["a b", "$(touch x)", "; rm -rf /", "*"];
      const env = [
        { name: "AWS_PROFILE", value: "prod" },
        { name: "KUBERNETES_EXEC_INFO", value: "forged" },
      ];
      const cluster = { server: "https://10.0.0.1" };
      const token = execToken(
        plugin(home, { command: "./bin/plugin", args, env, cluster }),
        options({ env: { PATH: "/usr/bin", HOME: "/home/x", SALLYPORT_TOKEN: "ours", NODE_OPTIONS: "--ours" } }),
      );
      expect(await token()).toBe("t");
      const seen: { argv: unknown; env: Record<string, string> } = JSON.parse(
        await readFile(join(home, "seen"), "utf8"),
      );
      // What the platform itself adds to any process.
      const { __CF_USER_TEXT_ENCODING: _, ...environment } = seen.env;
      expect({ argv: seen.argv, environment }).toEqual({
        argv: args,
        environment: {
          PATH: "/usr/bin",
          HOME: "/home/x",
          AWS_PROFILE: "prod",
          KUBERNETES_EXEC_INFO: JSON.stringify({
            apiVersion,
            kind: "ExecCredential",
            spec: { interactive: false, cluster },
          }),
        },
      });
    },
  );

  promise(
    "kubernetes:plugin-contained",
    "a bare name comes from the absolute folders of PATH, a path from the kubeconfig's folder",
    async () => {
      const home = await folder();
      await program(home, "first/plugin", prints(credential({ token: "first" })));
      await program(home, "plugin", prints(credential({ token: "beside" })));
      await writeFile(join(home, "not-a-program"), "x");
      const PATH = ["", ".", "relative", join(home, "missing"), join(home, "first")].join(":");
      const run = (command: string): Promise<string> =>
        execToken(plugin(home, { command }), options({ env: { PATH } }))();
      expect(await run("plugin")).toBe("first");
      expect(await run("./plugin")).toBe("beside");
      expect(await run(join(home, "plugin"))).toBe("beside");
      for (const command of ["nosuch", "./not-a-program", "./first", "../nosuch"])
        expect(await faultFrom(run(command))).toMatchObject({
          code: "credential_unavailable",
          detail: { why: "source" },
          cause: expect.stringContaining("was not found, or can't be run"),
        });
    },
  );

  promise("kubernetes:plugin-contained", "one that never ends is ended, and one that floods is cut off", async () => {
    const home = await folder();
    await program(home, "plugin", "setInterval(() => {}, 1000)");
    expect(await faultFrom(execToken(plugin(home), options({ timeout: 300 }))())).toMatchObject({
      code: "credential_unavailable",
      cause: "the credential plugin plugin took too long",
    });
    await program(
      home,
      "flood",
      `const b = "x".repeat(65536); const go = () => { while (process.stdout.write(b)); process.stdout.once("drain", go); }; go()`,
    );
    expect(await faultFrom(execToken(plugin(home, { command: "./flood" }), options())())).toMatchObject({
      cause: "the credential plugin flood gave too much output",
    });
  });

  promise(
    "kubernetes:plugin-once",
    "all who wait share one run, its token is kept until shortly before its end",
    async () => {
      const home = await folder();
      const counter = join(home, "runs");
      await program(
        home,
        "plugin",
        `const fs = require("node:fs"); fs.appendFileSync(${JSON.stringify(counter)}, "x");
       const turn = fs.readFileSync(${JSON.stringify(counter)}, "utf8").length;
       process.stdout.write(JSON.stringify({ apiVersion: ${JSON.stringify(apiVersion)}, kind: "ExecCredential",
         status: { token: "t" + turn, expirationTimestamp: new Date(turn * 100000).toISOString() } }))`,
      );
      let time = 0;
      const token = execToken(plugin(home), options({ now: () => time }));
      expect(await Promise.all([token(), token(), token()])).toEqual(["t1", "t1", "t1"]);
      time = 89_999;
      expect(await token()).toBe("t1");
      time = 90_000;
      expect(await Promise.all([token(), token()])).toEqual(["t2", "t2"]);
    },
  );

  promise(
    "kubernetes:plugin-once",
    "a token without an end is asked for again after five minutes, a failure at once",
    async () => {
      const home = await folder();
      await program(home, "plugin", prints(credential({ token: "one" })));
      let time = 0;
      const token = execToken(plugin(home), options({ now: () => time }));
      expect(await token()).toBe("one");
      await program(home, "plugin", "process.exit(1)");
      time = 299_999;
      expect(await token()).toBe("one");
      time = 300_000;
      expect(await faultFrom(token())).toMatchObject({ code: "credential_unavailable" });
      await program(home, "plugin", prints(credential({ token: "two" })));
      expect(await token()).toBe("two");
    },
  );
});

describe("what it says", () => {
  const bad: readonly (readonly [string, string])[] = [
    ["", "gave no ExecCredential"],
    ["not json", "gave no ExecCredential"],
    ["[]", "gave no ExecCredential"],
    [JSON.stringify({ kind: "Secret" }), "gave no ExecCredential"],
    [credential({ token: "t" }, "client.authentication.k8s.io/v1beta1"), "answered in another apiVersion"],
    [credential({}), "gave no token"],
    [credential({ token: 5 }), "gave no token"],
    [credential({ clientCertificateData: "pem" }), "gave a client certificate: only tokens are supported"],
    [credential({ token: "t", expirationTimestamp: "soon" }), "gave an expirationTimestamp that is no time"],
    [credential({ token: "t", expirationTimestamp: "1960-01-01T00:00:00Z" }), "gave a token that is over"],
  ];
  promise("kubernetes:plugin-output", "half, wrong and outdated answers are refused in our words", async () => {
    const home = await folder();
    for (const [output, problem] of bad) {
      await program(home, "plugin", prints(output));
      const told = await faultFrom(execToken(plugin(home), options())());
      expect([told.code, told.detail, told.cause]).toEqual([
        "credential_unavailable",
        { why: "source" },
        `the credential plugin plugin ${problem}`,
      ]);
    }
  });

  promise(
    "kubernetes:plugin-output",
    "a failure's complaint is one line for the operator, without what could be a token",
    async () => {
      const home = await folder();
      await program(
        home,
        "plugin",
        `process.stderr.write("login\\nexpired \\u001b[31m eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.payload"); process.stdout.write("secret-output"); process.exitCode = 3`,
      );
      const told = await faultFrom(execToken(plugin(home), options())());
      expect(told.detail).toEqual({ why: "source" });
      expect(told.cause).toBe("the credential plugin plugin ended with code 3: login expired [31m …");
    },
  );
});
