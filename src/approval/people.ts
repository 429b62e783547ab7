// The people of the configuration: whose several accounts are one person's, and which groups they are in.

import { sameSubject, type Subject } from "../domain/principal.ts";
import type { Assurance } from "../domain/decision.ts";
import type { Voter } from "./ballot.ts";

/** One person, as the configuration names them. The first account stands for the person wherever they are counted. */
export interface Person {
  readonly name: string;
  readonly accounts: readonly Subject[];
  readonly groups: readonly string[];
}

/** The one person who has this account; null where there is none, or where two claim it. */
export function personOf<One extends Person>(people: readonly One[], account: Subject): One | null {
  const [person, second] = people.filter((one) => one.accounts.some((own) => sameSubject(own, account)));
  return person === undefined || second !== undefined ? null : person;
}

/** The groups that count for somebody: those that the configuration gives the person, whatever account they come with, and those told with it. */
export function groupsOf(person: Pick<Person, "groups"> | null, told: readonly string[]): readonly string[] {
  return [...new Set([...(person?.groups ?? []), ...told])];
}

/** An account that proved itself just now, or at `at` (milliseconds since 1970), with the groups that its issuer told then. */
export interface Proven extends Subject {
  readonly groups: readonly string[];
  readonly at: number;
  readonly channel: string;
  readonly assurance: Assurance;
}

/** Milliseconds that groups count which a sign-in told (approval.md, "By whom"). */
const groupsFor = 15 * 60_000;

export interface People {
  find(account: Subject): Person | null;
  /** The voter behind a proven account: one person, whatever account they came with; their groups are those of this moment. */
  voter(account: Proven, now: number): Voter;
  /** Would a new sign-in tell groups that do not count any more? */
  isStale(account: Proven, now: number): boolean;
}

/** Would a new sign-in tell groups that do not count any more? A clock that was set back makes a sign-in old, never young. */
export function isStale({ groups, at }: Pick<Proven, "groups" | "at">, now: number): boolean {
  return groups.length > 0 && !(now - at >= 0 && now - at <= groupsFor);
}

/** The voter behind a proven account, which is this person's where the configuration knows one. */
export function voterOf(person: Person | null, proven: Proven, now: number): Voter {
  const told = isStale(proven, now) ? [] : proven.groups;
  const accounts = person?.accounts ?? [{ issuer: proven.issuer, subject: proven.subject }];
  const [first] = accounts;
  return {
    issuer: first?.issuer ?? proven.issuer,
    subject: first?.subject ?? proven.subject,
    kind: "person",
    groups: groupsOf(person, told),
    actors: [],
    accounts,
    channel: proven.channel,
    assurance: proven.assurance,
  };
}

export function openPeople(people: readonly Person[]): People {
  const find = (account: Subject): Person | null => personOf(people, account);
  return {
    find,
    isStale,
    voter: (proven, now) => voterOf(find(proven), proven, now),
  };
}
