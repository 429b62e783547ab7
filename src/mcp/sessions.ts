// Which session a call belongs to: one a connection on stdio, one a caller over HTTP until it is idle (words.md).

import type { SessionId } from "../domain/ids.ts";
import type { Principal, Session } from "../domain/principal.ts";
import type { Door } from "./door.ts";

type Keeper = Pick<Door, "newSessionId" | "endSession" | "newCallId" | "broke" | "now">;

export interface Sessions {
  of(door: Keeper, principal: Principal): Session;
  /** Ends all of them. */
  end(): Promise<void>;
}

/** All calls of one process or connection. */
export function oneSession(via: Session["door"]): Sessions {
  let open: { readonly door: Keeper; readonly session: Session } | undefined;
  return {
    of(door) {
      open ??= { door, session: { id: door.newSessionId(), door: via } };
      return open.session;
    },
    async end() {
      if (open !== undefined) await endOne(open.door, open.session.id);
    },
  };
}

/** The calls of one subject through one actor until half an hour has passed without one. At most `most` are kept. */
export function sessionsByCaller(idle = 30 * 60_000, most = 10_000): Sessions {
  // In order of last use: the first is the longest idle.
  const open = new Map<string, { readonly door: Keeper; readonly id: SessionId; readonly lastUsed: number }>();

  function dropIdle(now: number): void {
    for (const [key, { door, id, lastUsed }] of open) {
      if (now - lastUsed < idle && open.size <= most) return;
      open.delete(key);
      void endOne(door, id);
    }
  }
  return {
    of(door, principal) {
      const now = door.now();
      dropIdle(now);
      const key = callerKey(principal);
      const id = open.get(key)?.id ?? door.newSessionId();
      open.delete(key);
      open.set(key, { door, id, lastUsed: now });
      return { id, door: "http" };
    },
    async end() {
      const all = [...open.values()];
      open.clear();
      await Promise.all(all.map(({ door, id }) => endOne(door, id)));
    },
  };
}

/** A session that can't be ended is the operator's to see; it never stops a call. */
async function endOne(door: Keeper, session: SessionId): Promise<void> {
  await door.endSession(session).catch((thrown: unknown) => door.broke(door.newCallId(), thrown));
}

/** Who calls, through whom: verified parts only, never the client's own name for itself. */
export function callerKey(principal: Principal): string {
  const actors = principal.actors.map((actor) => [actor.issuer, actor.subject]);
  return JSON.stringify([principal.issuer, principal.subject, actors, principal.clientId ?? ""]);
}
