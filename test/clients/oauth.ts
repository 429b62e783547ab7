// The person's side of a client's OAuth, without a browser: what both TypeScript SDKs ask of whoever embeds them, with the sign-in done over HTTP.

import type { Issuer } from "../support/issuer.ts";

interface Registered {
  readonly client_id: string;
  readonly redirect_uris?: string[];
}
interface Held {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

export interface Embedding {
  /** For the transport: the SDK's `OAuthClientProvider`, of either generation. */
  readonly provider: {
    readonly redirectUrl: string;
    readonly clientMetadata: {
      client_name: string;
      redirect_uris: string[];
      grant_types: string[];
      response_types: string[];
      token_endpoint_auth_method: string;
      application_type: string;
    };
    clientInformation(): Registered | undefined;
    saveClientInformation(registered: Registered): void;
    tokens(): Held | undefined;
    saveTokens(tokens: Held): void;
    redirectToAuthorization(url: URL): void;
    saveCodeVerifier(verifier: string): void;
    codeVerifier(): string;
  };
  /** The scopes of each request that a person was sent to agree to. */
  readonly requested: readonly string[];
  /** Signs the person in at the address that the client sent them to last; what comes back with them. */
  agree(issuer: Issuer, person: string): Promise<URLSearchParams>;
  /** As the provider gave it at registration. */
  clientId(): string;
  granted(): string;
}

/** A client that keeps everything in memory. It registers itself (RFC 7591), unless it is known to the provider already. `refreshes`: it keeps refresh tokens. */
export function embedding(name: string, known?: Issuer["publicClient"], refreshes = true): Embedding {
  const redirect = known?.redirect ?? "http://127.0.0.1:1/back";
  let registered: Registered | undefined =
    known === undefined ? undefined : { client_id: known.id, redirect_uris: [known.redirect] };
  let held: Held | undefined;
  let verifier = "";
  let sentTo: URL | undefined;
  const requested: string[] = [];
  return {
    requested,
    clientId: () => registered?.client_id ?? "",
    granted: () => held?.scope ?? "",
    async agree(issuer, person) {
      if (sentTo === undefined) throw new Error("the client sent nobody anywhere");
      return (await issuer.signIn(sentTo.href, person)).searchParams;
    },
    provider: {
      // Nobody listens there: the address that the person comes back to is read, not called.
      redirectUrl: redirect,
      clientMetadata: {
        client_name: name,
        redirect_uris: [redirect],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
        application_type: "native",
      },
      clientInformation: () => registered,
      saveClientInformation: (one) => void (registered = one),
      tokens: () => held,
      saveTokens({ refresh_token: refresh, ...tokens }) {
        held = refreshes && refresh !== undefined ? { ...tokens, refresh_token: refresh } : tokens;
      },
      redirectToAuthorization(url) {
        sentTo = url;
        requested.push(url.searchParams.get("scope") ?? "");
      },
      saveCodeVerifier: (one) => void (verifier = one),
      codeVerifier: () => verifier,
    },
  };
}
