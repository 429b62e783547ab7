// Kubeconfigs as people have them, read from memory.

import { describe, expect, test } from "vitest";
import type { Connection } from "../../../src/kubernetes/contract.ts";
import { inClusterConnection, loadConnections, type Loaded } from "../../../src/kubernetes/kubeconfig.ts";
import { promise } from "../../support/promise.ts";
import { ca, clientCert, clientKey } from "./certificates.ts";
import { faultFrom } from "./server.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

/** A kubeconfig of one context, as JSON, which is YAML. */
function config({ cluster = {}, user = {}, context = {} }: Parts = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod",
    clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443", ...cluster } }],
    users: [{ name: "u", user: { token: "static-token", ...user } }],
    contexts: [{ name: "prod", context: { cluster: "c", user: "u", ...context } }],
  });
}

/** Loads from files in memory; a missing one fails as on a disk. */
function load(
  files: Readonly<Record<string, string>>,
  more: { context?: string; now?: () => number } = {},
): Promise<Loaded> {
  return loadConnections({
    kubeconfig: Object.keys(files).filter((path) => path.endsWith("config")),
    env: { PATH: "/usr/bin", HOME: "/home/x" },
    readFile: memory(files),
    now: () => 0,
    ...more,
  });
}

function memory(files: Readonly<Record<string, string>>): (path: string) => Promise<string> {
  return (path) => {
    const text = files[path];
    return text === undefined
      ? Promise.reject(Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" }))
      : Promise.resolve(text);
  };
}

async function only(files: Readonly<Record<string, string>>): Promise<Connection> {
  const [connection, ...more] = (await load(files)).connections;
  expect(more).toEqual([]);
  if (connection === undefined) throw new Error("no connection");
  return connection;
}

describe("what it says", () => {
  promise("kubernetes:kubeconfig", "a context with everything in it", async () => {
    const connection = await only({
      "/k/config": config({
        cluster: {
          "certificate-authority-data": base64(ca),
          "tls-server-name": "api.test",
          "proxy-url": "http://proxy:3128",
        },
        user: { "client-certificate-data": base64(clientCert), "client-key-data": base64(clientKey), token: null },
        context: { namespace: "shop" },
      }),
    });
    const { authorization, ...rest } = connection;
    expect(rest).toEqual({
      cluster: "prod",
      server: "https://10.0.0.1:6443",
      tls: { ca, cert: clientCert, key: clientKey, serverName: "api.test", insecure: false },
      proxy: "http://proxy:3128",
      namespace: "shop",
    });
    expect(await authorization()).toBeNull();
  });

  promise("kubernetes:kubeconfig", "a context with the least in it, in YAML", async () => {
    const text = `
current-context: prod
clusters:
  - name: c
    cluster: {server: "http://127.0.0.1:8001", insecure-skip-tls-verify: true}
contexts:
  - name: prod
    context: {cluster: c, user: ""}
`;
    const { authorization, ...rest } = await only({ "/k/config": text });
    expect(rest).toEqual({
      cluster: "prod",
      server: "http://127.0.0.1:8001",
      tls: { insecure: true },
      proxy: null,
      namespace: "default",
    });
    expect(await authorization()).toBeNull();
  });

  promise(
    "kubernetes:kubeconfig",
    "files are named from the kubeconfig's own folder, and data goes before files",
    async () => {
      const paths = {
        "certificate-authority": "pki/ca.crt",
        "client-certificate": "/abs/c.crt",
        "client-key": "../c.key",
      };
      const { "certificate-authority": authority, ...own } = paths;
      const connection = await only({
        "/k/dir/config": config({
          cluster: { "certificate-authority": authority },
          user: { ...own, "client-key-data": base64(clientKey) },
        }),
        "/k/dir/pki/ca.crt": ca,
        "/abs/c.crt": clientCert,
      });
      expect(connection.tls).toEqual({ ca, cert: clientCert, key: clientKey, insecure: false });
      expect(await connection.authorization()).toBe("Bearer static-token");
    },
  );

  promise(
    "kubernetes:kubeconfig",
    "of several files the first to name a thing wins, and missing ones are passed over",
    async () => {
      const second = JSON.stringify({
        "current-context": "dev",
        clusters: [
          { name: "c", cluster: { server: "https://second" } },
          { name: "d", cluster: { server: "https://dev" } },
        ],
        users: [
          { name: "u", user: { token: "second" } },
          { name: "v", user: { token: "dev" } },
        ],
        contexts: [
          { name: "prod", context: { cluster: "d", user: "v" } },
          { name: "dev", context: { cluster: "d", user: "v" } },
        ],
      });
      const files = { "/k/config": config(), "/l/config": second };
      const readFile = memory(files);
      const options = { kubeconfig: ["/missing", "/k/config", "/l/config"], env: {}, readFile, now: () => 0 };
      const { connections, current, leftOut } = await loadConnections(options);
      const told = connections.map(async (one) => [one.cluster, one.server, await one.authorization()]);
      expect(await Promise.all(told)).toEqual([
        ["prod", "https://10.0.0.1:6443", "Bearer static-token"],
        ["dev", "https://dev", "Bearer dev"],
      ]);
      expect([current, leftOut]).toEqual(["prod", []]);
      expect((await loadConnections({ ...options, context: "dev" })).current).toBe("dev");
    },
  );

  promise(
    "kubernetes:kubeconfig",
    "another context that can't be used is left out with its reason, and none need be current",
    async () => {
      const text = JSON.stringify({
        clusters: [{ name: "c", cluster: { server: "https://c" } }],
        contexts: [
          { name: "good", context: { cluster: "c" } },
          { name: "bad", context: { cluster: "gone" } },
        ],
      });
      const { connections, current, leftOut } = await load({ "/k/config": text });
      expect([connections.map((one) => one.cluster), current, leftOut]).toEqual([
        ["good"],
        "",
        [
          {
            context: "bad",
            why: "The kubeconfig /k/config can't be used: contexts[1].context.cluster names no cluster that is there.",
          },
        ],
      ]);
      expect(await faultFrom(load({ "/k/config": text }, { context: "bad" }))).toMatchObject({
        code: "cluster_unavailable",
      });
    },
  );

  promise(
    "kubernetes:token-rotation",
    "a token file goes before a token, and is read again after ten seconds",
    async () => {
      const files: Record<string, string> = { "/k/config": config({ user: { tokenFile: "tok" } }), "/k/tok": "one\n" };
      let time = 0;
      const { connections } = await load(files, { now: () => time });
      const authorization = connections[0]?.authorization ?? (() => Promise.resolve(null));
      expect(await authorization()).toBe("Bearer one");
      files["/k/tok"] = "two";
      time = 9_999;
      expect(await authorization()).toBe("Bearer one");
      time = 10_000;
      expect(await authorization()).toBe("Bearer two");
      for (const gone of ["", undefined]) {
        if (gone === undefined) delete files["/k/tok"];
        else files["/k/tok"] = gone;
        time += 10_000;
        expect(await faultFrom(authorization())).toMatchObject({
          code: "credential_unavailable",
          detail: { why: "source" },
        });
      }
    },
  );

  promise("kubernetes:kubeconfig", "a plugin is told of its cluster where it asks for it", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "/nosuch/plugin",
      interactiveMode: "IfAvailable",
      provideClusterInfo: true,
      args: ["a"],
      env: [{ name: "A", value: "b" }],
    };
    const { authorization } = await only({ "/k/config": config({ user: { exec, token: "" } }) });
    expect(await faultFrom(authorization())).toMatchObject({
      code: "credential_unavailable",
      cause: "the credential plugin plugin was not found, or can't be run",
    });
  });
});

