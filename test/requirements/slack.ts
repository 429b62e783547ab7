// What the tests hold of approval in Slack.

export const slack = {
  "slack:card": {
    promise:
      "A card shows what will happen to what, who asks through which agent, why, the diff, until when, and why you are asked",
    source: "issue 7, point 2; slack.md section 4",
  },
  "slack:literal": {
    promise:
      "Nobody's words but the server's stand where Slack reads markup: no mention, link or broadcast comes of a name, a reason or a value",
    source: "slack.md sections 2 and 6",
  },
  "slack:honest-cut": {
    promise:
      "What a card leaves out is said, and where something risky is cut or can't be seen it is approved only after the whole was shown",
    source: "slack.md section 4, Cut rule",
  },
  "slack:levels": {
    promise: "Low risk takes one tap; everything else is approved in a window that is rendered anew from the store",
    source: "slack.md section 4, Decide",
  },
  "slack:deny": {
    promise: "A no carries a reason, with words of one's own where the call destroys or runs something",
    source: "slack.md section 4, Decide",
  },
  "slack:outcome": {
    promise:
      "The message becomes the outcome, its thread and the requester hear of it once, and a late press changes nothing",
    source: "slack.md section 4, After",
  },
  "slack:reminds": {
    promise:
      "A request that waits is reminded of once, at half its time, and whoever may answer later is told in their channel",
    source: "slack.md section 4, After",
  },
  "slack:bursts": {
    promise: "Many requests at once become a list in which each is answered by itself; none is lost",
    source: "slack.md section 4, Fatigue",
  },
  "slack:signed": {
    promise: "Over HTTP nothing is read of a request that Slack did not sign for this moment, or that came before",
    source: "slack.md sections 2 and 6",
  },
  "slack:ours": {
    promise: "A press from another app, workspace or organisation has no effect",
    source: "slack.md section 5, Gate",
  },
  "slack:members": {
    promise: "Guests, strangers, outsiders, bots and whoever was deactivated answer nothing",
    source: "slack.md section 5, Gate",
  },
  "slack:fails-closed": {
    promise: "Where Slack does not say who someone is, nothing is decided and the request still waits",
    source: "slack.md section 6",
  },
  "slack:one-person": {
    promise:
      "A Slack user is exactly one linked person of the configuration, with that person's groups of this moment, and one person counts once",
    source: "slack.md section 5; approval.md, By whom",
  },
  "slack:carrier": {
    promise: "A button counts only on the message that it was made for; what it is called or carries decides nothing",
    source: "slack.md section 5, Gate",
  },
  "slack:window": {
    promise: "A window answers once, for the user and the request that it was opened for",
    source: "slack.md section 6",
  },
  "slack:once": {
    promise: "However often and however close presses come, one answer decides and one call runs",
    source: "slack.md section 6",
  },
  "slack:away": {
    promise:
      "Slack being down, slow, limited or full of errors keeps requests waiting, decidable elsewhere, and approves and breaks nothing",
    source: "slack.md section 6; issue 7",
  },
  "slack:limited": {
    promise: "Where Slack limits, what it limited waits and nothing else, and the order within a channel stays",
    source: "slack.md sections 2 and 6; issue 7, attack and fault tests",
  },
  "slack:restart": {
    promise: "After a restart the same cards count and show how their requests stand",
    source: "issue 7, point 8; slack.md section 4",
  },
  "slack:connected": {
    promise: "A press during a refresh or a lost connection is heard, and connections come back by themselves",
    source: "slack.md section 0",
  },
  "slack:links": {
    promise: "One Slack user is linked to one account by a login that nobody else can finish, on record, until it ends",
    source: "slack.md section 5, Link",
  },
  "slack:confirmed": {
    promise:
      "A link counts for nothing until its own Slack user has confirmed it, in the message that asked, once and within 15 minutes",
    source: "slack.md section 5, Link, step 8",
  },
  "slack:standing": {
    promise:
      "A link does not outlive its person's standing: what is pressed in Slack counts only for hours after their last sign-in, and groups that the identity provider told for 15 minutes",
    source: "slack.md section 5, Link, step 10; approval.md, By whom",
  },
  "slack:check": {
    promise: "sallyport slack check says what is missing in the workspace's set-up",
    source: "issue 7, point 2",
  },
  "slack:whole": {
    promise: "What is tapped in Slack runs exactly that, once, and stands in the record under the person's account",
    source: "issue 7",
  },
  "slack:channel": {
    promise:
      "Every channel shows a new request and each later state, takes a second telling, and waits for nothing outside",
    source: "approval.md, Channels",
  },
} as const;
