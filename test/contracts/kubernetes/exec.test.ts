// Commands over a WebSocket against a real server on loopback: what is sent, what comes back, and how each bad ending is told.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { openSeparated } from "../../../src/credentials/separate.ts";
import { fault, Faulted } from "../../../src/domain/fault.ts";
import type { SentExec } from "../../../src/kubernetes/contract.ts";
import { openClient } from "../../../src/kubernetes/client.ts";
import { execWire } from "../../../src/kubernetes/exec-url.ts";
import { promise } from "../../support/promise.ts";
import { ca, clientCert, clientKey, otherCa } from "./certificates.ts";
import { broke, exited, running, say, serveExec, success, talk, write, type Play } from "./exec-server.ts";
import { asking, clientOf, faultFrom } from "./server.ts";
import { tunnel } from "./tunnel.ts";

const trusted = { tls: { ca, insecure: false } };
/** Says a line and ends well. */
const fine = talk((socket) => {
  say(socket, 1, "hello\n");
  say(socket, 2, "careful\n");
  say(socket, 3, success);
  socket.close(1000);
});
const ran = { stdout: "hello\n", stderr: "careful\n", end: { kind: "exited", code: 0 } };

async function faultOf(play: Play, more: Parameters<typeof running>[0] = {}) {
  const { url } = await serveExec(play);
  const { code, detail, effect } = await faultFrom(clientOf(url, trusted).exec(running(more)));
  return { code, detail, effect };
}

