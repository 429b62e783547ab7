// What a verifier is: it looks at one kind of evidence and says who that is, or that it does not know.

import type { Evidence, Scope } from "../../domain/evidence.ts";
import type { PrincipalFields } from "../../domain/principal.ts";

export interface Verifier {
  /** Stands in every entry of a caller that it accepted. */
  readonly name: string;
  /** null: not accepted. A verifier never tells why, so that nothing tells valid from invalid subjects. */
  verify(evidence: Evidence): Promise<Accepted | null>;
  /** Is whom it verified earlier still somebody it would accept, under the same names? Asked before an approved call runs. */
  stillAccepts(verified: Verified): Promise<boolean>;
  /** Could it accept anybody now? Absent where nothing outside this process has to answer first. Asking begins to look where it could not. */
  standing?(): Standing;
}

export type Standing =
  | { readonly kind: "ready" }
  /** `why` is for the operator. */
  | { readonly kind: "waiting"; readonly why: string };

/** Who the evidence speaks for. The claimed client name and the verifier's name are added by identify.ts. */
export type Verified = Omit<PrincipalFields, "client" | "verifier">;

export interface Accepted {
  readonly verified: Verified;
  readonly scopes: readonly Scope[];
  /** When the evidence is over, in milliseconds since 1970; null where it does not end by itself. */
  readonly expires: number | null;
}
