// Streams whose server is not what it seems: frames without end that say nothing, statuses that come early or twice, news of other objects, an upgrade that leads elsewhere.

import { expect } from "vitest";
import { Faulted } from "../../src/domain/fault.ts";
import { watchObject } from "../../src/kubernetes/watch.ts";
import { exited, running, say, serveExec, success, talk, write } from "../contracts/kubernetes/exec-server.ts";
import { ca } from "../contracts/kubernetes/certificates.ts";
import { asking, clientOf, faultFrom, serve } from "../contracts/kubernetes/server.ts";
import { promise } from "../support/promise.ts";

const trusted = { tls: { ca, insecure: false } };

promise("hostile:streams", "frames that hold nothing count, so that no number of them fills the memory", async () => {
  const { url } = await serveExec(
    talk((socket) => {
      const nothing = Buffer.from([1]);
      for (let count = 0; count < 80_000; count++) socket.send(nothing);
      say(socket, 3, success);
      socket.close(1000);
    }),
  );
  const answer = await clientOf(url, trusted).exec(running({ timeout: 60_000 }));
  expect(answer).toEqual({ stdout: "", stderr: "", end: { kind: "cut", by: "bytes" } });
});

promise("hostile:streams", "a status that comes twice is none, one that comes early ends the command", async () => {
  const twice = await serveExec(
    talk((socket) => {
      say(socket, 3, exited(1));
      say(socket, 3, success);
      socket.close(1000);
    }),
  );
  expect(await faultFrom(clientOf(twice.url, trusted).exec(running()))).toMatchObject({ effect: "unknown" });
  const early = await serveExec(
    talk((socket) => {
      say(socket, 3, exited(4));
      say(socket, 1, "afterwards\n");
    }),
  );
  expect(await clientOf(early.url, trusted).exec(running())).toEqual({
    stdout: "afterwards\n",
    stderr: "",
    end: { kind: "exited", code: 4 },
  });
});

promise("hostile:streams", "an upgrade that is answered with another address goes nowhere else", async () => {
  const elsewhere = await serveExec(talk((socket) => socket.close(1000)));
  for (const code of [301, 302, 307, 308]) {
    const { url } = await serveExec(
      write((raw) => raw.end(`HTTP/1.1 ${code} Moved\r\nlocation: ${elsewhere.url}/x\r\ncontent-length: 0\r\n\r\n`)),
    );
    const found = await faultFrom(clientOf(url, trusted).exec(running()));
    expect([elsewhere.asked.length, elsewhere.sockets.length]).toEqual([0, 0]);
    expect(JSON.stringify([found.code, found.detail])).not.toContain(elsewhere.url);
  }
});

promise("hostile:streams", "headers without end break the handshake off", async () => {
  const { url } = await serveExec(
    write((raw) => {
      raw.write("HTTP/1.1 101 Switching Protocols\r\n");
      const flood = (): void => {
        while (!raw.destroyed && raw.write(`x-flood: ${"a".repeat(1_000)}\r\n`));
      };
      raw.on("drain", flood);
      flood();
    }),
  );
  expect(await faultFrom(clientOf(url, trusted).exec(running({ timeout: 60_000 })))).toMatchObject({
    code: expect.stringMatching(/^(deadline_exceeded|cluster_unavailable|exec_failed)$/) as string,
    effect: "unknown",
  });
});

promise("hostile:streams", "news of another object is not taken for news of this one", async () => {
  for (const [type, name, namespace] of [
    ["MODIFIED", "others", "shop"],
    ["DELETED", "others", "shop"],
    ["MODIFIED", "settings", "elsewhere"],
  ]) {
    const event = { type, object: { kind: "ConfigMap", metadata: { name, namespace, resourceVersion: "9" } } };
    const { url } = await serve((_, response) => response.writeHead(200).end(`${JSON.stringify(event)}\n`));
    const told: unknown[] = [];
    const thrown: unknown = await (async () => {
      const news = watchObject(clientOf(url), asking({ verb: "watch" }), { resourceVersion: "7", milliseconds: 5_000 });
      for await (const one of news) told.push(one);
    })().catch((caught: unknown) => caught);
    expect([told, thrown instanceof Faulted ? thrown.fault.code : thrown]).toEqual([[], "cluster_unavailable"]);
  }
});
