// The client against a real server on loopback: what is sent, and how each bad ending is told.

import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { describe, expect } from "vitest";
import { fault, Faulted } from "../../../src/domain/fault.ts";
import type { SentRequest } from "../../../src/kubernetes/contract.ts";
import { promise } from "../../support/promise.ts";
import { answers, asking, clientOf, faultFrom, patching, serve, type Play } from "./server.ts";

const configMap = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "settings" } };

describe("what is sent", () => {
  promise(
    "kubernetes:audit-join",
    "a read carries the call and the agent, whatever the agent calls itself",
    async () => {
      const { url, seen } = await serve(answers(configMap));
      const client = clientOf(url);
      const agents = ["claude", "a (x); agent=root\r\nHost: evil", "\u202e\u0000", "x".repeat(500)];
      for (const agent of agents) await client.request(asking({ agent }));
      expect(seen[0]?.headers).toEqual({
        accept: "application/json",
        "audit-id": "call_0190.1",
        authorization: "Bearer token-of-a-test",
        connection: "keep-alive",
        host: url.slice("http://".length),
        "user-agent": "sallyport/1.2.3 (call=call_0190; agent=claude)",
      });
      expect(seen.map(({ headers }) => headers["user-agent"])).toEqual([
        "sallyport/1.2.3 (call=call_0190; agent=claude)",
        "sallyport/1.2.3 (call=call_0190; agent=a__x___agent_root__Host:_evil)",
        "sallyport/1.2.3 (call=call_0190; agent=__)",
        `sallyport/1.2.3 (call=call_0190; agent=${"x".repeat(64)})`,
      ]);
    },
  );

  promise(
    "kubernetes:headers-whole",
    "a header that would begin another is refused before anything is sent",
    async () => {
      const { url, sockets } = await serve(answers(configMap));
      const client = clientOf(url);
      const injected = "x\r\nImpersonate-User: system:admin";
      const codes = [
        (await faultFrom(client.request(asking({ authorization: `Bearer ${injected}` })))).code,
        (await faultFrom(client.request(asking({ authorization: "" })))).code,
        (await faultFrom(client.request(asking({ authorization: "Bearer t\u00e9" })))).code,
        (await faultFrom(client.request(asking({ accept: injected })))).code,
        (await faultFrom(client.request(asking({ auditId: injected })))).code,
        (await faultFrom(client.request(patching({ contentType: injected })))).code,
      ];
      expect(codes).toEqual([
        "credential_unavailable",
        "credential_unavailable",
        "credential_unavailable",
        "internal",
        "internal",
        "internal",
      ]);
      expect(sockets).toEqual([]);
    },
  );

  promise("kubernetes:guard-sees-sent", "both guards see what the URL says, and either can refuse", async () => {
    const { url, seen } = await serve(answers(configMap));
    const told: SentRequest[] = [];
    const client = clientOf(url, {}, { guard: (sent) => void told.push(sent) });
    await client.request(patching({ guard: (sent) => void told.push(sent), query: { dryRun: "All" } }));
    const sent: SentRequest = {
      verb: "patch",
      group: "apps",
      version: "v1",
      resource: "deployments",
      subresource: "",
      namespace: "shop",
      name: "api",
      pinned: "",
      dryRun: true,
    };
    expect(told).toEqual([sent, sent]);
    const no = (): never => {
      throw new Faulted(fault("internal", {}, "undeclared"));
    };
    expect(await faultFrom(client.request(asking({ guard: no })))).toMatchObject({ cause: "undeclared" });
    expect(await faultFrom(clientOf(url, {}, { guard: no }).text(asking()))).toMatchObject({ cause: "undeclared" });
    expect(seen).toHaveLength(1);
  });

  promise("kubernetes:rehearsed-delete", "a dry run stands in the query and in the body, or in neither", async () => {
    const { url, seen } = await serve(answers({ kind: "Status", status: "Success" }));
    const client = clientOf(url);
    const remove = asking({ verb: "delete" });
    const options = { propagationPolicy: "Background" };
    await client.request({ ...remove, query: { dryRun: "All" }, body: options });
    await client.request({ ...remove, query: { dryRun: "All" } });
    await client.request({ ...remove, body: options });
    expect(seen.map(({ url: path, body }) => [path.split("?")[1] ?? "", body])).toEqual([
      ["dryRun=All", JSON.stringify({ ...options, dryRun: ["All"] })],
      ["dryRun=All", ""],
      ["", JSON.stringify(options)],
    ]);
    const hidden = await faultFrom(client.request({ ...remove, body: { dryRun: ["All"] } }));
    expect(hidden).toMatchObject({ code: "internal", effect: "none" });
    expect(seen).toHaveLength(3);
  });

  promise(
    "kubernetes:sent-is-asked",
    "a patch names its type, a read has no body, and neither is sent otherwise",
    async () => {
      const { url, seen } = await serve(answers(configMap));
      const client = clientOf(url);
      const { contentType: _, ...untyped } = patching();
      expect(await faultFrom(client.request(untyped))).toMatchObject({ code: "internal" });
      expect(await faultFrom(client.request(patching({ contentType: "text/html" })))).toMatchObject({
        code: "internal",
      });
      expect(await faultFrom(client.request(asking({ body: {} })))).toMatchObject({ code: "internal" });
      const big = { data: "x".repeat(3 * 1024 * 1024) };
      expect(await faultFrom(client.request(patching({ body: big })))).toMatchObject({
        code: "invalid_input",
        detail: { problems: [{ path: "", rule: "too large" }], limit: 3 * 1024 * 1024 },
      });
      expect(seen).toEqual([]);
      await client.request(patching({ body: { a: "é" } }));
      expect(seen[0]).toMatchObject({ method: "PATCH", body: '{"a":"é"}' });
      expect(seen[0]?.headers["content-type"]).toBe("application/merge-patch+json");
    },
  );

  promise("kubernetes:kept-alive", "a hundred reads one after the other take two connections at most", async () => {
    const { url, sockets } = await serve(answers(configMap));
    const client = clientOf(url);
    for (let turn = 0; turn < 100; turn++) await client.request(asking());
    expect(sockets.length).toBeLessThanOrEqual(2);
  });

  promise("kubernetes:sent-is-asked", "the answer, its status and its warnings come back", async () => {
    const warning = ['299 - "be \\"careful\\"", 299 - "twice"', '299 kube "third"', '199 - "not this"'];
    const { url } = await serve(answers(configMap, 201, { warning }));
    expect(await clientOf(url).request(patching())).toEqual({
      status: 201,
      body: configMap,
      warnings: ['be "careful"', "twice", "third"],
    });
  });
});

