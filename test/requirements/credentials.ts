// What the tests hold of credentials/.

export const credentials = {
  "credentials:exact": {
    promise: "A grant holds exactly the accesses of its call: no other name, namespace, verb or resource",
    source: "kubernetes.md, Grants",
  },
  "credentials:order": {
    promise:
      "A grant is made in two rounds, bound to its anchor by uid, and taken back binding first, then anchor, then the rest",
    source: "kubernetes.md, Grants",
  },
  "credentials:dies-with-call": {
    promise: "After the call its token is refused: 403 at once, 401 within about ten seconds",
    source: "kubernetes.md, Grants",
  },
  "credentials:nothing-left": {
    promise:
      "A grant that could not be made whole leaves nothing behind, and the agent learns only that there is no credential",
    source: "kubernetes.md, Grants",
  },
  "credentials:ceiling": {
    promise: "Kubernetes refuses a grant wider than the ceiling, and the gateway can't make itself stronger",
    source: "kubernetes.md, Grants",
  },
  "credentials:gateway-account": {
    promise: "The kubeconfig only mints the gateway's token; everything else is done as the gateway's own account",
    source: "kubernetes.md, Grants",
  },
  "credentials:certificate": {
    promise: "A token is never sent beside a client certificate, which would speak louder",
    source: "kubernetes.md, Grants",
  },
  "credentials:chosen": {
    promise:
      "The effect of a call chooses its issuer: reads the reader, Secrets and changes a grant, and the kubeconfig's own nothing but reads before enrolment",
    source: "kubernetes.md, Grants",
  },
  "credentials:reader-recorded": {
    promise: "No call of a session reads with a token before that token is durably on record, whichever call writes it",
    source: "evidence.md, Writing: durable before effect; issue 9, point 4",
  },
  "credentials:reader-session": {
    promise:
      "Each session reads with a token of its own, kept while it lasts and dead after it, that can read no Secret",
    source: "kubernetes.md, Grants",
  },
  "credentials:preview-fence": {
    promise:
      "The preview account can rehearse and never write, and no preview is made unless that was seen within the last minute",
    source: "kubernetes.md, Grants",
  },
  "credentials:grant-fence": {
    promise:
      "No grant can run a privileged pod, mount the node's files or write what hands out power, whatever its Role says",
    source: "kubernetes.md, Grants",
  },
  "credentials:single-flight": {
    promise:
      "A shared token is made once for all who wait for it, renewed before it expires, and one waiter's leaving disturbs no other",
    source: "kubernetes.md, Grants",
  },
  "credentials:token-life": {
    promise: "A grant lives max(600 s, the call's deadline + 60 s)",
    source: "kubernetes.md, Grants",
  },
  "credentials:sweep": {
    promise:
      "A sweep removes every object of a grant that is not in flight, leaves those that are, and reads no Secret's data",
    source: "kubernetes.md, Grants",
  },
  "credentials:sweep-unknown": {
    promise: "Objects under our label that no entry accounts for are told; a label alone makes us delete nothing",
    source: "kubernetes.md, Grants",
  },
  "credentials:custom-kinds": {
    promise:
      "A custom resource is enrolled by one command that names it: read by the reader, changed by a grant, never by wildcard, never its status; what is not enrolled says which command would",
    source: "issue 4, Catalogue; kubernetes.md, Grants",
  },
  "credentials:enroll-idempotent": {
    promise:
      "Enrolment brings a cluster to what its manifests say, names each difference, keeps an admin's edits of the ceiling, and changes nothing the second time",
    source: "kubernetes.md, Grants",
  },
  "credentials:enroll-refused": {
    promise: "Enrolment that can't go on says in one sentence what is missing and reaches no application",
    source: "kubernetes.md, Grants",
  },
  "credentials:enroll-print": {
    promise: "enroll --print shows the exact manifests and touches no cluster; nothing is applied without a yes",
    source: "kubernetes.md, Grants",
  },
  "credentials:unenroll": {
    promise: "unenroll removes everything that enrolment and grants made",
    source: "kubernetes.md, Grants",
  },
  "credentials:cluster-grant": {
    promise:
      "With enroll --nodes a call on a node gets a ClusterRole with its exact names, made and removed like every grant; without it the fault says what is missing",
    source: "kubernetes.md, Grants",
  },
  "credentials:node-fence": {
    promise:
      "With enroll --nodes the gateway can make and remove no ClusterRole but a grant's own, a grant can change nothing of a node but whether pods may come, and the preview account still only rehearses",
    source: "kubernetes.md, Grants",
  },
  "credentials:manifests-bounded": {
    promise:
      "No role that enrolment makes holds a wildcard, escalate, bind or impersonate, nor, unless that was asked for, a Secret's value or an exec",
    source: "kubernetes.md, Grants and Attack surface",
  },
} as const;
