// What the tests hold of the whole line.

export const pipeline = {
  "pipeline:audited": {
    promise: "Every effect can be joined with the cluster's own audit log",
    source: "kubernetes.md, Client; AU-10",
  },
  "pipeline:grant-dies": { promise: "A credential dies with its call", source: "kubernetes.md, Grants; AC-6" },
  "pipeline:preview-writes-nothing": {
    promise: "A preview changes nothing",
    source: "kubernetes.md, Previews can't write",
  },
  "pipeline:outside-production": { promise: "Policy decides where a person is needed", source: "policy.md" },
  "pipeline:not-enrolled": { promise: "What was not enrolled is out of reach", source: "kubernetes.md, Grants" },
  "pipeline:no-secret-leaves": {
    promise: "Secrets never reach the client in any output",
    source: "masking.md; SC-7(10)",
  },
  "pipeline:verifies": { promise: "The record proves itself", source: "evidence.md; AU-9(3)" },
} as const;
