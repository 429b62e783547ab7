// The calls that are under way, by whoever has a part in them: so that an agent who is disabled at once takes all that it runs along.

import { hasPart } from "../identity/accounts.ts";
import type { CallRequest } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { CallId, GrantId, SessionId } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { PrincipalFields, Subject } from "../domain/principal.ts";
import type { Stages } from "../pipeline.ts";

/** A call that was ended, once it has ended. */
export interface EndedCall {
  readonly call: CallId;
  readonly tool: string;
  /** How it ended; null where that could not be waited for. */
  readonly outcome: Outcome | null;
  /** The credential that was made for it; `gone` once every object of it was removed. */
  readonly grants: readonly { readonly grant: GrantId; readonly gone: boolean }[];
}

/** What the line of one call is put through, so that its end and its credentials are seen. */
export type Watched = (stages: Stages) => Stages;

interface Entry {
  readonly call: CallId;
  readonly tool: string;
  readonly principal: PrincipalFields;
  readonly cancelling: AbortController;
  readonly grants: Map<GrantId, boolean>;
  /** It waits for a person: its request for approval is what has to end. */
  asking: boolean;
  flight: Promise<Outcome>;
}

export type UnderWay = ReturnType<typeof openUnderWay>;

/** Sessions that are remembered with their callers; as many as a door keeps open, and as many again. */
const mostSessions = 20_000;

/** `refuses` says why a caller may not be let in as things stand, "" when it may: asked once more, when its call begins. */
export function openUnderWay(refuses: (principal: PrincipalFields) => string) {
  const open = new Set<Entry>();
  const sessions = new Map<SessionId, PrincipalFields>();

  function remember({ session, principal }: CallRequest): void {
    sessions.delete(session.id);
    sessions.set(session.id, principal);
    for (const oldest of sessions.keys()) {
      if (sessions.size <= mostSessions) break;
      sessions.delete(oldest);
    }
  }

  return {
    /** Runs the line under a signal that ends it together with its caller's account. Whoever was disabled since it was let in gets nothing begun. */
    async govern(
      request: CallRequest,
      line: (own: CallRequest, watched: Watched) => Promise<Outcome>,
    ): Promise<Outcome> {
      const { id: call, tool, principal } = request;
      const cancelling = new AbortController();
      const grants = new Map<GrantId, boolean>();
      const flight = Promise.withResolvers<Outcome>();
      const entry: Entry = { call, tool, principal, cancelling, grants, asking: false, flight: flight.promise };
      open.add(entry);
      try {
        // Entered first and asked then: whoever disables it finds the call here, or the call finds it disabled.
        const why = refuses(principal);
        if (why !== "") return settledAs(flight, { kind: "refused", call, fault: fault("cancelled", {}, why) });
        remember(request);
        const signal = AbortSignal.any([request.signal, cancelling.signal]);
        return settledAs(flight, await line({ ...request, signal }, watching(entry)));
      } catch (thrown) {
        settledAs(flight, { kind: "failed", call, fault: fault("internal", {}, String(thrown), "unknown") });
        throw thrown;
      } finally {
        open.delete(entry);
      }
    },

    /** Ends every call in which the identity has a part, at once; each settles when its end is on record. Those that only wait for a person are let go, not counted. */
    end(
      identity: Subject,
    ): readonly { readonly call: CallId; readonly ended: (most: Promise<unknown>) => Promise<EndedCall> }[] {
      const mine = [...open].filter((one) => hasPart(identity, one.principal));
      const running = mine.filter((one) => !one.asking);
      for (const one of mine) one.cancelling.abort();
      return running.map((one) => ({
        call: one.call,
        async ended(most) {
          const outcome = await Promise.race([one.flight, most.then(() => null)]);
          const grants = [...one.grants].map(([grant, gone]) => ({ grant, gone }));
          return { call: one.call, tool: one.tool, outcome, grants };
        },
      }));
    },
    /** The sessions in which the identity has had a part. */
    sessionsOf: (identity: Subject): readonly SessionId[] =>
      [...sessions].filter(([, principal]) => hasPart(identity, principal)).map(([session]) => session),
    forget: (session: SessionId): void => void sessions.delete(session),
  };
}

function settledAs(flight: PromiseWithResolvers<Outcome>, outcome: Outcome): Outcome {
  flight.resolve(outcome);
  return outcome;
}

/** The stages, with what the entry must know of them. */
function watching(entry: Entry): Watched {
  return (stages) => ({
    ...stages,
    async seek(...asked) {
      // Nothing is put to a person any more for whoever was disabled on the way here.
      if (entry.cancelling.signal.aborted) throw new Faulted(fault("cancelled", {}, "the agent was disabled"));
      entry.asking = true;
      return await stages.seek(...asked);
    },
    async issue(...given) {
      const issued = await stages.issue(...given);
      const { id, issuer } = issued.grant;
      if (issuer !== "token-request") return issued;
      entry.grants.set(id, false);
      return {
        ...issued,
        async revoke() {
          const gone = await issued.revoke();
          entry.grants.set(id, gone === true);
          return gone;
        },
      };
    },
  });
}
