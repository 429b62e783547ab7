// Holds and purges under attack: what stays, who may end that, and what verification says of whoever went round it.

import { randomBytes } from "node:crypto";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { destroyKeys, readKeys } from "../../../src/transcript/bodies.ts";
import { coversIn, coversOf, samePerson } from "../../../src/transcript/holds.ts";
import type { Signatory } from "../../../src/transcript/keeping.ts";
import { findEntries, readEntries } from "../../../src/transcript/read.ts";
import type { Transcript, TranscriptOptions } from "../../../src/transcript/record.ts";
import { fileWrapping } from "../../../src/transcript/seal.ts";
import { readHolds } from "../../../src/transcript/signed.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import type { Question } from "../../../src/transcript/verdict.ts";
import { stillOperator } from "../../../src/wiring/still-operator.ts";
import { promise } from "../../support/promise.ts";
import { callId, decided, openIn, quickDisk, received, settled, start, temporaryFolder } from "./support.ts";

const day = 86_400_000;
const random = (count: number): Uint8Array => randomBytes(count);
const wrapping = fileWrapping(randomBytes(32), random);
const bodies = { wrapping: () => Promise.resolve(wrapping), classes: ["output"] } as const;
const sessions = ["ses_one", "ses_two"] as unknown as readonly [SessionId, SessionId];
const everything = { before: "", session: "", classes: ["output"], why: "older than 400 days" } as const;

const person = (subject: string, issuer = "https://id.example"): PrincipalFields => ({
  kind: "person",
  issuer,
  subject,
  groups: [],
  actors: [],
  client: "terminal",
  verifier: "oidc",
});
const signatory = (subject: string, others: readonly string[] = []): Signatory => ({
  by: person(subject),
  person: "",
  accounts: others.map((one) => ({ issuer: "https://id.example", subject: one })),
  as: [],
});
const [ada, grace] = [signatory("ada"), signatory("grace")];
/** Nobody lost a role meanwhile. */
const stays = (): boolean => true;

interface Place {
  readonly folder: string;
  readonly transcript: Transcript;
  /** Opens it again, with whatever clock. */
  again(over?: Partial<TranscriptOptions>): Promise<Transcript>;
  readonly pass: (milliseconds: number) => void;
  readonly now: () => number;
}

/** Two sessions of two days with a sealed answer each, and a third day that is today. */
async function place(): Promise<Place> {
  const folder = await temporaryFolder();
  let now = start;
  const again = (over: Partial<TranscriptOptions> = {}): Promise<Transcript> =>
    openIn(folder, { bodies, disk: quickDisk, now: () => now, ...over });
  const transcript = await again();
  for (const [number, session] of sessions.entries()) {
    await transcript.append(answered(callId(number + 1), session, ["prod", "shop"][number] ?? ""));
    now += day;
  }
  return { folder, transcript, again, pass: (milliseconds) => void (now += milliseconds), now: () => now };
}

function answered(call: string, session: SessionId, namespace: string): readonly EntryDraft[] {
  const told = [
    received(call),
    decided(call, { accesses: [`get pods ${namespace}/api`] }),
    { ...(settled(call) as EntryDraft & { kind: "call.settled" }), body: { class: "output", text: "told" } } as const,
  ];
  return told.map((one) => ({ ...one, session: { id: session, door: "http" } })) as readonly EntryDraft[];
}

const keysIn = async ({ folder }: Pick<Place, "folder">): Promise<readonly string[]> =>
  (await readKeys(join(folder, "transcript", "bodies"))).map(({ sid }) => sid);

const own = (kind: EntryDraft["kind"], details: object, by: PrincipalFields | null = person("ada")): EntryDraft =>
  ({ kind, session: null, call: null, principal: by, details }) as EntryDraft;

async function saysOf({ folder, now }: Place, question: Question): Promise<string> {
  const { verdicts } = await verifyTranscript(folder, { now: now() + 60_000 });
  const found = verdicts.find((one) => one.question === question);
  const others = verdicts.filter((one) => one.question !== question && one.verdict === "failed");
  return [`${found?.verdict}: ${found?.places.join("; ")}`, ...others.map((one) => `also ${one.question}`)].join(" ");
}

