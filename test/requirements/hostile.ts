// What holds against an agent, a client or a fault that tries to break it through the door.

export const hostile = {
  "hostile:secret-in-reason": {
    promise: "A secret in the agent's own words reaches neither the record nor an approver nor the disk",
    source: "masking.md; approval.md, What is approved",
  },
  "hostile:secret-in-fault": {
    promise: "A secret in the cluster's own words is masked in a refusal too",
    source: "masking.md; words.md, What an agent sees",
  },
  "hostile:answers-own": {
    promise: "An answer goes to the caller that asked, whoever knows or guesses its ids",
    source: "approval.md; tools.md, approval_wait",
  },
  "hostile:nobody-own": {
    promise: "Nobody approves their own call, whichever way they come",
    source: "approval.md, By whom; AC-5",
  },
  "hostile:seen-is-run": {
    promise: "What runs is what the approver saw, once",
    source: "approval.md, What is approved",
  },
  "hostile:one-person": {
    promise:
      "One person counts once and never for their own request, whatever accounts, groups and doors they come with",
    source: "issue 7, Attack and fault tests; approval.md, By whom",
  },
  "hostile:approval-text": {
    promise:
      "Whatever stands in names, reasons and arguments, the console and the terminal show it as text, cut where it is long, and exactly what was asked is run",
    source: "issue 7, Attack and fault tests; approval.md, What is approved",
  },
  "hostile:joined-verifies": {
    promise: "A call that hears another's answer is on record as one that did not run itself",
    source: "evidence.md, Reading; approval.md, Dedupe",
  },
  "hostile:broken-hold": {
    promise: "A call that waits for a person is never recorded as ended while it may still run",
    source: "architecture.md, Record settled; approval.md",
  },
  "hostile:flood": {
    promise: "One caller can't fill the queue of those who approve",
    source: "approval.md, Limits",
  },
  "hostile:cancelled": {
    promise: "A call that is broken off leaves no grant and no effect without its entry",
    source: "mcp.md, Cancel; kubernetes.md, Grants",
  },
  "hostile:close-waits": {
    promise: "Stopping waits until the calls that run have taken their credentials back and are on record",
    source: "evidence.md; mcp.md, Two clients on one machine",
  },
  "hostile:crash": {
    promise:
      "Killed at any request of a call, the next start marks what had begun, runs nothing twice and leaves no grant",
    source: "evidence.md, Durable before effect; kubernetes.md, Crash",
  },
  "hostile:hidden": {
    promise: "A tool that is hidden from a caller answers like one that does not exist",
    source: "words.md, What an agent sees",
  },
  "hostile:odd-arguments": {
    promise: "Arguments of any shape and size are answered and recorded, and nothing else suffers",
    source: "mcp.md, Packages and revisions; evidence.md",
  },
  "hostile:costly-pattern": {
    promise: "No regular expression of an agent's holds the gateway up",
    source: "qualities.md; tools.md, logs_read",
  },
  "hostile:first-entry": {
    promise: "A call whose first entry failed is not recorded without it",
    source: "evidence.md, Durable before effect",
  },
  "hostile:tool-texts": {
    promise:
      "No text in any argument of any tool makes it send what it did not declare, break, or give the text back as it is",
    source: "issue 4, Bad input; kubernetes.md, Client",
  },
  "hostile:tool-types": {
    promise: "An argument of another type, size or sign than a tool takes is refused as invalid input",
    source: "issue 4, Bad input; words.md, invalid_input",
  },
  "hostile:tool-values": {
    promise: "A value that has the right form and means nothing is refused by the argument's name",
    source: "issue 4, Bad input",
  },
  "hostile:tool-kinds": {
    promise: "A kind is the one that was named, or the call is refused",
    source: "issue 4, Bad input; kubernetes.md, Client",
  },
  "hostile:tool-cursors": {
    promise: "A cursor serves the caller and the question that it was made for, and no other",
    source: "tools.md, Token economy; issue 4, Bad input",
  },
  "hostile:tool-keys": {
    promise: "No key is taken that a tool does not have, and none is dropped without a word",
    source: "architecture.md, Plan; issue 4, Bad input",
  },
  "hostile:tool-manifests": {
    promise: "A manifest smuggles no kind, place or name past the plan, and reading it costs no more than its size",
    source: "issue 4, Bad input; tools.md, manifests_apply",
  },
  "hostile:broken-tools": {
    promise:
      "A tool that tries more than it declared is stopped before anything leaves, and tells nobody what it tried",
    source: "issue 4, Declared = sent; kubernetes.md, Attack surface",
  },
  "hostile:second-fence": {
    promise: "What the guard stops, the credential alone would not have been allowed either",
    source: "kubernetes.md, Grants; issue 4, Declared = sent",
  },
  "hostile:foreign-words": {
    promise: "Whatever a stranger writes into a cluster is quoted, framed or escaped in every tool's answer",
    source: "tools.md, Untrusted data; issue 4, Untrusted text",
  },
  "hostile:secrets-nowhere": {
    promise: "A secret in any text of the cluster, in any clothing that it is known by, comes out of no tool",
    source: "masking.md; issue 4; qualities.md, secrets leaked",
  },
  "hostile:tool-places": {
    promise: "With * a tool goes to the namespaces that each of its lists may, and a narrower rule breaks no call",
    source: "policy.md; architecture.md, Decide",
  },
  "hostile:hidden-stays": {
    promise:
      "No write brings a hidden value to where it can be read, whatever it does to the names and lists around it",
    source: "masking.md, Round trip; issue 4, Changes",
  },
  "hostile:guess-unanswered": {
    promise: "A write of a guess over a hidden value is answered alike whether the guess is right or wrong",
    source: "masking.md, No oracle",
  },
  "hostile:hidden-identity": {
    promise: "What always needs a person is found also where a value changes its shape",
    source: "kubernetes.md, Attack surface",
  },
  "hostile:streams": {
    promise: "A stream is held to its object, its size and one end, whatever the server sends",
    source: "kubernetes.md, Client; issue 4, Bad input",
  },
  "hostile:command-disguise": {
    promise: "A shell, an interpreter or a way to credentials is known under its other names too",
    source: "tools.md, pods_exec; issue 4, exec (argv only)",
  },
  "hostile:drain-agreed": {
    promise: "A drain evicts the pods that were shown and no others",
    source: "approval.md, What is approved; tools.md, nodes_drain",
  },
  "hostile:one-cluster": {
    promise: "A call of one cluster never reaches another, by whatever was made for the first",
    source: "issue 4, several clusters; architecture.md, Plan",
  },
  "hostile:token-algorithms": {
    promise: "A token is signed with an allowed algorithm by a key that is for it, or refused",
    source: "issue 6, bad input; RFC 8725, section 3.1",
  },
  "hostile:token-signatures": {
    promise: "A signature counts in the one form that its algorithm has, over exactly what the token says",
    source: "issue 6, bad input; RFC 7518, sections 3.3 to 3.5; RFC 8037, section 3.1",
  },
  "hostile:token-keys": {
    promise: "A token neither brings its key nor says where to get one",
    source: "issue 6, bad input; RFC 8725, section 3.10",
  },
  "hostile:token-claims": {
    promise: "A token whose claims are not what they must be is nobody's",
    source: "issue 6, bad input; RFC 7519, section 4.1",
  },
  "hostile:token-groups": {
    promise: "Groups that can't be believed to be all of them refuse the token",
    source: "issue 6, bad input",
  },
  "hostile:token-delegation": {
    promise: "A chain of actors that is deep or malformed refuses the token",
    source: "issue 6, bad input; RFC 8693, section 4.1",
  },
  "hostile:token-form": {
    promise: "Only a whole signed token of bounded size is read",
    source: "issue 6, bad input; RFC 7515, section 3.1",
  },
  "hostile:issuer-answers": {
    promise: "What an issuer answers can't lead the gateway elsewhere, hold it up, or make a weak key count",
    source: "issue 6, bad input; mcp.md, The HTTP door",
  },
  "hostile:subjects-alike": {
    promise: "Refusals tell nobody which subjects there are",
    source: "issue 6, bad input; words.md, What an agent sees",
  },
  "hostile:token-words": {
    promise: "Why a token was refused is told without the token",
    source: "issue 6, point 9",
  },
} as const;