/** How a read, a write and a rehearsed write end on the same bad answer. */
async function endings(play: Play, more: { timeout?: number; maxBytes?: number } = {}): Promise<unknown> {
  const { url } = await serve(play);
  const client = clientOf(url);
  const told = async (ending: Promise<unknown>): Promise<unknown> => {
    const { code, detail, effect } = await faultFrom(ending);
    return [code, detail["why"] ?? detail["limit"], effect];
  };
  return {
    read: await told(client.request(asking(more))),
    write: await told(client.request(patching(more))),
    rehearsal: await told(client.request(patching({ ...more, query: { dryRun: "All" } }))),
  };
}

const head = { "content-type": "application/json" };
const cut = {
  read: ["cluster_unavailable", "connection", "none"],
  write: ["deadline_exceeded", "cut", "unknown"],
  rehearsal: ["cluster_unavailable", "connection", "none"],
};

describe("bad endings", () => {
  promise("kubernetes:effect-known", "a connection that is reset before any answer", async () => {
    expect(await endings((seen) => void seen.socket.resetAndDestroy())).toEqual(cut);
  });

  promise("kubernetes:effect-known", "a connection that closes before any answer", async () => {
    expect(await endings((seen) => void seen.socket.destroy())).toEqual(cut);
  });

  promise("kubernetes:effect-known", "half an answer", async () => {
    const half: Play = (seen, response) => {
      response.writeHead(200, { ...head, "content-length": "1000" });
      response.write('{"kind":"ConfigMap"', () => seen.socket.destroy());
    };
    expect(await endings(half)).toEqual(cut);
  });

  promise("kubernetes:effect-known", "half an answer in chunks", async () => {
    const half: Play = (seen, response) => {
      response.writeHead(200, head);
      response.write('{"kind":"ConfigMap"}', () => seen.socket.destroy());
    };
    expect(await endings(half)).toEqual(cut);
  });

  const unreadable = {
    read: ["cluster_unavailable", "answer", "none"],
    write: ["cluster_unavailable", "answer", "unknown"],
    rehearsal: ["cluster_unavailable", "answer", "none"],
  };
  for (const text of ['{"kind":', "<html>login</html>", "[]", "null", '"text"', "", "\u0000"])
    promise("kubernetes:effect-known", `an answer that is no JSON object: ${JSON.stringify(text)}`, async () => {
      expect(await endings((_, response) => void response.writeHead(200, head).end(text))).toEqual(unreadable);
    });

  promise("kubernetes:effect-known", "an answer that is no HTTP", async () => {
    expect(await endings((seen) => void seen.socket.end("SSH-2.0-OpenSSH\r\n\r\n"))).toEqual({
      ...unreadable,
      write: ["deadline_exceeded", "cut", "unknown"],
    });
  });

  promise("kubernetes:bounded-answers", "no answer in time", async () => {
    expect(await endings(() => {}, { timeout: 1000 })).toEqual({
      read: ["deadline_exceeded", "late", "none"],
      write: ["deadline_exceeded", "late", "unknown"],
      rehearsal: ["deadline_exceeded", "late", "none"],
    });
  });

  promise("kubernetes:bounded-answers", "an answer that drips past its time", async () => {
    const drip: Play = (seen, response) => {
      response.writeHead(200, head);
      const timer = setInterval(() => response.write(" "), 10);
      seen.socket.on("close", () => clearInterval(timer));
    };
    expect(await endings(drip, { timeout: 1000 })).toMatchObject({ read: ["deadline_exceeded", "late", "none"] });
  });

  promise("kubernetes:bounded-answers", "ten megabytes where one was the most, with a length and without", async () => {
    const big = Buffer.alloc(10 * 1024 * 1024, 0x20);
    const limit = {
      read: ["limit_exceeded", "bytes", "none"],
      write: ["limit_exceeded", "bytes", "unknown"],
      rehearsal: ["limit_exceeded", "bytes", "none"],
    };
    const whole: Play = (_, response) =>
      void response.writeHead(200, { ...head, "content-length": big.length }).end(big);
    const chunked: Play = (_, response) => void response.writeHead(200, head).end(big);
    expect(await endings(whole, { maxBytes: 1024 * 1024 })).toEqual(limit);
    expect(await endings(chunked, { maxBytes: 1024 * 1024 })).toEqual(limit);
  });

  promise("kubernetes:bounded-answers", "the connection of a too large answer is closed", async () => {
    const { url, sockets } = await serve((_, response) => {
      response.writeHead(200, head);
      response.write(Buffer.alloc(100_000, 0x20));
    });
    await faultFrom(clientOf(url).request(asking({ maxBytes: 10 })));
    await closed(sockets[0]);
  });

  promise("kubernetes:no-address", "a dead address, an unknown host and a closed client", async () => {
    const port = await unusedPort();
    const client = clientOf(`http://127.0.0.1:${port}`);
    const dead = await faultFrom(client.request(patching()));
    expect(dead).toEqual({
      code: "cluster_unavailable",
      retry: "later",
      effect: "none",
      detail: { why: "refused" },
      cause: "PATCH /apis/apps/v1/namespaces/shop/deployments/api: ECONNREFUSED",
    });
    await client.close();
    expect(await faultFrom(client.request(asking()))).toMatchObject({ detail: { why: "connection" }, effect: "none" });
    const lost = await faultFrom(clientOf("http://nowhere.invalid:1").request(patching()));
    expect(lost).toMatchObject({ code: "cluster_unavailable", detail: { why: "name" }, effect: "none" });
    expect(JSON.stringify([dead, lost])).not.toMatch(/127\.0\.0\.1|nowhere|token-of-a-test|replicas/);
  });

  promise(
    "kubernetes:writes-once",
    "a read goes again on a connection that died under it, a write does not",
    async () => {
      // The first answer keeps the connection; the second request finds it dead.
      const dying: Play = (seen, response) => {
        if (seen.turn % 2 === 0) seen.socket.resetAndDestroy();
        else response.writeHead(200, head).end(JSON.stringify(configMap));
      };
      const reads = await serve(dying);
      const reader = clientOf(reads.url);
      await reader.request(asking());
      expect(await reader.request(asking())).toMatchObject({ status: 200 });
      expect(reads.seen).toHaveLength(3);

      const writes = await serve(dying);
      const writer = clientOf(writes.url);
      await writer.request(asking());
      expect(await faultFrom(writer.request(patching()))).toMatchObject({
        code: "deadline_exceeded",
        effect: "unknown",
      });
      expect(writes.seen.map(({ method }) => method)).toEqual(["GET", "PATCH"]);

      const always = await serve((seen) => void seen.socket.resetAndDestroy());
      await faultFrom(clientOf(always.url).request(asking()));
      expect(always.seen).toHaveLength(2);
    },
  );
});

