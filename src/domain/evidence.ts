// What a caller shows to prove who it is, and what came of it.

import type { Principal } from "./principal.ts";

export type Evidence =
  /** The operating system's word: whoever started this process, or could open the owner's socket. */
  | { readonly kind: "local-user"; readonly user: string; readonly client: string }
  /** A bearer token from an `Authorization` header (RFC 6750, section 2.1). */
  | { readonly kind: "bearer"; readonly token: string; readonly client: string };

export type Identified =
  | { readonly kind: "identified"; readonly principal: Principal }
  /** `cause` is for the operator's log: strangers learn nothing that tells valid from invalid subjects. */
  | { readonly kind: "refused"; readonly cause: string };