promise("transcript:holds", "by session, by time, by what was touched, and by everything", async () => {
  const cases = [
    [{ session: "ses_one" }, ["ses_one"]],
    [{ since: start + day / 2 }, ["ses_two"]],
    [{ until: start + day / 2 }, ["ses_one"]],
    [{ namespace: "sho*" }, ["ses_two"]],
    [{ principal: "nobody" }, []],
    [{ decision: "allow", namespace: "prod" }, ["ses_one"]],
    [{}, ["ses_one", "ses_two"]],
  ] as const;
  for (const [covers, stays] of cases) {
    const here = await place();
    expect(await here.transcript.keeping.place("case-17", covers, "a case", ada)).toMatchObject({ kind: "placed" });
    const purged = await here.transcript.keeping.purge(everything, person("ada"));
    expect([covers, purged, await keysIn(here)]).toEqual([
      covers,
      {
        keys: 2 - stays.length,
        kept: stays.length === 0 ? [] : [{ hold: "case-17", keys: stays.length }],
        doubt: "",
      },
      stays,
    ]);
    const purges = [];
    for await (const { entry } of readEntries(here.folder))
      if (entry.kind === "retention.purged") purges.push(entry.details["kept"]);
    expect([covers, purges]).toEqual([covers, stays.length === 2 ? [] : [purged.kept]]);
    expect([covers, await saysOf(here, "BODIES")]).toEqual([covers, "ok: "]);
    await here.transcript.close();
  }
});

promise("transcript:holds", "also what came to be covered later, and of two holds each is named", async () => {
  const here = await place();
  const { transcript } = here;
  await transcript.keeping.place("shop", { namespace: "shop" }, "a case", ada);
  await transcript.keeping.place("all", {}, "a case", ada);
  await transcript.append(answered(callId(3), "ses_three" as SessionId, "shop"));
  here.pass(day);
  expect(await transcript.keeping.purge(everything, null)).toEqual({
    keys: 0,
    kept: [
      { hold: "shop", keys: 2 },
      { hold: "all", keys: 3 },
    ],
    doubt: "",
  });
  expect(await transcript.keeping.place("shop", {}, "once more", ada)).toEqual({
    kind: "refused",
    code: "hold_exists",
  });
  expect(await transcript.keeping.place("No!", {}, "a case", ada)).toEqual({ kind: "refused", code: "hold_name" });
});

promise("transcript:hold-release", "one person alone ends none, not even through another account", async () => {
  const here = await place();
  const { keeping } = here.transcript;
  await keeping.place("case-17", { session: "ses_one" }, "a case", ada);
  const [same, twice] = [signatory("ada@work", ["ada"]), signatory("ada", ["ada@work"])];
  expect([
    await keeping.confirmRelease("case-17", "closed", grace, stays),
    await keeping.askRelease("case-18", "closed", ada, stays),
    (await keeping.askRelease("case-17", "closed", ada, stays)).kind,
    await keeping.confirmRelease("case-17", "closed", ada, stays),
    await keeping.confirmRelease("case-17", "closed", same, stays),
    await keeping.askRelease("case-17", "closed", grace, stays),
    (await keeping.askRelease("case-17", "closed again", twice, stays)).kind,
    await keeping.confirmRelease("case-17", "closed", signatory("ada@work"), stays),
  ]).toEqual([
    { kind: "refused", code: "not_asked" },
    { kind: "refused", code: "no_hold" },
    "asked",
    { kind: "refused", code: "same_person" },
    { kind: "refused", code: "same_person" },
    { kind: "refused", code: "asked_already" },
    "asked",
    { kind: "refused", code: "same_person" },
  ]);
  expect((await keeping.purge(everything, null)).kept).toEqual([{ hold: "case-17", keys: 1 }]);
  // What was asked for a week ago is asked for no more.
  here.pass(7 * day);
  expect(await keeping.confirmRelease("case-17", "as agreed", grace, stays)).toEqual({
    kind: "refused",
    code: "not_asked",
  });
  expect((await keeping.askRelease("case-17", "closed", ada, stays)).kind).toBe("asked");
  expect((await keeping.confirmRelease("case-17", "as agreed", grace, stays)).kind).toBe("released");
  here.pass(day);
  expect(await keeping.purge(everything, null)).toEqual({ keys: 1, kept: [], doubt: "" });
  expect([await saysOf(here, "SEMANTICS"), await saysOf(here, "BODIES")]).toEqual(["ok: ", "ok: "]);
});

