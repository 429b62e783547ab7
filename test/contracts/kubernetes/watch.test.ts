// A watch of one object against a real server on loopback: the newest state, storms, and every way in which it ends.

import { describe, expect } from "vitest";
import type { ServerResponse } from "node:http";
import { Faulted } from "../../../src/domain/fault.ts";
import { textAt } from "../../../src/domain/json.ts";
import type { KubeRequest } from "../../../src/kubernetes/contract.ts";
import { watchObject, type WatchNews } from "../../../src/kubernetes/watch.ts";
import { promise } from "../../support/promise.ts";
import { answers, asking, clientOf, faultFrom, serve, type Play } from "./server.ts";

/** One event as Kubernetes writes it. */
const event = (type: string, version: number, more: object = {}): string =>
  `${JSON.stringify({ type, object: { kind: "ConfigMap", metadata: { name: "settings", resourceVersion: String(version) }, ...more } })}\n`;

/** Sends these pieces and then does as it is told. */
const streams =
  (pieces: readonly string[], then: (response: ServerResponse) => void = () => undefined): Play =>
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    for (const piece of pieces) response.write(piece);
    then(response);
  };
const over = (response: ServerResponse): void => void response.end();

function watching(url: string, more: Partial<KubeRequest> = {}, milliseconds = 5_000) {
  return watchObject(clientOf(url), asking({ verb: "watch", ...more }), { resourceVersion: "7", milliseconds });
}
/** `state 8`, one for each that was given, until the watch is over. */
async function given(news: AsyncIterable<WatchNews>): Promise<string[]> {
  const told: string[] = [];
  for await (const one of news)
    told.push(one.kind === "expired" ? one.kind : `${one.kind} ${textAt(one.object, "metadata", "resourceVersion")}`);
  return told;
}

