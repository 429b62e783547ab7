// What is kept and why: the holds in force, read from the signed entries themselves, and whoever changes them one after the other.

import type { Account, Append, EntryDraft } from "../domain/entry.ts";
import type { PrincipalFields, Subject } from "../domain/principal.ts";
import { coversOf, holdName, samePerson, type Asked, type Hold } from "./holds.ts";
import { purgeKeys, type Purge, type Purged, type PurgeParts } from "./retention.ts";
import type { Query } from "./searchable.ts";
import { readSigned } from "./signed.ts";

/** Whoever changes holds: the account that proved itself, and all that are known to be the same person's. */
export interface Signatory {
  readonly by: PrincipalFields;
  /** The person's name in the configuration; "" where it has none. */
  readonly person: string;
  readonly accounts: readonly Subject[];
  /** What else than the configuration makes them an operator: groups that their issuer told (`group:NAME`), or the state folder (`owner`). */
  readonly as: readonly string[];
}

export type HoldCode =
  | "hold_exists"
  | "hold_name"
  | "no_hold"
  | "asked_already"
  | "not_asked"
  | "same_person"
  | "asker_gone";

export type Kept =
  | { readonly kind: "placed" | "asked" | "released"; readonly hold: string; readonly index: number }
  | { readonly kind: "refused"; readonly code: HoldCode };

export interface Keeping {
  purge(what: Purge, by: PrincipalFields | null): Promise<Purged>;
  /** The holds in force. Faults: transcript_unavailable, for all of these. */
  holds(): Promise<readonly Hold[]>;
  place(name: string, covers: Query, reason: string, signatory: Signatory): Promise<Kept>;
  /** One person asks. A newer request takes the place of an older one. */
  askRelease(name: string, reason: string, signatory: Signatory, stillMay: (asked: Asked) => boolean): Promise<Kept>;
  /** Another person agrees, and the hold is over: where whoever asked still is somebody who may. */
  confirmRelease(
    name: string,
    reason: string,
    signatory: Signatory,
    stillMay: (asked: Asked) => boolean,
  ): Promise<Kept>;
}

/** Milliseconds that a request for a release waits for another person. */
export const releaseFor = 7 * 86_400_000;

/** One of them at a time: a hold that is placed is in force for every purge that begins after it. */
export function openKeeping(parts: PurgeParts): Keeping {
  const { append, paths, now } = parts;
  let turn: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }
  const inForce = async (): Promise<ReadonlyMap<string, Hold>> =>
    (await readSigned(paths, await parts.head(), { now: now(), watched: parts.watched() })).holds;
  const refused = (code: HoldCode): Kept => ({ kind: "refused", code });
  return {
    purge: (what, by) => inTurn(() => purgeKeys(what, by, parts)),
    holds: () => inTurn(async () => [...(await inForce()).values()]),
    place: (hold, covers, reason, { by }) =>
      inTurn(async () => {
        if (!holdName.test(hold)) return refused("hold_name");
        if ((await inForce()).has(hold)) return refused("hold_exists");
        const details = { hold, covers: coversOf(covers), reason };
        return { kind: "placed", hold, index: await note(append, { ...own(by), kind: "hold.placed", details }) };
      }),
    askRelease: (hold, reason, signatory, stillMay) =>
      inTurn(async () => {
        const found = (await inForce()).get(hold);
        if (found === undefined) return refused("no_hold");
        const asked = found.asked;
        // Of somebody who is no operator any more nothing is waited for.
        const open = asked !== null && Date.parse(asked.expires) > now() && stillMay(asked);
        if (open && !samePerson(accountsOf(signatory), asked.accounts)) return refused("asked_already");
        const expires = new Date(now() + releaseFor).toISOString();
        const details = {
          hold,
          reason,
          person: signatory.person,
          accounts: accountsOf(signatory),
          expires,
          as: signatory.as,
        };
        const index = await note(append, { ...own(signatory.by), kind: "hold.asked", details });
        return { kind: "asked", hold, index };
      }),
    confirmRelease: (hold, reason, signatory, stillMay) =>
      inTurn(async () => {
        const found = (await inForce()).get(hold);
        if (found === undefined) return refused("no_hold");
        const { asked } = found;
        if (asked === null || Date.parse(asked.expires) <= now()) return refused("not_asked");
        if (samePerson(accountsOf(signatory), asked.accounts)) return refused("same_person");
        if (!stillMay(asked)) return refused("asker_gone");
        const details = { hold, reason, person: signatory.person, accounts: accountsOf(signatory), asked: asked.index };
        return {
          kind: "released",
          hold,
          index: await note(append, { ...own(signatory.by), kind: "hold.released", details }),
        };
      }),
  };
}

const own = (by: PrincipalFields) => ({ session: null, call: null, principal: by }) as const;

async function note(append: Append, draft: EntryDraft): Promise<number> {
  const [receipt] = await append([draft]);
  return receipt?.index ?? -1;
}

function accountsOf({ by, accounts }: Signatory): readonly Account[] {
  const all = [by, ...accounts].map(({ issuer, subject }) => ({ iss: issuer, sub: subject }));
  return all.filter(({ iss, sub }, at) => all.findIndex((one) => one.iss === iss && one.sub === sub) === at);
}
