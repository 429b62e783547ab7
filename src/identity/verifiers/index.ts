// The verifiers there are: a new one is one file and one line here.

export { loadLocalTokens, readOwnFile, writeTokenFile, type LoadedTokens, type LocalToken } from "./local-token.ts";
export { localUser } from "./local-user.ts";
export type { OidcRules } from "./oidc.ts";

/** Loaded where the configuration names such an issuer: what checks signatures takes a while to load. */
export const issuers = {
  oidc: async () => (await import("./oidc.ts")).oidc,
  serviceAccount: async () => (await import("./service-account.ts")).serviceAccount,
};
