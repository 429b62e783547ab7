// Which Slack user is which person: proposed in the console, counted once that user has confirmed it, ended on record, kept in a file of its own. Long: every change of it stands in the one place that takes turns.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Append, EntryDraft } from "../domain/entry.ts";
import { sameSubject, type PrincipalFields, type Subject } from "../domain/principal.ts";
import { replaceFile } from "./durable.ts";
import { linkText, readLinks, type KeptLink, type KeptProposal, type LinkFile, type Proof } from "./link-file.ts";

export type { Proof } from "./link-file.ts";

/** One user of one workspace. */
export interface SlackAccount {
  readonly team: string;
  readonly user: string;
}

/** From `until` on (milliseconds since 1970) it counts no more; `proof` is the account's last sign-in. */
export type Link = Readonly<KeptLink>;
/** A link that its Slack user has not confirmed: it counts for nothing. */
export type Proposal = Readonly<KeptProposal>;
/** An account that signed in at `at` (milliseconds since 1970), with the groups that its issuer told then. */
export type SignedIn = Subject & Readonly<Proof>;
/** One message, as Slack names it. */
export interface Carrier {
  readonly channel: string;
  readonly ts: string;
}

export type Proposed =
  /** `nonce` goes onto the button and is kept nowhere. */
  | { readonly kind: "proposed"; readonly proposal: Proposal; readonly nonce: string }
  /** One of the two is linked to another one already. */
  | { readonly kind: "taken"; readonly by: Link };

export type Confirmed =
  | { readonly kind: "linked"; readonly link: Link }
  | { readonly kind: "taken"; readonly by: Link }
  /** The button of another user's message. */
  | { readonly kind: "other_user" }
  /** Another message's, one that was replaced, used or refused, or none at all. */
  | { readonly kind: "unknown" }
  | { readonly kind: "expired"; readonly proposal: Proposal };

export interface Links {
  /** All links of this user that count at `now`; more than one is nobody. */
  ofUser(of: SlackAccount, now: number): readonly Link[];
  ofSubject(of: Subject, now: number): readonly Link[];
  /** All that count at `now`. */
  all(now: number): readonly Link[];
  /** All that wait for their user's confirmation at `now`. */
  proposals(now: number): readonly Proposal[];
  /** Keeps a link for 15 minutes until it is confirmed, in the place of whatever either of the two waited for before. */
  propose(slack: SlackAccount, account: SignedIn, now: number): Promise<Proposed>;
  /** The message that asks for the confirmation is there: no other one counts. */
  asked(proposal: Proposal, carrier: Carrier): Promise<void>;
  /** Forgets a proposal. */
  forget(proposal: Proposal): Promise<void>;
  /** The user's own yes: links the two for 90 days; the same pair again begins anew. Fault: transcript_unavailable or internal, and nothing is linked. */
  confirm(slack: SlackAccount, nonce: string, carrier: Carrier, now: number): Promise<Confirmed>;
  /** The user's own no. Answers what it was to. */
  refuse(slack: SlackAccount, nonce: string, carrier: Carrier): Promise<Proposal | null>;
  /** The account has signed in: its links count on from there. Writes nothing where it has none. */
  prove(account: SignedIn): Promise<void>;
  /** Ends every link of the user, and what waits. `why` goes on record. */
  unlink(slack: SlackAccount, why: string, now: number): Promise<void>;
}

/** Proof of who someone is does not keep for ever: 90 days. */
const lifetime = 90 * 86_400_000;
/** Milliseconds that the confirmation may take. */
const confirmWithin = 15 * 60_000;
const mostProposals = 1000;
/** Clocks are corrected by seconds. */
const clockTolerance = 60_000;

