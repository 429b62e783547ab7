// Puts the beginning and the end of each session that makes calls on record.

import type { Append } from "../domain/entry.ts";
import type { SessionId } from "../domain/ids.ts";
import type { PrincipalFields, Session } from "../domain/principal.ts";
import type { Sessions } from "./sessions.ts";

export interface SessionEntries {
  /** At each call: the first of a session opens it. Returns at once; the entry goes to the disk before the call's own. */
  called(session: Session, principal: PrincipalFields): void;
  /** Before its counts are forgotten; a session that made no call was never opened. */
  ended(session: SessionId, reason: string): Promise<void>;
  all(reason: string): Promise<void>;
}

export interface SessionEntriesOptions {
  readonly append: Append;
  readonly sessions: Pick<Sessions, "before">;
  /** Told where an entry of these could not be written: the call's own says so to the caller. */
  readonly lost: (thrown: unknown) => void;
}

interface Opened {
  readonly session: Session;
  readonly principal: PrincipalFields;
}

export function openSessionEntries({ append, sessions, lost }: SessionEntriesOptions): SessionEntries {
  const open = new Map<SessionId, Opened>();

  async function close({ session, principal }: Opened, reason: string): Promise<void> {
    open.delete(session.id);
    const { calls, changes, denied } = sessions.before(session.id);
    const details = { reason, calls, changes, denied };
    await append([{ kind: "session.closed", session, call: null, principal, details }]);
  }
  return {
    called(session, principal) {
      if (open.has(session.id)) return;
      open.set(session.id, { session, principal });
      const details = { door: session.door, client: principal.client };
      append([{ kind: "session.opened", session, call: null, principal, details }]).catch(lost);
    },
    async ended(session, reason) {
      const found = open.get(session);
      if (found !== undefined) await close(found, reason);
    },
    async all(reason) {
      await Promise.all([...open.values()].map((one) => close(one, reason)));
    },
  };
}
