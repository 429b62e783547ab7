// The file that agents' accounts lie in: read strictly, written durably, refused rather than guessed at.

import { createHmac, timingSafeEqual } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { absent, replaceFile, unfinished } from "../approval/durable.ts";
import { firstProblem } from "../approval/stored.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { accountName, type Account } from "../identity/accounts.ts";
import { keptKey } from "./keys.ts";

/** An identity in a record's key or a map's. */
export const identityKey = ({ issuer, subject }: Pick<Account, "issuer" | "subject">): string =>
  JSON.stringify([issuer, subject]);

const time = z.number().int().nonnegative();
const text = z.string().min(1).max(1024);
const account = z.strictObject({
  name: z.string().regex(accountName),
  issuer: text,
  subject: text,
  owner: text,
  purpose: text,
  registeredAt: time,
  expiresAt: time,
  reviewDays: z.number().int().min(1).max(366),
  reviewedAt: time,
  reviewedBy: text,
  disabled: z.strictObject({ at: time, by: text, reason: z.string().max(1024) }).nullable(),
  lastUsedAt: time.nullable(),
}) satisfies z.ZodType<Account>;
const shape = z.strictObject({ format: z.literal(1), mac: z.string(), accounts: z.array(account) });

export interface AccountsFile {
  /** As they lay there when it was opened. */
  readonly accounts: readonly Account[];
  /** Durable when it returns. Only one write at a time. */
  write(accounts: readonly Account[]): Promise<void>;
}

/** The key's name in `keys/`: accounts are under a MAC, so that an edit by hand is seen. */
const keyName = "accounts.key";
const pathOf = (folder: string): string => join(folder, "accounts", "accounts.json");

/**
 * Opens it. Only the holder of the state folder's lock may. Fault: internal, with the operator's sentence, where it was
 * changed, damaged, or is gone: a disabled agent must not come back because a file went.
 */
export async function openAccountsFile(folder: string, random: (count: number) => Uint8Array): Promise<AccountsFile> {
  const path = pathOf(folder);
  const own = join(folder, "accounts");
  await mkdir(own, { recursive: true, mode: 0o700 });
  for (const name of await readdir(own)) if (name.endsWith(unfinished)) await rm(join(own, name), { force: true });
  const write = async (accounts: readonly Account[], under: Uint8Array): Promise<void> => {
    const body = { format: 1, mac: macOf(accounts, under), accounts };
    await replaceFile(path, `${JSON.stringify(body, null, 1)}\n`, Buffer.from(random(8)).toString("hex"));
  };
  // The first start: the file is there before the key, so that a key without a file always means that the file went.
  const fresh = random(32);
  const isFirst = (await readFile(join(folder, "keys", keyName)).catch(absent)) === undefined;
  if (isFirst) {
    const left = await readFile(path, "utf8").catch(absent);
    if (left !== undefined && accountsIn(path, left).accounts.length > 0) throw refused(path, "has lost its key");
    await write([], fresh);
  }
  const key = await keptKey(folder, keyName, () => fresh);
  return { accounts: await readChecked(path, key), write: async (accounts) => await write(accounts, key) };
}

/** For whoever only looks, beside a running gateway: nothing is made and nothing is written. Faults as opening. */
export async function readAccounts(folder: string): Promise<readonly Account[]> {
  const key = await readFile(join(folder, "keys", keyName)).catch(absent);
  return key === undefined ? [] : await readChecked(pathOf(folder), key);
}

async function readChecked(path: string, key: Uint8Array): Promise<readonly Account[]> {
  const read = await readFile(path, "utf8").catch(absent);
  if (read === undefined) throw refused(path, "is gone");
  const { accounts, mac } = accountsIn(path, read);
  const [given, made] = [mac, macOf(accounts, key)].map((one) => Buffer.from(one, "hex"));
  if (given === undefined || made === undefined || given.length !== made.length || !timingSafeEqual(given, made))
    throw refused(path, "was changed by something other than Sallyport");
  const twice = accounts.find((one, index) =>
    accounts.slice(0, index).some((other) => other.name === one.name || identityKey(other) === identityKey(one)),
  );
  if (twice !== undefined) throw refused(path, `holds the account ${twice.name} twice`);
  return accounts;
}

function accountsIn(path: string, content: string): z.output<typeof shape> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw refused(path, "is not JSON");
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw refused(path, `does not hold what it should (${firstProblem(parsed.error)})`);
  return parsed.data;
}

/** Over the fields in one fixed order, whatever order they stand in. */
function macOf(accounts: readonly Account[], key: Uint8Array): string {
  const fields = accounts.map(({ name, issuer, subject, owner, purpose, disabled, ...one }) => {
    const times = [one.registeredAt, one.expiresAt, one.reviewDays, one.reviewedAt, one.lastUsedAt];
    const off = disabled === null ? null : [disabled.at, disabled.by, disabled.reason];
    return [name, issuer, subject, owner, purpose, one.reviewedBy, times, off];
  });
  return createHmac("sha256", key)
    .update(`sallyport accounts 1\n${JSON.stringify(fields)}`)
    .digest("hex");
}

function refused(path: string, what: string): Faulted {
  const remedy =
    "Nothing was changed. Put back a good copy; the transcript's agent.* entries say what was registered and disabled.";
  return new Faulted(
    fault("internal", {}, `The agents' accounts in ${path} can't be used: the file ${what}. ${remedy}`),
  );
}