describe("aborting", () => {
  promise(
    "kubernetes:abort-to-the-socket",
    "the socket of an aborted read and of an aborted write closes",
    async () => {
      const { url, seen, sockets } = await serve(() => {});
      const client = clientOf(url);
      for (const request of [asking(), patching()]) {
        const abort = new AbortController();
        const before = seen.length;
        const ending = faultFrom(client.request({ ...request, signal: abort.signal }));
        await until(() => seen.length > before);
        abort.abort();
        expect(await ending).toMatchObject({ code: "cancelled", effect: request.verb === "get" ? "none" : "unknown" });
        await closed(sockets.at(-1));
      }
    },
  );

  promise("kubernetes:abort-to-the-socket", "an aborted stream of text ends in the middle", async () => {
    const { url, sockets } = await serve((_, response) => void response.writeHead(200).write("line\n"));
    const abort = new AbortController();
    const ending = faultFrom(clientOf(url).text(asking({ signal: abort.signal })));
    await until(() => sockets.length > 0);
    abort.abort();
    expect(await ending).toMatchObject({ code: "cancelled" });
    await closed(sockets[0]);
  });

  promise("kubernetes:abort-to-the-socket", "an abort before anything was sent sends nothing, ever", async () => {
    const { url, seen } = await serve(answers(configMap));
    const client = clientOf(url);
    const gone = await faultFrom(client.request(patching({ signal: AbortSignal.abort() })));
    expect(gone).toMatchObject({ code: "cancelled", effect: "none" });
    // Aborted while the connection is being made.
    const abort = new AbortController();
    const ending = faultFrom(client.request(patching({ signal: abort.signal })));
    abort.abort();
    expect(await ending).toMatchObject({ code: "cancelled", effect: "none" });
    await client.request(asking());
    expect(seen.map(({ method }) => method)).toEqual(["GET"]);
  });

  promise(
    "kubernetes:effect-known",
    "the reason of an abort is told: the call's deadline, or the fault that ended it",
    async () => {
      const { url, seen } = await serve(() => {});
      const client = clientOf(url);
      const deadline = new AbortController();
      const late = faultFrom(client.request(patching({ signal: deadline.signal })));
      await until(() => seen.length === 1);
      deadline.abort(new DOMException("over", "TimeoutError"));
      expect(await late).toMatchObject({ code: "deadline_exceeded", effect: "unknown" });
      const abort = new AbortController();
      const ending = faultFrom(client.request(patching({ signal: abort.signal })));
      await until(() => seen.length === 2);
      abort.abort(new Faulted(fault("limit_exceeded", { limit: "calls" }, "stopped")));
      expect(await ending).toMatchObject({ code: "limit_exceeded", detail: { limit: "calls" }, effect: "unknown" });
    },
  );
});

