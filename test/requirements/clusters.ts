// What the tests hold of several clusters behind one gateway, and of how each is reached.

export const clusters = {
  "clusters:list": {
    promise:
      "With several clusters every tool that uses one asks for it, and the list offers those alone in which the caller could use it",
    source: "issue 4, point 3; tools.md, section 1",
  },
  "clusters:named": {
    promise: "A call without its cluster, or with one that is not the caller's, is refused by the same words",
    source: "issue 4, point 3; tools.md, section 1",
  },
  "clusters:governed": {
    promise: "Rules, approvals, cards, grants and entries are of the cluster that the call names",
    source: "issue 4, point 3; policy.md",
  },
  "clusters:dead": {
    promise:
      "A cluster that refuses or never answers keeps no other from listing, reading, changing, sweeping or closing",
    source: "issue 4, point 3",
  },
  "clusters:configuration": {
    promise:
      "Only the clusters that the configuration names are reached, and a mistake in it is told with its line and column",
    source: "issue 4, point 3; architecture.md",
  },
  "clusters:enrol": {
    promise:
      "enroll and unenroll do each cluster that was named, say of each what became of it, and fail where one did",
    source: "issue 4, point 8",
  },
  "clusters:vanished-namespace": {
    promise: "A namespace that was enrolled and is gone does not stand in the way of an enrolment",
    source: "kubernetes.md",
  },
  "clusters:enrol-at-once": {
    promise: "Enrolments that run at the same time take nothing from each other",
    source: "issue 4, point 8",
  },
  "clusters:upgrade": {
    promise: "Enrolling again brings an older installation up to date and keeps what the administrator edited",
    source: "issue 4, point 8; kubernetes.md, Grants",
  },
  "clusters:clients": {
    promise:
      "Every way in that a kubeconfig or a pod has reaches a real API server, and the server's certificate decides with whom it speaks",
    source: "issue 4, point 10",
  },
  "clusters:differences": {
    promise: "doctor names each difference between what is installed in a cluster and what should be",
    source: "issue 4, point 8",
  },
} as const;
