// What the tests hold of test/evals/ and of the nodes that its tasks run on.

export const evals = {
  "evals:nodes": {
    promise: "The test cluster's nodes run pods, serve their logs and let them be evicted, as a kubelet does",
    source: "kubernetes.md, A real control plane for tests",
  },
  "evals:tasks": {
    promise:
      "An agent's task is done by the ideal calls alone: what should change has changed, nothing else, and no secret was shown",
    source: "issue 4, Evals; tools.md, section 7",
  },
  "evals:tokens": {
    promise: "No task costs more than 20 % more tokens than when it was last accepted",
    source: "issue 4, Evals",
  },
  "evals:harness": {
    promise: "A task fails for every difference and every write that it does not name",
    source: "tools.md, section 7: safe pass",
  },
} as const;