describe("text", () => {
  promise(
    "kubernetes:bounded-answers",
    "text is cut at its bytes, never inside a character, and the cut is told",
    async () => {
      const { url } = await serve((_, response) => void response.writeHead(200).end("aé€𝄞"));
      const client = clientOf(url);
      const cuts = await Promise.all([10, 9, 6, 5, 3, 2, 1].map((maxBytes) => client.text(asking({ maxBytes }))));
      expect(cuts).toEqual([
        { text: "aé€𝄞", cut: false, why: null },
        { text: "aé€", cut: true, why: "bytes" },
        { text: "aé€", cut: true, why: "bytes" },
        { text: "aé", cut: true, why: "bytes" },
        { text: "aé", cut: true, why: "bytes" },
        { text: "a", cut: true, why: "bytes" },
        { text: "a", cut: true, why: "bytes" },
      ]);
    },
  );

  promise("kubernetes:bounded-answers", "text that is late is given as far as it came", async () => {
    const { url, sockets } = await serve((_, response) => void response.writeHead(200).write("one\ntw"));
    const client = clientOf(url);
    expect(await client.text(asking({ timeout: 1500 }))).toEqual({ text: "one\ntw", cut: true, why: "time" });
    await closed(sockets[0]);
  });
});

promise("kubernetes:plain-paths", "a path is read with its own accept, and a resource is not", async () => {
  const { url, seen } = await serve(answers({ major: "1" }));
  const client = clientOf(`${url}/k8s/clusters/c-1/`);
  const options = { authorization: "Bearer t", signal: new AbortController().signal, accept: "application/json;v=v2" };
  expect(await client.path("/version", options)).toEqual({ major: "1" });
  expect(await faultFrom(client.path("/api/v1/secrets", options))).toMatchObject({ code: "internal" });
  expect(
    seen.map(({ url: path, headers }) => [path, headers.accept, headers["user-agent"], headers["audit-id"]]),
  ).toEqual([["/k8s/clusters/c-1/version", "application/json;v=v2", "sallyport/1.2.3", undefined]]);
});

promise("kubernetes:no-address", "a redirect is not followed", async () => {
  const elsewhere = await serve(answers(configMap));
  const { url } = await serve((_, response) => void response.writeHead(307, { location: `${elsewhere.url}/x` }).end());
  expect(await faultFrom(clientOf(url).request(asking()))).toMatchObject({
    code: "cluster_unavailable",
    detail: { why: "status", status: 307 },
  });
  expect(elsewhere.seen).toEqual([]);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setTimeout(next, 2));
}

async function closed(socket: { readonly destroyed: boolean } | undefined): Promise<void> {
  expect(socket).toBeDefined();
  await until(() => socket?.destroyed === true);
}

async function unusedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
