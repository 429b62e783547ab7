// TLS identities and proxies, against real servers on loopback.

import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished } from "vitest";
import { promise } from "../../support/promise.ts";
import { ca, clientCert, clientKey, expiredCert, expiredKey, otherCa, serverCert, serverKey } from "./certificates.ts";
import { answers, asking, clientOf, faultFrom, patching, serve } from "./server.ts";
import { tunnel } from "./tunnel.ts";

const good = { cert: serverCert, key: serverKey };
const answer = answers({ kind: "ConfigMap" });

describe("the server's certificate", () => {
  promise(
    "kubernetes:tls",
    "the right CA and name are accepted, by address or by the name that the kubeconfig gives",
    async () => {
      const { url } = await serve(answer, good);
      expect(await clientOf(url, { tls: { ca, insecure: false } }).request(asking())).toMatchObject({ status: 200 });
      const named = clientOf(url, { tls: { ca, insecure: false, serverName: "api.test" } });
      expect(await named.request(asking())).toMatchObject({ status: 200 });
    },
  );

  promise(
    "kubernetes:tls",
    "another CA, none, another name, an expired one: nothing is sent, not even a write",
    async () => {
      const { url, seen } = await serve(answer, good);
      const expired = await serve(answer, { cert: expiredCert, key: expiredKey });
      const refused = [
        clientOf(url, { tls: { ca: otherCa, insecure: false } }),
        clientOf(url, { tls: { insecure: false } }),
        clientOf(url, { tls: { ca, insecure: false, serverName: "elsewhere.test" } }),
        clientOf(expired.url, { tls: { ca, insecure: false } }),
      ];
      for (const client of refused)
        expect(await faultFrom(client.request(patching()))).toMatchObject({
          code: "cluster_unavailable",
          detail: { why: "certificate" },
          effect: "none",
        });
      expect([...seen, ...expired.seen]).toEqual([]);
    },
  );

  promise("kubernetes:tls", "only the kubeconfig's own flag lets an unknown certificate pass", async () => {
    const { url } = await serve(answer, good);
    expect(await clientOf(url, { tls: { insecure: true } }).request(asking())).toMatchObject({ status: 200 });
  });

  promise("kubernetes:tls", "not the environment, not even through a proxy that speaks TLS", async () => {
    const { url, seen } = await serve(answer, good);
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    onTestFinished(() => {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    });
    const strict = { ca: otherCa, insecure: false };
    for (const proxy of [null, url])
      expect(await faultFrom(clientOf(url, { tls: strict, proxy }).request(asking()))).toMatchObject({
        code: "cluster_unavailable",
      });
    expect(seen).toEqual([]);
  });

  promise("kubernetes:tls", "a server that speaks no TLS, or hangs up in the handshake, is asked once", async () => {
    const plain = await serve(answer);
    const client = clientOf(plain.url.replace("http:", "https:"), { tls: { ca, insecure: false } });
    expect(await faultFrom(client.request(asking()))).toMatchObject({ code: "cluster_unavailable" });
    let calls = 0;
    const silent = await listen((socket) => {
      calls++;
      socket.destroy();
    });
    const hung = clientOf(`https://127.0.0.1:${silent}`, { tls: { ca, insecure: false } });
    expect(await faultFrom(hung.request(patching()))).toMatchObject({ code: "cluster_unavailable", effect: "none" });
    expect(calls).toBe(1);
  });

  promise("kubernetes:tls", "a client certificate is shown where the connection has one", async () => {
    const { url, seen } = await serve(answer, { ...good, ca, requestCert: true, rejectUnauthorized: true });
    const tls = { ca, cert: clientCert, key: clientKey, insecure: false };
    await clientOf(url, { tls }).request(asking({ authorization: null }));
    const [socket] = seen.map((one) => one.socket);
    expect(socket instanceof TLSSocket && socket.getPeerCertificate().subject.CN).toBe("client");
    expect(seen[0]?.headers.authorization).toBeUndefined();
    const bare = clientOf(url, { tls: { ca, insecure: false } });
    expect(await faultFrom(bare.request(asking()))).toMatchObject({ code: "cluster_unavailable" });
  });

  promise("kubernetes:tls", "a key that does not fit its certificate is a fault, not a crash", async () => {
    const { url } = await serve(answer, good);
    const tls = { ca, cert: clientCert, key: serverKey, insecure: false };
    expect(await faultFrom(clientOf(url, { tls }).request(asking()))).toMatchObject({ code: "cluster_unavailable" });
  });
});

describe("a proxy", () => {
  promise(
    "kubernetes:proxy",
    "requests are tunnelled, TLS is checked behind it, and tokens never show on the way",
    async () => {
      const { url, seen } = await serve(answer, good);
      const proxy = await tunnel("open");
      const client = clientOf(url, { proxy: proxy.url, tls: { ca, insecure: false } });
      for (let turn = 0; turn < 10; turn++) await client.request(asking());
      expect(seen).toHaveLength(10);
      expect(proxy.asked.length).toBeLessThanOrEqual(2);
      expect(proxy.asked[0]).toBe(url.slice("https://".length));
      expect(proxy.passed()).not.toContain("token-of-a-test");
      const wrong = clientOf(url, { proxy: proxy.url, tls: { ca: otherCa, insecure: false } });
      expect(await faultFrom(wrong.request(asking()))).toMatchObject({ detail: { why: "certificate" } });
    },
  );

  for (const way of ["hangs up", "refuses"] as const)
    promise("kubernetes:proxy", `a proxy that ${way}`, async () => {
      const { url } = await serve(answer, good);
      const proxy = await tunnel(way);
      const client = clientOf(url, { proxy: proxy.url, tls: { ca, insecure: false } });
      expect(await faultFrom(client.request(patching()))).toMatchObject({
        code: "cluster_unavailable",
        detail: { why: "proxy" },
        effect: "none",
      });
      expect(proxy.asked).toHaveLength(1);
    });
});

async function listen(play: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer(play);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
