// Which Slack user is which person: one user for one account, kept in a file of its own, each change on record first.

import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Append, EntryDraft } from "../domain/entry.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { sameSubject, type PrincipalFields, type Subject } from "../domain/principal.ts";
import { absent, replaceFile } from "./durable.ts";
import { firstProblem } from "./stored.ts";

/** One user of one workspace. */
export interface SlackAccount {
  readonly team: string;
  readonly user: string;
}

export interface Link extends SlackAccount, Subject {
  /** Milliseconds since 1970; from `until` on it counts no more. */
  readonly since: number;
  readonly until: number;
}

export type Linking =
  | { readonly kind: "linked"; readonly link: Link }
  /** One of the two is linked to another one already. */
  | { readonly kind: "taken"; readonly by: Link };

export interface Links {
  /** All links of this user that count at `now`; more than one is nobody. */
  ofUser(of: SlackAccount, now: number): readonly Link[];
  ofSubject(of: Subject, now: number): readonly Link[];
  /** All that count at `now`. */
  all(now: number): readonly Link[];
  /** Links the two for 90 days; the same pair again begins anew. Fault: transcript_unavailable or internal, and nothing is linked. */
  link(slack: SlackAccount, account: Subject, now: number): Promise<Linking>;
  /** Ends every link of the user. `why` goes on record. */
  unlink(slack: SlackAccount, why: string, now: number): Promise<void>;
}

/** Proof of who someone is does not keep for ever: 90 days. */
const lifetime = 90 * 86_400_000;

const shape = z.strictObject({
  format: z.literal(1),
  links: z
    .array(
      z.strictObject({
        team: z.string().min(1),
        user: z.string().min(1),
        issuer: z.string().min(1),
        subject: z.string().min(1),
        since: z.number(),
        until: z.number(),
      }),
    )
    .max(10_000),
});

/** Opens the file, or begins without one. Fault: internal, where it is damaged: nobody is guessed to be anybody. */
export async function openLinks(options: {
  readonly path: string;
  readonly append: Append;
  readonly random: (count: number) => Uint8Array;
}): Promise<Links> {
  const { path, append, random } = options;
  let links = await read(path);
  let turn: Promise<unknown> = Promise.resolve();

  /** One change at a time: two at once could link one account twice. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }
  async function write(next: readonly Link[]): Promise<void> {
    const text = `${JSON.stringify({ format: 1, links: next }, null, 1)}\n`;
    await replaceFile(path, text, Buffer.from(random(8)).toString("hex"));
    links = next;
  }
  const counts = (one: Link, now: number): boolean => now >= one.since - clockTolerance && now < one.until;
  const ofUser = (of: SlackAccount, now: number): readonly Link[] =>
    links.filter((one) => sameUser(one, of) && counts(one, now));
  const ofSubject = (of: Subject, now: number): readonly Link[] =>
    links.filter((one) => sameSubject(one, of) && counts(one, now));

  return {
    ofUser,
    ofSubject,
    all: (now) => links.filter((one) => counts(one, now)),
    link: (slack, account, now) =>
      inTurn(async () => {
        const standing = [...ofUser(slack, now), ...ofSubject(account, now)];
        const other = standing.find((one) => !(sameUser(one, slack) && sameSubject(one, account)));
        if (other !== undefined) return { kind: "taken", by: other };
        const { team, user } = slack;
        const { issuer, subject } = account;
        const link: Link = { team, user, issuer, subject, since: now, until: now + lifetime };
        await append([linked(link)]);
        await write([...links.filter((one) => !sameUser(one, slack) && !sameSubject(one, account)), link]);
        return { kind: "linked", link };
      }),
    unlink: (slack, why, now) =>
      inTurn(async () => {
        const ended = links.filter((one) => sameUser(one, slack));
        if (ended.length === 0) return;
        // A link that could not be put on record as ended ends all the same: who left may not stay able to answer.
        await write(links.filter((one) => !sameUser(one, slack)));
        await append(ended.filter((one) => counts(one, now)).map((one) => unlinked(one, why)));
      }),
  };
}

/** Clocks are corrected by seconds. */
const clockTolerance = 60_000;

const sameUser = (a: SlackAccount, b: SlackAccount): boolean => a.team === b.team && a.user === b.user;

async function read(path: string): Promise<readonly Link[]> {
  const text = await readFile(path, "utf8").catch(absent);
  if (text === undefined) return [];
  const parsed = shape.safeParse(json(text));
  if (parsed.success) return parsed.data.links;
  const why = `The file of linked people ${path} can't be trusted (${firstProblem(parsed.error)}).`;
  throw new Faulted(fault("internal", {}, `${why} Put back a good copy, or remove it: everybody links again.`));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function linked(link: Link): EntryDraft {
  const { team, user, issuer, subject } = link;
  const details = { team, user, issuer, subject, until: new Date(link.until).toISOString() };
  return { kind: "identity.linked", session: null, call: null, principal: personIn(link), details };
}

function unlinked(link: Link, why: string): EntryDraft {
  const { team, user, issuer, subject } = link;
  const details = { team, user, issuer, subject, why };
  return { kind: "identity.unlinked", session: null, call: null, principal: personIn(link), details };
}

function personIn({ issuer, subject }: Link): PrincipalFields {
  return { issuer, subject, kind: "person", groups: [], actors: [], client: "", verifier: "" };
}
