// What the tests hold of agents' accounts, the kill switch and the limits of a caller.

export const accounts = {
  "accounts:registered": {
    promise: "An agent that an outside issuer vouches for is let in only while its account is enabled and not expired",
    source: "issue 6, point 4; AC-2, AC-2(3)",
  },
  "accounts:told": {
    promise: "The operator learns at the default level which agent was kept out, rolled up; the agent learns nothing",
    source: "issue 6, point 4; words.md, What an agent sees",
  },
  "accounts:local": {
    promise: "An agent that the configuration names is let in unless its account is disabled or has expired",
    source: "issue 6, point 4",
  },
  "accounts:chain": {
    promise: "Whoever is disabled keeps out every caller in whose chain it stands",
    source: "issue 6, points 2 and 4",
  },
  "accounts:next-request": {
    promise: "A disabled or expired agent is a stranger from its next request on",
    source: "issue 6, point 4; AC-2(3)",
  },
  "accounts:on-record": {
    promise: "Every change of an account is an entry that says who made it, durable before the change counts",
    source: "issue 6, point 4; AC-2(4)",
  },
  "accounts:owner-alone": {
    promise: "Only whoever runs the gateway changes accounts, with or without one running",
    source: "issue 6, point 4; AC-2",
  },
  "accounts:reviewed": {
    promise: "Every account has an owner, a purpose, an end and a day by which somebody looks again",
    source: "issue 6, point 4; AC-2",
  },
  "accounts:kept": {
    promise: "Accounts that were edited, damaged or lost keep the gateway from starting, with a sentence",
    source: "issue 6, point 4; AC-2",
  },
  "accounts:approved-meanwhile": {
    promise: "What was approved does not run once its agent is disabled",
    source: "approval.md, What is approved; mcp.md, Waiting for a person",
  },
  "accounts:kill-switch": {
    promise:
      "An agent that is disabled at once takes its calls along down to the socket, what it asked of people and its credentials, and nobody else's",
    source: "issue 6, point 4; AC-2(13), IR-4",
  },
  "accounts:kill-unrecorded": {
    promise:
      "A kill switch that can't be put on record kills all the same, says so, and is recorded when that works again",
    source: "issue 6, point 4; AC-2(13), IR-4",
  },
  "limits:enforced": {
    promise:
      "A caller beyond a limit is refused with the limit's name, its value and when to come back, and nothing of the call runs",
    source: "issue 6, point 7; mcp.md, The HTTP door",
  },
  "limits:looks": {
    promise: "What is answered without a call is bounded a minute as well: lists, prompts, how a task stands",
    source: "issue 6, point 7",
  },
  "limits:no-new-room": {
    promise: "No session, client, parallel start or step of the clock gives a caller new room, or locks it out",
    source: "issue 6, point 7",
  },
  "limits:rolled-up": {
    promise: "What was refused at a limit is on record as a count a minute, never an entry each",
    source: "issue 6, point 7; mcp.md, The HTTP door",
  },
  "limits:bounded": {
    promise:
      "However many callers there are, what is remembered of them is bounded, and forgetting gives nobody new room",
    source: "issue 6, point 7; qualities.md",
  },
} as const;
