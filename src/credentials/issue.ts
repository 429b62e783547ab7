// The only minter of grants: it chooses the issuer that the call's effect asks for, and never one that could do more.

import type { AuthorizedCall } from "../domain/call.ts";
import type { Grant, GrantFields } from "../domain/grant.ts";
import type { GrantId } from "../domain/ids.ts";
import type { GatewayAccount } from "./account.ts";
import { noCredential, type Issuer, type IssueTerms } from "./contract.ts";
import type { PreviewAccount } from "./preview.ts";

/** From the configuration. `grants`: the kubeconfig's own credential serves reads before enrolment and nothing else. */
export type CredentialMode = "grants" | "ambient";

export type IssuerName = "reader" | "token-request" | "ambient";

export interface IssuedGrant {
  readonly grant: Grant;
  /** Puts it on record as `grant.issued` by `write`, where that is still to be done; see `Issued`. */
  readonly record: (write: () => Promise<void>) => Promise<void>;
  /** True when every object is gone, false when the sweep must finish, null where there is nothing to remove. */
  readonly revoke: () => Promise<boolean | null>;
}

/** Which issuer serves the call; a call that needs a grant on a cluster that is not enrolled is refused by that issuer. */
export function chooseIssuer(authorized: AuthorizedCall, mode: CredentialMode, enrolled: boolean): IssuerName {
  if (mode === "ambient") return "ambient";
  const { call, accesses } = authorized;
  if (call.effect !== "read") return "token-request";
  // A Secret is read only by a grant of its own: neither the reader nor an admin's kubeconfig may lend a hand.
  if (accesses.some((access) => access.group === "" && access.resource === "secrets")) return "token-request";
  return enrolled ? "reader" : "ambient";
}

export interface IssueOptions {
  readonly mode: CredentialMode;
  readonly gateway: GatewayAccount;
  readonly issuers: { readonly [name in IssuerName]: Issuer };
}

/** Issues the credential that runs the call. Faults: credential_unavailable, cancelled, deadline_exceeded. */
export async function issue(
  authorized: AuthorizedCall,
  terms: IssueTerms,
  options: IssueOptions,
): Promise<IssuedGrant> {
  const enrolled = options.mode === "grants" && (await options.gateway.standing(terms.signal)).kind === "enrolled";
  const issuer = options.issuers[chooseIssuer(authorized, options.mode, enrolled)];
  const issued = await issuer.issue(authorized, terms);
  return { grant: mint(issued.grant), record: (write) => issued.record(write), revoke: () => issued.revoke() };
}

/** Issues the credential that rehearses a call. Faults: preview_unavailable, credential_unavailable, cancelled. */
export async function issuePreview(account: PreviewAccount, signal: AbortSignal): Promise<Grant> {
  return mint(await account.issue(signal));
}

/** For a call that asks nothing of a cluster: no cluster has to live for it, and it can show nothing to one. */
export function issueNothing(id: GrantId): IssuedGrant {
  const authorization = (): never => {
    throw noCredential("a call that asks nothing of a cluster would have asked");
  };
  const grant = mint({ id, issuer: "none", account: "", jti: "", expiresAt: 0, authorization });
  return { grant, record: async () => undefined, revoke: async () => null };
}

function mint(fields: GrantFields): Grant {
  return fields as Grant;
}
