// Who is signed in: kept in this process alone, found by a random cookie of which only the hash is kept.

import { createHash } from "node:crypto";
import type { KeptSignIn, SignedIn } from "../domain/sign-in.ts";

export interface Session {
  /** As they last proved themselves: a fresh login is newer than the one that began the session. */
  person: SignedIn;
  /** Goes into every form: another site's form does not have it. */
  readonly csrf: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** The one request for which a fresh login was made, by its digest, and until when that counts. */
  fresh: { readonly digest: string; readonly until: number } | null;
}

/** A sign-in on its way to the provider and back, for one browser. */
export interface Leaving {
  readonly kept: KeptSignIn;
  /** The page to go to afterwards: a path of the console. */
  readonly next: string;
  /** The digest of the request that the fresh login is for; "" for none. */
  readonly digest: string;
}

const mostSessions = 10_000;
const leavingFor = 10 * 60_000;

export function openSessions(given: {
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** Milliseconds. */
  readonly lasts: number;
}) {
  const { now, random, lasts } = given;
  const sessions = new Map<string, Session>();
  const leaving = new Map<string, Leaving & { readonly until: number }>();
  const mint = (): string => Buffer.from(random(32)).toString("base64url");
  const hash = (token: string): string => createHash("sha256").update(token).digest("hex");

  function bound<T>(map: Map<string, T>, most: number): void {
    for (const oldest of map.keys()) {
      if (map.size <= most) return;
      map.delete(oldest);
    }
  }

  return {
    /** Opens a session and answers its cookie's value. What the browser had before is over: nobody's session is taken over by a sign-in. */
    open(person: SignedIn, before: string | undefined): string {
      if (before !== undefined) sessions.delete(hash(before));
      const token = mint();
      sessions.set(hash(token), { person, csrf: mint(), until: now() + lasts, fresh: null });
      bound(sessions, mostSessions);
      return token;
    },
    find(token: string | undefined): Session | null {
      if (token === undefined) return null;
      const found = sessions.get(hash(token));
      if (found === undefined) return null;
      if (found.until > now()) return found;
      sessions.delete(hash(token));
      return null;
    },
    close(token: string | undefined): void {
      if (token !== undefined) sessions.delete(hash(token));
    },
    /** Keeps a sign-in for the browser that begins it, and answers the cookie that finds it. */
    leave(one: Leaving): string {
      const token = mint();
      leaving.set(hash(token), { ...one, until: now() + leavingFor });
      bound(leaving, mostSessions);
      return token;
    },
    /** Gives it back once. */
    arrive(token: string | undefined): Leaving | null {
      if (token === undefined) return null;
      const found = leaving.get(hash(token));
      leaving.delete(hash(token));
      return found === undefined || found.until <= now() ? null : found;
    },
  };
}
