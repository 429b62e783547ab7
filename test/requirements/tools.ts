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
  "tools:wait-never": {
    promise: "Waiting ends at once for what can't come, and says what could be waited for",
    source: "issue 4, point 5; tools.md, conditions_wait",
  },
  "tools:wait-says": {
    promise: "What an object is not yet is told by what holds it up",
    source: "issue 4, point 5; tools.md, section 2",
  },
  "tools:leaving-told": {
    promise: "An object on its way out is told as such, with what it waits for",
    source: "issue 4, point 3; tools.md, section 2",
  },
  "tools:force-controllers": {
    promise:
      "An apply by force takes no field from a controller, however many others keep, whatever stands in its name, and where no name can be read",
    source: "issue 4, point 4; tools.md, apply",
  },
  "tools:undo-paused": {
    promise: "A paused Deployment goes back to what its pods run, not past it",
    source: "issue 4, point 4; tools.md, rollouts_undo",
  },
  "tools:undo-true": {
    promise: "The undo that an answer names takes back that call and no other",
    source: "issue 4, point 4; tools.md, section 5",
  },
  "tools:scale-autoscaled": {
    promise: "What an autoscaler makes of the new count is told as it will be",
    source: "issue 4, point 4; tools.md, workloads_scale",
  },
  "tools:summary-whole": {
    promise: "A summary shows every container and what its kind's status comes to",
    source: "issue 4, point 3; tools.md, objects_get",
  },
  "tools:diff-members": {
    promise: "A diff names the member of a list that changes by what tells it apart, and a count by its number",
    source: "tools.md, section 5",
  },
  "tools:delete-claims": {
    promise: "Whether the data of a StatefulSet goes with it is said before it is deleted",
    source: "issue 4, point 4; tools.md, objects_delete",
  },
  "tools:events-none": {
    promise: "No events of an object do not pass for an object without trouble",
    source: "tools.md, section 2, Never silent",
  },
  "tools:pages-moved": {
    promise: "A page whose list has changed since the last one says so",
    source: "issue 4, point 3; tools.md, section 2, Never silent",
  },
  "tools:change-undo": {
    promise: "A rollback brings the earlier template back as it was, secrets included",
    source: "tools.md, section 1",
  },
  "tools:to-nothing": {
    promise: "Setting a count of replicas to 0 destroys, whichever tool writes it",
    source: "tools.md, workloads_scale; issue 4, point 4",
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
  "tools:change-defaults": {
    promise: "A diff leaves out what Kubernetes fills in by itself, and nothing else",
    source: "tools.md, section 5",
  },
  "tools:change-one-diff": {
    promise:
      "The diff is one text: what the agent is shown before and after, what the approver is shown, and what the entry keeps",
    source: "issue 4, Diff; tools.md, section 5",
  },
  "tools:bounds": {
    promise: "Every argument has the bound that the catalogue gives it, and one beyond it is refused by its name",
    source: "tools.md, section 1: bounds kept at run time",
  },
  "tools:view-as-written": {
    promise:
      "The view to edit and apply leaves out what Kubernetes fills in by itself, and nothing that somebody wrote",
    source: "tools.md, section 2: views",
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
  "tools:round-trip": {
    promise:
      "A mask that comes back where it was read keeps the stored value; anywhere else it is refused with its path",
    source: "masking.md, Round trip",
  },
  "tools:change-exposes-nothing": {
    promise: "No write brings a hidden value to light by changing what stands around it",
    source: "masking.md, Round trip: a secret never moves",
  },
  "tools:change-command-readable": {
    promise: "A word of a command line that would be hidden from its approver is refused",
    source: "approval.md, What is approved",
  },
  "tools:change-shows-all": {
    promise: "Whatever differs shows in the diff, repeated names and order included",
    source: "tools.md, section 5",
  },
  "tools:change-facts": {
    promise: "Policy can ask what a change touches: counts, images, variables, identity, privilege, volumes",
    source: "policy.md, Facts",
  },
  "tools:change-asks": {
    promise: "Another ServiceAccount, owners and finalizers need a person even where a rule allows",
    source: "kubernetes.md, Attack surface",
  },
  "tools:change-owners": {
    promise: "An owner that does not exist is never written",
    source: "kubernetes.md, Attack surface",
  },
  "tools:change-as-shown": {
    promise: "What the preview shows is what the run changes",
    source: "tools.md, section 5; approval.md",
  },
  "tools:change-checks": {
    promise: "A preview tells who else has a say: autoscaler, controller, GitOps source, quota, the Service's pods",
    source: "tools.md, section 5",
  },
  "tools:change-pod-security": {
    promise: "A preview says that its dry run does not try the namespace's Pod Security profile",
    source: "tools.md, section 5",
  },
  "tools:change-bad-input": {
    promise: "What is no valid change is refused by name, before anything is written",
    source: "issue 4, Bad input",
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
  "tools:custom-resources": {
    promise:
      "A custom resource works in every generic tool as a built-in kind does, one that is named like a built-in kind is never taken for it, and it is reached only where a rule and an enrolment name its kind",
    source: "tools.md",
  },
  "tools:declared-sent": {
    promise: "No tool sends a request that it did not declare, nor declares one that it has no use for",
    source: "issue 4, Declared = sent; kubernetes.md, Attack surface",
  },
  "tools:nodes-cordon": {
    promise: "nodes_cordon closes a node to new pods or opens it, and changes nothing else of it",
    source: "tools.md, section 1",
  },
  "tools:nodes-drain": {
    promise:
      "nodes_drain cordons a node and evicts its pods within their budgets, and shows first which, what holds them back and what is lost",
    source: "tools.md, section 1",
  },
  "tools:nodes-spared": {
    promise:
      "A drain leaves DaemonSet and static pods and says so, and touches nothing while a pod that nothing recreates or an emptyDir volume was not agreed to",
    source: "tools.md, section 1",
  },
  "tools:nodes-blocked": {
    promise:
      "A budget that allows no eviction is waited for; after the time the fault names it, and says what was done and what was left",
    source: "tools.md, sections 1 and 4",
  },
  "tools:exec-enrolled": {
    promise: "Commands run only where enrolment let them in, and without it the answer says what is missing",
    source: "issue 4, Enrolment; kubernetes.md, Grants",
  },
  "tools:exec-runs": {
    promise: "A command runs once, word by word, under its own grant, and its exit code comes back",
    source: "tools.md, pods_exec",
  },
  "tools:exec-masked": {
    promise: "What a command writes is masked and framed as data",
    source: "masking.md; tools.md, section 3",
  },
  "tools:review-says-what-holds": {
    promise: "A review never promises what only a preview can tell",
    source: "tools.md, access_review; approval.md",
  },
  "tools:review-standing": {
    promise: "A review names no namespace and no tool that its caller does not see anyway",
    source: "tools.md, access_review",
  },
  "tools:exec-preview": {
    promise: "The preview of a command shows its exact words and where they would run, and sends nothing",
    source: "approval.md, What is approved",
  },
  "tools:exec-asks": {
    promise: "A command that could be anything or reaches for credentials needs a person, whatever a rule allows",
    source: "tools.md, pods_exec: risk",
  },
  "tools:exec-agreed": {
    promise: "A command runs only in the very pod and run of its container for which it was agreed",
    source: "approval.md, What is approved",
  },
  "tools:exec-inspectable": {
    promise: "A command of which a word would be hidden from its approver does not run",
    source: "approval.md, What is approved; masking.md",
  },
  "tools:exec-bounded": {
    promise: "A command's connection ends with its time, and at once when its call is cancelled",
    source: "kubernetes.md, Streams; mcp.md",
  },
  "tools:wait-watched": {
    promise: "A wait watches its object, tells of progress as it comes, and looks anew where the watch ends early",
    source: "tools.md, conditions_wait; issue 4, Waiting",
  },
  "tools:nodes-enrolled": {
    promise: "Without enroll --nodes cordon and drain touch nothing and say what is missing",
    source: "kubernetes.md, Grants",
  },
  "tools:nodes-stale": {
    promise: "A drain is agreed for the pods that the approver saw: one that came or went makes the approval stale",
    source: "approval.md, What is approved",
  },
  "tools:nodes-denied": {
    promise: "Who may not drain sees no drain",
    source: "tools.md, section 1",
  },
  "tools:exec-declared": {
    promise: "A command that is not the one that was declared and agreed never leaves, whatever a tool tries",
    source: "kubernetes.md, Attack surface; issue 4, Declared = sent",
  },
} as const;
