// A person's sign-in at the identity provider, as the console asks for it.

/** A person who signed in, as the identity provider and the configuration know them. */
export interface SignedIn {
  readonly issuer: string;
  readonly subject: string;
  /** What the page calls them: shown, never decided on. */
  readonly name: string;
  readonly groups: readonly string[];
  /** When they proved who they are, in milliseconds since 1970. */
  readonly at: number;
}

/** What a sign-in has to show: nothing in particular, or a fresh login for one request (OpenID Connect Core 1.0, section 3.1.2.1). */
export type Wish = { readonly kind: "plain" } | { readonly kind: "fresh"; readonly subject: string };

/** A sign-in under way: `kept` stays with the same browser and is given back to `finish`. */
export interface Begun {
  /** Where the browser goes. */
  readonly url: string;
  readonly state: string;
  readonly kept: KeptSignIn;
}
export interface KeptSignIn {
  readonly state: string;
  readonly nonce: string;
  /** RFC 7636: the verifier whose hash went along. */
  readonly verifier: string;
  readonly wish: Wish;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
}

export type Finished =
  | { readonly kind: "signed-in"; readonly person: SignedIn }
  /** `says` is for the person; the operator's log has the cause. */
  | { readonly kind: "refused"; readonly says: string };

export interface SignIn {
  begin(wish: Wish): Promise<Begun | { readonly kind: "away" }>;
  /** The provider's answer, as its parameters came. */
  finish(answer: URLSearchParams, kept: KeptSignIn): Promise<Finished>;
}
