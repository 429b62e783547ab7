// What the tests hold of console/.

export const console = {
  "console:answer": {
    promise:
      "An approver signs in, sees the queue and the whole request, and answers it with a button, without any script",
    source: "issue 7, point 3; approval.md, Channels",
  },
  "console:who": {
    promise:
      "Nobody but those who may answer a request finds a button for it, and whoever may not see it is told as if it were none",
    source: "issue 7, point 3; approval.md, By whom",
  },
  "console:step-up": {
    promise:
      "Where a rule asks for it, only a fresh login of the same person for this one request lets it be approved, and the provider's answer is checked",
    source: "issue 7, point 3; slack.md, section 5",
  },
  "console:text": {
    promise: "What others wrote is shown as text in the console, and its pages load and run nothing",
    source: "issue 7, point 3",
  },
  "console:readable": {
    promise: "The console can be read and used in the dark, on a phone, and with the keyboard alone",
    source: "issue 7, point 3",
  },
  "console:spoken": {
    promise: "A screen reader is told what each page is, what each control is called and what became of an answer",
    source: "issue 7, point 3",
  },
  "console:keyboard": {
    promise: "The keyboard alone reaches everything in the order it is read, shows where it is, and is held nowhere",
    source: "issue 7, point 3",
  },
  "console:forged": {
    promise:
      "An answer counts only from the console's own form, for the request that was shown, in the session that it was shown to",
    source: "issue 7, point 3",
  },
  "console:sign-in-bound": {
    promise: "A sign-in is accepted once, from the browser that began it, with the state that it began with",
    source: "issue 7, point 3; RFC 6749, section 10.12",
  },
  "console:session": {
    promise: "A console session ends in time and at sign-out, and no page of it is framed, kept or led elsewhere",
    source: "issue 7, point 3",
  },
  "console:readings": {
    promise:
      "Whoever is shown something of the record in the console is on record before they see it, with what and how much",
    source: "issue 9, point 13; evidence.md, Writing; NIST SP 800-53 AU-12",
  },
  "console:slack": {
    promise:
      "A person links their Slack user in the console after a fresh login, in the session that began it, and unlinks it there",
    source: "issue 7, point 7; slack.md, section 5",
  },
} as const;
