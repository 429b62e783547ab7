// The contract of every channel, as tests: the terminal, Slack and the webhook pass it, and whatever comes after them must.

import { describe, expect } from "vitest";
import type { Channel } from "../../../src/approval/channels/contract.ts";
import { openDesk } from "../../../src/approval/desk.ts";
import { seek } from "../../../src/approval/seek.ts";
import { decideRequest, withdraw } from "../../../src/approval/verdict.ts";
import { keepChannelsUpdated } from "../../../src/approval/announce.ts";
import { promise } from "../../support/promise.ts";
import { minute, multiUser, openStore, request, requirement, start, transcript, voter } from "./fixtures.ts";

export interface OpenedChannel {
  readonly channel: Channel;
  /** `card`: shows all that a person decides by. `notice`: tells whoever is on call that there is something to decide, and no word of it. */
  readonly tells: "card" | "notice";
  /** All that people have been shown, once so many tellings have been. */
  readonly shown: (tellings: number) => Promise<string>;
  /** Its other end goes away. */
  readonly breakDown: () => Promise<void>;
}

export function channelSuite(name: string, open: () => Promise<OpenedChannel>): void {
  async function onDesk() {
    const opened = await open();
    const store = await openStore();
    const { append } = transcript();
    const now = (): number => start + minute;
    await opened.channel.open?.(openDesk({ store, append, mode: multiUser, mask: (text) => text, now }));
    const unreached: string[] = [];
    const stop = keepChannelsUpdated(store, [opened.channel], (failed) =>
      unreached.push(...failed.map((one) => one.why)),
    );
    const close = async (): Promise<void> => {
      stop();
      await opened.channel.close?.();
    };
    return { ...opened, store, append, unreached, close };
  }

  describe(`the ${name} channel`, () => {
    promise("slack:channel", "shows a request and how it ended, with the words of who answered", async () => {
      const { channel, shown, tells, store, append, close, unreached } = await onDesk();
      const { request: kept } = await seek(store, append, [channel], request());
      const first = await shown(1);
      const inside = (words: readonly string[], text: string) => words.filter((one) => text.includes(one));
      const about = ["Deployment shop/api", "prod-1", "group:sre", kept.id.slice(-8), kept.approvalDigest.slice(0, 4)];
      expect(inside(about, first)).toEqual(about);
      // What may be secret, and what the agent or an approver wrote, goes to those alone who sign in for it.
      const private_ = ["spec.replicas", "more load is coming"];
      expect(inside(private_, first)).toEqual(tells === "card" ? private_ : []);
      const ballot = {
        id: kept.id,
        by: voter("kim"),
        answer: "reject",
        reason: "not today",
        tellAgent: false,
        mode: multiUser,
        now: start + minute,
      } as const;
      await decideRequest(store, append, ballot);
      const second = await shown(2);
      expect([second.includes("not today"), tells === "card" || second.includes('"rejected"')]).toEqual([
        tells === "card",
        true,
      ]);
      expect([unreached, channel.standing?.() ?? ""]).toEqual([[], ""]);
      await close();
    });

    promise(
      "slack:channel",
      "takes a second telling of the same request, and news of one that it was never told of",
      async () => {
        const { channel, store, append, close, unreached } = await onDesk();
        const { request: kept } = await seek(
          store,
          append,
          [channel],
          request({ requirements: [requirement({ count: 2 })] }),
        );
        await channel.tell(kept);
        const { request: other } = await seek(store, append, [], request({ call: { digest: "33".repeat(32) } }));
        await withdraw(store, append, other.id, voter("jo"), start + minute);
        expect(unreached).toEqual([]);
        await close();
      },
    );

    promise(
      "slack:channel",
      "waits for nothing outside: with the other end gone it is told, and closed, in no time",
      async () => {
        const { channel, store, append, breakDown, close } = await onDesk();
        await breakDown();
        const sought = await seek(store, append, [channel], request());
        expect(sought.unreached).toEqual([]);
        expect((await store.get(sought.request.id))?.state).toBe("pending");
        // It says so itself, where it has another end.
        if (channel.standing !== undefined)
          await expect.poll(() => channel.standing?.(), { timeout: 60_000 }).toBe("channel_unavailable");
        await close();
      },
    );
  });
}
