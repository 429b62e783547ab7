// The quick reader of lines: whatever it takes, the thorough one takes, and reads alike.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import { canonical, isCanonical } from "../../../src/transcript/canonical.ts";
import { entryText, isMalformed, readEntry, type Entry } from "../../../src/transcript/entry.ts";
import { openScanner } from "../../../src/transcript/scan.ts";
import { checkFormat } from "../../../src/transcript/verdicts/index.ts";
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

promise(
  "transcript:verify",
  "what JSON readers let pass and RFC 8785 does not is found, also twice and after sound lines",
  () => {
    const line = entryText(model);
    const put = (from: string, to: string): string => {
      expect([from, line.includes(from)]).toEqual([from, true]);
      return line.replace(from, () => to);
    };
    const wrong: readonly string[] = [
      // Names: twice, in another order, one too many, one too few.
      put('"call":"call_1",', '"call":"call_1","call":"call_1",'),
      put('"call":"call_1","client":"editor",', '"client":"editor","call":"call_1",'),
      put('"a":0,"a b":[]', '"a":0,"a":1,"a b":[]'),
      put('"client":"editor",', ""),
      put('"v":1}', '"v":1,"w":1}'),
      put('"act":[', '"act":[],"act":['),
      put('{"config"', '{"config":"","config"'),
      // Numbers: other spellings of the same one, and what is none.
      put('"sseq":3', '"sseq":3.0'),
      put('"sseq":3', '"sseq":03'),
      put('"sseq":3', '"sseq":3e0'),
      put('"sseq":3', '"sseq":-3'),
      put('"sseq":3', '"sseq":"3"'),
      put('"sseq":3', '"sseq":null'),
      put('"sseq":3', '"sseq":9007199254740993'),
      put("[1,", "[1.50,"),
      put("[1,", "[1E2,"),
      put("[1,", "[+1,"),
      put("-2", "-0"),
      put("-2", "NaN"),
      put('"v":1}', '"v":1.0}'),
      // Texts: escapes that are not needed, halves of characters, bytes that are none.
      put('"tool":"x"', '"tool":"\\u0078"'),
      put('"tool":"x"', '"tool":"\\/"'),
      put('"tool":"x"', '"tool":"\\ud800"'),
      put('"tool":"x"', '"tool":"\\ude00\\ud83d"'),
      put('"tool":"x"', '"tool":"\\u00e9"'),
      put('"tool":"x"', '"tool":"\u0001"'),
      put('"tool":"x"', '"tool":"\t"'),
      put('"tool"', '"\\u0074ool"'),
      put('"editor"', '"\\u0065ditor"'),
      // What stands around.
      ` ${line}`,
      `${line} `,
      `${line}\r`,
      `${line}{}`,
      `${line}\u0000`,
      `\ufeff${line}`,
      put('"v":1}', '"v":1,}'),
      put("[1,", "[1, "),
      put(',"ts"', ',\u00a0"ts"'),
      // Values that no entry has.
      put("10:00:00.000Z", "10:00:60.000Z"),
      put("10:00:00.000Z", "10:00:00.000z"),
      put("10:00:00.000Z", "10:60:00.000Z"),
      put("2026-03-01", "2026-13-01"),
      put(digest("a"), digest("A")),
      put(digest("a"), digest("a").slice(1)),
      put(`"sprev":"${digest("a")}"`, '"sprev":""'),
      put('"iss":"https://id.example"', '"iss":null'),
      put(`"config":"${digest("c")}"`, '"config":7'),
      put('"kind":"call.received"', '"kind":"toString"'),
      put('"sid":"ses_1"', '"sid":7'),
    ];
    for (const bad of wrong) {
      const format = checkFormat();
      const read = (text: string): unknown => {
        const bytes = Buffer.concat([Buffer.from("\n"), Buffer.from(text), Buffer.from("\n")]);
        return format.read(bytes, 1, bytes.length - 1, { index: 0, segment: "segments/0", line: 1 });
      };
      for (const text of [line, bad, bad, line]) read(text);
      const verdict = format.verdict();
      expect([bad, verdict.verdict, verdict.places.length]).toEqual([bad, "failed", 2]);
    }
  },
);

promise(
  "transcript:verify",
  "bytes that are no UTF-8, and spellings of one character that are too long, are found",
  () => {
    const line = Buffer.from(entryText({ ...model, client: "é" }));
    const at = line.indexOf(Buffer.from("é"));
    const sound = (bytes: readonly number[]): string => {
      const format = checkFormat();
      const changed = Buffer.concat([
        Buffer.from("\n"),
        line.subarray(0, at),
        Buffer.from(bytes),
        line.subarray(at + 2),
        Buffer.from("\n"),
      ]);
      format.read(changed, 1, changed.length - 1, { index: 0, segment: "segments/0", line: 1 });
      return format.verdict().verdict;
    };
    expect(sound([0xc3, 0xa9])).toBe("ok");
    for (const bytes of [
      [0xc3],
      [0xa9],
      [0xc1, 0xa9],
      [0xe0, 0x83, 0xa9],
      [0xed, 0xa0, 0x80],
      [0xff],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
    ])
      expect([bytes, sound(bytes)]).toEqual([bytes, "failed"]);
  },
);
