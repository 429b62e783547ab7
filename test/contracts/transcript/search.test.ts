// Searching: the same answers as reading everything, and an index that may be lost, broken, forged or another's.

import { randomBytes } from "node:crypto";
import { appendFile, chmod, cp, lstat, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { readEntries } from "../../../src/transcript/read.ts";
import { countFound, searchEntries } from "../../../src/transcript/search.ts";
import { answers, isLike, isResource, searchableOf, type Query } from "../../../src/transcript/searchable.ts";
import { promise } from "../../support/promise.ts";
import {
  agent,
  approvedChange,
  callId,
  decided,
  draft,
  openIn,
  plainRead,
  quickDisk,
  received,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

async function found(folder: string, query: Query, limit = 1_000_000): Promise<number[]> {
  const indexes: number[] = [];
  for await (const { index } of searchEntries(folder, { query, limit })) indexes.push(index);
  return indexes;
}

/** What reading every entry answers. */
async function read(folder: string, query: Query): Promise<number[]> {
  const indexes: number[] = [];
  for await (const { index, entry } of readEntries(folder))
    if (answers(query, searchableOf(entry))) indexes.push(index);
  return indexes;
}

const indexOf = (folder: string): string => join(folder, "transcript", "index.sqlite");
const firstSegment = (folder: string): string => join(folder, "transcript", "segments", "00000000.ndjson");

/** Fourteen entries: the gateway's own, a read (1 to 3), an approved change (4 to 13). */
async function recorded(): Promise<string> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { disk: quickDisk });
  await transcript.append([draft("gateway.stopped", null, { reason: "restart" })]);
  await transcript.append(plainRead(callId(1)));
  await transcript.append(approvedChange(callId(2), "apr_2", "g2"));
  await transcript.close();
  return folder;
}

promise("transcript:search", "by each of its words, alone and together", async () => {
  const folder = await recorded();
  const cases: readonly (readonly [query: Query, indexes: readonly number[]])[] = [
    [{}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]],
    [{ principal: "ada" }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]],
    [{ principal: "grace" }, []],
    [{ approver: "grace" }, [8]],
    [{ agent: "coding-agent", kind: "call.received" }, [1, 4]],
    [{ agent: "editor" }, []],
    [{ kind: "grant.*" }, [11, 13]],
    [{ kind: "*.decided" }, [2, 6, 8, 10]],
    [{ tool: "objects_list" }, [1, 2, 3]],
    [{ decision: "require-approval" }, [6]],
    [{ decision: "allow", tool: "workloads_scale" }, [10]],
    [{ outcome: "completed" }, [3, 12]],
    [{ outcome: "completed", effect: "applied" }, [12]],
    [{ rule: "scale-production" }, [2, 6, 10]],
    [{ rule: "r" }, [7]],
    [{ namespace: "prod" }, [2, 6, 10, 11]],
    [{ name: "api" }, [1, 2, 4, 6, 10, 11]],
    [{ namespace: "prod", name: "api", kind: "grant.issued" }, [11]],
    [{ namespace: "api" }, []],
    [{ resource: "deployments", kind: "call.decided" }, [2, 6, 10]],
    [{ resource: "apps/deployments/scale", kind: "grant.issued" }, [11]],
    [{ resource: "pods" }, []],
    [{ since: start, kind: "gateway.*" }, [0]],
    [{ since: start + 1 }, []],
    [{ until: start }, []],
    [{ until: start + 1, outcome: "*ed" }, [3, 12]],
    // Signs that the database has a meaning for are letters here.
    [{ principal: "ad?" }, []],
    [{ principal: "[a]da*" }, []],
    [{ tool: "objects%" }, []],
    [{ tool: "' OR 1 --" }, []],
  ];
  for (const [query, indexes] of cases) {
    expect([query, await found(folder, query)]).toEqual([query, indexes]);
    expect([query, await countFound(folder, query)]).toEqual([query, indexes.length]);
  }
  expect(await found(folder, { principal: "ada" }, 2)).toEqual([12, 13]);
  expect(await found(folder, { principal: "ada" }, 0)).toEqual([]);
});

