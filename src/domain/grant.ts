// A short-lived credential with exactly one call's accesses.

import type { GrantId } from "./ids.ts";

declare const minted: unique symbol;

export interface GrantFields {
  readonly id: GrantId;
  /** `token-request`: made for this call; `reader`: the static reader's session token; `ambient`: the kubeconfig's own; `none`: for a call that asks nothing of a cluster. */
  readonly issuer: "token-request" | "reader" | "preview" | "ambient" | "none";
  /** The Kubernetes user it acts as, or "" where the kubeconfig alone knows. */
  readonly account: string;
  /** The token's `credential-id` in the API server's audit log; "" for ambient. */
  readonly jti: string;
  /** Milliseconds since 1970; 0 where it is not known (ambient). */
  readonly expiresAt: number;
  /** The `Authorization` header's value, or null where the connection itself authenticates. A function, so that no log prints it. */
  readonly authorization: () => string | null;
}

/** A credential that exists now. Minted by `credentials/issue.ts` alone. */
export type Grant = GrantFields & { readonly [minted]: "Grant" };