promise(
  "transcript:hold-release",
  "the first yes counts once, for its own hold, and while its giver may give it",
  async () => {
    const here = await place();
    const { keeping } = here.transcript;
    const gone = (): boolean => false;
    await keeping.place("case-17", { session: "ses_one" }, "a case", ada);
    await keeping.place("case-18", { session: "ses_two" }, "a case", ada);
    expect((await keeping.askRelease("case-17", "closed", ada, stays)).kind).toBe("asked");
    expect([
      await keeping.confirmRelease("case-18", "as agreed", grace, stays),
      await keeping.confirmRelease("case-17", "as agreed", grace, gone),
      (await keeping.holds()).map(({ name }) => name),
      // Nobody has to wait for somebody who lost the role: another one asks, and that one's yes is now the first.
      (await keeping.askRelease("case-17", "closed", grace, gone)).kind,
      await keeping.confirmRelease("case-17", "as agreed", grace, stays),
      (await keeping.confirmRelease("case-17", "as agreed", ada, stays)).kind,
    ]).toEqual([
      { kind: "refused", code: "not_asked" },
      { kind: "refused", code: "asker_gone" },
      ["case-17", "case-18"],
      "asked",
      { kind: "refused", code: "same_person" },
      "released",
    ]);
    // A hold of the same name is another hold: what was agreed about the first says nothing of it.
    await keeping.place("case-17", { session: "ses_one" }, "a case once more", ada);
    expect(await keeping.confirmRelease("case-17", "as agreed", grace, stays)).toEqual({
      kind: "refused",
      code: "not_asked",
    });
    await here.transcript.append([
      own("hold.released", { hold: "case-17", reason: "x", person: "", accounts: [], asked: 8 }, person("grace")),
    ]);
    expect((await keeping.holds()).map(({ name }) => name)).toEqual(["case-18", "case-17"]);
    expect(await saysOf(here, "SEMANTICS")).toContain("releases hold case-17, and nobody had asked for it");
  },
);

promise("transcript:hold-release", "who is an operator no more has asked for nothing", () => {
  const people = [{ name: "Ada", accounts: [{ issuer: "i", subject: "ada" }], groups: ["ops"] }] as never;
  const asked = (sub: string, as: readonly string[] = []) => ({ accounts: [{ iss: "i", sub }], as });
  const cases = [
    [asked("ada"), ["group:ops"], true],
    [asked("ada"), ["user:ada"], true],
    [asked("ada"), ["group:audit", "user:grace"], false],
    [asked("grace"), ["group:ops"], false],
    [asked("grace", ["group:ops"]), ["group:ops"], true],
    [asked("grace", ["group:ops"]), ["user:ada"], false],
    [asked("grace", ["group:ops"]), [], false],
    [asked("grace", ["owner"]), [], true],
  ] as const;
  for (const [one, operators, still] of cases)
    expect([one, operators, stillOperator(one, { people, transcript: { auditors: ["user:ada"], operators } })]).toEqual(
      [one, operators, still],
    );
});

promise("transcript:hold-release", "two people have no account in common, in whatever order they are told", () => {
  const account = fc.record({ iss: fc.constantFrom("a", "b"), sub: fc.constantFrom("x", "y", "z") });
  fc.assert(
    fc.property(fc.array(account, { minLength: 1 }), fc.array(account, { minLength: 1 }), (one, other) => {
      const common = one.filter(({ iss, sub }) => other.some((two) => two.iss === iss && two.sub === sub)).length > 0;
      expect([samePerson(one, other), samePerson(other, one)]).toEqual([common, common]);
    }),
  );
});

promise("transcript:holds-are-entries", "a hold outlives a restart, and what lies beside the entries", async () => {
  const here = await place();
  await here.transcript.keeping.place("case-17", { session: "ses_one" }, "a case", ada);
  await here.transcript.close();
  for (const file of ["index.sqlite", "standing", "holds", "holds.json"])
    await writeFile(join(here.folder, "transcript", file), "{}");
  const again = await here.again();
  expect((await again.keeping.holds()).map(({ name, covers }) => [name, covers])).toEqual([
    ["case-17", { session: "ses_one" }],
  ]);
  expect(await again.keeping.purge(everything, null)).toMatchObject({ keys: 1, kept: [{ hold: "case-17", keys: 1 }] });
  expect((await readHolds(here.folder)).map(({ name }) => name)).toEqual(["case-17"]);
});

