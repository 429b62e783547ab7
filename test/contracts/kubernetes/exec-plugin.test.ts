// Credential plugins: real programs in a folder of their own.

import { X509Certificate } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished } from "vitest";
import { execCredential, type ExecOptions, type ExecPlugin } from "../../../src/kubernetes/exec-plugin.ts";
import { openSeparated } from "../../../src/credentials/separate.ts";
import { openClient } from "../../../src/kubernetes/client.ts";
import { openContexts } from "../../../src/kubernetes/kubeconfig.ts";
import { makeAuthority } from "../../cluster/pki.ts";
import { promise } from "../../support/promise.ts";
import { ca, clientCert, clientKey, expiredCert, expiredKey, serverCert, serverKey } from "./certificates.ts";
import { answers, asking, faultFrom, serve, type Play } from "./server.ts";

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

const execToken = (of: ExecPlugin, more: ExecOptions): (() => Promise<string | null>) => {
  const asked = execCredential(of, more);
  return async () => (await asked()).token;
};

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
        options({
          env: {
            PATH: "/usr/bin",
            HOME: "/home/x",
            NO_PROXY: ".corp",
            SALLYPORT_TOKEN: "ours",
            NODE_OPTIONS: "--ours",
          },
        }),
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
          NO_PROXY: ".corp",
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
      const run = (command: string): Promise<string | null> =>
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

describe("a client certificate", () => {
  promise(
    "kubernetes:plugin-certificate",
    "is given with its key, beside a token or without one, and ends no later than it says of itself",
    async () => {
      const home = await folder();
      const pair = { clientCertificateData: clientCert, clientKeyData: clientKey };
      const certificate = { cert: clientCert, key: clientKey };
      await program(home, "plugin", prints(credential(pair)));
      expect(await execCredential(plugin(home), options())()).toMatchObject({ token: null, certificate });
      await program(home, "plugin", prints(credential({ ...pair, token: "t" })));
      expect(await execCredential(plugin(home), options())()).toMatchObject({ token: "t", certificate });
      const end = Date.parse(new X509Certificate(clientCert).validTo);
      let time = end - 20_000;
      const asked = execCredential(plugin(home), options({ now: () => time }));
      expect((await asked()).token).toBe("t");
      time = end - 10_000;
      await program(home, "plugin", prints(credential({ token: "next" })));
      expect((await asked()).token).toBe("next");
    },
  );

  promise(
    "kubernetes:plugin-certificate",
    "is shown on the wire, never beside a token of ours, and a renewed one takes its place",
    async () => {
      const authority = makeAuthority("plugins");
      const people = ["first", "second"].map((commonName) => authority.issue({ commonName }));
      const shown: [authorization: string, certificate: string][] = [];
      const play: Play = (one, response) => {
        const certificate = one.socket instanceof TLSSocket ? one.socket.getPeerCertificate() : null;
        shown.push([one.headers.authorization ?? "", String(certificate?.subject?.CN ?? "")]);
        answers({ kind: "ConfigMap" })(one, response);
      };
      const { url } = await serve(play, {
        cert: serverCert,
        key: serverKey,
        ca: authority.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      });
      const home = await folder();
      const paths = people.map((one, index) => [join(home, `${index}.crt`), join(home, `${index}.key`), one] as const);
      for (const [cert, key, one] of paths) {
        await writeFile(cert, one.certificate);
        await writeFile(key, one.key);
      }
      // One turn each; the first is over as soon as it was used.
      await program(
        home,
        "plugin",
        `const fs = require("node:fs"); const home = ${JSON.stringify(home)};
       fs.appendFileSync(home + "/runs", "x"); const turn = fs.readFileSync(home + "/runs", "utf8").length - 1;
       const read = (end) => fs.readFileSync(home + "/" + turn + end, "utf8");
       process.stdout.write(JSON.stringify({ apiVersion: ${JSON.stringify(apiVersion)}, kind: "ExecCredential",
         status: { clientCertificateData: read(".crt"), clientKeyData: read(".key") } }))`,
      );
      let time = Date.now();
      const kubeconfig = JSON.stringify({
        "current-context": "x",
        clusters: [
          { name: "x", cluster: { server: url, "certificate-authority-data": Buffer.from(ca).toString("base64") } },
        ],
        users: [{ name: "x", user: { exec: { apiVersion, command: "./plugin", interactiveMode: "Never" } } }],
        contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
      });
      const contexts = await openContexts({
        kubeconfig: [join(home, "config")],
        env: { PATH: process.env["PATH"] },
        readFile: () => Promise.resolve(kubeconfig),
        now: () => time,
      });
      const connection = await contexts.open("x");
      const client = openSeparated(connection, (one) => openClient(one, { version: "1.2.3" }));
      onTestFinished(() => client.close());
      const ask = async (authorization: string | null): Promise<void> =>
        void (await client.request(asking({ authorization })));
      expect(await connection.authorization()).toBeNull();
      await Promise.all([ask(null), ask(null)]);
      await ask("Bearer of-a-grant");
      time += 300_000;
      await ask(null);
      expect(shown).toEqual([
        ["", "first"],
        ["", "first"],
        ["Bearer of-a-grant", ""],
        ["", "second"],
      ]);
    },
  );
});

describe("what it says", () => {
  const bad: readonly (readonly [output: string, problem: string, now?: number])[] = [
    ["", "gave no ExecCredential"],
    ["not json", "gave no ExecCredential"],
    ["[]", "gave no ExecCredential"],
    [JSON.stringify({ kind: "Secret" }), "gave no ExecCredential"],
    [credential({ token: "t" }, "client.authentication.k8s.io/v1beta1"), "answered in another apiVersion"],
    [credential({}), "gave neither a token nor a client certificate"],
    [credential({ token: 5 }), "gave neither a token nor a client certificate"],
    [credential({ clientCertificateData: "pem" }), "gave a client certificate without its key, or a key alone"],
    [credential({ token: "t", clientKeyData: "pem" }), "gave a client certificate without its key, or a key alone"],
    [
      credential({ clientCertificateData: "pem", clientKeyData: clientKey }),
      "gave a client certificate or key that can't be read",
    ],
    [
      credential({ clientCertificateData: clientCert, clientKeyData: serverKey }),
      "gave a key that does not fit its client certificate",
    ],
    [
      credential({ clientCertificateData: expiredCert, clientKeyData: expiredKey }),
      "gave a credential that is over",
      4e12,
    ],
    [credential({ token: "t", expirationTimestamp: "soon" }), "gave an expirationTimestamp that is no time"],
    [credential({ token: "t", expirationTimestamp: "1960-01-01T00:00:00Z" }), "gave a credential that is over"],
  ];
  promise("kubernetes:plugin-output", "half, wrong and outdated answers are refused in our words", async () => {
    const home = await folder();
    for (const [output, problem, now = 0] of bad) {
      await program(home, "plugin", prints(output));
      const told = await faultFrom(execToken(plugin(home), options({ now: () => now }))());
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
