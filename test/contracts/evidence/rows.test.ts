// The rows of queries: exactly the entries that they describe, in the period, with the digest of their lines and a fair sample.

import { createHash } from "node:crypto";
import { assert, asyncProperty, integer } from "fast-check";
import { expect } from "vitest";
import { controlsMapping } from "../../../docs/controls-page.ts";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import { collect } from "../../../src/evidence/collect.ts";
import type { Condition } from "../../../src/evidence/mapping.ts";
import { isRow, queryText } from "../../../src/evidence/query.ts";
import { growTree, leafHash } from "../../../src/transcript/tree.ts";
import type { Entry } from "../../../src/transcript/entry.ts";
import { promise } from "../../support/promise.ts";
import { day, dayStart } from "../transcript/day.ts";
import { callId, decided, draft, linesIn, plainRead, received, revoked, settled } from "../transcript/support.ts";
import { march, minute, rowsOf, written } from "./support.ts";

const entry = (details: Entry["details"], over: Partial<Entry> = {}): Entry => ({
  v: 1,
  kind: "call.settled",
  ts: "2026-03-01T10:00:00.000Z",
  sid: null,
  sseq: 0,
  sprev: "",
  call: "call_1",
  principal: { iss: "https://id.example", sub: "ada", act: [{ iss: "https://id.example", sub: "bot" }] },
  client: "editor",
  gateway: { id: "g", version: "1", config: "", policy: "" },
  details,
  ...over,
});

promise("evidence:rows", "each condition, on values, lists and what is not there", () => {
  const asks = (path: string, condition: Condition, one: Entry): boolean =>
    isRow({ kinds: ["call.settled"], where: { [path]: condition } }, one);
  const one = entry({
    code: "denied",
    ok: true,
    bytes: 7,
    none: "",
    empty: [],
    list: ["a", "b"],
    masked: [{ count: 2 }],
  });
  expect({
    equal: [asks("details.code", "denied", one), asks("details.code", "den", one), asks("details.gone", "", one)],
    typed: [asks("details.ok", true, one), asks("details.ok", "true", one), asks("details.bytes", 7, one)],
    oneOf: [asks("details.code", ["denied", "failed"], one), asks("details.code", ["failed"], one)],
    inList: [asks("details.list", "b", one), asks("details.list", "c", one)],
    not: [asks("details.code", { not: "denied" }, one), asks("details.code", { not: ["failed"] }, one)],
    like: [asks("details.code", { like: "d*d" }, one), asks("details.code", { like: "d" }, one)],
    above: [asks("details.masked.count", { above: 1 }, one), asks("details.masked.count", { above: 2 }, one)],
    empty: ["none", "empty", "gone"].map((name) => asks(`details.${name}`, { empty: true }, one)),
    full: ["code", "list", "ok"].map((name) => asks(`details.${name}`, { empty: false }, one)),
    actors: [asks("principal.act.sub", "bot", one), asks("principal.sub", "bot", one)],
    nobody: asks("principal.sub", { empty: true }, entry({}, { principal: null })),
    same: [
      asks("details.by", { same: "principal.sub" }, entry({ by: "ada" })),
      asks("details.by", { same: "principal.sub" }, entry({ by: "eve" })),
    ],
    sameAsNothing: asks("details.by", { same: "details.gone" }, entry({ by: "" })),
    kind: isRow({ kinds: ["call.received"] }, one),
    every: isRow({ kinds: ["*"] }, one),
    either: isRow({ kinds: ["*"], where: [{ "details.code": "x" }, { "details.ok": true }] }, one),
    both: isRow({ kinds: ["*"], where: { "details.code": "denied", "details.ok": false } }, one),
  }).toEqual({
    equal: [true, false, false],
    typed: [true, false, true],
    oneOf: [true, false],
    inList: [true, false],
    not: [false, true],
    like: [true, false],
    above: [true, false],
    empty: [true, true, true],
    full: [true, true, true],
    actors: [true, false],
    nobody: true,
    same: [true, false],
    sameAsNothing: false,
    kind: false,
    every: true,
    either: true,
    both: false,
  });
});

promise("evidence:rows", "an inherited name is no field", () => {
  for (const path of ["constructor", "details.__proto", "details.constructor"])
    expect(isRow({ kinds: ["*"], where: { [path]: { empty: false } } }, entry({}))).toBe(false);
});

promise("evidence:rows", "the digest is the lines', and the text of a query is canonical", async () => {
  const folder = await written(day);
  const lines = await linesIn(folder);
  const queries = {
    decided: { says: "Decisions.", kinds: ["call.decided"] },
    all: { says: "All.", kinds: ["*"] },
    later: { says: "Planned.", kinds: ["call.decided"], planned: true as const },
  };
  const { rows, root, entries, first, newest } = await rowsOf(folder, queries);
  const sha = (kept: readonly string[]): string =>
    createHash("sha256")
      .update(kept.map((line) => `${line}\n`).join(""))
      .digest("hex");
  const decided = lines.filter((line) => line.includes('"kind":"call.decided"'));
  const tree = growTree();
  for (const line of lines) tree.grow(leafHash(Buffer.from(line)));
  expect({ names: Object.keys(rows), decided: rows["decided"]?.digest, all: rows["all"]?.digest, root, first }).toEqual(
    {
      names: ["decided", "all"],
      decided: sha(decided),
      all: sha(lines),
      root: tree.root().toString("hex"),
      first: 0,
    },
  );
  expect([rows["decided"]?.count, rows["all"]?.count, entries]).toEqual([decided.length, lines.length, lines.length]);
  expect(newest).toBe((JSON.parse(lines.at(-1) ?? "") as Entry).ts);
  expect(queryText({ kinds: ["b.b", "a.a"], where: { "details.z": 1, "details.a": { not: "x" } } })).toBe(
    '{"kinds":["b.b","a.a"],"where":{"details.a":{"not":"x"},"details.z":1}}',
  );
});