/** Opens the file, or begins without one. Fault: internal, where it is damaged. */
export async function openLinks(options: {
  readonly path: string;
  readonly append: Append;
  readonly random: (count: number) => Uint8Array;
}): Promise<Links> {
  const { path, append, random } = options;
  let file: LinkFile = await readLinks(path);
  let turn: Promise<unknown> = Promise.resolve();

  /** One change at a time: two at once could link one account twice. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }
  async function write(next: LinkFile): Promise<void> {
    await replaceFile(path, linkText(next), Buffer.from(random(8)).toString("hex"));
    file = next;
  }
  const ofUser = (of: SlackAccount, now: number): readonly Link[] =>
    file.links.filter((one) => sameUser(one, of) && counts(one, now));
  const ofSubject = (of: Subject, now: number): readonly Link[] =>
    file.links.filter((one) => sameSubject(one, of) && counts(one, now));
  /** A link of one of the two to somebody else. */
  const inTheWay = (slack: SlackAccount, account: Subject, now: number): Link | undefined =>
    [...ofUser(slack, now), ...ofSubject(account, now)].find((one) => !isPair(one, slack, account));
  const find = (nonce: string, at: Carrier): Proposal | undefined =>
    file.proposals.find((one) => sameHash(one.nonce, sha256(nonce)) && isAt(one, at));
  const without = (proposal: Proposal): LinkFile => ({
    ...file,
    proposals: file.proposals.filter((one) => one.nonce !== proposal.nonce),
  });

  async function linkTo(proposal: Proposal, now: number): Promise<Confirmed> {
    const { team, user, issuer, subject, proof } = proposal;
    const by = inTheWay(proposal, proposal, now);
    if (by !== undefined) {
      await write(without(proposal));
      return { kind: "taken", by };
    }
    const link: Link = {
      team,
      user,
      issuer,
      subject,
      since: now,
      until: now + lifetime,
      proof: newest(proposal, proof),
    };
    await append([linked(link)]);
    const others = file.links.filter((one) => !sameUser(one, link) && !sameSubject(one, link));
    await write({ ...without(proposal), links: [...others, link] });
    return { kind: "linked", link };
  }
  /** The account may have signed in again since it began. */
  function newest(of: Subject, proof: Proof): Proof {
    const all = [proof, ...file.links.filter((one) => sameSubject(one, of)).map((one) => one.proof)];
    return all.reduce((last, one) => (one.at > last.at ? one : last));
  }

  return {
    ofUser,
    ofSubject,
    all: (now) => file.links.filter((one) => counts(one, now)),
    proposals: (now) => file.proposals.filter((one) => counts(one, now)),
    propose: (slack, account, now) =>
      inTurn(async () => {
        const by = inTheWay(slack, account, now);
        if (by !== undefined) return { kind: "taken", by };
        const nonce = Buffer.from(random(16)).toString("hex");
        const { team, user } = slack;
        const { issuer, subject, at, groups } = account;
        const times = { since: now, until: now + confirmWithin, proof: { at, groups: [...groups] } };
        const proposal: Proposal = { team, user, issuer, subject, ...times, nonce: sha256(nonce), carrier: null };
        const others = file.proposals.filter(
          (one) => counts(one, now) && !sameUser(one, slack) && !sameSubject(one, account),
        );
        await write({ ...file, proposals: [...others.slice(1 - mostProposals), proposal] });
        return { kind: "proposed", proposal, nonce };
      }),
    asked: (proposal, { channel, ts }) =>
      inTurn(async () => {
        const proposals = file.proposals.map((one) =>
          one.nonce === proposal.nonce ? { ...one, carrier: { channel, ts } } : one,
        );
        await write({ ...file, proposals });
      }),
    forget: (proposal) => inTurn(async () => await write(without(proposal))),
    confirm: (slack, nonce, carrier, now) =>
      inTurn(async (): Promise<Confirmed> => {
        const found = find(nonce, carrier);
        if (found === undefined) return { kind: "unknown" };
        if (!sameUser(found, slack)) return { kind: "other_user" };
        if (counts(found, now)) return await linkTo(found, now);
        await write(without(found));
        return { kind: "expired", proposal: found };
      }),
    refuse: (slack, nonce, carrier) =>
      inTurn(async () => {
        const found = find(nonce, carrier);
        if (found === undefined || !sameUser(found, slack)) return null;
        await write(without(found));
        return found;
      }),
    prove: (account) =>
      inTurn(async () => {
        const { at, groups } = account;
        const proven = (one: Link): Link =>
          sameSubject(one, account) ? { ...one, proof: { at, groups: [...groups] } } : one;
        const links = file.links.map(proven);
        if (links.some((one, index) => one !== file.links[index])) await write({ ...file, links });
      }),
    unlink: (slack, why, now) =>
      inTurn(async () => {
        const theirs = (one: SlackAccount): boolean => sameUser(one, slack);
        const ended = file.links.filter(theirs);
        if (ended.length === 0 && !file.proposals.some(theirs)) return;
        const others = <T extends SlackAccount>(all: readonly T[]): readonly T[] => all.filter((one) => !theirs(one));
        // A link that could not be put on record as ended ends all the same: who left may not stay able to answer.
        await write({ links: others(file.links), proposals: others(file.proposals) });
        const drafts = ended.filter((one) => counts(one, now)).map((one) => unlinked(one, why));
        if (drafts.length > 0) await append(drafts);
      }),
  };
}

const counts = (one: { readonly since: number; readonly until: number }, now: number): boolean =>
  now >= one.since - clockTolerance && now < one.until;
const sameUser = (a: SlackAccount, b: SlackAccount): boolean => a.team === b.team && a.user === b.user;
const isPair = (one: Link, slack: SlackAccount, account: Subject): boolean =>
  sameUser(one, slack) && sameSubject(one, account);
const isAt = ({ carrier }: Proposal, { channel, ts }: Carrier): boolean =>
  carrier !== null && carrier.channel === channel && carrier.ts === ts;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const sameHash = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b));

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
