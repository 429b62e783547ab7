// The door's certificate and key: read from files that nobody else reads, checked against one another, and read again when they change.

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import type { Server } from "node:https";

export interface TlsFiles {
  /** PEM, the server's own certificate first. */
  readonly certificate: string;
  readonly key: string;
}

export interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly leaf: X509Certificate;
  /** SHA-256 over both files, hex. */
  readonly digest: string;
}

export type ReadPair =
  | { readonly kind: "read"; readonly pair: Pair }
  | { readonly kind: "refused"; readonly sentence: string };

/** RFC 8996 and RFC 9325, section 3.1.1: nothing older. */
export const oldestTls = "TLSv1.2";

/**
 * Reads and checks the pair. `uid` is the user that this process runs as, `now` in milliseconds since 1970. Refused,
 * with a sentence: files that can't be read, a key that others can read, a key of another certificate, one that is over.
 */
export async function readPair(files: TlsFiles, uid: number, now: number): Promise<ReadPair> {
  const key = await readKey(files.key, uid);
  if (key.kind === "refused") return key;
  const cert = await readFile(files.certificate).catch(codeOf);
  if (typeof cert === "string") return refused(`${files.certificate} can't be read (${cert}).`);
  const leaf = parsed(() => new X509Certificate(cert));
  if (leaf === null) return refused(`${files.certificate} holds no certificate in PEM.`);
  const own = parsed(() => createPrivateKey(key.bytes));
  if (own === null) return refused(`${files.key} holds no private key in PEM that opens without a passphrase.`);
  if (!leaf.checkPrivateKey(own))
    return refused(`${files.key} is not the key of the certificate in ${files.certificate}.`);
  if (Date.parse(leaf.validTo) <= now)
    return refused(`The certificate in ${files.certificate} was valid until ${leaf.validTo}.`);
  const digest = createHash("sha256").update(cert).update(key.bytes).digest("hex");
  return { kind: "read", pair: { cert, key: key.bytes, leaf, digest } };
}

export interface Keeping {
  readonly server: Pick<Server, "setSecureContext">;
  readonly files: TlsFiles;
  readonly uid: number;
  readonly now: () => number;
  /** The digest of the pair in use. */
  readonly taken: string;
  /** Told once for each pair that was taken or was not. */
  readonly say: (sentence: string) => void;
  /** Milliseconds between two looks. */
  readonly every: number;
}

/**
 * Looks at the files from time to time and puts a changed pair in use for new connections; returns how to stop. A pair
 * that can't be used, as one of which only half was written yet, leaves the one before it in use.
 */
export function keepPair({ server, files, uid, now, taken, say, every }: Keeping): () => Promise<void> {
  let inUse = taken;
  let told = "";
  let working = Promise.resolve();

  async function look(): Promise<void> {
    const read = await readPair(files, uid, now());
    if (read.kind === "refused") {
      if (read.sentence !== told) say(`${read.sentence} The certificate before it stays in use.`);
      told = read.sentence;
      return;
    }
    told = "";
    const { cert, key, digest, leaf } = read.pair;
    if (digest === inUse) return;
    server.setSecureContext({ cert, key, minVersion: oldestTls });
    inUse = digest;
    say(`The certificate was reloaded; it is valid until ${leaf.validTo}.`);
  }
  const timer = setInterval(() => {
    working = working
      .then(look)
      .catch((thrown: unknown) => say(`The certificate can't be reloaded: ${String(thrown)}.`));
  }, every);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await working;
  };
}

type ReadKey = { readonly kind: "read"; readonly bytes: Buffer } | Extract<ReadPair, { kind: "refused" }>;

/** Looks at the open file, not at its name. A mounted Secret belongs to root and is handed to us by its group; nobody else may read it. */
async function readKey(file: string, uid: number): Promise<ReadKey> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(codeOf);
  if (typeof handle === "string") return refused(`${file} can't be read (${handle}).`);
  try {
    const found = await handle.stat();
    const { mode, uid: owner, size } = found;
    if (!found.isFile()) return refused(`${file} is no plain file.`);
    if (owner !== uid && owner !== 0) return refused(`${file} belongs to another user.`);
    const others = owner === 0 ? 0o037 : 0o077;
    if ((mode & others) !== 0) return refused(`${file} can be read by others: run chmod 600 on it.`);
    if (size > longest) return refused(`${file} is too large for a key.`);
    return { kind: "read", bytes: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

const longest = 65_536;

/** What a parser of ours makes of bytes that may be anything; null where it refuses them. */
function parsed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
}

function refused(sentence: string): Extract<ReadPair, { kind: "refused" }> {
  return { kind: "refused", sentence };
}