promise(
  "evidence:rows",
  "of any period, the entries from its beginning until before its end, and the tree as it stood then",
  async () => {
    const folder = await written([1, 2, 3, 4, 5, 6].map((number) => plainRead(callId(number))));
    const lines = await linesIn(folder);
    const all = { says: "All.", kinds: ["*"] };
    const bound = integer({ min: -2, max: 8 }).map((step) => dayStart + step * minute);
    await assert(
      asyncProperty(bound, bound, async (a, b) => {
        const period = { from: Math.min(a, b), to: Math.max(a, b) + 1 };
        const { rows, end, entries } = await rowsOf(folder, { all }, { period });
        const within = lines.flatMap((line, index) => {
          const at = Date.parse((JSON.parse(line) as Entry).ts);
          return at >= period.from && at < period.to ? [index] : [];
        });
        const tree = growTree();
        for (const line of lines.slice(0, (within.at(-1) ?? -1) + 1)) tree.grow(leafHash(Buffer.from(line)));
        const stood = within.length === 0 ? null : { size: tree.size(), root: tree.root().toString("hex") };
        expect({ count: rows["all"]?.count, end, entries }).toEqual({
          count: within.length,
          end: stood,
          entries: within.length,
        });
      }),
      { numRuns: 40 },
    );
  },
);

promise("evidence:rows", "what is written meanwhile does not count", async () => {
  const folder = await written(day);
  const all = { says: "All.", kinds: ["*"] };
  const { rows, root } = await collect(folder, { period: march, queries: { all }, size: 7, seed: "" });
  const tree = growTree();
  for (const line of (await linesIn(folder)).slice(0, 7)) tree.grow(leafHash(Buffer.from(line)));
  expect([rows["all"]?.count, root]).toEqual([7, tree.root().toString("hex")]);
});

promise(
  "evidence:sample",
  "25 of many: the same for the same seed, others for another, all where there are few",
  async () => {
    const folder = await written(Array.from({ length: 100 }, (_, number) => plainRead(callId(number))));
    const queries = { all: { says: "All.", kinds: ["*"] }, few: { says: "Few.", kinds: ["gateway.started"] } };
    const drawn = async (seed: string): Promise<readonly number[]> =>
      (await rowsOf(folder, queries, { seed })).rows["all"]?.sample ?? [];
    const [one, again, other] = [await drawn("ours"), await drawn("ours"), await drawn("theirs")];
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
    expect([one.length, new Set(one).size, one.toSorted((a, b) => a - b)]).toEqual([25, 25, one]);
    const lots = (await linesIn(folder)).map((line, index) => {
      const leaf = leafHash(Buffer.from(line)).toString("hex");
      return { index, lot: createHash("sha256").update(`ours${leaf}`).digest("hex") };
    });
    const least = lots.toSorted((a, b) => (a.lot < b.lot ? -1 : 1)).slice(0, 25);
    expect(one).toEqual(least.map(({ index }) => index).toSorted((a, b) => a - b));
    expect((await rowsOf(folder, queries)).rows["few"]?.sample).toEqual([]);
  },
);

promise(
  "evidence:rows",
  "every query of the mapping finds the entries that it is for, those that nobody hopes for too",
  async () => {
    const call = (number: number): string => callId(20 + number);
    const requester = {
      issuer: "https://id.example",
      subject: "coding-agent",
      groups: [],
      channel: "slack",
      assurance: "chat",
    };
    const common = { approval: "apr_9", approvalDigest: "", cardDigest: "", state: "approved", reason: "" } as const;
    const stranger = { ...(received(call(1)) as EntryDraft & { kind: "call.received" }), principal: null };
    const folder = await written([
      ...day,
      [stranger],
      [decided(call(2), { effect: "execute", errors: ["rule x: no such field"], accesses: ["get secrets shop/db"] })],
      [
        settled(call(2), {
          ambient: true,
          masked: [{ type: "password", count: 1 }],
          body: { bytes: 1, commit: "00", key: "k", seal: "" },
        }),
      ],
      [settled(call(3), { outcome: "failed", code: "output_withheld" })],
      [draft("approval.decided", call(3), { ...common, answer: "approve", approver: requester })],
      [
        draft("approval.requested", call(3), {
          ...common,
          callDigest: "",
          diffDigest: "",
          expires: "",
          requirements: [{ rule: "r", count: 2 }],
        }),
      ],
      [revoked(call(3), "g", false)],
      [draft("audit.degraded", null, { reason: "the clock stepped back" })],
      [draft("key.rotated", null, { from: "a", to: "b" })],
      [draft("clock.checked", null, { source: "shop", offset: 9_000, uncertainty: 510, limit: 5_000, within: false })],
    ]);
    const { queries } = controlsMapping();
    const { rows } = await rowsOf(folder, queries);
    const counts = Object.entries(rows).filter(([, { count }]) => count === 0);
    expect(counts.map(([name]) => name)).toEqual([]);
    const one = [
      "calls-unattributed",
      "approvals-by-requester",
      "changes-without-grant",
      "clock-steps",
      "clock-off",
      "credentials-left",
    ];
    expect(one.map((name) => [name, rows[name]?.count])).toEqual(one.map((name) => [name, 1]));
  },
);