promise("transcript:holds-are-entries", "entries that were changed under a gateway that runs end no hold", async () => {
  const here = await place();
  const { transcript } = here;
  await transcript.keeping.place("case-17", { session: "ses_one" }, "a case", ada);
  const segment = join(here.folder, "transcript", "segments", "00000000.ndjson");
  const before = await readFile(segment, "utf8");
  const unheld = before.replace('"session":"ses_one"', '"session":"ses_0ne"');
  expect(unheld).not.toBe(before);
  await writeFile(segment, unheld);
  await expect(transcript.keeping.purge(everything, null)).rejects.toMatchObject({
    fault: { code: "transcript_unavailable", cause: expect.stringContaining("are not what was signed") },
  });
  await writeFile(segment, before.slice(0, before.trimEnd().lastIndexOf("\n") + 1));
  await expect(transcript.keeping.purge(everything, null)).rejects.toMatchObject({
    fault: { code: "transcript_unavailable" },
  });
  await writeFile(segment, before);
  // A line of somebody else's behind the signed ones counts for nothing.
  await appendFile(segment, before.trimEnd().split("\n").at(-1)?.replace("hold.placed", "hold.released") + "\n");
  expect((await transcript.keeping.purge({ ...everything, session: "ses_one" }, null)).kept).toEqual([
    { hold: "case-17", keys: 1 },
  ]);
  expect(await keysIn(here)).toEqual(["ses_one", "ses_two"]);
});

promise(
  "transcript:purges-verified",
  "keys that are gone without an entry, or beside those that it names",
  async () => {
    const here = await place();
    const folder = join(here.folder, "transcript", "bodies");
    const [one, two] = (await readKeys(folder)).map(({ key }) => key);
    await here.transcript.append([own("retention.purged", { ...everything, keys: [one] })]);
    await here.transcript.close();
    await destroyKeys(quickDisk, folder, new Set([one ?? ""]));
    expect(await saysOf(here, "BODIES")).toBe("ok: ");
    await destroyKeys(quickDisk, folder, new Set([two ?? ""]));
    expect(await saysOf(here, "BODIES")).toMatch(
      /^failed: entry 5 .*: the key of its body is missing, and no entry says/,
    );
    await rm(join(folder, "keys.ndjson"));
    expect(await saysOf(here, "BODIES")).toMatch(/^failed: entry 5 /);
  },
);

promise("transcript:purges-verified", "an entry that names other keys than it says it was about", async () => {
  const claims = [
    [{ session: "ses_two" }, "failed"],
    [{ before: "2026-03-01" }, "failed"],
    [{ classes: ["diff"] }, "failed"],
    [{ session: "ses_one", before: "2026-03-02" }, "ok"],
  ] as const;
  for (const [claim, verdict] of claims) {
    const here = await place();
    const folder = join(here.folder, "transcript", "bodies");
    const [one = ""] = (await readKeys(folder)).map(({ key }) => key);
    await here.transcript.append([own("retention.purged", { ...everything, ...claim, keys: [one] })]);
    await here.transcript.close();
    await destroyKeys(quickDisk, folder, new Set([one]));
    const place_ = `entry 6 (segments/00000000.ndjson line 7): destroyed key ${one}, which is not of what it says it purged`;
    expect([claim, await saysOf(here, "BODIES")]).toEqual([claim, `${verdict}: ${verdict === "ok" ? "" : place_}`]);
  }
});

promise("transcript:purges-verified", "a purge against a hold, also one that only a query shows", async () => {
  for (const covers of [{ session: "ses_one" }, { namespace: "prod" }, {}, { until: "2026-03-02T00:00:00.000Z" }]) {
    const here = await place();
    const folder = join(here.folder, "transcript", "bodies");
    const [one = ""] = (await readKeys(folder)).map(({ key }) => key);
    await here.transcript.append([
      own("hold.placed", { hold: "case-17", covers, reason: "a case" }),
      own("retention.purged", { ...everything, keys: [one] }),
    ]);
    await here.transcript.close();
    await destroyKeys(quickDisk, folder, new Set([one]));
    expect([covers, await saysOf(here, "BODIES")]).toEqual([
      covers,
      `failed: entry 7 (segments/00000000.ndjson line 8): destroyed key ${one} against hold case-17`,
    ]);
  }
});

