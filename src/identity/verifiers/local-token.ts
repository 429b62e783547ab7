// Bearer tokens for one machine: each in a file that only its owner reads, each for one named principal.

import { createHash, timingSafeEqual } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { everyScope } from "../../domain/evidence.ts";
import type { PrincipalFields } from "../../domain/principal.ts";
import type { Verified, Verifier } from "./contract.ts";

/** A token file and whom its token stands for. */
export interface LocalToken {
  readonly file: string;
  readonly subject: string;
  readonly kind: PrincipalFields["kind"];
  readonly groups: readonly string[];
  /** The software that acts for the subject, or null where the subject itself calls. */
  readonly agent: string | null;
  readonly claims?: { readonly [claim: string]: string } | undefined;
}

export type LoadedTokens =
  | { readonly kind: "loaded"; readonly verifier: Verifier }
  | { readonly kind: "refused"; readonly sentence: string };

/** 256 bits as base64url: nothing shorter is read from a file either. */
const shortest = 43;
const longest = 4_096;

/**
 * Reads the token files once. `uid` is the user that this process runs as. Refused, with a sentence: a file that is
 * missing, no plain file, someone else's, readable by others, or that holds no token or another file's token.
 */
export async function loadLocalTokens(tokens: readonly LocalToken[], uid: number): Promise<LoadedTokens> {
  const known: { readonly hash: Buffer; readonly verified: Verified }[] = [];
  for (const { file, subject, kind, groups, agent, claims } of tokens) {
    const read = await readOwnFile(file, uid);
    if (read.kind === "refused") return read;
    const token = read.text.trim();
    if (!isBearer(token) || token.length < shortest)
      return refused(
        `${file} holds no token: it must be one line of at least ${shortest} letters, digits, "-" or "_".`,
      );
    const hash = sha256(token);
    if (known.some((one) => one.hash.equals(hash))) return refused(`${file} holds the same token as another file.`);
    const actors = agent === null ? [] : [{ issuer: "local", subject: agent }];
    const proven = claims === undefined ? {} : { claims };
    known.push({ hash, verified: { issuer: "local", subject, kind, groups, actors, ...proven } });
  }
  return { kind: "loaded", verifier: verifierOf(known) };
}

function verifierOf(known: readonly { readonly hash: Buffer; readonly verified: Verified }[]): Verifier {
  return {
    name: "local-token",
    async verify(evidence) {
      if (evidence.kind !== "bearer" || !isBearer(evidence.token)) return null;
      // Hashes are compared, and all of them: neither how much of a token was right nor whose it is shows in the time.
      const hash = sha256(evidence.token);
      const [found] = known.filter((one) => timingSafeEqual(one.hash, hash));
      return found === undefined ? null : { verified: found.verified, scopes: everyScope, expires: null };
    },
    // By all its names: a token whose groups were changed in the configuration is another principal's.
    stillAccepts: async (verified) => known.some((one) => isDeepStrictEqual(one.verified, verified)),
  };
}

/** Writes a new token file, mode 0600; an existing one is left alone and fails with EEXIST. Returns the token. */
export async function writeTokenFile(file: string, random: (count: number) => Uint8Array): Promise<string> {
  const token = Buffer.from(random(32)).toString("base64url");
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(`${token}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return token;
}

export type ReadFile = { readonly kind: "read"; readonly text: string } | Extract<LoadedTokens, { kind: "refused" }>;

/**
 * A file of at most 4 KiB that belongs to this user and that nobody else may read; else the sentence why not.
 * Looks at the open file, not at its name, so that nothing can be swapped between the check and the read.
 */
export async function readOwnFile(file: string, uid: number): Promise<ReadFile> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    return refused(
      code === "ELOOP" ? `${file} is a link: name the file itself.` : `${file} can not be opened (${code}).`,
    );
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) return refused(`${file} is no plain file.`);
    if (found.uid !== uid) return refused(`${file} belongs to another user.`);
    if ((found.mode & 0o077) !== 0) return refused(`${file} can be read by others: run chmod 600 on it.`);
    if (found.size > longest) return refused(`${file} is too large for a token.`);
    return { kind: "read", text: await handle.readFile("utf8") };
  } finally {
    await handle.close();
  }
}

/** RFC 6750, section 2.1: b64token. */
function isBearer(token: string): boolean {
  return token.length <= longest && /^[A-Za-z0-9._~+/-]+=*$/.test(token);
}

function sha256(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function refused(sentence: string): Extract<LoadedTokens, { kind: "refused" }> {
  return { kind: "refused", sentence };
}