const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "p" };
const refused: readonly (readonly [string, string])[] = [
  [config({ cluster: { server: "" } }), "clusters[0].cluster.server is missing"],
  [config({ cluster: { server: 5 } }), "clusters[0].cluster.server is not text"],
  [config({ cluster: { server: "10.0.0.1:6443" } }), "clusters[0].cluster.server is no http or https URL"],
  [config({ cluster: { server: "ftp://s3cret" } }), "clusters[0].cluster.server is no http or https URL"],
  [
    config({ cluster: { server: "https://u:s3cret@x" } }),
    "clusters[0].cluster.server holds more than a scheme, a host, a port and a path",
  ],
  [
    config({ cluster: { server: "https://x/?a=s3cret" } }),
    "clusters[0].cluster.server holds more than a scheme, a host, a port and a path",
  ],
  [
    config({ cluster: { server: "http://example.com" } }),
    "clusters[0].cluster.server is plain http to another machine",
  ],
  [
    config({ cluster: { server: "http://127.0.0.1.example.com" } }),
    "clusters[0].cluster.server is plain http to another machine",
  ],
  [
    config({ cluster: { "certificate-authority-data": "s3cret!" } }),
    "clusters[0].cluster.certificate-authority-data holds no PEM certificate",
  ],
  [
    config({ cluster: { "certificate-authority": "s3cret.crt" } }),
    "clusters[0].cluster.certificate-authority names a file that can't be read (ENOENT)",
  ],
  [
    config({ cluster: { "certificate-authority-data": base64(ca), "insecure-skip-tls-verify": true } }),
    "clusters[0].cluster.insecure-skip-tls-verify stands beside a certificate authority: one of them",
  ],
  [
    config({ cluster: { "insecure-skip-tls-verify": "true" } }),
    "clusters[0].cluster.insecure-skip-tls-verify is neither true nor false",
  ],
  [config({ cluster: { "proxy-url": "socks5://s3cret" } }), "clusters[0].cluster.proxy-url is no http or https URL"],
  [
    config({ user: { "client-certificate-data": base64(clientCert) } }),
    "users[0].user.client-certificate and client-key belong together",
  ],
  [
    config({ user: { "client-certificate-data": base64(clientCert), "client-key-data": base64(clientCert) } }),
    "users[0].user.client-key-data holds no PEM private key",
  ],
  [
    config({ user: { username: "admin", password: "s3cret" } }),
    "users[0].user.username asks for basic authentication, which Kubernetes no longer has",
  ],
  [config({ user: { as: "s3cret" } }), "users[0].user.as asks for impersonation, which is not supported"],
  [config({ user: { "as-groups": [] } }), "users[0].user.as-groups asks for impersonation, which is not supported"],
  [
    config({ user: { "auth-provider": { name: "gcp" } } }),
    "users[0].user.auth-provider is no longer supported by Kubernetes: use exec",
  ],
  [config({ user: { token: null, exec: "s3cret" } }), "users[0].user.exec is not a mapping"],
  [
    config({ user: { token: null, exec: { command: "p" } } }),
    "users[0].user.exec.apiVersion is neither client.authentication.k8s.io/v1 nor v1beta1",
  ],
  [
    config({ user: { token: null, exec: { ...exec, apiVersion: "client.authentication.k8s.io/v1alpha1" } } }),
    "users[0].user.exec.apiVersion is neither client.authentication.k8s.io/v1 nor v1beta1",
  ],
  [config({ user: { token: null, exec: { ...exec, command: "" } } }), "users[0].user.exec.command is missing"],
  [
    config({ user: { token: null, exec: { ...exec, args: ["s3cret", 5] } } }),
    "users[0].user.exec.args is not a list of texts",
  ],
  [
    config({ user: { token: null, exec: { ...exec, env: [{ name: "s3cret" }] } } }),
    "users[0].user.exec.env holds more than names and values",
  ],
  [
    config({ user: { token: null, exec: { ...exec, interactiveMode: "Always" } } }),
    "users[0].user.exec.interactiveMode is Always, and nobody sits here",
  ],
  [config({ context: { cluster: "gone" } }), "contexts[0].context.cluster names no cluster that is there"],
  [config({ context: { user: "gone" } }), "contexts[0].context.user names no user that is there"],
  [config().replace('"prod","clusters', '"gone","clusters'), 'it has no context "gone"; its contexts are prod'],
  ["users: [{name: u, user: {token: s3cret}}, {name: u}]", "users[1].name stands twice"],
  ["users: [{user: {token: s3cret}}]", "users[0].name is missing"],
  ["users: [s3cret]", "users[0] is not a mapping"],
  ["users: s3cret", "users is not a list"],
  ["kind: Secret\ndata: {a: s3cret}", "its kind is not Config"],
  ["- s3cret", "it is not a mapping"],
  ["a: b\n\ttoken: s3cret", "it is not valid YAML (line 2)"],
  ["token: s3cret\ntoken: s3cret", "it is not valid YAML (line 2)"],
  ["token: !!js/function s3cret", "it is not valid YAML (line 1)"],
  ["", "it is not a mapping"],
];

