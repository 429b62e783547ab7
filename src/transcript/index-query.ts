// Asks the search index where entries lie that answer a query.

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { fields, isResource, type Query } from "./searchable.ts";

/** Where the index says that an entry lies. */
export interface Found {
  readonly index: number;
  readonly segment: number;
  /** Bytes. */
  readonly start: number;
  readonly length: number;
  readonly leaf: Uint8Array;
}

export interface Asking {
  /** The newest that answer the query, at most `limit`, oldest first. */
  find(query: Query, limit: number): readonly Found[];
  count(query: Query): number;
}

/** Asks the open index, whose tables are those of index-file.ts. */
export function askIndex(db: DatabaseSync): Asking {
  return {
    find(query, limit) {
      const { where, values } = conditionOf(db, query);
      const some = `SELECT idx FROM entries${where} ORDER BY idx DESC LIMIT ?`;
      const asked = `SELECT idx, segment, start, length, leaf FROM lines WHERE idx IN (${some}) ORDER BY idx`;
      return db
        .prepare(asked)
        .all(...values, limit)
        .map((row) => ({
          index: Number(row["idx"]),
          segment: Number(row["segment"]),
          start: Number(row["start"]),
          length: Number(row["length"]),
          leaf: row["leaf"] instanceof Uint8Array ? row["leaf"] : new Uint8Array(),
        }));
    },
    count(query) {
      const { where, values } = conditionOf(db, query);
      return Number(db.prepare(`SELECT count(*) AS found FROM entries${where}`).get(...values)?.["found"] ?? 0);
    },
  };
}

/** The query as SQL: every text of the caller's is bound, none is spelled into it. */
function conditionOf(db: DatabaseSync, query: Query): { where: string; values: readonly SQLInputValue[] } {
  const terms: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (term: string, ...bound: readonly SQLInputValue[]): void => {
    terms.push(term);
    values.push(...bound);
  };
  if (query.since !== undefined) add("at >= ?", query.since);
  if (query.until !== undefined) add("at < ?", query.until);
  for (const [number, field] of fields.entries()) {
    const asked = query[field];
    if (asked !== undefined) add(...heldIn(db, field, number, [[`a ${likeOf(asked)}`, globOf(asked)]]));
  }
  const { resource, namespace, name } = query;
  const place: Asked[] = [];
  if (namespace !== undefined) place.push([`b ${likeOf(namespace)}`, globOf(namespace)]);
  if (name !== undefined) place.push([`c ${likeOf(name)}`, globOf(name)]);
  if (resource !== undefined) {
    const named = resourcesLike(db, resource);
    place.push([`a IN (${named.map(() => "?").join(", ")})`, ...named]);
  }
  if (place.length > 0) add(...heldIn(db, "places", fields.length, place));
  return { where: terms.length === 0 ? "" : ` WHERE ${terms.join(" AND ")}`, values };
}

type Asked = readonly [term: string, ...values: readonly SQLInputValue[]];

/** That a column holds one of the sets with such a member: a few are looked up beforehand, which a scan compares faster. */
function heldIn(db: DatabaseSync, column: string, field: number, asked: readonly Asked[]): Asked {
  const terms = asked.map(([term]) => term).join(" AND ");
  const values = asked.flatMap(([, ...rest]) => rest);
  const sets = `SELECT held FROM members WHERE field = ${field} AND ${terms}`;
  const few = db.prepare(`${sets} LIMIT 9`).all(...values);
  if (few.length > 8) return [`${column} IN (${sets})`, ...values];
  return [`(${["0", ...few.map((row) => `${column} = ${Number(row["held"])}`)].join(" OR ")})`];
}

const likeOf = (asked: string): string => (asked.includes("*") ? "GLOB ?" : "= ?");

/** Of GLOB's signs only `*` is ours. */
function globOf(asked: string): string {
  return asked.includes("*") ? asked.replaceAll(/[?[\]]/g, "[$&]") : asked;
}

function resourcesLike(db: DatabaseSync, asked: string): readonly string[] {
  return db
    .prepare("SELECT DISTINCT a FROM members WHERE field = ?")
    .all(fields.length)
    .map((row) => String(row["a"]))
    .filter((resource) => isResource(resource, asked));
}
