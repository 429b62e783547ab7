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
} as const;