describe("what it can't say", () => {
  for (const [text, sentence] of refused)
    promise("kubernetes:kubeconfig-refused", sentence, async () => {
      const told = await faultFrom(load({ "/home/me/config": text }));
      expect(told).toEqual({
        code: "cluster_unavailable",
        retry: "later",
        effect: "none",
        detail: { why: "configuration" },
        cause: `The kubeconfig /home/me/config can't be used: ${sentence}.`,
      });
      expect(told.cause).not.toContain("s3cret");
    });

  promise("kubernetes:kubeconfig-refused", "no file at all, and one that can't be read", async () => {
    const readFile = memory({});
    const options = { kubeconfig: ["/a", "/b"], env: {}, readFile, now: () => 0 };
    expect((await faultFrom(loadConnections(options))).cause).toBe(
      "The kubeconfig /a, /b can't be used: there is no such file.",
    );
    const denied = () => Promise.reject(Object.assign(new Error("EACCES: /a s3cret"), { code: "EACCES" }));
    expect((await faultFrom(loadConnections({ ...options, readFile: denied }))).cause).toBe(
      "The kubeconfig /a can't be used: it can't be read (EACCES).",
    );
  });
});

describe("in a pod", () => {
  const pod = "/var/run/secrets/kubernetes.io/serviceaccount";
  const env = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

  promise(
    "kubernetes:in-cluster",
    "the environment and the mounted files say all, and the token is read again",
    async () => {
      const files: Record<string, string> = {
        [`${pod}/ca.crt`]: ca,
        [`${pod}/token`]: "one\n",
        [`${pod}/namespace`]: "sallyport-system",
      };
      let time = 0;
      const connection = await inClusterConnection(env, memory(files), () => time);
      if (connection === null) throw new Error("no connection");
      const { authorization, ...rest } = connection;
      expect(rest).toEqual({
        cluster: "in-cluster",
        server: "https://10.96.0.1:443",
        tls: { ca, insecure: false },
        proxy: null,
        namespace: "sallyport-system",
      });
      expect(await authorization()).toBe("Bearer one");
      files[`${pod}/token`] = "two\n";
      time = 10_000;
      expect(await authorization()).toBe("Bearer two");
      const six = await inClusterConnection({ ...env, KUBERNETES_SERVICE_HOST: "fd00::1" }, memory(files), () => 0);
      expect(six?.server).toBe("https://[fd00::1]:443");
    },
  );

  promise("kubernetes:in-cluster", "outside of a pod there is none, and a pod without its files is told", async () => {
    expect(await inClusterConnection({}, memory({}), () => 0)).toBeNull();
    expect(await faultFrom(inClusterConnection(env, memory({}), () => 0))).toMatchObject({
      code: "cluster_unavailable",
      cause: `The pod's file ${pod}/ca.crt can't be read (ENOENT).`,
    });
  });
});

test("the plugin's cluster holds what the kubeconfig says of it", async () => {
  // Through the whole path: a plugin that gives its question back as its token.
  const echo = `process.stdout.write(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: Buffer.from(process.env.KUBERNETES_EXEC_INFO).toString("base64url") } }))`;
  const extension = { audience: "x" };
  const { authorization } = await only({
    "/k/config": config({
      cluster: {
        "certificate-authority-data": base64(ca),
        extensions: [{ name: "client.authentication.k8s.io/exec", extension }],
      },
      user: { token: "", exec: { ...exec, command: process.execPath, args: ["-e", echo], provideClusterInfo: true } },
    }),
  });
  const token = ((await authorization()) ?? "").slice("Bearer ".length);
  expect(JSON.parse(Buffer.from(token, "base64url").toString("utf8"))).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: false,
      cluster: { server: "https://10.0.0.1:6443", "certificate-authority-data": base64(ca), config: extension },
    },
  });
});
