// Our reading of kubeconfigs against the official client's, on files that both take.

import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect } from "vitest";
import { loadConnections } from "../../../src/kubernetes/kubeconfig.ts";
import { promise } from "../../support/promise.ts";

const ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const encoded = Buffer.from(ca).toString("base64");
const key = Buffer.from(ca.replaceAll("CERTIFICATE", "PRIVATE KEY")).toString("base64");

const samples: { readonly [name: string]: string } = {
  "a token and a certificate authority": `
apiVersion: v1
kind: Config
current-context: prod
clusters: [{name: c, cluster: {server: "https://203.0.113.7:6443", certificate-authority-data: ${encoded}, tls-server-name: api.example.com}}]
users: [{name: u, user: {token: t0ken}}]
contexts: [{name: prod, context: {cluster: c, user: u, namespace: shop}}]
`,
  "two contexts, block style, a client certificate": `
apiVersion: v1
clusters:
- cluster:
    insecure-skip-tls-verify: true
    server: https://one.example.com
  name: one
- cluster:
    server: https://two.example.com:8443
    proxy-url: http://proxy.example.com:3128
  name: two
contexts:
- context: {cluster: one, user: admin}
  name: first
- context: {cluster: two, user: admin, namespace: web}
  name: second
current-context: second
kind: Config
preferences: {}
users:
- name: admin
  user:
    client-certificate-data: ${encoded}
    client-key-data: ${key}
`,
  "anchors, as people write them": `
kind: Config
current-context: a
clusters:
- name: c
  cluster: &c {server: "https://a.example.com"}
- name: d
  cluster: *c
users: [{name: u, user: {token: x}}]
contexts: [{name: a, context: {cluster: d, user: u}}]
`,
};

describe("kubeconfigs, as the official client reads them", () => {
  for (const [name, text] of Object.entries(samples))
    promise("kubernetes:kubeconfig", name, async () => {
      const official = new KubeConfig();
      official.loadFromString(text);
      const path = "/home/me/config";
      const { connections, current } = await loadConnections({
        kubeconfig: [path],
        env: {},
        readFile: async () => text,
        now: () => 0,
      });
      const expected = official.contexts.map(({ name: context, cluster, user, namespace }) => {
        const server = official.clusters.find((one) => one.name === cluster);
        const account = official.users.find((one) => one.name === user);
        return {
          cluster: context,
          server: server?.server,
          insecure: server?.skipTLSVerify ?? false,
          serverName: server?.tlsServerName,
          proxy: server?.proxyUrl ?? null,
          namespace: namespace ?? "default",
          authorization: account?.token === undefined ? null : `Bearer ${account.token}`,
          cert: account?.certData === undefined ? undefined : Buffer.from(account.certData, "base64").toString(),
        };
      });
      const ours = await Promise.all(
        connections.map(async (one) => ({
          cluster: one.cluster,
          server: one.server,
          insecure: one.tls.insecure,
          serverName: one.tls.serverName,
          proxy: one.proxy,
          namespace: one.namespace === "" ? "default" : one.namespace,
          authorization: await one.authorization(),
          cert: one.tls.cert,
        })),
      );
      expect({ current, ours }).toEqual({ current: official.getCurrentContext(), ours: expected });
    });
});
