// The verifiers there are: a new one is one file and one line here.

export { loadLocalTokens, writeTokenFile, type LoadedTokens, type LocalToken } from "./local-token.ts";
export { localUser } from "./local-user.ts";