promise(
  "transcript:purges-verified",
  "a release by one person alone, of no hold, unasked, late, or of another request",
  async () => {
    const placed = own("hold.placed", { hold: "case-17", covers: {}, reason: "a case" });
    const expires = new Date(start + 9 * day).toISOString();
    const about = (subject: string) => ({
      hold: "case-17",
      reason: "closed",
      person: "",
      accounts: [{ iss: "https://id.example", sub: subject }],
    });
    const ask = own("hold.asked", { ...about("ada"), expires });
    const late = own("hold.asked", { ...about("ada"), expires: new Date(start).toISOString() });
    const release = (subject: string, by = person(subject), over: object = {}): EntryDraft =>
      own("hold.released", { ...about(subject), asked: 7, ...over }, by);
    const cases: readonly (readonly [readonly EntryDraft[], string])[] = [
      [[placed, ask, release("grace")], "ok: "],
      [[placed, ask, release("ada")], "by the person alone who asked for it"],
      [[placed, ask, release("grace", person("ada"))], "by the person alone who asked for it"],
      [[placed, ask, release("ada", person("grace"))], "by the person alone who asked for it"],
      [[placed, ask, own("hold.released", { ...about("grace"), asked: 7 }, null)], "does not say who agreed"],
      [[placed, ask, release("grace", person("grace"), { asked: 6 })], "for another request than the newest one"],
      [[placed, release("grace")], "nobody had asked for it"],
      [[placed, late, release("grace")], "after the request had expired"],
      [[ask], "hold.asked of hold case-17, which is not in force"],
      [[release("grace")], "hold.released of hold case-17, which is not in force"],
      [[placed, placed], "places hold case-17, which is in force already"],
      [
        [own("hold.placed", { hold: "case-17", covers: { sesion: "x" }, reason: "a case" })],
        "does not say what it covers",
      ],
    ];
    for (const [drafts, says] of cases) {
      const here = await place();
      await here.transcript.append(drafts);
      const found = await saysOf(here, "SEMANTICS");
      if (says === "ok: ") expect(found).toBe("ok: ");
      else expect([says, found.startsWith("failed: "), found.includes(says)]).toEqual([says, true, true]);
      // Nor does the gateway itself believe it.
      const inForce = (await here.transcript.keeping.holds()).map(({ name }) => name);
      const stays = drafts[0] === placed && says !== "ok: ";
      expect([says, inForce]).toEqual([says, stays ? ["case-17"] : []]);
    }
  },
);

promise("transcript:retention", "what is past the days of its class, and never today", async () => {
  const here = await place();
  const { keeping } = here.transcript;
  const due = (days: number) => ({ ...everything, due: { arguments: 1, diff: 1, output: days } });
  here.pass(day);
  expect([
    (await keeping.purge(due(4), null)).keys,
    (await keeping.purge({ ...due(2), session: "ses_two" }, null)).keys,
    (await keeping.purge(due(2), null)).keys,
    await keysIn(here),
    (await keeping.purge(due(1), null)).keys,
    (await findEntries(here.folder, "6")).map(({ entry }) => entry.details["due"]),
  ]).toEqual([0, 0, 1, ["ses_two"], 1, [true]]);
});

promise("transcript:retention", "a clock that was set forward has nothing purged, in one run or over two", async () => {
  const here = await place();
  const refused = { keys: 0, kept: [], doubt: expect.stringContaining("a clock that was set forward looks the same") };
  here.pass(400 * day);
  expect(await here.transcript.keeping.purge(everything, null)).toEqual(refused);
  await here.transcript.close();
  expect(await keysIn(here)).toEqual(["ses_one", "ses_two"]);
  // A restart does not make the clock better, and neither does an entry that bears its time.
  const again = await here.again();
  expect(await again.keeping.purge(everything, null)).toEqual(refused);
  await again.append([own("alert.raised", { alert: "x", about: {} }, null)]);
  expect(await again.keeping.purge(everything, null)).toEqual(refused);
  here.pass(6 * day);
  await again.append([own("alert.raised", { alert: "x", about: {} }, null)]);
  expect(await again.keeping.purge(everything, null)).toEqual(refused);
  // So much time on record shows that the silence was one.
  here.pass(day + 1);
  expect((await again.keeping.purge(everything, null)).keys).toBe(2);
});

promise("transcript:retention", "a clock that was set back has nothing purged either", async () => {
  const here = await place();
  await here.transcript.append([own("alert.raised", { alert: "x", about: {} }, null)]);
  await here.transcript.checkpoint();
  here.pass(-day);
  await expect(here.transcript.keeping.purge(everything, null)).rejects.toMatchObject({
    fault: { code: "transcript_unavailable" },
  });
  expect(await keysIn(here)).toEqual(["ses_one", "ses_two"]);
});

promise("transcript:holds", "what an entry says of a query is that query again, and no other word is one", () => {
  const text = fc.string({ minLength: 1, maxLength: 20 });
  const query = fc.record(
    {
      session: text,
      principal: text,
      tool: text,
      namespace: text,
      name: text,
      since: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      until: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(query, (asked) => {
      expect(coversIn(coversOf(asked))).toEqual({ ...asked });
    }),
  );
  for (const wrong of [null, [], "x", { tool: 1 }, { tol: "x" }, { since: "yesterday" }])
    expect([wrong, coversIn(wrong)]).toEqual([wrong, null]);
});
