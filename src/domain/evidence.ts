// What a caller shows to prove who it is, and what came of it.

import type { Principal } from "./principal.ts";

export type Evidence =
  /** The operating system's word: whoever started this process, or could open the owner's socket. */
  | { readonly kind: "local-user"; readonly user: string; readonly client: string }
  /** A bearer token from an `Authorization` header (RFC 6750, section 2.1). */
  | { readonly kind: "bearer"; readonly token: string; readonly client: string };

/** What a caller's evidence lets it ask for at all (RFC 6749, section 3.3); policy decides after that. `sallyport:change` covers destroy. */
export type Scope = "sallyport:read" | "sallyport:change" | "sallyport:execute";

export const everyScope: readonly Scope[] = ["sallyport:read", "sallyport:change", "sallyport:execute"];

export type Identified =
  | {
      readonly kind: "identified";
      readonly principal: Principal;
      readonly scopes: readonly Scope[];
      /** When the evidence is over, in milliseconds since 1970; null where it does not end by itself. */
      readonly expires: number | null;
    }
  /** `cause` is for the operator's log: strangers learn nothing that tells valid from invalid subjects. */
  | { readonly kind: "refused"; readonly cause: string };
