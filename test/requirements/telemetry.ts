// Promises to whoever operates a gateway: metrics, readiness, traces and the log.

export const telemetry = {
  "telemetry:clock-checked": {
    promise:
      "While it serves the gateway puts on record how far its clock is from each cluster's, and alerts once where it is off",
    source: "issue 9, point 1; evidence.md, Kinds; NIST SP 800-53 AU-8",
  },
  "telemetry:clock-hostile": {
    promise:
      "A cluster that is away, says no time, or a clock that is set meanwhile makes no false offset and blocks nothing",
    source: "evidence.md, Kinds; RFC 9110, section 6.6.1",
  },
  "telemetry:calls-are-counted": {
    promise: "Every call is counted once, by its tool and by what its caller was answered",
    source: "issue 6, point 9",
  },
  "telemetry:nothing-said-is-a-label": {
    promise:
      "No label and no number of the metrics tells a namespace, an object, a caller, a value or any word of an agent's",
    source: "issue 6, point 9; SECURITY.md",
  },
  "telemetry:bounded": {
    promise: "However many callers ask whatever they like, the metrics stay as many as they are",
    source: "issue 6, point 9",
  },
  "telemetry:stages-are-timed": {
    promise: "Each stage of the line is timed by its name, waiting for a person apart, without the line knowing of it",
    source: "issue 6, point 9; architecture.md",
  },
  "telemetry:export-lag": {
    promise: "How far each continuous export is behind, in entries and seconds, stands among the metrics by its name",
    source: "issue 9, point 10; evidence.md, Reading",
  },
  "telemetry:own-registry": {
    promise: "Two gateways of one process count apart",
    source: "issue 6, point 9",
  },
  "telemetry:ready-by-name": {
    promise:
      "Readiness names each dependency and what was seen of it; without the record or the approvals, or with no cluster left, the gateway is not ready, and one dead cluster of several changes nothing of that",
    source: "issue 6, point 9; mcp.md",
  },
  "telemetry:ready-bounded": {
    promise:
      "However often readiness is asked for, a dependency is tried at most once in fifteen seconds, and one that never answers holds nobody up for longer than its patience",
    source: "issue 6, point 9",
  },
  "telemetry:operators-only": {
    promise:
      "Metrics and the details of readiness are told to this machine and to the operator token alone; everybody else hears ready or not ready",
    source: "issue 6, point 9",
  },
  "telemetry:one-span-a-call": {
    promise: "A configured collector gets one span a call under the call's own id, with a span a stage below it",
    source: "issue 6, point 9",
  },
  "telemetry:traces-tell-nothing": {
    promise: "Nothing that was asked, found or hidden is in what the collector gets",
    source: "issue 6, point 9; SECURITY.md",
  },
  "telemetry:traces-hold-nobody-up": {
    promise: "A collector that is away, refuses, or never answers changes no call and delays no end beyond its bound",
    source: "issue 6, point 9",
  },
  "telemetry:log-is-closed": {
    promise: "A log line holds the fields of its event and nothing else, whatever else hangs on what was logged",
    source: "issue 6, point 9; words.md",
  },
  "telemetry:log-without-secrets": {
    promise: "A secret in a fault's cause, a thrown error, a header or a path does not reach standard error",
    source: "issue 6, point 9; SECURITY.md",
  },
  "telemetry:log-is-kept": {
    promise: "What was logged before the process was killed is there",
    source: "issue 6, point 9; dependencies.md",
  },
} as const;
