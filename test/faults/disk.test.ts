// A disk that fills up or fails under a running gateway: what was let in is finished on record, nothing new begins.

import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { textAt } from "../../src/domain/json.ts";
import { disklessFor, failingDisk, hangingDisk, smallDisk } from "../support/disks.ts";
import { promise } from "../support/promise.ts";
import type { Passing } from "../support/proxy.ts";
import {
  entriesOf,
  eventually,
  expectVerifies,
  heading,
  listing,
  moments,
  openShop,
  scaling,
  told,
  untouched,
  type Shop,
} from "./shop.ts";

const notRecorded = [
  "ERROR transcript_unavailable: The call can't be recorded, so it may not run. Nothing was run.",
  "refused transcript_unavailable none later",
];

/** Does something as a request passes by, once. */
function when(shop: Shop, is: (one: Passing) => boolean, act: () => void): void {
  let done = false;
  shop.wire.rule = (passing) => {
    if (!done && is(passing)) {
      done = true;
      act();
    }
    return { kind: "pass" };
  };
}

/** The gateway is itself again once a call goes through. */
async function recovered({ world }: Shop): Promise<void> {
  await eventually(async () => (await world.call("objects_list", listing)).isError).toBe(false);
}

const kindsOf = async ({ world }: Shop): Promise<string[]> =>
  (await world.entries()).map((entry) => textAt(entry, "kind")).filter((kind) => kind.startsWith("audit."));

describe("a disk that is full", () => {
  let shop: Shop;
  let capacity = Infinity;
  const disk = smallDisk(() => capacity);
  beforeAll(async () => {
    shop = await openShop({ outside: { disk } });
  });
  afterEach(() => {
    capacity = Infinity;
  });
  afterAll(async () => {
    await shop?.stop();
  });

  promise("faults:full-disk", "a call that was let in runs to its recorded end, and the next is refused", async () => {
    when(shop, moments.write, () => (capacity = disk.used()));
    const let_in = await shop.world.call("workloads_scale", scaling("shop-dev", 2));
    expect(heading(let_in)).toEqual(["DONE workloads_scale Deployment shop-dev/api", "completed  applied "]);
    expect(await entriesOf(shop.world, let_in.facts["call"])).toContain("call.settled completed applied");

    expect(heading(await shop.world.call("objects_list", listing))).toEqual(notRecorded);
    expect(heading(await shop.world.call("workloads_scale", scaling("shop-dev", 3)))).toEqual(notRecorded);
    expect(heading(await shop.world.call("workloads_scale", scaling("shop-prod", 4)))).toEqual(notRecorded);
    expect(await shop.standing()).toEqual({ ...untouched, dev: 2 });
  });

  promise(
    "faults:full-disk",
    "a person can't approve what can't be recorded, and the request still waits",
    async () => {
      await recovered(shop);
      const asked = await shop.world.call("workloads_scale", scaling("shop-prod", 4));
      const id = textAt(asked.facts, "approval");
      capacity = disk.used();
      const approved = await shop.world.sallyport(["approvals", "approve", id, "--yes"], "approver");
      expect({ code: approved.code, err: approved.err }).toEqual({
        code: 1,
        err: "The gateway refused: transcript_unavailable.",
      });
      expect(await shop.standing()).toEqual({ ...untouched, dev: 2 });

      capacity = Infinity;
      await recovered(shop);
      await shop.world.approve();
      expect(heading(await shop.world.call("approval_wait", { id }))[0]).toBe(
        "DONE workloads_scale Deployment shop-prod/api",
      );
      expect(await shop.standing()).toEqual({ dev: 2, prod: 4, leftovers: [] });
    },
  );

  promise("faults:verifies", "with room again all goes on, the record says how it was, and it verifies", async () => {
    await recovered(shop);
    const count = async (kind: string): Promise<number> => (await kindsOf(shop)).filter((one) => one === kind).length;
    const degraded = await count("audit.degraded");
    expect(degraded).toBeGreaterThan(1);
    await eventually(() => count("audit.recovered")).toBe(degraded);
    await expectVerifies(shop.world);
  });
});

