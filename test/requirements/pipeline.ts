// What the tests hold of the whole line.

export const pipeline = {
  "pipeline:audited": {
    promise: "Every effect can be joined with the cluster's own audit log",
    source: "kubernetes.md, Client; AU-10",
  },
  "pipeline:grant-dies": { promise: "A credential dies with its call", source: "kubernetes.md, Grants; AC-6" },
  "pipeline:end-before-removal": {
    promise: "What a call did is on record before anybody waits for a cluster that does not let its credential go",
    source: "evidence.md, Writing; issue 6, point 5",
  },
  "pipeline:preview-writes-nothing": {
    promise: "A preview changes nothing",
    source: "kubernetes.md, Previews can't write",
  },
  "pipeline:last-word": {
    promise: "A preview tells the answer that policy gives once it knows what the change would do",
    source: "architecture.md, Life of a call, point 5",
  },
  "pipeline:outside-production": { promise: "Policy decides where a person is needed", source: "policy.md" },
  "pipeline:not-enrolled": { promise: "What was not enrolled is out of reach", source: "kubernetes.md, Grants" },
  "pipeline:no-secret-leaves": {
    promise: "Secrets never reach the client in any output",
    source: "masking.md; SC-7(10)",
  },
  "pipeline:verifies": { promise: "The record proves itself", source: "evidence.md; AU-9(3)" },
  "calls:cancel": {
    promise:
      "A long call is cancelled by its caller while that is held, later by whoever runs the gateway alone, down to the socket, and its end says what was done and what was left",
    source: "issue 4, points 4 and 5",
  },
  "calls:restart": {
    promise:
      "A long call that its gateway did not outlive is on record, its caller hears of it, and nothing of its grant is left",
    source: "issue 4, point 5",
  },
  "calls:bounded": {
    promise: "One caller has a bounded number of long calls under way",
    source: "qualities.md",
  },
  "calls:kept": {
    promise: "The answer of a call that ran on waits sealed for its own caller, one hour, and is told once",
    source: "mcp.md, Waiting for a person",
  },
} as const;
