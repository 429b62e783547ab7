// The search index: one SQLite file beside the segments, made from them alone. Long: its tables, what fills them and what checks them have to agree.

import { chmod, lstat, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { isMalformed, readEntry } from "./entry.ts";
import { findTranscript, listSegments, segmentName, unlessAbsent } from "./files.ts";
import { askIndex, type Asking } from "./index-query.ts";
import { leafOfLine } from "./purged-lines.ts";
import { fields, searchableOf, type Searchable } from "./searchable.ts";

/** "Saly" as SQLite's application id, and the form of these tables: a file with others is not ours, and made anew. */
const application = 0x53616c79;
const form = 2;
/** The floor is a day's beginning; one process may have begun a day that another has not: in milliseconds. */
const aboutTheSame = 2 * 86_400_000;

/** An open index; nothing that it says is believed before the line was read and gave the leaf. */
export interface IndexFile extends Asking {
  readonly reach: Reach;
  close(): void;
}

/** Entries of before `from` (milliseconds since 1970) are not in the index; `older`: there are such. */
export interface Reach {
  readonly from: number;
  readonly older: boolean;
}

/**
 * Opens the index of a transcript and brings it up to date with the segments; makes it where it is absent, another
 * program's, of another transcript or broken. `anew` makes it in any case. What is older than `from` leaves it, with
 * every word that nothing else says. Several processes may do so at once.
 * Rejects with SQLite's or the operating system's error where it can't be written.
 */
export async function openIndex(folder: string, anew = false, from = 0): Promise<IndexFile> {
  const { segments } = await findTranscript(folder);
  const path = join(dirname(segments), "index.sqlite");
  if (anew) await remove(path);
  try {
    return await openAt(path, segments, from);
  } catch (thrown) {
    if (!isBroken(thrown)) throw thrown;
    await remove(path);
    return await openAt(path, segments, from);
  }
}

/** Is it SQLite's word that the file is damaged or no database, or that its tables are not those that we make? */
export function isBroken(thrown: unknown): boolean {
  if (!(thrown instanceof Error && "errcode" in thrown && typeof thrown.errcode === "number")) return false;
  // SQLITE_ERROR (a missing table), SQLITE_CORRUPT, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_NOTADB.
  return [1, 11, 19, 20, 26].includes(thrown.errcode & 0xff);
}

async function remove(path: string): Promise<void> {
  for (const ending of ["", "-wal", "-shm"]) await rm(`${path}${ending}`, { force: true, recursive: true });
}

async function openAt(path: string, segments: string, from: number): Promise<IndexFile> {
  const there = await unlessAbsent(lstat(path));
  if (there !== null && !there.isFile()) await remove(path);
  // SQLite gives the files that it makes beside it the same mode.
  await (await open(path, "a", 0o600)).close();
  if (there !== null && (there.mode & 0o077) !== 0) await chmod(path, 0o600);
  const db = new DatabaseSync(path, { timeout: 600_000, allowExtension: false });
  try {
    prepareTables(db);
    leaveOut(db, from);
    await bringUpToDate(db, segments);
    return { ...askIndex(db), reach: reachOf(db), close: () => db.close() };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

const columns = [...fields, "places"] as const;

function prepareTables(db: DatabaseSync): void {
  // Large pages and a mapped file: a search that no word narrows reads the whole table of entries, which is kept narrow for it.
  db.exec("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA mmap_size = 1073741824");
  db.exec("PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
  const [id, version] = [pragma(db, "application_id"), pragma(db, "user_version")];
  if (id === application && version === form) return;
  db.exec("BEGIN IMMEDIATE");
  // Another process may have made them while this one waited.
  if (pragma(db, "application_id") === application && pragma(db, "user_version") === form) return db.exec("COMMIT");
  const tables = db.prepare("SELECT name FROM sqlite_schema").all();
  if (tables.length > 0) throw Object.assign(new Error("not the index of a transcript"), { errcode: 26 });
  db.exec(`
    CREATE TABLE entries (idx INTEGER PRIMARY KEY, at INTEGER, ${columns.map((one) => `${one} INTEGER`).join(", ")}) STRICT;
    CREATE TABLE lines (idx INTEGER PRIMARY KEY, segment INTEGER, start INTEGER, length INTEGER, leaf BLOB) STRICT;
    CREATE TABLE sets (id INTEGER PRIMARY KEY, field INTEGER, text TEXT, UNIQUE (field, text)) STRICT;
    CREATE TABLE members (field INTEGER, a TEXT, b TEXT, c TEXT, held INTEGER) STRICT;
    CREATE INDEX members_first ON members (field, a);
    CREATE INDEX members_name ON members (field, c);
    CREATE TABLE segments (number INTEGER PRIMARY KEY, first INTEGER, covered INTEGER, last INTEGER, leaf BLOB, next INTEGER) STRICT;
    CREATE TABLE reach (floor INTEGER, older INTEGER) STRICT;
    INSERT INTO reach VALUES (0, 0);
    PRAGMA application_id = ${application}; PRAGMA user_version = ${form};
    COMMIT`);
}

function pragma(db: DatabaseSync, name: "application_id" | "user_version"): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}

function reachOf(db: DatabaseSync): Reach {
  const row = db.prepare("SELECT floor, older FROM reach").get();
  return { from: Number(row?.["floor"] ?? 0), older: Number(row?.["older"] ?? 0) > 0 };
}

/** Takes out what is older than `from`. Throws as a broken index does where it lacks what should be in it: it is made anew then. */
function leaveOut(db: DatabaseSync, from: number): void {
  const { from: floor } = reachOf(db);
  if (floor - from > aboutTheSame) throw Object.assign(new Error("made for a shorter term"), { errcode: 26 });
  if (from <= floor) return;
  db.exec("BEGIN IMMEDIATE");
  db.prepare("DELETE FROM lines WHERE idx IN (SELECT idx FROM entries WHERE at < ?)").run(from);
  const { changes } = db.prepare("DELETE FROM entries WHERE at < ?").run(from);
  db.prepare("UPDATE reach SET floor = max(floor, ?), older = older + ?").run(from, changes);
  if (changes > 0) {
    // Whom and what entries named goes with the last of them.
    for (const [field, column] of columns.entries())
      db.prepare(`DELETE FROM sets WHERE field = ? AND id NOT IN (SELECT ${column} FROM entries)`).run(field);
    db.exec("DELETE FROM members WHERE held NOT IN (SELECT id FROM sets)");
  }
  db.exec("COMMIT");
  if (changes > 0) db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** How far a segment is in the index: `covered` bytes, whose last line begins at `last` and has this leaf. */
interface Covered {
  readonly number: number;
  readonly first: number;
  readonly covered: number;
  readonly last: number;
  readonly leaf: Uint8Array;
  /** The index behind its last covered line. */
  readonly next: number;
}

function coveredIn(db: DatabaseSync): readonly Covered[] {
  return db
    .prepare("SELECT * FROM segments ORDER BY number")
    .all()
    .map((row) => ({
      number: Number(row["number"]),
      first: Number(row["first"]),
      covered: Number(row["covered"]),
      last: Number(row["last"]),
      leaf: row["leaf"] instanceof Uint8Array ? row["leaf"] : new Uint8Array(),
      next: Number(row["next"]),
    }));
}

async function bringUpToDate(db: DatabaseSync, folder: string): Promise<void> {
  const { names } = await listSegments(folder);
  const known = coveredIn(db);
  const sound = await soundOf(known, folder, names.length);
  if (sound < known.length) dropFrom(db, known[sound]?.number ?? 0, known[sound]?.first ?? 0);
  const words = openWords(db);
  for (let number = Math.max(0, sound - 1); number < names.length; number++)
    await coverSegment(db, words, join(folder, segmentName(number)), number);
}

/** How many of the covered segments still are what was covered; only the newest may have grown. */
async function soundOf(known: readonly Covered[], folder: string, segments: number): Promise<number> {
  for (const [place, one] of known.entries()) {
    if (one.number !== place || place >= segments) return place;
    const file = await open(join(folder, segmentName(place)), "r");
    try {
      const { size } = await file.stat();
      if (size < one.covered || (size > one.covered && place < known.length - 1)) return place;
      const line = Buffer.alloc(1 + Math.max(0, one.covered - one.last));
      await file.read(line, 1, line.length - 1, one.last);
      if (one.covered > 0 && leafOfLine(line, 1, line.length - 1).compare(one.leaf) !== 0) return place;
    } finally {
      await file.close();
    }
  }
  return known.length;
}

function dropFrom(db: DatabaseSync, number: number, first: number): void {
  db.exec("BEGIN IMMEDIATE");
  db.prepare("DELETE FROM entries WHERE idx >= ?").run(first);
  db.prepare("DELETE FROM lines WHERE idx >= ?").run(first);
  db.prepare("DELETE FROM segments WHERE number >= ?").run(number);
  db.exec("COMMIT");
}

/** Most bytes that are read, and added in one transaction: more than a segment has. */
const atOnce = 32 * 1024 * 1024;

/** Adds what a segment holds beyond what is covered. No transaction waits for anything, so that none waits for another of this process. */
async function coverSegment(db: DatabaseSync, words: Words, path: string, number: number): Promise<void> {
  for (;;) {
    const from = coveredIn(db).find((one) => one.number === number)?.covered ?? 0;
    const lines = await readLines(path, from);
    if (lines.length === 1) return;
    db.exec("BEGIN IMMEDIATE");
    try {
      addLines(db, words, number, from, lines);
      db.exec("COMMIT");
    } catch (thrown) {
      db.exec("ROLLBACK");
      throw thrown;
    }
  }
}

/** Whole lines from a byte on, behind one byte of room for the prefix of a leaf hash. */
async function readLines(path: string, from: number): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const size = Math.min(atOnce, Math.max(0, (await file.stat()).size - from));
    const buffer = Buffer.allocUnsafe(1 + size);
    const { bytesRead } = await file.read(buffer, 1, size, from);
    return buffer.subarray(0, Math.max(0, buffer.lastIndexOf(0x0a, bytesRead)) + 1);
  } finally {
    await file.close();
  }
}

function addLines(db: DatabaseSync, words: Words, number: number, from: number, lines: Buffer): void {
  const known = coveredIn(db);
  const here = known.find((one) => one.number === number);
  // Under the lock now: another process may have covered it meanwhile.
  if ((here?.covered ?? 0) !== from) return;
  const insert = db.prepare(`INSERT INTO entries VALUES (?, ?, ${columns.map(() => "?").join(", ")})`);
  const place = db.prepare("INSERT INTO lines VALUES (?, ?, ?, ?, ?)");
  const { from: floor } = reachOf(db);
  words.since(floor);
  let [index, older] = [known.at(-1)?.next ?? 0, 0];
  const first = here?.first ?? index;
  let last = 0;
  let leaf: Uint8Array = new Uint8Array();
  for (let start = 1; start < lines.length;) {
    const end = lines.indexOf(0x0a, start);
    leaf = leafOfLine(lines, start, end);
    last = from + start - 1;
    const entry = readEntry(lines.toString("utf8", start, end));
    // What is no entry, or was purged, has its place in the tree all the same; `verify` tells of it.
    if (!isMalformed(entry) && Date.parse(entry.ts) < floor) older++;
    else if (!isMalformed(entry)) {
      place.run(index, number, last, end - start, leaf);
      insert.run(index, ...rowOf(searchableOf(entry), words));
    }
    index++;
    start = end + 1;
  }
  const covered = from + lines.length - 1;
  db.prepare("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?, ?)").run(
    number,
    first,
    covered,
    last,
    leaf,
    index,
  );
  if (older > 0) db.prepare("UPDATE reach SET older = older + ?").run(older);
}

function rowOf({ at, words: has, places }: Searchable, words: Words): readonly SQLInputValue[] {
  const sets = fields.map((field, number) =>
    words.setOf(
      number,
      has[field].map((one) => [one, "", ""] as const),
    ),
  );
  const where = places.map((one) => [one.resource, one.namespace, one.name] as const);
  return [at, ...sets, words.setOf(fields.length, where)];
}

type Member = readonly [a: string, b: string, c: string];

/** Sets of words, each kept once under a number; 0 is the empty one. Those of a transaction that failed must not be asked for again. */
interface Words {
  /** Forgets them where the floor is another than before: some may have left the index. */
  since(floor: number): void;
  setOf(field: number, members: readonly Member[]): number;
}

/** Most sets that are remembered; the others are looked up. */
const remembered = 200_000;

function openWords(db: DatabaseSync): Words {
  const ids = new Map<string, number>();
  const find = db.prepare("SELECT id FROM sets WHERE field = ? AND text = ?");
  const add = db.prepare("INSERT INTO sets (field, text) VALUES (?, ?)");
  const hold = db.prepare("INSERT INTO members VALUES (?, ?, ?, ?, ?)");
  function added(field: number, text: string, members: readonly Member[]): number {
    const id = Number(add.run(field, text).lastInsertRowid);
    for (const member of members) hold.run(field, ...member, id);
    return id;
  }
  let known = -1;
  return {
    since(floor) {
      if (floor !== known) ids.clear();
      known = floor;
    },
    setOf(field, members) {
      const [only] = members;
      if (only === undefined) return 0;
      const text = members.length === 1 && field < fields.length ? only[0] : JSON.stringify(members);
      const key = `${field} ${text}`;
      const kept = ids.get(key);
      if (kept !== undefined) return kept;
      const id = Number(find.get(field, text)?.["id"] ?? 0) || added(field, text, members);
      if (ids.size >= remembered) ids.clear();
      ids.set(key, id);
      return id;
    },
  };
}
