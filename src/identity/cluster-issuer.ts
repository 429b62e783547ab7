// What a cluster answers as the issuer of its ServiceAccounts' tokens, as functions: the wiring sends the requests.

import type { JsonObject } from "../domain/json.ts";

/** All reject where the cluster does not answer, or refuses. */
export interface ClusterIssuer {
  /** `/.well-known/openid-configuration`. */
  discovery(signal: AbortSignal): Promise<JsonObject>;
  /** `/openid/v1/jwks`. */
  keys(signal: AbortSignal): Promise<JsonObject>;
  /** A TokenReview (authentication.k8s.io/v1) of this token for these audiences, as it comes back. */
  review(token: string, audiences: readonly string[], signal: AbortSignal): Promise<JsonObject>;
}
