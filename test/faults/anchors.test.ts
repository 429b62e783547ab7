// Anchors that fail or hang under a running gateway: calls go on, operators hear of it, and the last checkpoint is kept at a stop.

import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { findNotes } from "../../src/transcript/found-notes.ts";
import { readAnchor } from "../../src/transcript/given-anchors.ts";
import { verifyTranscript } from "../../src/transcript/verify.ts";
import { promise } from "../support/promise.ts";
import { valueOf } from "../support/prometheus.ts";
import { freshFolder } from "../support/world.ts";
import { eventually, listing, openShop, scaling, type Shop } from "./shop.ts";

describe("a gateway with one anchor that works, one that is away and one that hangs", () => {
  let shop: Shop;
  let kept = "";
  let hanging: Server;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    const folder = await freshFolder();
    kept = join(folder, "kept");
    hanging = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined).resume();
    });
    await new Promise<void>((ready) => hanging.listen(0, "127.0.0.1", ready));
    const { port } = hanging.address() as AddressInfo;
    shop = await openShop({
      config: `hold: 0
transcript:
  anchors:
    - { kind: file, name: vault, path: ${JSON.stringify(kept)}, every: 10s }
    - { kind: file, name: gone, path: ${JSON.stringify(join(folder, "none", "kept"))} }
    - { kind: syslog, name: stuck, address: "tcp://127.0.0.1:${port}" }`,
    });
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await shop?.stop();
    hanging?.close();
  });

  const receipts = async (): Promise<readonly JsonObject[]> =>
    (await shop.world.entries()).filter((one) => textAt(one, "kind") === "checkpoint.anchored");

  promise("anchor:fails", "calls are answered and changes are made while two of three keep nothing", async () => {
    await eventually(async () => (await receipts()).length > 0).toBe(true);
    expect((await shop.world.call("objects_list", listing)).isError).toBe(false);
    expect((await shop.world.call("workloads_scale", scaling("shop-dev", 2))).isError).toBe(false);
    // What hangs is given up in half a minute, and may be told of too where the machine is that slow.
    await eventually(async () => {
      const alerts = (await shop.world.entries()).filter((one) => textAt(one, "kind") === "alert.raised");
      return alerts.map((one) => [textAt(one, "details", "alert"), textAt(one, "details", "about", "anchor")]);
    }).toEqual([["an anchor fails", "gone"]]);
    await eventually(async () => {
      const { ready, dependencies } = (await (await fetch(new URL("/readyz", shop.world.url))).json()) as {
        ready: boolean;
        dependencies: { name: string; ok: boolean; why?: string }[];
      };
      const seen = dependencies.filter(({ name }) => name.startsWith("anchor"));
      return [ready, ...seen.map(({ name, ok, why }) => `${name} ${ok ? "ok" : (why ?? "")}`)];
    }).toEqual([true, "anchor vault ok", "anchor gone anchor_unavailable", "anchor stuck ok"]);
    const text = await (await fetch(new URL("/metrics", shop.world.url))).text();
    expect(valueOf(text, "sallyport_dependency_up", { dependency: "anchor gone" })).toBe(0);
  });

  promise(
    "anchor:fails",
    "a stop does not wait for what hangs, and the last entry is under what was kept",
    async () => {
      await shop.world.restart(async () => {
        const entries = await shop.world.entries();
        const stopped = entries.findLast((one) => textAt(one, "kind") === "gateway.stopped");
        const sizes = findNotes(await readFile(kept, "utf8")).map(({ note }) => Number(note.split("\n")[1]));
        expect(Math.max(...sizes)).toBeGreaterThan(Number(stopped?.["index"]));
        const anchors = [await readAnchor(kept, {})];
        const { verdicts } = await verifyTranscript(shop.world.folder, { now: Date.now(), anchors });
        expect(verdicts.filter((one) => one.verdict === "failed")).toEqual([]);
        expect(verdicts.find((one) => one.question === "EXTENT")?.verdict).toBe("ok");
      });
      expect((await shop.world.call("objects_list", listing)).isError).toBe(false);
    },
  );
});

describe("a gateway that is asked to anchor now", () => {
  let shop: Shop;
  let kept = "";
  beforeAll(async () => {
    kept = join(await freshFolder(), "kept");
    shop = await openShop({
      config: `hold: 0
transcript: { anchors: [{ kind: file, name: vault, path: ${JSON.stringify(kept)}, every: 7d }] }`,
    });
  });
  afterAll(async () => {
    await shop?.stop();
  });

  promise(
    "anchor:commands",
    "the gateway that runs does it, for its owner and for nobody who is no operator",
    async () => {
      const before = async (): Promise<number> => findNotes(await readFile(kept, "utf8").catch(() => "")).length;
      await eventually(before).toBe(1);
      await shop.world.call("objects_list", listing);
      const done = await shop.world.sallyport(["transcript", "anchor", "--json"], "owner");
      expect([done.code, JSON.parse(done.out)]).toMatchObject([0, [{ name: "vault", behind: 0, trouble: null }]]);
      expect(await before()).toBe(2);
      await shop.world.call("objects_list", listing);
      const refused = await shop.world.sallyport(["transcript", "anchor"], "approver");
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("not that of a person who may")]);
      expect(await before()).toBe(2);
    },
  );
});