describe("what is given", () => {
  promise(
    "kubernetes:watch-newest",
    "one object by its name, from the known state on, with bookmarks that say nothing",
    async () => {
      const { url, seen } = await serve(streams([event("BOOKMARK", 9)], over));
      expect(await given(watching(url))).toEqual([]);
      const [path = "", query = ""] = (seen[0]?.url ?? "").split("?");
      expect([path, Object.fromEntries(new URLSearchParams(query))]).toEqual([
        "/api/v1/namespaces/shop/configmaps",
        {
          watch: "true",
          fieldSelector: "metadata.name=settings",
          resourceVersion: "7",
          allowWatchBookmarks: "true",
          timeoutSeconds: "5",
        },
      ]);
    },
  );

  promise(
    "kubernetes:watch-newest",
    "each state once, wherever the server cuts its pieces, and a deletion as one",
    async () => {
      const whole = event("MODIFIED", 8) + event("DELETED", 9);
      for (let cut = 0; cut <= whole.length; cut += 7) {
        const { url } = await serve((_, response) => {
          response.writeHead(200);
          response.write(whole.slice(0, cut));
          setTimeout(() => response.end(whole.slice(cut)), 2);
        });
        const told = await given(watching(url));
        expect([cut, told.at(-1)]).toEqual([cut, "deleted 9"]);
      }
    },
  );

  promise("kubernetes:watch-newest", "of a storm only the newest is read when somebody looks", async () => {
    const storm = Array.from({ length: 20_000 }, (_, index) => event("MODIFIED", 100 + index));
    const { url } = await serve(streams(storm, over));
    const told: number[] = [];
    for await (const one of watching(url, {}, 60_000)) {
      if (one.kind === "state") told.push(Number(textAt(one.object, "metadata", "resourceVersion")));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([told.at(-1), told.toSorted((a, b) => a - b), new Set(told).size]).toEqual([20_099, told, told.length]);
    expect(told.length).toBeLessThan(2_000);
  });

  promise("kubernetes:watch-newest", "a watch beyond its bytes ends, and an event beyond them is refused", async () => {
    const large = event("MODIFIED", 8, { data: { text: "x".repeat(1024 * 1024) } });
    const { url, sockets } = await serve((_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(large));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    expect((await given(watching(url, {}, 30_000))).length).toBeGreaterThan(0);
    await expect.poll(() => sockets[0]?.destroyed, { timeout: 60_000 }).toBe(true);
    const { url: other } = await serve(streams(["x".repeat(5 * 1024 * 1024)]));
    expect(await faultFrom(given(watching(other)))).toMatchObject({
      code: "cluster_unavailable",
      detail: { why: "answer" },
    });
  });
});

describe("how it ends", () => {
  const expired = {
    kind: "Status",
    status: "Failure",
    reason: "Expired",
    message: "too old resource version: 7 (99)",
    code: 410,
  };

  promise("kubernetes:watch-ends", "expired, as an event and as an answer", async () => {
    const asEvent = await serve(streams([`${JSON.stringify({ type: "ERROR", object: expired })}\n`], over));
    const asAnswer = await serve(answers(expired, 410));
    expect([await given(watching(asEvent.url)), await given(watching(asAnswer.url))]).toEqual([
      ["expired"],
      ["expired"],
    ]);
  });

  promise(
    "kubernetes:watch-ends",
    "when its time is over, when the server ends it or goes away: a state that came is still given",
    async () => {
      const ways: Record<string, Play> = {
        "its time": streams([event("MODIFIED", 8)]),
        "the server ends it": streams([event("MODIFIED", 8)], over),
        "the server dies": streams([event("MODIFIED", 8)], (response) => setTimeout(() => response.destroy(), 30)),
        "half an event": streams([event("MODIFIED", 8), event("MODIFIED", 9).slice(0, 30)], (response) =>
          setTimeout(() => response.destroy(), 30),
        ),
      };
      for (const [name, play] of Object.entries(ways)) {
        const { url } = await serve(play);
        expect([name, await given(watching(url, {}, 2000))]).toEqual([name, ["state 8"]]);
      }
    },
  );

  promise("kubernetes:watch-ends", "what is no watch is a declared fault", async () => {
    const answer = { code: "cluster_unavailable", detail: { why: "answer" }, effect: "none" };
    const lines = [
      "<html>",
      "{}",
      '{"type":"MODIFIED"}',
      '{"type":"ODD","object":{}}',
      "[1]",
      '{"type":"MODIFIED","object":{"kind":',
      "\u0000\u0001",
    ];
    for (const line of lines) {
      const { url } = await serve(streams([`${line}\n`], over));
      expect([line, await faultFrom(given(watching(url)))]).toMatchObject([line, answer]);
    }
    const error = (code: number, reason: string) => ({
      type: "ERROR",
      object: { kind: "Status", code, reason, message: "of the server" },
    });
    const { url } = await serve(streams([`${JSON.stringify(error(500, "InternalError"))}\n`], over));
    expect(await faultFrom(given(watching(url)))).toMatchObject({ code: "cluster_unavailable", effect: "none" });
    const denied = await serve(answers({ kind: "Status", code: 403, reason: "Forbidden", message: "no" }, 403));
    expect(await faultFrom(given(watching(denied.url)))).toMatchObject({
      code: "cluster_denied",
      detail: { verb: "watch" },
    });
    expect(await faultFrom(given(watching("http://127.0.0.1:1")))).toMatchObject({ code: "cluster_unavailable" });
  });

  promise(
    "kubernetes:abort-to-the-socket",
    "an abort, and leaving the loop, close the watch's socket at once",
    async () => {
      const aborted = await serve(streams([event("MODIFIED", 8)]));
      const leaving = new AbortController();
      const news = watching(aborted.url, { signal: leaving.signal }, 60_000);
      await news.next();
      leaving.abort();
      expect(await faultFrom(news.next().then(() => news.next()))).toMatchObject({ code: "cancelled", effect: "none" });
      await expect.poll(() => aborted.sockets[0]?.destroyed, { timeout: 60_000 }).toBe(true);
      const left = await serve(streams([event("MODIFIED", 8)]));
      for await (const one of watching(left.url, {}, 60_000)) {
        expect(one.kind).toBe("state");
        break;
      }
      await expect.poll(() => left.sockets[0]?.destroyed, { timeout: 60_000 }).toBe(true);
      expect(await thrownBy(watching(left.url, { signal: AbortSignal.abort() }))).toBe("cancelled");
    },
  );
});

async function thrownBy(news: AsyncIterable<WatchNews>): Promise<string> {
  try {
    await given(news);
  } catch (thrown) {
    if (thrown instanceof Faulted) return thrown.fault.code;
    throw thrown;
  }
  return "";
}