describe("what is sent", () => {
  promise("kubernetes:exec-words", "words as parameters, our headers, the protocol, and nothing else", async () => {
    const { url, asked, sockets } = await serveExec(fine);
    const command = ["sh", "-c", "echo 'a b' && x=1; é\n\t#?%2e/../", ""];
    const told: SentExec[] = [];
    const guard = (sent: SentExec): void => void told.push(sent);
    expect(await clientOf(url, trusted).exec(running({ command, guard }))).toEqual(ran);
    const [request] = asked;
    const [path = "", query = ""] = (request?.url ?? "").split("?");
    expect(path).toBe("/api/v1/namespaces/shop/pods/web-1/exec");
    expect([...new URLSearchParams(query)]).toEqual([
      ["container", "web"],
      ["stdout", "true"],
      ["stderr", "true"],
      ...command.map((word) => ["command", word]),
    ]);
    const { "sec-websocket-key": _key, ...headers } = request?.headers ?? {};
    expect(headers).toEqual({
      accept: "application/json",
      "audit-id": "call_0190.1",
      authorization: "Bearer token-of-a-test",
      connection: "Upgrade",
      host: url.slice("https://".length),
      "sec-websocket-protocol": "v5.channel.k8s.io",
      "sec-websocket-version": "13",
      upgrade: "websocket",
      "user-agent": "sallyport/1.2.3 (call=call_0190; agent=claude)",
    });
    expect(told).toEqual([{ sent: sentExec, container: "web", command }]);
    expect(sockets).toHaveLength(1);
  });

  promise("kubernetes:exec-words", "any words come back from the URL as they were given", () => {
    const word = fc
      .string({ unit: "grapheme", maxLength: 200 })
      .filter((text) => !/[^\P{C}\t\n]|\p{Zl}|\p{Zp}|\p{DI}/u.test(text));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 32 }), (command) => {
        fc.pre(command[0] !== "");
        const { exec, path } = execWire("https://cluster.test:6443/prefix", { ...running(), command });
        expect(exec.command).toEqual(command);
        expect(
          path.startsWith(
            "/prefix/api/v1/namespaces/shop/pods/web-1/exec?container=web&stdout=true&stderr=true&command=",
          ),
        ).toBe(true);
        expect(path).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });

  promise(
    "kubernetes:exec-words",
    "a name, a container or a word that could be something else opens no connection",
    async () => {
      const { url, sockets } = await serveExec(fine);
      const client = clientOf(url, trusted);
      const tricks = [
        "../secrets/db#",
        "web%2f1",
        "web?command=id",
        "web&command=id",
        "web\0",
        "",
        "x".repeat(10_000),
        "wеb",
        "\u202eweb",
      ];
      for (const trick of tricks)
        for (const more of [{ name: trick }, { namespace: trick }, { container: trick }])
          expect([trick, await faultFrom(client.exec(running(more)))]).toMatchObject([
            trick,
            { code: "invalid_input" },
          ]);
      for (const command of [
        [],
        [""],
        ["ls", "a\0b"],
        ["ls", "\u202e"],
        ["ls", "\ud800"],
        ["x".repeat(1025)],
        ["ls", "\u200b"],
        Array.from({ length: 33 }, () => "a"),
      ]) {
        const found = await faultFrom(client.exec(running({ command })));
        expect([command, found]).toMatchObject([command, { code: "invalid_input", effect: "none" }]);
        expect(JSON.stringify(found).includes("x".repeat(50))).toBe(false);
      }
      expect(sockets).toEqual([]);
    },
  );

  promise(
    "kubernetes:guard-sees-sent",
    "the guard can refuse a command, and no ordinary request opens one",
    async () => {
      const { url, sockets } = await serveExec(fine);
      const client = clientOf(url, trusted);
      const guard = (): never => {
        throw new Faulted(fault("internal", {}, "undeclared"));
      };
      expect(await faultFrom(client.exec(running({ guard })))).toMatchObject({ cause: "undeclared" });
      for (const subresource of ["exec", "attach", "portforward", "proxy"])
        for (const verb of ["get", "create"] as const)
          expect(await faultFrom(client.request(asking({ resource: "pods", verb, subresource })))).toMatchObject({
            code: "internal",
            effect: "none",
          });
      expect(sockets).toEqual([]);
    },
  );

  promise(
    "kubernetes:tls",
    "a command goes to the server of the connection's CA, as the connection's own client",
    async () => {
      const { url, asked, clients } = await serveExec(fine);
      const wrong = await faultFrom(clientOf(url, { tls: { ca: otherCa, insecure: false } }).exec(running()));
      expect(wrong).toMatchObject({ code: "cluster_unavailable", detail: { why: "certificate" }, effect: "none" });
      const misnamed = await faultFrom(
        clientOf(url, { tls: { ca, serverName: "other.test", insecure: false } }).exec(running()),
      );
      expect(misnamed).toMatchObject({ code: "cluster_unavailable", detail: { why: "certificate" } });
      expect(asked).toEqual([]);
      const tls = { ca, cert: clientCert, key: clientKey, serverName: "api.test", insecure: false };
      expect(await clientOf(url, { tls }).exec(running({ authorization: null }))).toEqual(ran);
      expect([clients.at(-1), asked[0]?.headers.authorization]).toEqual(["client", undefined]);
    },
  );

  promise("credentials:certificate", "a token never travels beside the connection's own certificate", async () => {
    const { url, asked, clients } = await serveExec(fine);
    const connection = {
      cluster: "test",
      server: url,
      tls: { ca, cert: clientCert, key: clientKey, insecure: false },
      proxy: null,
      authorization: () => Promise.resolve(null),
      namespace: "default",
    };
    const client = openSeparated(connection, (one) => openClient(one, { version: "1.2.3" }));
    await client.exec(running());
    await client.exec(running({ authorization: null }));
    await client.close();
    expect([clients, asked.map((one) => one.headers.authorization)]).toEqual([
      ["", "client"],
      ["Bearer token-of-a-test", undefined],
    ]);
  });

  promise(
    "kubernetes:proxy",
    "a command goes through the connection's proxy, and one that refuses is asked once",
    async () => {
      const { url, asked } = await serveExec(fine);
      const open = await tunnel("open");
      expect(await clientOf(url, { ...trusted, proxy: open.url }).exec(running())).toEqual(ran);
      expect([open.asked, open.passed().includes("token-of-a-test")]).toEqual([[url.slice("https://".length)], false]);
      for (const way of ["hangs up", "refuses"] as const) {
        const shut = await tunnel(way);
        const found = await faultFrom(clientOf(url, { ...trusted, proxy: shut.url }).exec(running()));
        expect([way, found, shut.asked.length]).toMatchObject([
          way,
          { code: "cluster_unavailable", detail: { why: "proxy" }, effect: "none" },
          1,
        ]);
      }
      expect(asked).toHaveLength(1);
    },
  );
});

