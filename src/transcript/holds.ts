// Holds as the entries tell them: which are in force, what each covers, and whether two different people released one.

import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Account } from "../domain/entry.ts";
import type { Entry } from "./entry.ts";
import { answers, fields, searchableOf, type Query } from "./searchable.ts";
import { endsCall } from "./standing.ts";

export interface Asked {
  /** The entry's index in the tree. */
  readonly index: number;
  /** RFC 3339, as entries write it. */
  readonly at: string;
  readonly expires: string;
  readonly reason: string;
  readonly person: string;
  /** Every account of whoever asked, their own first. */
  readonly accounts: readonly Account[];
  /** What else than the configuration made them an operator then. */
  readonly as: readonly string[];
}

export interface Hold {
  readonly name: string;
  /** An empty one covers everything. */
  readonly covers: Query;
  readonly reason: string;
  /** Who placed it; null where the entry does not say. */
  readonly by: Account | null;
  readonly at: string;
  readonly index: number;
  /** The newest request that it be released; null where there is none. */
  readonly asked: Asked | null;
}

/** What the name of a hold may be. */
export const holdName = /^[a-z0-9][a-z0-9-]{0,39}$/;

export interface Holds {
  /** Takes the next entry into account; returns what is wrong with it, "" when nothing is. What is wrong changes nothing. */
  take(entry: Entry, index: number): string;
  /** Those in force, by name. */
  inForce(): ReadonlyMap<string, Hold>;
}

/** A fold over entries and nothing else: no file beside them can end a hold. */
export function foldHolds(): Holds {
  const holds = new Map<string, Hold>();
  function place(entry: Entry, index: number, name: string): string {
    if (holds.has(name)) return `places hold ${name}, which is in force already`;
    const covers = coversIn(entry.details["covers"]);
    if (covers === null) return `places hold ${name}, and does not say what it covers`;
    const by = entry.principal === null ? null : accountOf(entry.principal);
    holds.set(name, { name, covers, reason: textAt(entry.details, "reason"), by, at: entry.ts, index, asked: null });
    return "";
  }
  function ask(entry: Entry, index: number, hold: Hold): string {
    const accounts = accountsIn(entry);
    if (accounts.length === 0) return `asks for the release of hold ${hold.name}, and does not say who asks`;
    const { details, ts } = entry;
    const [expires, reason, person] = ["expires", "reason", "person"].map((key) => textAt(details, key));
    const as = Array.isArray(details["as"]) ? (details["as"] as readonly Json[]).map(String) : [];
    const asked = { index, at: ts, expires: expires ?? "", reason: reason ?? "", person: person ?? "", accounts, as };
    holds.set(hold.name, { ...hold, asked });
    return "";
  }
  return {
    take(entry, index) {
      if (!entry.kind.startsWith("hold.")) return "";
      const name = textAt(entry.details, "hold");
      if (entry.kind === "hold.placed") return place(entry, index, name);
      const hold = holds.get(name);
      if (hold === undefined) return `${entry.kind} of hold ${name}, which is not in force`;
      if (entry.kind === "hold.asked") return ask(entry, index, hold);
      const problem = releaseProblem(hold, entry);
      if (problem === "") holds.delete(name);
      return problem;
    },
    inForce: () => holds,
  };
}

/** Why this entry does not release the hold; "" when it does. */
function releaseProblem({ name, asked }: Hold, entry: Entry): string {
  const released = `releases hold ${name}`;
  if (asked === null) return `${released}, and nobody had asked for it`;
  if (entry.details["asked"] !== asked.index) return `${released} for another request than the newest one`;
  const accounts = accountsIn(entry);
  if (accounts.length === 0) return `${released}, and does not say who agreed`;
  if (samePerson(accounts, asked.accounts)) return `${released} by the person alone who asked for it`;
  return entry.ts > asked.expires ? `${released} after the request had expired` : "";
}

/** One person, whatever account they come with: an account of the one is an account of the other. */
export function samePerson(one: readonly Account[], other: readonly Account[]): boolean {
  return one.some(({ iss, sub }) => other.some((own) => own.iss === iss && own.sub === sub));
}

/** The account that the entry is by, and the others that it says are that person's. */
function accountsIn({ principal, details }: Entry): readonly Account[] {
  // Software agrees to nothing, whoever it acts for.
  if (principal === null || principal.act.length > 0) return [];
  const listed = Array.isArray(details["accounts"]) ? (details["accounts"] as readonly Json[]) : [];
  const told = listed.filter(isJsonObject).map((one) => ({ iss: textAt(one, "iss"), sub: textAt(one, "sub") }));
  return [accountOf(principal), ...told];
}

const accountOf = ({ iss, sub }: Account): Account => ({ iss, sub });

const texts = [...fields, "resource", "namespace", "name"] as const;

/** A query as an entry holds it: times as RFC 3339. */
export function coversOf(query: Query): JsonObject {
  const named = texts.flatMap((field) => (query[field] === undefined ? [] : [[field, query[field]] as const]));
  const timed = (["since", "until"] as const).flatMap((field) => {
    const at = query[field];
    return at === undefined ? [] : [[field, new Date(at).toISOString()] as const];
  });
  return Object.fromEntries([...named, ...timed]);
}

/** The query that an entry holds; null for what is none: a field that is not known would cover less than was meant. */
export function coversIn(value: Json | undefined): Query | null {
  if (!isJsonObject(value)) return null;
  const query: Record<string, string | number> = {};
  for (const [field, asked] of Object.entries(value)) {
    if (typeof asked !== "string") return null;
    if (texts.some((one) => one === field)) query[field] = asked;
    else if (field === "since" || field === "until") {
      if (Number.isNaN(Date.parse(asked))) return null;
      query[field] = Date.parse(asked);
    } else return null;
  }
  return query;
}

export interface Coverage {
  take(entry: Entry): void;
  /** Does the hold of this name cover something that this key seals? */
  covers(hold: string, key: string): boolean;
}

/**
 * Finds the keys of bodies that holds cover. What an entry seals is covered where the entry itself, or another one of its
 * call, is what the hold asks for; and with it all that is under the same key.
 */
export function coverageOf(holds: Iterable<Pick<Hold, "name" | "covers">>): Coverage {
  const asked = [...holds].map(({ name, covers }) => ({
    name,
    covers,
    keys: new Set<string>(),
    calls: new Set<string>(),
  }));
  /** By call, until it has ended: what it sealed so far. */
  const sealed = new Map<string, string[]>();
  return {
    take(entry) {
      const { call, details } = entry;
      const key = textAt(details, "body", "key");
      if (call !== null && key !== "") sealed.set(call, [...(sealed.get(call) ?? []), key]);
      const searchable = searchableOf(entry);
      for (const { covers, keys, calls } of asked) {
        if (answers(covers, searchable)) {
          if (key !== "") keys.add(key);
          if (call !== null) for (const one of sealed.get(call) ?? []) keys.add(one);
          if (call !== null) calls.add(call);
        } else if (key !== "" && call !== null && calls.has(call)) keys.add(key);
      }
      if (call === null || !endsCall(entry)) return;
      sealed.delete(call);
      for (const { calls } of asked) calls.delete(call);
    },
    covers: (hold, key) => asked.some((one) => one.name === hold && one.keys.has(key)),
  };
}
