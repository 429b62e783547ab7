// What the tests hold of approval/.

export const approval = {
  "approval:as-shown": {
    promise:
      "What a cluster writes otherwise than its dry run showed is told to the agent and raises an alert on record",
    source: "issue 4, point 4; approval.md, freshness; SECURITY.md",
  },
  "approval:webhook": {
    promise:
      "On-call systems are told of each request and its end by a signed notice, tried again until it arrives or is given up; nothing they answer decides",
    source: "issue 7, point 5; slack.md, section 7",
  },
  "approval:digest-binds": {
    promise: "An approval is bound to the call, its nonce, the objects' uids, the diff and the requirements",
    source: "approval.md, What is approved",
  },
  "approval:card-once": {
    promise: "The card is made once by the gateway, digested, and worded the same for every channel",
    source: "approval.md, What is approved",
  },
  "approval:card-neutral": {
    promise: "No text on a card can hide, reorder or start a line, and the agent's reason is cut",
    source: "approval.md, What is approved; slack.md section 2",
  },
  "approval:card-honest": {
    promise: "What can't be shown to the approver is said to be so, never left out",
    source: "approval.md, What is approved",
  },
  "approval:never-the-requester": {
    promise:
      "Neither the requester nor the human behind an agent approves their own call where there are several users",
    source: "approval.md, By whom",
  },
  "approval:never-an-agent": {
    promise: "Software never approves, nor does a person's token in the hands of software",
    source: "approval.md, By whom",
  },
  "approval:only-the-named": {
    promise: "Only people whom a requirement names may answer, and others learn nothing of the request",
    source: "approval.md, By whom",
  },
  "approval:different-people": {
    promise: "A count needs that many different people; one person counts once whatever groups they are in",
    source: "approval.md, By whom",
  },
  "approval:every-requirement": {
    promise: "A request is approved only when each of its requirements is met",
    source: "policy.md",
  },
  "approval:assurance": {
    promise: "An approval weaker than the rule asks for does not count",
    source: "approval.md, By whom",
  },
  "approval:single-user": {
    promise: "On one person's machine the owner may confirm their own agent's calls, and it is recorded as same-device",
    source: "approval.md, By whom",
  },
  "approval:first-decides": {
    promise: "Of answers at the same moment the first decides and the others change nothing",
    source: "approval.md, Channels",
  },
  "approval:expires": {
    promise: "Nothing is approved by silence: a request that ran out of time ends, and a late answer changes nothing",
    source: "approval.md, What is approved",
  },
  "approval:clock-back": {
    promise: "A clock that steps back lengthens no deadline",
    source: "issue 7, attack and fault tests",
  },
  "approval:valid-for": {
    promise: "An approval that could not start in time lapses and never runs",
    source: "approval.md, What is approved",
  },
  "approval:single-use": {
    promise: "An approval is spent once, for the digest that was approved",
    source: "approval.md, What is approved",
  },
  "approval:one-spender": {
    promise: "Of processes racing to spend one approval exactly one wins",
    source: "issue 7, Store",
  },
  "approval:ends-final": {
    promise: "A request moves only as its table says, and its ends are final",
    source: "approval.md, What is approved",
  },
  "approval:take-back": {
    promise:
      "The requester may withdraw a request while it is pending, and any approver may revoke an approval until it runs",
    source: "issue 7, Rules",
  },
  "approval:equal-joins": {
    promise: "An equal call of the same requester joins the request under way; any other call makes its own",
    source: "approval.md, Channels",
  },
  "approval:recorded-first": {
    promise:
      "Each step of a request is in the transcript, and where the transcript can't be written nothing is approved or spent",
    source: "evidence.md, Writing",
  },
  "approval:durable": {
    promise: "What was acknowledged survives kill -9 at any moment, and what was not is whole or absent",
    source: "dependencies.md, lowdb",
  },
  "approval:refuses-damage": {
    promise: "A damaged, empty, changed or missing approvals file stops the start with a sentence and is left as it is",
    source: "issue 3, Bad input and faults",
  },
  "approval:arguments-sealed": {
    promise: "The exact arguments of a request lie sealed under a key of their own, destroyed when it ends",
    source: "approval.md, What is approved",
  },
  "approval:owner-only": {
    promise: "Nothing that the approval store writes is readable by anyone but its owner",
    source: "dependencies.md, lowdb",
  },
  "approval:answers-once": {
    promise:
      "The result of an approved call waits sealed for its caller, answers one repeat, and is forgotten after an hour",
    source: "mcp.md, Waiting for a person",
  },
  "approval:restart": {
    promise: "After a restart a call that had begun is answered with effect unknown and never run again",
    source: "mcp.md, Two clients on one machine",
  },
  "approval:keeps": {
    promise: "Ended requests are kept for their time and forgotten after it",
    source: "issue 7, Store",
  },
  "approval:channel-down": {
    promise: "A channel that fails or hangs stops neither the request nor the other channels",
    source: "approval.md, Channels",
  },
  "approval:escalates": {
    promise:
      "Where nobody answers for as long as a rule says, those it names may answer too and the channels are told again",
    source: "policy.md",
  },
  "approval:terminal": {
    promise: "A person lists, sees, approves, rejects, watches and withdraws requests in a terminal",
    source: "approval.md, Channels",
  },
  "approval:figures": {
    promise:
      "The figures say how many requests there were, how they ended, how long people took and how many answered within five seconds, by group",
    source: "issue 7, point 10; approval.md, Measured",
  },
} as const;
