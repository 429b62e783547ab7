// The quick reader of lines: whatever it takes, the thorough one takes, and reads alike.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import { canonical, isCanonical } from "../../../src/transcript/canonical.ts";
import { entryText, isMalformed, readEntry, type Entry } from "../../../src/transcript/entry.ts";
import { openScanner } from "../../../src/transcript/scan.ts";
import { promise } from "../../support/promise.ts";
import { digest } from "./support.ts";

const model: Entry = {
  v: 1,
  kind: "call.received",
  ts: "2026-03-01T10:00:00.000Z",
  sid: "ses_1",
  sseq: 3,
  sprev: digest("a"),
  call: "call_1",
  principal: { iss: "https://id.example", sub: "ada", act: [{ iss: "i", sub: "bot" }] },
  client: "editor",
  gateway: { id: "g", version: "1", config: digest("c"), policy: digest("b") },
  details: { tool: "x", list: [1, -2, true, false, null, {}], nested: { a: 0, "a b": [] } },
};

/** What the quick reader makes of a line that stands between others. */
function scanned(scan: ReturnType<typeof openScanner>, line: string): Entry | null {
  const buffer = Buffer.from(`before\n${line}\nafter`);
  return scan(buffer, 7, buffer.length - 6);
}

function thorough(line: string): Entry | null {
  const entry = readEntry(line);
  return isMalformed(entry) || !isCanonical(line, entry) ? null : entry;
}

promise("transcript:verify", "the quick reader takes plain lines, and reads them as the thorough one does", () => {
  const scan = openScanner();
  const plainText = fc.string({ unit: fc.constantFrom(...Array.from("ab {}[]:,019-_/")), maxLength: 8 });
  const plain = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      plainText,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(plainText, tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  const fields = {
    call: fc.constantFrom(null, "call_2"),
    sid: fc.constantFrom(null, "ses_9"),
    client: plainText,
    sub: plainText,
    details: fc.dictionary(plainText, plain),
  };
  fc.assert(
    fc.property(fc.record(fields), ({ call, sid, client, sub, details }) => {
      const entry: Entry = {
        ...model,
        call,
        sid,
        client,
        principal: { iss: "i", sub, act: [] },
        details: details as JsonObject,
      };
      const line = entryText(entry);
      expect(scanned(scan, line)).toEqual(JSON.parse(line));
    }),
  );
});

promise("transcript:verify", "the quick reader never takes what the thorough one does not", () => {
  const scan = openScanner();
  const line = entryText(model);
  const strange = fc.oneof(
    fc.constantFrom(
      "",
      " ",
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "-",
      "0",
      "1e3",
      "1.5",
      "-0",
      "00",
      "null",
      "true",
      "tru",
      "\u0000",
      "\n",
      "é",
      "\ud83d\ude00",
      '"x":1,',
      '"call":null,',
      "9007199254740993",
      "1234567890123456",
    ),
    fc.string({ maxLength: 3 }),
  );
  const edit = fc.record({ at: fc.nat(line.length), cut: fc.nat(4), put: strange });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let changed = line;
      for (const { at, cut, put } of edits) changed = changed.slice(0, at) + put + changed.slice(at + cut);
      const quick = scanned(scan, changed);
      if (quick !== null) expect(quick).toEqual(thorough(changed));
    }),
    { numRuns: 3000 },
  );
  const cases = [
    canonical({ ...model, extra: 1 }),
    canonical({ ...model, v: 2 }),
    canonical({ ...model, sid: 5 }),
    canonical({ ...model, sid: "" }),
    canonical({ ...model, call: {} }),
    canonical({ ...model, kind: "call.unheard" }),
    canonical({ ...model, principal: { iss: "i" } }),
    canonical({ ...model, gateway: [] }),
    canonical({ ...model, details: [] }),
    canonical({ ...model, sseq: -1 }),
    line.replace('"a":0,"a b":[]', '"a b":[],"a":0'),
    line.replace('"a":0,"a b":[]', '"a":0,"a":0'),
    line.replace("[1,", "[01,"),
    line.replace("[1,", "[1.0,"),
    line.replace("-2", "-0"),
    line.replace("{}", `${"[".repeat(80)}${"]".repeat(80)}`),
    `${line} `,
    line.slice(0, -1),
    `${line}}`,
  ];
  for (const one of cases) {
    const quick = scanned(scan, one);
    expect([one, quick === null || JSON.stringify(quick) === JSON.stringify(thorough(one))]).toEqual([one, true]);
  }
});
