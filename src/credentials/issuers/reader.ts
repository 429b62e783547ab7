// Reads: one static account that can read no Secret, with a token for each session that ends with the session.

import type { GrantId, SessionId } from "../../domain/ids.ts";
import type { FaultCode } from "../../domain/fault.ts";
import { textAt } from "../../domain/json.ts";
import type { KubeClient } from "../../kubernetes/contract.ts";
import type { GatewayAccount } from "../account.ts";
import { noCredential, type Issuer } from "../contract.ts";
import { readerAnchor } from "../grant-objects.ts";
import { keep, type Kept } from "../kept.ts";
import { anchorName, readerAccountName, secrets, systemNamespace } from "../names.ts";
import { causeOf, create, faultIn, isGone, isRefused, type Sender } from "../send.ts";
import { mintToken, type MintedToken } from "../token.ts";

export interface ReaderOptions {
  /** From `openSeparated`: never sends a token beside a client certificate. */
  readonly client: KubeClient;
  readonly gateway: GatewayAccount;
  readonly gatewayId: string;
  readonly newGrantId: () => GrantId;
  /** Shared work belongs to no single call: it has audit ids of its own. */
  readonly nextAuditId: () => string;
  readonly live: Set<GrantId>;
  readonly now: () => number;
  /** Aborted when the gateway closes. */
  readonly closing: AbortSignal;
}

export interface ReaderIssuer extends Issuer {
  /** Removes the session's anchor, and so its token within ten seconds: when the session ends, or when its token was refused (the next read makes another). True when it is gone, null where the session read nothing. */
  end(session: SessionId): Promise<boolean | null>;
  /** The sessions that hold a token. */
  sessions(): readonly SessionId[];
  /** The grant whose token the session holds, or null. */
  grantOf(session: SessionId): GrantId | null;
}

interface SessionToken {
  readonly grant: GrantId;
  readonly kept: Kept<MintedToken>;
  /** The token that is on record, or on its way there. */
  recorded: { readonly token: MintedToken; readonly durable: Promise<void> } | null;
}

/** Seconds: an abandoned session's token lives no longer. */
const readerTokenSeconds = 3600;

/** Faults that say more than that there is no credential, and nothing about how one is made. */
const telling: ReadonlySet<FaultCode> = new Set([
  "credential_unavailable",
  "cluster_unavailable",
  "cluster_busy",
  "deadline_exceeded",
]);

/** The session's calls wait for the one that writes: none reads with a token that the record may yet turn out not to know. */
function recordOnce(session: SessionToken, token: MintedToken, write: () => Promise<void>): Promise<void> {
  if (session.recorded?.token === token) return session.recorded.durable;
  const durable = write();
  const recorded = { token, durable };
  session.recorded = recorded;
  durable.catch(() => {
    // What could not be written is the next call's to write.
    if (session.recorded === recorded) session.recorded = null;
  });
  return durable;
}

export function readerIssuer(options: ReaderOptions): ReaderIssuer {
  const { client, gateway, live, now, closing } = options;
  const open = new Map<SessionId, SessionToken>();

  async function sender(): Promise<Sender> {
    const standing = await gateway.standing(closing);
    if (standing.kind === "not_enrolled") throw noCredential(standing.cause, "sallyport enroll");
    const { nextAuditId } = options;
    return { client, authorization: standing.authorization(), nextAuditId, agent: "sallyport", signal: closing };
  }
  function openSession(session: SessionId): SessionToken {
    const grant = options.newGrantId();
    const anchor = readerAnchor({ grant, gateway: options.gatewayId }, session);
    let uid = "";
    const mint = async (): Promise<MintedToken> => {
      const from = await sender();
      live.add(grant);
      if (uid === "") uid = textAt(await create(from, secrets, anchor), "metadata", "uid");
      return await mintToken(from, {
        namespace: systemNamespace,
        account: readerAccountName,
        seconds: readerTokenSeconds,
        anchor: { name: anchorName(grant), uid },
        now,
      });
    };
    const made: SessionToken = { grant, kept: keep(mint, now), recorded: null };
    open.set(session, made);
    return made;
  }
  async function removeAnchor({ grant, kept }: SessionToken): Promise<boolean> {
    await kept.idle();
    try {
      return await isGone(await sender(), { address: secrets, namespace: systemNamespace, name: anchorName(grant) });
    } catch (thrown) {
      faultIn(thrown);
      return false;
    } finally {
      live.delete(grant);
    }
  }

  async function end(session: SessionId): Promise<boolean | null> {
    const ended = open.get(session);
    open.delete(session);
    return ended === undefined ? null : await removeAnchor(ended);
  }

  return {
    async issue({ call }, { signal }) {
      const session = open.get(call.session.id) ?? openSession(call.session.id);
      try {
        const token = await session.kept.take(signal);
        const { account, jti, expiresAt, authorization } = token;
        const grant = { id: session.grant, issuer: "reader", account, jti, expiresAt, authorization } as const;
        return { grant, record: (write) => recordOnce(session, token, write), revoke: async () => null };
      } catch (thrown) {
        const found = faultIn(thrown);
        // The flight goes on for the session's other calls.
        if (signal.aborted) throw thrown;
        if (isRefused(found)) gateway.forget();
        // An anchor that was made without an answer would stand in the way of the next one.
        if (open.get(call.session.id) === session) await end(call.session.id);
        throw telling.has(found.code) ? thrown : noCredential(causeOf(found));
      }
    },
    end,
    sessions: () => [...open.keys()],
    grantOf: (session) => open.get(session)?.grant ?? null,
  };
}
