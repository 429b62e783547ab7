// What the tests hold of identity/.

export const identity = {
  "identity:local-user": {
    promise: "On stdio the caller is the person who started the process, acting through an agent",
    source: "mcp.md; words.md, session",
  },
  "identity:first-that-knows": {
    promise: "The first verifier that knows the evidence answers for it",
    source: "architecture.md, Life of a call",
  },
  "identity:no-evidence-no-principal": {
    promise: "Nobody is a principal whom no verifier has accepted",
    source: "architecture.md, Types that carry proof",
  },
  "identity:reserved-names": {
    promise: "No issuer, subject, group or actor begins with system:",
    source: "issue 6; Kubernetes, Authenticating",
  },
  "identity:readable-names": {
    promise: "A name that a person could not read, or not tell from another, is refused",
    source: "approval.md, By whom",
  },
  "identity:principal-is-frozen": {
    promise: "A principal can't be changed once it is minted",
    source: "architecture.md, Types that carry proof",
  },
  "identity:renewed-while-accepted": {
    promise: "The caller of an approved call is a principal again only while its verifier would still accept it",
    source: "architecture.md, Life of a call",
  },
  "identity:token-names-principal": {
    promise: "A local token stands for exactly the principal of its file",
    source: "issue 3, npm start",
  },
  "identity:token-file-private": {
    promise: "A token file is readable by its owner only",
    source: "issue 3, npm start",
  },
  "identity:oidc-accepts": {
    promise: "A token of a configured issuer is accepted as exactly whom the issuer's rules make of it",
    source: "issue 6, point 1",
  },
  "identity:oidc-types": {
    promise: "Only tokens of the types that the setting names are access tokens",
    source: "issue 6, point 1; RFC 9068, section 4",
  },
  "identity:oidc-times": {
    promise: "A token counts from its beginning to its end, with a minute of leeway",
    source: "issue 6, point 1; RFC 7519, section 4.1",
  },
  "identity:email-verified": {
    promise: "An address of mail counts only where its issuer has verified it",
    source: "issue 6, point 1; OpenID Connect Core 1.0, section 5.7",
  },
  "identity:kind-of-caller": {
    promise: "Software's own tokens are told from people's",
    source: "issue 6, point 2; mcp.md, The HTTP door",
  },
  "identity:names-apart": {
    promise: "No issuer's token gives a name that is another issuer's to give",
    source: "issue 6, point 1; OpenID Connect Core 1.0, section 5.7",
  },
  "identity:delegation": {
    promise: "A principal knows the person and the agent apart, by act or by the configured claim",
    source: "issue 6, point 2; RFC 8693, section 4.1",
  },
  "identity:unknown-client": {
    promise: "A person's token used through an unknown client is still that person, and says which client",
    source: "issue 6, point 2",
  },
  "identity:scopes-from-token": {
    promise: "A token has the scopes that it says and no others",
    source: "issue 6, point 3; RFC 6749, section 3.3",
  },
  "identity:key-rotation": {
    promise: "A new key of an issuer is found without a restart, and strangers can't make us ask often",
    source: "issue 6, point 1; mcp.md, The HTTP door",
  },
  "identity:key-withdrawn": {
    promise: "A key that its issuer no longer publishes stops counting at the next look",
    source: "issue 6, point 1",
  },
  "identity:issuer-away": {
    promise: "Without its issuer a key counts for a bounded time, and a failing issuer is left alone for a while",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
  "identity:discovery": {
    promise: "An issuer's metadata counts only under the issuer's own name",
    source: "issue 6, point 1; RFC 8414, section 3.3",
  },
  "identity:no-fetch-for-strangers": {
    promise: "No key is fetched for a token that could not be ours whoever signed it",
    source: "issue 6, point 8",
  },
  "identity:operator-told": {
    promise: "The operator learns why tokens are refused, rolled up and without the tokens",
    source: "issue 6; words.md, What an agent sees",
  },
  "identity:cluster-away": {
    promise: "A cluster that does not answer holds the callers of another one up once, not each time",
    source: "issue 6, point 1; tools.md (a dead cluster blocks no other)",
  },
  "identity:service-account": {
    promise: "A ServiceAccount's bound token for our audience stands for that account and nobody else",
    source: "issue 6, point 1; Kubernetes, Managing Service Accounts",
  },
  "identity:service-account-legacy": {
    promise: "A ServiceAccount token that never ends is refused",
    source: "issue 6, point 1; Kubernetes, Managing Service Accounts",
  },
  "identity:service-account-gone": {
    promise: "Where the cluster is asked of each token, a deleted account counts as deleted",
    source: "issue 6, point 1",
  },
  "identity:two-clients-two-callers": {
    promise: "Two clients of one person are two callers: neither hears what the other asked for",
    source: "words.md, session; issue 6, point 2",
  },
  "identity:client-carried": {
    promise: "Rules, approvers and the record know the client that a caller's token was issued to",
    source: "issue 6, point 2",
  },
  "identity:doctor": {
    promise: "Doctor tells what a setting of the issuers lets in that somebody may not have meant",
    source: "issue 6, points 1, 2 and 4",
  },
  "identity:setting-mistakes": {
    promise: "A mistake in an issuer's setting is named with its place before anything runs",
    source: "issue 6, point 1",
  },
} as const;
