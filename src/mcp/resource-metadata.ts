// What the door says of itself as an OAuth resource server: its metadata (RFC 9728) and its challenges (RFC 6750, section 3).

import { everyScope, type Scope } from "../domain/evidence.ts";

export interface Resource {
  /** The address that clients call, to the last character. */
  readonly url: string;
  /** Issuer identifiers of those that give out tokens for it; empty where tokens are made by hand. */
  readonly authorizationServers: readonly string[];
}

const wellKnown = "/.well-known/oauth-protected-resource";

/** The document of RFC 9728, section 2. */
export function resourceMetadata({ url, authorizationServers }: Resource) {
  return {
    resource: url,
    authorization_servers: [...authorizationServers],
    scopes_supported: [...everyScope],
    bearer_methods_supported: ["header"],
    resource_name: "Sallyport",
  };
}

/** Where the document is served: at the root, and at the resource's own path inserted there (RFC 9728, section 3.1). None without an issuer to name. */
export function metadataPaths({ url, authorizationServers }: Resource): readonly string[] {
  if (authorizationServers.length === 0) return [];
  return [...new Set([wellKnown, `${wellKnown}/mcp`, new URL(metadataUrl(url)).pathname])];
}

/** The well-known address of a resource: its path goes behind the well-known part, and a lone slash goes (RFC 9728, section 3.1). */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${wellKnown}${pathname === "/" ? "" : pathname}`;
}

/** Why somebody is challenged; `missing`: no token was shown, so no error is named (RFC 6750, section 3.1). */
export type Lack =
  | { readonly kind: "missing" }
  | { readonly kind: "invalid" }
  | { readonly kind: "scope"; readonly scopes: readonly Scope[] };

/** The `WWW-Authenticate` header (RFC 9728, section 5.1): the same for every token that is not accepted, whatever is wrong with it. */
export function challenge(resource: Resource, lack: Lack): string {
  const named = resource.authorizationServers.length > 0;
  const realm = named ? [] : ['realm="sallyport"'];
  const found = named ? [`resource_metadata="${metadataUrl(resource.url)}"`] : [];
  switch (lack.kind) {
    case "missing":
      return bearer([...realm, ...found, ...firstScope(resource)]);
    case "invalid":
      return bearer([...realm, 'error="invalid_token"', ...found, ...firstScope(resource)]);
    case "scope":
      return bearer([...realm, 'error="insufficient_scope"', `scope="${lack.scopes.join(" ")}"`, ...found]);
  }
}

/** What a client asks for at first: more comes by stepping up, with the call that needs it. */
function firstScope({ authorizationServers }: Resource): readonly string[] {
  return authorizationServers.length > 0 ? ['scope="sallyport:read"'] : [];
}

function bearer(parameters: readonly string[]): string {
  return `Bearer ${parameters.join(", ")}`;
}
