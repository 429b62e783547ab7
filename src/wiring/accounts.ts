// Agents' accounts while a gateway runs: how each stands now, and every change on record and durable before it counts.

import type { Append, EntryDetails, EntryDraft } from "../domain/entry.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { PrincipalFields, Subject } from "../domain/principal.ts";
import { chainOf, refusalOf, reviewDue, type Account, type AccountStanding } from "../identity/accounts.ts";
import { identityKey, type AccountsFile } from "./accounts-file.ts";

export type Changed =
  /** `lacks`: what a kill switch could not write, and will again: its entry, its place in the file. */
  | { readonly kind: "changed"; readonly account: Account; readonly lacks: readonly ("record" | "file")[] }
  | { readonly kind: "refused"; readonly code: AccountRefusal };

export type AccountRefusal =
  | "not_found"
  | "name_taken"
  | "identity_taken"
  | "disabled_already"
  | "not_disabled"
  | "expired";

export interface Accounts {
  readonly standing: AccountStanding;
  /** Notes that the caller was let in just now: in memory, written at most once a minute. */
  used(caller: PrincipalFields): void;
  /** By name. */
  list(): readonly Account[];
  register(asked: Registration, by: PrincipalFields): Promise<Changed>;
  /**
   * `now`: the kill switch. It only takes power away, so it counts at once, in memory, and waits neither for the
   * record nor for the disk; what these could not take is tried again.
   */
  disable(name: string, reason: string, now: boolean, by: PrincipalFields): Promise<Changed>;
  /** `expiresAt` null leaves it as it is. An account that has expired needs another date. */
  enable(name: string, expiresAt: number | null, by: PrincipalFields): Promise<Changed>;
  /** Somebody looked, and it is still needed. */
  review(name: string, note: string, expiresAt: number | null, by: PrincipalFields): Promise<Changed>;
  /** Writes the last uses that are not written yet. */
  close(): Promise<void>;
}

export type Registration = Pick<
  Account,
  "name" | "issuer" | "subject" | "owner" | "purpose" | "expiresAt" | "reviewDays"
>;

export interface AccountsOptions {
  readonly file: AccountsFile;
  readonly append: Append;
  readonly now: () => number;
  /** A last use that could not be written, for the operator's log. */
  readonly broke: (thrown: unknown) => void;
}

/** Last uses are written so often, in milliseconds. */
const flushEvery = 60_000;