const word = fc.constantFrom("a", "b", "ab", "a-b", "x?", "[a]", "%", "é");
const asked = fc.oneof(word, fc.constantFrom("*", "a*", "*b", "a*b", "?", "[ab]*"));
const someDrafts = fc.array(
  fc.record({ call: fc.integer({ min: 1, max: 4 }), who: word, tool: word, namespace: word, name: word, rule: word }),
  { minLength: 1, maxLength: 8 },
);
const someQuery = fc.record(
  { principal: asked, agent: asked, tool: asked, rule: asked, namespace: asked, name: asked, resource: asked },
  { requiredKeys: [] },
);

promise(
  "transcript:search",
  "an index brought up to date by turns answers every query as reading every entry does",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someDrafts, { minLength: 1, maxLength: 3 }),
        fc.array(someQuery, { maxLength: 6 }),
        async (turns, queries) => {
          const folder = await temporaryFolder();
          for (const turn of turns) {
            const transcript = await openIn(folder, { disk: quickDisk, segmentSize: 2000 });
            for (const { call, who, tool, namespace, name, rule } of turn)
              await transcript.append(draftsOf(callId(call), who, tool, `${namespace}/${name}`, rule));
            await transcript.close();
            for (const query of queries)
              expect([query, await found(folder, query)]).toEqual([query, await read(folder, query)]);
          }
        },
      ),
      { numRuns: 5 },
    );
  },
);

function draftsOf(call: string, who: string, tool: string, where: string, rule: string): readonly EntryDraft[] {
  const principal: PrincipalFields = { ...agent, subject: who, actors: [], client: `${who}-client` };
  const accesses = [`patch apps/deployments/scale ${where}`, `get pods ${where}?`, "list nodes *"];
  const drafts = [
    received(call, { tool }),
    decided(call, { tool, rules: [rule, "all"], accesses }),
    settled(call, { tool }),
  ];
  return drafts.map((one): EntryDraft => ({ ...one, principal }));
}

promise("transcript:search", "a star stands for any characters, and a resource is known by each of its parts", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 6 }),
      fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 }),
      (pattern, text) => {
        expect(isLike(text, pattern)).toBe(new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text));
      },
    ),
  );
  const scale = "apps/deployments/scale";
  expect(
    [
      "apps",
      "deployments",
      "scale",
      "apps/deployments",
      "Deployments/Scale",
      scale,
      "apps/scale",
      "deploy",
      "deploy*",
    ].map((one) => isResource(scale, one)),
  ).toEqual([true, true, true, true, true, true, false, false, true]);
});

promise(
  "transcript:index",
  "deleted, broken, of another program or of another transcript, it is made anew",
  async () => {
    const folder = await recorded();
    const path = indexOf(folder);
    const query: Query = { outcome: "completed" };
    expect(await found(folder, query)).toEqual([3, 12]);
    const sound = await readFile(path);
    const other = new DatabaseSync(join(folder, "other.sqlite"));
    other.exec("CREATE TABLE entries (idx INTEGER); PRAGMA application_id = 7");
    other.close();
    const elsewhere = await temporaryFolder();
    const stranger = await openIn(elsewhere, { disk: quickDisk });
    await stranger.append([...approvedChange(callId(8), "apr_8", "g8"), ...approvedChange(callId(9), "apr_9", "g9")]);
    await stranger.close();
    expect(await found(elsewhere, query)).toEqual([8, 18]);
    const states: readonly (readonly [what: string, make: () => Promise<unknown>])[] = [
      ["deleted", () => rm(path)],
      ["empty", () => writeFile(path, "")],
      ["noise", () => writeFile(path, randomBytes(40_000))],
      ["cut", () => writeFile(path, sound.subarray(0, sound.length >> 1))],
      [
        "damaged inside",
        () => writeFile(path, Buffer.concat([sound.subarray(0, 16_384), randomBytes(sound.length - 16_384)])),
      ],
      ["another program's", () => cp(join(folder, "other.sqlite"), path)],
      ["another transcript's", () => cp(indexOf(elsewhere), path)],
      ["open to others", () => chmod(path, 0o666)],
      ["a folder", async () => (await rm(path), await cp(join(folder, "keys"), path, { recursive: true }))],
    ];
    for (const [what, make] of states) {
      for (const ending of ["-wal", "-shm"]) await rm(`${path}${ending}`, { force: true });
      await make();
      expect([what, await found(folder, query)]).toEqual([what, [3, 12]]);
      expect([what, (await stat(path)).mode & 0o777]).toEqual([what, 0o600]);
    }
  },
);