describe("how a command ends", () => {
  promise("kubernetes:exec-exit", "zero, a code, a code that nobody tells", async () => {
    const ends = [
      [success, 0],
      [exited(3), 3],
      [exited(137), 137],
      [broke("exit status 1"), null],
    ] as const;
    for (const [status, code] of ends) {
      const { url } = await serveExec(
        talk((socket) => {
          say(socket, 1, "");
          say(socket, 3, status);
          socket.close(1000);
        }),
      );
      expect(await clientOf(url, trusted).exec(running())).toEqual({
        stdout: "",
        stderr: "",
        end: { kind: "exited", code },
      });
    }
  });

  promise("kubernetes:exec-exit", "why it could not be run, in our words", async () => {
    const failing = (message: string, output = ""): Play =>
      talk((socket) => {
        if (output !== "") say(socket, 1, output);
        say(socket, 3, broke(message));
        socket.close(1000);
      });
    const failed = (why: string | undefined, effect: string) => ({
      code: "exec_failed",
      detail: { name: "web-1", ...(why === undefined ? {} : { why }) },
      effect,
    });
    expect(await faultOf(failing('unable to upgrade connection: container not found ("web")'))).toEqual(
      failed("container", "none"),
    );
    expect(
      await faultOf(
        failing('error executing command in container: exec: "lss": executable file not found in $PATH: unknown'),
      ),
    ).toEqual(failed("program", "none"));
    expect(
      await faultOf(failing("error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused")),
    ).toEqual(failed("node", "none"));
    expect(await faultOf(failing("something of the runtime's"))).toEqual(failed(undefined, "unknown"));
    expect(await faultOf(failing("container not found", "it had begun\n"))).toEqual(failed("container", "unknown"));
  });

  promise("kubernetes:exec-exit", "a refusal of the connection is told like that of any request", async () => {
    const refusing = (code: number, body: object): Play =>
      write((raw) => {
        const text = JSON.stringify({ kind: "Status", status: "Failure", code, ...body });
        raw.end(
          `HTTP/1.1 ${code} No\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        );
      });
    const pod = { name: "web-1", kind: "pods" };
    expect(await faultOf(refusing(403, { reason: "Forbidden", message: "no" }))).toEqual({
      code: "cluster_denied",
      detail: { verb: "create", kind: "pods/exec", namespace: "shop", name: "web-1" },
      effect: "none",
    });
    expect(await faultOf(refusing(404, { reason: "NotFound", message: "no", details: pod }))).toEqual({
      code: "not_found",
      detail: { kind: "pods", namespace: "shop", name: "web-1" },
      effect: "none",
    });
    expect(
      await faultOf(refusing(400, { reason: "BadRequest", message: "container web is not valid for pod web-1" })),
    ).toMatchObject({ code: "invalid_input", detail: { problems: [{ path: "container" }] }, effect: "none" });
    expect(
      await faultOf(refusing(400, { reason: "BadRequest", message: "pod web-1 does not have a host assigned" })),
    ).toEqual({ code: "exec_failed", detail: { name: "web-1" }, effect: "none" });
    expect(await faultOf(refusing(401, { reason: "Unauthorized", message: "no" }))).toMatchObject({
      code: "credential_unavailable",
    });
    expect(await faultOf(refusing(500, { reason: "InternalError", message: "no" }))).toMatchObject({
      code: "cluster_unavailable",
      effect: "unknown",
    });
    expect(
      await faultOf(write((raw) => raw.end("HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\n\r\n"))),
    ).toMatchObject({
      code: "cluster_unavailable",
      detail: { why: "status", status: 302 },
    });
  });

  promise("kubernetes:exec-exit", "a server of another protocol is named as one", async () => {
    for (const protocol of ["v4.channel.k8s.io", false] as const) {
      const { url } = await serveExec(fine, { protocol });
      expect(await faultFrom(clientOf(url, trusted).exec(running()))).toMatchObject({
        code: "exec_failed",
        detail: { why: "protocol" },
        effect: "unknown",
      });
    }
  });

  promise(
    "kubernetes:exec-bounded",
    "output beyond its bytes is cut, told, and its connection closed at once",
    async () => {
      const stage = await serveExec(
        talk((socket) => {
          const flood = (): void => {
            if (socket.readyState !== socket.OPEN) return;
            say(socket, 1, Buffer.alloc(8_000, "a"));
            say(socket, 2, Buffer.alloc(8_000, "b"));
            setImmediate(flood);
          };
          flood();
        }),
      );
      const { url, closed, open } = stage;
      const closing = closed();
      const answer = await clientOf(url, trusted).exec(running({ maxBytes: 65_536 }));
      expect(answer.end).toEqual({ kind: "cut", by: "bytes" });
      expect(answer.stdout.length + answer.stderr.length).toBe(65_536);
      await closing;
      expect(open()).toBe(0);
    },
  );

  promise(
    "kubernetes:exec-bounded",
    "a command that goes on beyond its time keeps what it wrote, and its connection is closed",
    async () => {
      const { url, closed, open } = await serveExec(talk((socket) => say(socket, 1, "so far\n")));
      const closing = closed();
      const answer = await clientOf(url, trusted).exec(running({ timeout: 2000 }));
      expect(answer).toEqual({ stdout: "so far\n", stderr: "", end: { kind: "cut", by: "time" } });
      await closing;
      expect(open()).toBe(0);
    },
  );

  promise("kubernetes:exec-bounded", "a server that never answers the handshake", async () => {
    expect(
      await faultOf(
        write(() => undefined),
        { timeout: 2000 },
      ),
    ).toMatchObject({
      code: "deadline_exceeded",
      detail: { why: "late" },
      effect: "unknown",
    });
  });

  promise("kubernetes:effect-known", "whatever breaks the conversation leaves its effect unknown", async () => {
    const cut = { code: "deadline_exceeded", detail: { why: "cut" }, effect: "unknown" };
    const breaks: Record<string, Play> = {
      "the server dies": talk((socket, raw) => {
        say(socket, 1, "begun\n");
        setTimeout(() => raw.destroy(), 30);
      }),
      "it closes without a word": talk((socket) => socket.close(1000)),
      "half a frame": talk((socket, raw) => {
        raw.write(Buffer.from([0x82, 0x7e, 0x10, 0x00, 0x01, 0x61]));
        raw.end();
      }),
      "a message of text": talk((socket) => socket.send("1hello")),
      "a message of nothing": talk((socket) => socket.send(Buffer.alloc(0))),
      "a channel that there is not": talk((socket) => socket.send(Buffer.from([9, 1, 2]))),
      "a message beyond all bounds": talk((socket) => socket.send(Buffer.alloc(2 * 1024 * 1024, 1))),
      "no frame at all": talk((_, raw) => raw.write("HTTP/1.1 200 OK\r\n\r\n")),
      "a handshake that does not fit": write((raw) =>
        raw.write(
          "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: x\r\n\r\n",
        ),
      ),
      "no HTTP": write((raw) => raw.end("what?\r\n\r\n")),
      "a connection that drops": write((raw) => raw.destroy()),
    };
    for (const [name, play] of Object.entries(breaks)) expect([name, await faultOf(play)]).toEqual([name, cut]);
    const garbled = talk((socket) => {
      say(socket, 3, "no Status");
      socket.close(1000);
    });
    expect(await faultOf(garbled)).toEqual(cut);
  });

  promise(
    "kubernetes:abort-to-the-socket",
    "an abort closes the socket at once, wherever the command stands",
    async () => {
      const plays: Record<string, Play> = {
        "it runs": talk((socket) => say(socket, 1, "on\n")),
        "no handshake yet": write(() => undefined),
      };
      for (const [name, play] of Object.entries(plays)) {
        const stage = await serveExec(play);
        const leaving = new AbortController();
        const call = clientOf(stage.url, trusted).exec(running({ signal: leaving.signal, timeout: 60_000 }));
        await expect.poll(() => stage.asked.length, { timeout: 60_000 }).toBe(1);
        const closing = stage.closed();
        leaving.abort();
        expect([name, await faultFrom(call)]).toMatchObject([name, { code: "cancelled", effect: "unknown" }]);
        await closing;
        expect(stage.open()).toBe(0);
      }
      const gone = AbortSignal.abort();
      const { url, sockets } = await serveExec(fine);
      expect(await faultFrom(clientOf(url, trusted).exec(running({ signal: gone })))).toMatchObject({
        code: "cancelled",
        effect: "none",
      });
      expect(sockets).toEqual([]);
    },
  );

  promise("kubernetes:effect-known", "nothing was sent where nothing listens", async () => {
    expect(await faultFrom(clientOf("https://127.0.0.1:1", trusted).exec(running()))).toMatchObject({
      code: "cluster_unavailable",
      detail: { why: "refused" },
      effect: "none",
    });
  });
});

const sentExec = {
  verb: "get",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "exec",
  namespace: "shop",
  name: "web-1",
  pinned: "",
  dryRun: false,
} as const;
