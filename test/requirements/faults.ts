// What the fault matrix holds, through the door: a real MCP client over HTTP to the whole gateway.

export const faults = {
  "faults:conflict-again": {
    promise:
      "A conflict with somebody else's write is looked at again, up to three times, before the agent hears of it",
    source: "approval.md, What is approved; tools.md",
  },
  "faults:unknown-tool": {
    promise: "A tool that is hidden or does not exist is a protocol error, and no call",
    source: "words.md, What an agent sees",
  },
  "faults:not-a-message": {
    promise: "A message that two programs could read differently, or none write down again, is refused at the door",
    source: "issue 3, Bad input and faults; RFC 7493",
  },
  "faults:arguments": {
    promise: "Bad arguments are named by path and rule, never by value; nothing runs, and the call is on record",
    source: "words.md, What an agent sees; tools.md, section 1",
  },
  "faults:cluster-answers": {
    promise:
      "Whatever a cluster answers, and whenever, the agent reads one sentence with its code, and the record says the same",
    source: "tools.md, section 4; issue 3, Bad input and faults",
  },
  "faults:retry-after": {
    promise: "A server that asks for time is given it, and no time makes a repeat of an unknown effect safe",
    source: "tools.md, section 4; words.md",
  },
  "faults:effect-known": {
    promise: "What a call may have left in the cluster is never told as nothing",
    source: "words.md, What an agent sees; evidence.md",
  },
  "faults:token-renewed": {
    promise: "A token that Kubernetes no longer takes is not used again",
    source: "tools.md, section 4",
  },
  "faults:cancel": {
    promise: "Who leaves is let go at once, and the record says so",
    source: "mcp.md, Packages and revisions",
  },
  "faults:cancel-to-the-socket": {
    promise: "Whoever cancels or goes away takes the call's connection to the cluster along",
    source: "issue 4, Waiting; mcp.md, Packages and revisions",
  },
  "faults:streams": {
    promise: "A stream that comes slowly, by halves, malformed or not to its end is told as what it is",
    source: "issue 4, Bad input",
  },
  "faults:slow": {
    promise: "A slow cluster ends a call at its deadline",
    source: "issue 3, Bad input and faults",
  },
  "faults:cluster-away": {
    promise: "A cluster that can't be reached does not keep the gateway from starting",
    source: "issue 3, npm start",
  },
  "faults:expired-token": {
    promise: "An expired kubeconfig token is named as a refused credential, and nothing runs",
    source: "issue 3, Bad input and faults",
  },
  "faults:grant-half-made": {
    promise: "A grant that can't be made whole is taken back, and nothing runs",
    source: "kubernetes.md, Grants; AC-6",
  },
  "faults:grant-left": {
    promise: "A grant that can't be removed is useless at once, told as left over, and removed by the next sweep",
    source: "kubernetes.md, Grants; AC-6",
  },
  "faults:fence-gone": {
    promise: "Without the fence around previews no change is possible",
    source: "kubernetes.md, Previews can't write",
  },
  "faults:full-disk": {
    promise: "A full disk lets every call that began be recorded to its end, and lets no other begin",
    source: "evidence.md, Writing; AU-5",
  },
  "faults:failing-disk": {
    promise: "What can't be recorded does not run, and what ran without its record is said to have run",
    source: "architecture.md, Life of a call; AU-5",
  },
  "faults:hanging-disk": {
    promise: "A disk that does not answer lets nothing run, and keeps no call waiting but those in its write",
    source: "evidence.md, Writing; AU-5",
  },
  "faults:state-folder": {
    promise:
      "A state folder that can't be used keeps the gateway from starting, with one sentence that names what is wrong",
    source: "issue 3, Bad input and faults",
  },
  "faults:corrupt-transcript": {
    promise: "A gateway never writes on to a transcript that is not what was signed",
    source: "evidence.md, Writing; AU-9",
  },
  "faults:corrupt-approvals": {
    promise: "A damaged approvals file is refused and never taken for an empty one",
    source: "issue 3, Bad input and faults; approval.md",
  },
  "faults:bad-configuration": {
    promise: "A mistake in what a person wrote is named where it stands, and nothing starts",
    source: "issue 3, Bad input and faults; policy.md",
  },
  "faults:approval-pending": {
    promise: "A call that needs a person is answered as pending, and an equal one joins it",
    source: "mcp.md, Waiting for a person",
  },
  "faults:self-approval": {
    promise: "Nobody approves their own call, and no agent approves anything",
    source: "approval.md, By whom; AC-5",
  },
  "faults:approval-once": {
    promise: "An approved call runs once, and its answer is given once",
    source: "approval.md, What is approved; mcp.md, Waiting for a person",
  },
  "faults:approval-rejected": {
    promise: "A refusal reaches the agent, and a person's words only where they were meant for it",
    source: "words.md, What an agent sees",
  },
  "faults:approval-expired": {
    promise: "What nobody decided in time does not run",
    source: "approval.md, Channels",
  },
  "faults:approval-stale": {
    promise: "An approval holds only for the object and the change that were seen",
    source: "approval.md, What is approved; CM-3",
  },
  "faults:restarted": {
    promise: "What waited for a person when the gateway stopped still waits, and its answer still reaches its caller",
    source: "mcp.md, Waiting for a person; approval.md",
  },
  "faults:approval-killed": {
    promise:
      "Whatever state a request is in when its gateway is killed, the next start goes on from there: it waits, runs once while it is valid and unchanged, or ends",
    source: "issue 7, Attack and fault tests; approval.md, What is approved",
  },
  "faults:killed": {
    promise:
      "A killed gateway leaves nothing usable after the next sweep, and its calls are never run again by themselves",
    source: "issue 3, The real control plane in the tests; evidence.md, Writing",
  },
  "faults:half-done": {
    promise: "A call that breaks off between its writes tells which were done, and the record names them",
    source: "issue 3, Bad input and faults; tools.md, manifests_apply",
  },
  "faults:verifies": {
    promise: "No fault leaves a record that does not prove itself, nor a credential behind",
    source: "evidence.md; issue 3, Bad input and faults",
  },
  "faults:server-matrix": {
    promise: "Whatever a server does to whichever request of whichever tool, the code names it and the effect is true",
    source: "issue 4, Bad input; tools.md, section 4; words.md",
  },
  "faults:server-lists": {
    promise:
      "A list of thousands is counted exactly, told in a page, and never taken for whole where it was not read whole",
    source: "tools.md, Token economy; issue 4, Bad input",
  },
  "faults:server-logs": {
    promise: "Of a long log the newest lines are read and told, within its cap, and what was not read is said",
    source: "tools.md, logs_read and Never silent; issue 4, Bad input",
  },
  "faults:server-held": {
    promise: "Of a list at most one page of objects is held at once, and short rows of the rest",
    source: "issue 4, Speed; qualities.md",
  },
  "faults:swept": {
    promise:
      "At start and each minute what is left of grants goes, and an object that no entry accounts for is told once",
    source: "issue 4, Sweep; kubernetes.md, Grants",
  },
} as const;
