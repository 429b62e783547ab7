// What the tests hold of tools/.

export const tools = {
  "tools:diagnose-cause": {
    promise: "A diagnosis names the cause before what follows from it, with the cluster's own evidence and a next step",
    source: "tools.md, problems_diagnose",
  },
  "tools:events-grouped": {
    promise: "Events come newest first with repeats as one row, and with a name also those of what it owns",
    source: "tools.md, events_list",
  },
  "tools:change-sent": {
    promise: "A change tool sends the accesses that it declared, all of them and no other",
    source: "kubernetes.md, Attack surface; tools.md, section 1",
  },
  "tools:change-preview": {
    promise: "A preview shows what the run will change, and changes nothing",
    source: "tools.md, section 5",
  },
  "tools:change-restart": {
    promise: "A restart rolls the pods and touches nothing else",
    source: "tools.md, section 1",
  },
  "tools:change-made-values": {
    promise: "A value that a tool makes itself is the one that was approved",
    source: "approval.md, What is approved",
  },
  "tools:change-update": { promise: "An update touches one container", source: "tools.md, section 1" },
  "tools:change-undo": {
    promise: "A rollback brings the earlier template back as it was, secrets included",
    source: "tools.md, section 1",
  },
  "tools:change-patch": {
    promise: "A patch writes what it says, in each of its three forms",
    source: "tools.md, section 1",
  },
  "tools:change-unwritable": {
    promise: "No body writes status, owners, finalizers, identity, what no diff shows, or a masked value",
    source: "tools.md, section 1; masking.md, Round trip",
  },
  "tools:change-delete": {
    promise: "A deletion removes the objects that were seen and says what goes with them",
    source: "tools.md, section 1",
  },
  "tools:change-apply": {
    promise: "Either all documents pass the rehearsal or none is written",
    source: "tools.md, section 1",
  },
  "tools:change-midway": {
    promise: "A change that breaks off in the middle says what was done and what was not",
    source: "issue 4, Changes",
  },
  "tools:change-manifests": {
    promise: "A manifest is plain data: what could mean two things is refused",
    source: "issue 4, Bad input",
  },
  "tools:change-job": { promise: "A Job from a CronJob is the CronJob's own", source: "tools.md, section 1" },
  "tools:change-node-power": {
    promise: "No way of writing brings a pod the node's namespaces, files or power",
    source: "kubernetes.md, Attack surface",
  },
  "tools:change-hidden": {
    promise: "A write to a hidden field always shows as changed, and never its value",
    source: "masking.md, No oracle",
  },
  "tools:rollout-history": {
    promise: "A rollout's answer tells its progress, what blocks it, its revisions, and what going back would change",
    source: "tools.md, rollouts_get",
  },
  "tools:wait-bounded": {
    promise: "A wait ends when the condition holds, can no longer hold, or its seconds are over, and says which",
    source: "tools.md, conditions_wait",
  },
  "tools:kinds-explained": {
    promise: "Kinds and their fields come from the cluster's own live schema",
    source: "tools.md, kinds_explain",
  },
  "tools:top-beside-requests": {
    promise: "Use stands beside requests and limits, highest first, and says so where no metrics are served",
    source: "tools.md, metrics_top",
  },
  "tools:not-checked": {
    promise: "What a read may not or cannot look at is told as not checked, never passed over",
    source: "tools.md, Token economy: never silent",
  },
} as const;
