// Which proxy the environment names for a server: kubectl's own table, and the way through a real one.

import { describe, expect } from "vitest";
import { loadConnections } from "../../../src/kubernetes/kubeconfig.ts";
import { proxyFromEnvironment } from "../../../src/kubernetes/proxy-environment.ts";
import { promise } from "../../support/promise.ts";
import { faultFrom } from "./server.ts";

const proxy = "http://proxy:3128";

/** Is the server asked through the proxy, with this NO_PROXY? As Go's own test table for httpproxy has it. */
const excepted: readonly (readonly [server: string, except: string, through: boolean])[] = [
  ["https://api.example.com:6443", "", true],
  ["https://api.example.com:6443", "*", false],
  ["https://api.example.com:6443", "example.com", false],
  ["https://API.Example.com:6443", "EXAMPLE.com", false],
  ["https://api.example.com.:6443", "example.com", false],
  ["https://example.com", "example.com", false],
  ["https://example.com", ".example.com", true],
  ["https://example.com", "*.example.com", true],
  ["https://api.example.com", ".example.com", false],
  ["https://api.example.com", "*.example.com", false],
  ["https://notexample.com", "example.com", true],
  ["https://example.com.evil", "example.com", true],
  ["https://example.com:6443", "example.com:6443", false],
  ["https://example.com:6443", "example.com:443", true],
  ["https://example.com", "example.com:443", false],
  ["https://10.0.0.7:6443", "10.0.0.0/8", false],
  ["https://11.0.0.7:6443", "10.0.0.0/8", true],
  ["https://10.0.0.7:6443", "10.0.0.7", false],
  ["https://10.0.0.7:6443", "10.0.0.7:6443", false],
  ["https://10.0.0.7:6443", "10.0.0.7:443", true],
  ["https://10.0.0.7:6443", "0.0.7", true],
  ["https://[fd00::7]:6443", "fd00::/8", false],
  ["https://[fd00::7]:6443", "[fd00::7]", false],
  ["https://[fd00::7]:6443", "[fd00::7]:6443", false],
  ["https://[fd00::7]:6443", "fd00::7", false],
  ["https://[fd00::7]:6443", "fd00::8,10.0.0.0/8", true],
  ["https://api.corp", "other, api.corp ,x", false],
  ["https://api.corp", "a/b/c,/8,10.0.0.0/99,:::,", true],
  ["https://localhost:6443", "", false],
  ["https://127.0.0.1:6443", "", false],
  ["https://127.8.9.1:6443", "", false],
  ["https://[::1]:6443", "", false],
];

describe("the environment's proxy", () => {
  promise("kubernetes:proxy-environment", "what NO_PROXY keeps from it, and this machine always", () => {
    const given = excepted.map(([server, except]) => [
      server,
      except,
      proxyFromEnvironment(server, { HTTPS_PROXY: proxy, NO_PROXY: except }) === proxy,
    ]);
    expect(given).toEqual(excepted);
  });

  promise("kubernetes:proxy-environment", "capitals first, by the server's scheme, and http where none is said", () => {
    const ask = (env: Record<string, string>): string | null => proxyFromEnvironment("https://api.corp", env);
    expect([
      ask({ HTTPS_PROXY: "http://a", https_proxy: "http://b" }),
      ask({ HTTPS_PROXY: "", https_proxy: "http://b" }),
      ask({ https_proxy: "http://b", NO_PROXY: "", no_proxy: "corp" }),
      ask({ HTTP_PROXY: "http://a" }),
      ask({ ALL_PROXY: "http://a" }),
      ask({ HTTPS_PROXY: "proxy:3128" }),
      ask({ HTTPS_PROXY: "https://user:pass@proxy" }),
      ask({}),
    ]).toEqual(["http://a", "http://b", null, null, null, "http://proxy:3128", "https://user:pass@proxy", null]);
    for (const wrong of ["socks5://proxy:1080", "http://", "file:///x", "http://me:sec%zzret@proxy"])
      expect(() => ask({ HTTPS_PROXY: wrong })).toThrow(new TypeError("HTTPS_PROXY is no http or https URL"));
  });

  promise(
    "kubernetes:proxy-environment",
    "a kubeconfig's own proxy goes first, and a wrong one is told without its value",
    async () => {
      const load = async (cluster: object, env: Record<string, string>) => {
        const text = JSON.stringify({
          "current-context": "x",
          clusters: [{ name: "x", cluster: { server: "https://api.corp", ...cluster } }],
          contexts: [{ name: "x", context: { cluster: "x" } }],
        });
        const readFile = (): Promise<string> => Promise.resolve(text);
        return await loadConnections({ kubeconfig: ["/k/config"], env, readFile, now: () => 0 });
      };
      const proxies = async (cluster: object, env: Record<string, string>) =>
        (await load(cluster, env)).connections.map((one) => one.proxy);
      expect(await proxies({}, { HTTPS_PROXY: proxy })).toEqual([proxy]);
      expect(await proxies({ "proxy-url": "http://own:1" }, { HTTPS_PROXY: proxy })).toEqual(["http://own:1"]);
      expect(await proxies({}, { HTTPS_PROXY: proxy, NO_PROXY: ".corp" })).toEqual([null]);
      const told = await faultFrom(load({}, { HTTPS_PROXY: "socks5://me:secret@proxy" }));
      expect([told.code, told.cause]).toEqual([
        "cluster_unavailable",
        "The environment's HTTPS_PROXY is no http or https URL.",
      ]);
    },
  );
});