promise("transcript:index", "a link in its place is taken away, and what it points to is let be", async () => {
  const folder = await recorded();
  const victim = join(folder, "victim");
  await writeFile(victim, "kept");
  await symlink(victim, indexOf(folder));
  expect(await found(folder, { outcome: "completed" })).toEqual([3, 12]);
  expect([await readFile(victim, "utf8"), (await lstat(indexOf(folder))).isSymbolicLink()]).toEqual(["kept", false]);
});

promise("transcript:index", "what it was made to say falsely is never printed", async () => {
  const folder = await recorded();
  expect(await found(folder, { outcome: "completed" })).toEqual([3, 12]);
  const forgeries = [
    "UPDATE entries SET outcome = 0 WHERE idx = 12; UPDATE entries SET outcome = (SELECT outcome FROM entries WHERE idx = 3) WHERE idx = 5",
    "UPDATE lines SET start = start + 1 WHERE idx = 12",
    "UPDATE lines SET length = 70000000 WHERE idx = 12",
    "UPDATE lines SET segment = 9 WHERE idx = 12",
    "UPDATE lines SET leaf = x'00' WHERE idx = 12",
    "UPDATE members SET a = 'completed' WHERE field = 0",
    "DROP TABLE members",
  ];
  for (const forgery of forgeries) {
    const db = new DatabaseSync(indexOf(folder));
    db.exec(forgery);
    db.close();
    expect([forgery, await found(folder, { outcome: "completed" })]).toEqual([forgery, [3, 12]]);
  }
});

promise("transcript:index", "a line that changed or went away since it was indexed is indexed again", async () => {
  const folder = await recorded();
  const segment = firstSegment(folder);
  const text = await readFile(segment, "utf8");
  expect(await found(folder, { outcome: "completed" })).toEqual([3, 12]);
  // A torn batch that a failed write left and the next one took back.
  await truncate(segment, text.lastIndexOf("\n", text.length - 2) + 1);
  expect(await found(folder, { kind: "grant.*" })).toEqual([11]);
  await appendFile(segment, `${text.trimEnd().split("\n").at(-1)?.replace("grant.revoked", "grant.swept") ?? ""}\n`);
  expect(await found(folder, { kind: "grant.*" })).toEqual([11, 13]);
  // In the middle, where no line's end moves.
  await writeFile(segment, text.replace('"outcome":"completed"', '"outcome":"unproved!"'));
  expect(await found(folder, { outcome: "completed" })).toEqual([12]);
  expect(await found(folder, { outcome: "unproved!" })).toEqual([3]);
  // What is no entry is passed over, and keeps its place.
  await writeFile(segment, text.replace(/^.*\n/, "noise\n"));
  expect(await found(folder, {})).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
});

promise("transcript:index", "several that search at once while entries come in all find what was there", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { disk: quickDisk, segmentSize: 4000 });
  for (let round = 0; round < 4; round++) {
    await transcript.append([
      ...plainRead(callId(round)),
      ...approvedChange(callId(100 + round), `apr_${round}`, `g${round}`),
    ]);
    const all = await Promise.all(Array.from({ length: 6 }, () => found(folder, { outcome: "completed" })));
    for (const one of all) expect(one).toHaveLength(2 * (round + 1));
  }
});

promise("transcript:search", "where there is no transcript a sentence says so", async () => {
  const folder = await temporaryFolder();
  await expect(found(folder, {})).rejects.toMatchObject({
    fault: {
      code: "transcript_unavailable",
      cause: `There is no transcript in ${folder}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`,
    },
  });
});
