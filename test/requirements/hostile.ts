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
} as const;
