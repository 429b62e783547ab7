// What the tests hold of policy/.

export const policy = {
  "policy:absent-means-no": {
    promise: "What no rule allows is denied, and a fact that is not known never allows anything",
    source: "policy.md",
  },
  "policy:strictest-wins": {
    promise: "A forbid beats deny beats require-approval beats allow, whatever the order of rules and files",
    source: "policy.md",
  },
  "policy:forbids-hold": {
    promise: "No rule, not even one that allows everything, lifts a built-in forbid",
    source: "kubernetes.md, Attack surface",
  },
  "policy:secrets-need-a-person": {
    promise: "A Secret is never allowed without an approval, and never read beside another call",
    source: "kubernetes.md, Grants",
  },
  "policy:effect-is-honest": {
    promise: "A call that reads can't write, and a call that does more than read declares what it writes",
    source: "architecture.md, Life of a call",
  },
  "policy:optional-dropped": {
    promise: "An optional access that is not allowed outright is left out, and lends nothing to the answer",
    source: "architecture.md, Life of a call",
  },
  "policy:caller-is-proven": {
    promise:
      "Rules see the issuer, subject, groups and nearest actor that were proven, never a name that a client claims",
    source: "policy.md",
  },
  "policy:facts-needed": {
    promise: "Facts that policy says it does not need can't change its answer",
    source: "policy.md",
  },
  "policy:list-agrees": {
    promise: "No call succeeds on a tool that the list hides",
    source: "policy.md",
  },
  "policy:decision-tells": {
    promise: "A decision names every rule that took part, what must be met, and the words for the agent",
    source: "policy.md",
  },
  "policy:load-refuses": {
    promise: "A mistake in a policy file stops it from loading, with a sentence at its line and column",
    source: "policy.md",
  },
  "policy:load-bounded": {
    promise: "A huge or hostile policy file is refused at once with a sentence, never parsed at length",
    source: "policy.md",
  },
  "policy:examples-run": {
    promise: "Every rule's examples run when a policy loads, and one that fails refuses it",
    source: "policy.md",
  },
  "policy:when-answers": {
    promise:
      "A rule's expression is CEL over typed facts of the caller, call, object, namespace, change, session and time",
    source: "policy.md",
  },
  "policy:when-fails-safe": {
    promise: "An expression that fails is no match in an allow rule and a match in a deny or approval rule",
    source: "policy.md",
  },
  "policy:when-checked": {
    promise: "Unknown facts, fields and functions, and types that don't fit, are told of when the policy loads",
    source: "policy.md",
  },
  "policy:when-bounded": {
    promise:
      "The work of expressions is bounded, each alone and all of a decision together; over the bound is an error",
    source: "policy.md",
  },
  "policy:change-is-maybe": {
    promise: "Before a change was rehearsed, rules about what it does neither deny it nor allow it",
    source: "policy.md",
  },
  "policy:digest": {
    promise: "A policy's digest changes with any rule, and not with its layout or comments",
    source: "policy.md",
  },
  "policy:default-policy": {
    promise:
      "The default policy reads masked, asks for approval in production and system namespaces, and hides Secrets",
    source: "kubernetes.md, Attack surface",
  },
  "policy:profiles": {
    promise: "The profiles observe, default and production give the access that their reviewed matrices show",
    source: "policy.md",
  },
  "policy:authorize-mints": {
    promise: "Only an allowed call, or an approved one whose approval was spent, becomes an authorised call",
    source: "architecture.md, Types that carry proof",
  },
  "policy:obligations": {
    promise:
      "What a rule asks of an answer is done to it: masking profiles besides the configured one, and no more bytes",
    source: "policy.md",
  },
  "policy:claims": {
    promise: "Rules see the claims of a caller that the configuration allows, and no others",
    source: "policy.md",
  },
  "policy:forbids-by-every-route": {
    promise: "Each forbid holds by every route: tool, manifest, patch of each type, List kind, subresource",
    source: "kubernetes.md, Attack surface",
  },
  "policy:reloads": {
    promise:
      "A changed policy is in force from the next call on, on record with its difference; a bad one changes nothing",
    source: "policy.md",
  },
  "policy:explains": {
    promise: "For a call, written or recorded, every rule is told with why it counts or not",
    source: "policy.md",
  },
  "policy:simulates": {
    promise: "Recorded calls are decided again under another policy; what is not on record is never guessed",
    source: "policy.md",
  },
  "policy:lints": {
    promise:
      "Rules that can never count, rules that others make pointless and tools that no rule lets through are told of",
    source: "policy.md",
  },
  "policy:schema": {
    promise: "The JSON Schema of a policy file is the loader's own, and every shipped profile holds it",
    source: "policy.md",
  },
  "policy:command": {
    promise: "`sallyport policy` checks files, runs examples and lists forbids, with exit codes that scripts can use",
    source: "policy.md",
  },
  "policy:always-asks": {
    promise: "What the rehearsal finds that must not run without a person gets one, whatever the rules allow",
    source: "tools.md, pods_exec: risk",
  },
} as const;