describe("a disk that fails", () => {
  let shop: Shop;
  let failing = "";
  beforeAll(async () => {
    shop = await openShop({ outside: { disk: failingDisk(() => failing) } });
  });
  afterEach(() => {
    failing = "";
  });
  afterAll(async () => {
    await shop?.stop();
  });

  promise("faults:failing-disk", "before the credential: nothing is made and nothing runs", async () => {
    for (const code of ["EIO", "EROFS"]) {
      failing = code;
      shop.wire.passed.length = 0;
      expect(heading(await shop.world.call("objects_list", listing))).toEqual(notRecorded);
      expect(heading(await shop.world.call("workloads_scale", scaling("shop-dev", 3)))).toEqual(notRecorded);
      expect(shop.wire.passed.filter((one) => one.method === "POST" && one.url.includes("sallyport-sessions"))).toEqual(
        [],
      );
      failing = "";
      await recovered(shop);
    }
    expect(await shop.standing()).toEqual(untouched);
  });

  promise("faults:failing-disk", "between credential and write: it is taken back, and nothing is written", async () => {
    when(
      shop,
      (one) => one.url.includes("selfsubjectaccessreviews"),
      () => (failing = "EIO"),
    );
    const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 3));
    expect(heading(answer)).toEqual([
      "ERROR transcript_unavailable: The call can't be recorded, so it may not run.",
      "failed transcript_unavailable none later",
    ]);
    expect(await shop.standing()).toEqual(untouched);
  });

  promise(
    "faults:failing-disk",
    "after the write: it is told as done, its output is withheld, its end is marked unknown",
    async () => {
      await recovered(shop);
      when(shop, moments.write, () => (failing = "EIO"));
      const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 3));
      expect(told(answer)).toEqual([
        "ERROR transcript_unavailable: The call was run, but its end can't be recorded, so its output is withheld.",
        "next: do not repeat it, it was done; read the object to see how it is now.",
        "call - effect applied - retry later",
        "failed transcript_unavailable applied later",
      ]);
      expect(await shop.standing()).toEqual({ ...untouched, dev: 3 });
      failing = "";
      await recovered(shop);
      expect((await entriesOf(shop.world, answer.facts["call"])).at(-1)).toBe("call.unknown");
    },
  );

  promise(
    "faults:failing-disk",
    "approvals that can't be written: nobody is asked, and the call is refused",
    async () => {
      const [here, away] = [join(shop.world.folder, "approvals"), join(shop.world.folder, "away")];
      await rename(here, away);
      await mkdir(here);
      const answer = await shop.world.call("workloads_scale", scaling("shop-prod", 4));
      await rm(here, { recursive: true });
      await rename(away, here);
      expect(heading(answer)).toEqual([
        "ERROR internal: Something broke inside the gateway. Nothing was run.",
        "refused internal none never",
      ]);
      expect((await entriesOf(shop.world, answer.facts["call"])).at(-1)).toBe("call.settled refused internal none");
      expect((await shop.world.sallyport(["approvals", "list"], "approver")).out).toBe(
        "Nothing waits for an answer.\n",
      );
    },
  );

  promise("faults:verifies", "afterwards the transcript verifies and nothing of a grant is left", async () => {
    await recovered(shop);
    expect(await shop.standing()).toEqual({ ...untouched, dev: 3 });
    await expectVerifies(shop.world);
  });

  promise(
    "faults:failing-disk",
    "a gateway that can't write its end stops all the same, and starts again",
    async () => {
      failing = "EIO";
      await shop.world.restart(async () => {
        failing = "";
      });
      await recovered(shop);
      await expectVerifies(shop.world);
    },
  );
});

describe("a disk that takes entries and nothing of what they refer to", () => {
  let shop: Shop;
  let failing = false;
  beforeAll(async () => {
    shop = await openShop({ outside: { disk: disklessFor("bodies", () => failing) } });
  });
  afterAll(async () => {
    await shop?.stop();
  });

  promise("faults:failing-disk", "a call whose arguments can't be kept is refused, and received once", async () => {
    const long = "a line of a long text\n".repeat(1000);
    const manifest = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "long", namespace: "shop-dev" },
      data: { long },
    });
    failing = true;
    const answer = await shop.world.call("manifests_apply", { manifest, reason: "a test of long arguments" });
    failing = false;
    expect(heading(answer)).toEqual(notRecorded);
    await recovered(shop);
    expect(await entriesOf(shop.world, answer.facts["call"])).toEqual([
      "call.received",
      "call.decided deny transcript_unavailable",
      "call.settled refused transcript_unavailable none",
    ]);
    expect(await shop.standing()).toEqual(untouched);
    await expectVerifies(shop.world);
  });
});

describe("a disk that does not answer", () => {
  let shop: Shop;
  let [over, answer] = [Promise.resolve(), (): void => undefined];
  let writes = 0;
  const disk = hangingDisk(() => {
    writes++;
    return over;
  });
  beforeAll(async () => {
    shop = await openShop({ outside: { disk } });
  });
  afterAll(async () => {
    answer();
    await shop?.stop();
  });

  promise(
    "faults:hanging-disk",
    "nobody waits behind its write, nothing runs meanwhile, and what was in it ends once it answers",
    async () => {
      await recovered(shop);
      over = new Promise((resolve) => (answer = resolve));
      const before = writes;
      const first = shop.world.call("workloads_scale", scaling("shop-dev", 3));
      await eventually(() => writes).toBe(before + 1);
      expect(heading(await shop.world.call("objects_list", listing))).toEqual(notRecorded);
      expect(heading(await shop.world.call("workloads_scale", scaling("shop-dev", 4)))).toEqual(notRecorded);
      expect(await shop.standing()).toEqual(untouched);
      answer();
      expect(heading(await first)).toEqual(["DONE workloads_scale Deployment shop-dev/api", "completed  applied "]);
      await recovered(shop);
      expect(await shop.standing()).toEqual({ ...untouched, dev: 3 });
      await eventually(async () => (await kindsOf(shop)).slice(-2)).toEqual(["audit.degraded", "audit.recovered"]);
      await expectVerifies(shop.world);
    },
  );
});
