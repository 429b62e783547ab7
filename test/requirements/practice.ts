// What the tests hold of practice/.

export const practice = {
  "practice:loud": {
    promise:
      "The practice cluster says in its version, headers and files that it is not Kubernetes, and listens on loopback alone",
    source: "kubernetes.md",
  },
  "practice:unserved": {
    promise: "What the practice cluster does not do it refuses with a Status that says so",
    source: "kubernetes.md",
  },
  "practice:discovery": {
    promise: "Aggregated and classic discovery name the same kinds, as a real API server does",
    source: "kubernetes.md",
  },
  "practice:objects": {
    promise: "Objects are created, read, updated, patched and deleted with the codes and bodies of Kubernetes",
    source: "kubernetes.md",
  },
  "practice:refusals": {
    promise: "Bad names, values, versions and bodies are refused with the Status of Kubernetes",
    source: "tools.md",
  },
  "practice:dry-run": { promise: "A dry run answers as the write would and stores nothing", source: "kubernetes.md" },
  "practice:lists": {
    promise: "Lists select by label and field and page through one moment of the cluster",
    source: "kubernetes.md",
  },
  "practice:watches": {
    promise: "A watch tells what happens to the selected objects after a revision",
    source: "Kubernetes API concepts, Efficient detection of changes",
  },
  "practice:tables": { promise: "Tables have the columns of Kubernetes for every kind", source: "tools.md" },
  "practice:scale": {
    promise: "The scale subresource holds a write to the version it names and to counts that exist",
    source: "tools.md",
  },
  "practice:paths": {
    promise:
      "A path is decoded before it is routed, so an encoded slash reaches another object as it does on Kubernetes",
    source: "kubernetes.md",
  },
  "practice:identity": {
    promise: "Only the tokens that the cluster gave out are let in, for as long as what they are bound to exists",
    source: "kubernetes.md",
  },
  "practice:rbac": {
    promise: "Nothing is allowed that no rule allows, down to one name and one subresource",
    source: "kubernetes.md",
  },
  "practice:escalation": {
    promise: "Nobody makes a role or a binding that gives more than they hold",
    source: "kubernetes.md",
  },
  "practice:admission": {
    promise:
      "A validating admission policy is enforced on every write that it matches, subresources and dry runs included",
    source: "kubernetes.md",
  },
  "practice:expressions": {
    promise: "An expression outside the practice cluster's set is refused when the policy is made, never ignored",
    source: "kubernetes.md",
  },
  "practice:audit": {
    promise: "Every request stands in the audit log under its own id, with its user and its token's id",
    source: "kubernetes.md",
  },
  "practice:controllers": {
    promise: "Pods follow their Deployment's count, come back when deleted and go with their owner",
    source: "kubernetes.md",
  },
  "practice:logs": { promise: "Pod logs answer to the options and refusals of Kubernetes", source: "kubernetes.md" },
  "practice:story": {
    promise: "The story's seed holds secrets made at random and names each of them, so that a leak can be found",
    source: "masking.md",
  },
} as const;
