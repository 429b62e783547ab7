// Profiles that take over while calls run: on record before they count, whole, and for what begins after them alone.

import { describe, expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import { loadProfile } from "../../../src/masking/load.ts";
import type { Profile } from "../../../src/masking/profile.ts";
import { openMaskingInForce, type ProfilesInForce } from "../../../src/wiring/masking-in-force.ts";
import { promise } from "../../support/promise.ts";
import { key } from "./support.ts";

const format = (id: string, more = ""): string =>
  `\n  - {id: ${id}, keywords: [${id}_], body: a-z, min: 12, max: 12, source: ours, positives: [${id}_abcdefghijkl]${more}}`;
const profileOf = (text: string): Profile => {
  const loaded = loadProfile(`version: 1\n${text}`);
  if (loaded.kind === "refused") throw new Error(loaded.problems.join(" "));
  return loaded.profile;
};
/** The profile `ours` of such a text, in force under a digest. */
function inForce(digest: string, text: string): ProfilesInForce {
  const profile = profileOf(text);
  return { profile, profiles: new Map([["ours", profile]]), digest };
}
const session = { id: "ses_one" as SessionId, door: "stdio" } as const;
const digests = { from: "a".repeat(64), to: "b".repeat(64) };
const both = inForce("1", `personal: [card, ssn]\nformats:${format("acme")}${format("other")}`);

function opened(first: ProfilesInForce) {
  const written: EntryDraft[] = [];
  const disk = { full: false };
  const masking = openMaskingInForce(first, {
    key,
    append: async (drafts) => {
      if (disk.full) throw new Error("no room");
      written.push(...drafts);
    },
  });
  const begun = () => masking.current().forCall(session, {});
  return { masking, begun, disk, told: () => written.map(({ kind, details }) => ({ kind, details })) };
}

const text = "acme_abcdefghijkl other_abcdefghijkl";

describe("masking profiles in force", () => {
  promise(
    "masking:reloads",
    "those who began before keep what they began with, in the midst of a stream too",
    async () => {
      const { masking, begun, told } = opened(inForce("0", ""));
      const [before, stream] = [begun(), begun().stream()];
      const held = masking.current();
      let streamed = stream.push(`${text}\n${text.slice(0, 8)}`);
      expect(await masking.change(both, digests)).toBe(true);
      streamed += stream.push(`${text.slice(8)}\n`) + stream.end();
      expect(streamed).toBe(`${text}\n${text}\n`);
      expect([before.text(text), held.forCall(session, {}).text(text)]).toEqual([text, text]);
      expect(begun().text(text)).toBe("[MASKED:custom] [MASKED:custom]");
      expect(begun().object({ note: text })).toEqual({ note: "[MASKED:custom] [MASKED:custom]" });
      expect(masking.digest()).toBe("1");
      expect(told()).toEqual([
        {
          kind: "config.changed",
          details: {
            ...digests,
            diff: "masking profiles 0 to 1\nours: also hides ssn\nours: has the new format acme\nours: has the new format other",
          },
        },
      ]);
      expect(await masking.change(both, digests)).toBe(false);
      expect(told()).toHaveLength(1);
    },
  );

  promise("masking:reloads", "what can't be put on record does not take over", async () => {
    const { masking, begun, disk, told } = opened(both);
    disk.full = true;
    await expect(masking.change(inForce("2", ""), digests)).rejects.toThrow("no room");
    expect([masking.digest(), begun().text(text)]).toEqual(["1", "[MASKED:custom] [MASKED:custom]"]);
    disk.full = false;
    expect(await masking.change(inForce("2", ""), digests)).toBe(true);
    expect([masking.digest(), begun().text(text)]).toEqual(["2", text]);
    expect(told().map(({ kind }) => kind)).toEqual(["config.changed", "alert.raised"]);
  });

  promise("masking:reloads", "whatever hides less is told by an alert, and what only adds by none", async () => {
    const row = (change: string): string => `formats:\n  - {${change}, source: ours, positives: [acme_abcdefghijkl]}`;
    const shape = "type: custom, keywords: [acme_], body: a-z, min: 10, max: 14";
    const lessAfter = async (after: string, before = row(`id: acme, ${shape}`)): Promise<unknown> => {
      const { masking, told } = opened(inForce("1", before));
      await masking.change(inForce("2", after), digests);
      const alert = told().find(({ kind }) => kind === "alert.raised")?.details;
      return alert === undefined ? "none" : alert;
    };
    const alert = (...less: readonly string[]) => ({
      alert: "masking hides less",
      about: { from: "1", to: "2", less },
    });
    const changed = (from: string, to: string): string => row(`id: acme, ${shape.replace(from, to)}`);
    expect(await lessAfter(changed("min: 10", "min: 12"))).toEqual(
      alert("ours: the format acme takes only longer values"),
    );
    expect(await lessAfter(changed("max: 14", "max: 12"))).toEqual(
      alert("ours: the format acme takes only shorter values"),
    );
    expect(await lessAfter(changed("a-z", "a-l"))).toEqual(alert("ours: the format acme has other characters"));
    expect(await lessAfter(changed("a-z", "a-z0-9"))).toEqual(alert("ours: the format acme has other characters"));
    expect(await lessAfter(row(`id: renamed, ${shape}`))).toEqual(alert("ours: no longer has the format acme"));
    expect(await lessAfter("personal: [ssn]", "personal: [card, email]")).toEqual(
      alert("ours: no longer hides card", "ours: no longer hides email"),
    );
    const two = changed("[acme_]", "[acme_, acme-]");
    expect(await lessAfter(changed("x", "x"), two)).toEqual(alert("ours: the format acme lost keywords"));
    for (const more of [two, changed("min: 10", "min: 6"), changed("max: 14", "max: 20"), changed("custom", "token")])
      expect(await lessAfter(more)).toBe("none");
  });
});
