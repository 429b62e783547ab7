// The end of a call is on record before anybody waits for a cluster that does not give its credential's objects back.

import { expect } from "vitest";
import type { EntryDraft } from "../../src/domain/entry.ts";
import type { CallRequest } from "../../src/domain/call.ts";
import { textAt } from "../../src/domain/json.ts";
import type { Issued } from "../../src/pipeline.ts";
import { openTakingBack } from "../../src/wiring/taking-back.ts";
import { entriesOf, eventually, expectVerifies, openShop, scaling } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

const request = { id: "call_x", principal: { subject: "ci" }, session: { id: "ses_x" } } as unknown as CallRequest;
const issued = (revoke: Issued["revoke"]): Issued =>
  ({ grant: { id: "g1" }, record: (write: () => Promise<void>) => write(), revoke }) as unknown as Issued;

function taking(patience: number) {
  const entries: unknown[] = [];
  const lost: string[] = [];
  let broken = false;
  const append = async (drafts: readonly EntryDraft[]): Promise<readonly []> => {
    if (broken) throw new Error("no space");
    entries.push(...drafts.map(({ kind, call, details }) => [kind, call, details]));
    return [];
  };
  const made = openTakingBack({
    append,
    patience,
    lost: (thrown, call) => void lost.push(`${call}: ${String(thrown)}`),
  });
  return { made, entries, lost, breakRecord: () => (broken = true) };
}

promise(
  "pipeline:end-before-removal",
  "in time it is told as it came, a fault too, and leaves no entry of its own",
  async () => {
    const { made, entries, lost } = taking(600_000);
    for (const complete of [true, false, null])
      expect(
        await made
          .soon(
            issued(async () => complete),
            request,
          )
          .revoke(),
      ).toBe(complete);
    await expect(
      made
        .soon(
          issued(() => Promise.reject(new Error("a defect"))),
          request,
        )
        .revoke(),
    ).rejects.toThrow("a defect");
    await made.settled();
    expect([entries, lost]).toEqual([[], []]);
  },
);

promise(
  "pipeline:end-before-removal",
  "too late it goes on, and is on record by itself when it has ended",
  async () => {
    const { made, entries, lost, breakRecord } = taking(1);
    const ends = [
      Promise.withResolvers<boolean | null>(),
      Promise.withResolvers<boolean | null>(),
      Promise.withResolvers<boolean | null>(),
    ];
    for (const { promise: end } of ends)
      expect(
        await made
          .soon(
            issued(() => end),
            request,
          )
          .revoke(),
      ).toBe(null);
    let settled = false;
    const all = made.settled().then(() => (settled = true));
    ends[0]?.resolve(true);
    await eventually(() => entries).toEqual([["grant.revoked", "call_x", { grant: "g1", complete: true }]]);
    ends[1]?.reject(new Error("it broke"));
    await eventually(() => lost).toEqual(["call_x: Error: it broke"]);
    expect(settled).toBe(false);
    breakRecord();
    ends[2]?.resolve(false);
    await all;
    expect([entries.length, lost.at(-1)]).toEqual([1, "call_x: Error: no space"]);
  },
);

promise(
  "pipeline:end-before-removal",
  "the change was made and its cluster answers no removal: its caller hears so, the end is on record, the removal follows",
  async () => {
    const shop = await openShop();
    try {
      const looked = Promise.withResolvers<void>();
      shop.wire.rule = (one) =>
        one.method === "DELETE" && one.url.includes("/run-")
          ? { kind: "held", until: looked.promise }
          : { kind: "pass" };
      const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 5));
      expect(answer.text.split("\n")[0]).toBe("DONE workloads_scale Deployment shop-dev/api");
      const entries = (): Promise<string[]> => entriesOf(shop.world, answer.facts["call"]);
      expect((await entries()).at(-1)).toBe("call.settled completed applied");
      looked.resolve();
      await eventually(async () => (await entries()).at(-1)).toBe("grant.revoked");
      const [revoked] = (await shop.world.entries()).filter((entry) => entry["kind"] === "grant.revoked");
      expect([textAt(revoked, "principal", "sub"), (await shop.standing()).leftovers]).toEqual(["agent", []]);
      await expectVerifies(shop.world);
    } finally {
      await shop.stop();
    }
  },
);