export function openAccounts({ file, append, now, broke }: AccountsOptions): Accounts {
  let byIdentity = new Map<string, Account>(file.accounts.map((one) => [identityKey(one), one]));
  const lastUsed = new Map<string, number>();
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  /** What a kill switch shut, whatever the file says by now; and its entries that are not written yet. */
  const shut = new Map<string, NonNullable<Account["disabled"]>>();
  const owed: EntryDraft[] = [];
  const standingOf = (account: Account): Account =>
    account.disabled === null ? { ...account, disabled: shut.get(identityKey(account)) ?? null } : account;
  const find = (key: string): Account | undefined => {
    const found = byIdentity.get(key);
    return found === undefined ? undefined : standingOf(found);
  };
  const all = (): readonly Account[] => [...byIdentity.values()].map(standingOf);
  const named = (name: string): Account | undefined => all().find((one) => one.name === name);
  const withUse = (account: Account): Account => {
    const used = lastUsed.get(identityKey(account));
    return used === undefined ? account : { ...account, lastUsedAt: used };
  };
  async function keep(accounts: ReadonlyMap<string, Account>): Promise<void> {
    const next = new Map([...accounts].map(([key, one]) => [key, withUse(standingOf(one))]));
    await file.write([...next.values()]);
    byIdentity = next;
    for (const [key, { disabled }] of next) if (disabled !== null) shut.delete(key);
  }
  /** The entry is durable before the state: a crash between them leaves a change that its command never told as made. */
  async function put(account: Account, entry: EntryDraft): Promise<Changed> {
    const before = owed.length;
    await append([...owed, entry]);
    owed.splice(0, before);
    await keep(new Map(byIdentity).set(identityKey(account), account));
    return { kind: "changed", account: withUse(account), lacks: [] };
  }
  /** Writes what a kill switch could not; answers what can't be written now either. */
  async function settle(): Promise<readonly ("record" | "file")[]> {
    const lacks: ("record" | "file")[] = [];
    // Another switch may be thrown meanwhile: what it owes stays owed.
    const before = owed.length;
    if (before > 0)
      await append([...owed]).then(
        () => void owed.splice(0, before),
        () => void lacks.push("record"),
      );
    if (shut.size > 0) await keep(byIdentity).catch(() => void lacks.push("file"));
    return lacks;
  }
  async function shutAtOnce(account: Account, reason: string, by: PrincipalFields): Promise<Changed> {
    if (account.disabled === null) {
      shut.set(identityKey(account), { at: now(), by: nameOf(by), reason });
      owed.push(entryOf("agent.disabled", { ...about(account), reason, now: true }, by));
    }
    const lacks = await inTurn(settle);
    return { kind: "changed", account: withUse(find(identityKey(account)) ?? account), lacks };
  }
  const changing = (name: string, step: (account: Account) => Promise<Changed>): Promise<Changed> =>
    inTurn(async () => {
      const account = named(name);
      return account === undefined ? refused("not_found") : await step(account);
    });
  async function flush(): Promise<void> {
    await inTurn(async () => {
      const [lacking] = await settle();
      if (lacking !== undefined) throw new Error(`what a kill switch did is not all written yet: ${lacking}`);
      const isNew = [...byIdentity].some(([key, { lastUsedAt }]) => (lastUsed.get(key) ?? lastUsedAt) !== lastUsedAt);
      if (isNew) await keep(byIdentity);
    });
  }
  const flushing = setInterval(() => void flush().catch(broke), flushEvery);
  flushing.unref();

  return {
    standing: (verified, verifier) => refusalOf((one) => find(identityKey(one)), verified, verifier, now()),
    used(caller) {
      for (const one of chainOf(caller)) {
        const key = identityKey(one);
        if (byIdentity.has(key)) lastUsed.set(key, now());
      }
    },
    list: () => [...all()].map(withUse).sort((a, b) => (a.name < b.name ? -1 : 1)),
    register: (asked, by) =>
      inTurn(async () => {
        if (named(asked.name) !== undefined) return refused("name_taken");
        if (byIdentity.has(identityKey(asked))) return refused("identity_taken");
        const at = now();
        const looked = { registeredAt: at, reviewedAt: at, reviewedBy: nameOf(by) };
        const account: Account = { ...asked, ...looked, disabled: null, lastUsedAt: null };
        const { owner, purpose } = asked;
        const told = { ...about(account), owner, purpose, ...dates(account) };
        return await put(account, entryOf("agent.registered", told, by));
      }),
    async disable(name, reason, atOnce, by) {
      // It may be thrown again: what it ends may have begun before the first one counted.
      const found = atOnce ? named(name) : undefined;
      if (found !== undefined) return await shutAtOnce(found, reason, by);
      return await changing(name, async (account) => {
        if (account.disabled !== null) return refused("disabled_already");
        const next = { ...account, disabled: { at: now(), by: nameOf(by), reason } };
        return await put(next, entryOf("agent.disabled", { ...about(account), reason, now: false }, by));
      });
    },
    enable: (name, expiresAt, by) =>
      changing(name, async (account) => {
        const next = { ...account, disabled: null, expiresAt: expiresAt ?? account.expiresAt };
        if (next.expiresAt <= now()) return refused("expired");
        if (account.disabled === null && next.expiresAt === account.expiresAt) return refused("not_disabled");
        // What the switch shut has to be in the file first, or it would be shut again below.
        if ((await settle()).length > 0) throw new Faulted(fault("transcript_unavailable"));
        return await put(next, entryOf("agent.enabled", { ...about(next), ...dates(next) }, by));
      }),
    review: (name, note, expiresAt, by) =>
      changing(name, async (account) => {
        const looked = { reviewedAt: now(), reviewedBy: nameOf(by) };
        const next = { ...account, ...looked, expiresAt: expiresAt ?? account.expiresAt };
        return await put(next, entryOf("agent.reviewed", { ...about(next), note, ...dates(next) }, by));
      }),
    async close() {
      clearInterval(flushing);
      await flush();
    },
  };
}

const refused = (code: AccountRefusal): Changed => ({ kind: "refused", code });
const nameOf = ({ issuer, subject }: Subject): string => `${issuer}:${subject}`;
const isoOf = (at: number): string => new Date(at).toISOString();
const about = ({ name, issuer, subject }: Account) => ({ agent: name, issuer, subject });
const dates = (account: Account) => ({
  expires: isoOf(account.expiresAt),
  reviewBy: isoOf(reviewDue(account)),
});

/** Whoever made the change is the entry's principal. */
function entryOf<K extends EntryDraft["kind"] & `agent.${string}`>(
  kind: K,
  details: EntryDetails[K],
  by: PrincipalFields,
): EntryDraft {
  return { kind, session: null, call: null, principal: by, details } as EntryDraft;
}
