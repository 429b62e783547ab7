// What the tests hold of transcript/.

export const transcript = {
  "transcript:receipts": {
    promise: "A receipt says of a call what its entries say, to the caller who made it and to nobody else",
    source: "tools.md, section 6; evidence.md, Writing",
  },
  "transcript:canonical": {
    promise: "An entry has exactly one text, and what JSON would drop in silence is refused",
    source: "evidence.md; RFC 8785",
  },
  "transcript:published": {
    promise: "Every entry has exactly the fields that are published for its kind, and the published form is the code's",
    source: "issue 9, point 1; evidence.md, Kinds",
  },
  "transcript:sessions": {
    promise: "A session that makes calls has its beginning and its end on record, with what it did",
    source: "issue 9, point 1; evidence.md, Kinds; NIST SP 800-53 AC-12",
  },
  "transcript:what-changed": {
    promise: "A gateway that starts with another configuration, policy or set of tools than the last one says so",
    source: "issue 9, point 1; evidence.md, Kinds; NIST SP 800-53 CM-3",
  },
  "transcript:reconcile": {
    promise:
      "Comparing with the API server's own audit log finds what went round the record, and what the record does not say truly",
    source: "issue 9, point 6; evidence.md, Reading",
  },
  "transcript:no-record-by-mistake": {
    promise:
      "In a folder without a record no command that keeps evidence begins one: a hold, a purge, a new key and a receipt belong to the record that was meant",
    source: "issue 9, points 2 and 11; evidence.md, Reading",
  },
  "transcript:typed-wrong": {
    promise:
      "A word, a day, a stretch of time, a reason or a file that nothing can answer to is refused with what is wanted, and is never taken for an empty answer",
    source: "issue 9, points 5, 8 and 11; evidence.md, Reading",
  },
  "transcript:compared-with-nothing": {
    promise:
      "A log without any event, or of a cluster that no entry names, is refused with its reason, leaves no entry, and never lets verification say that the record was compared",
    source: "issue 9, points 5 and 6; evidence.md, Reading",
  },
  "transcript:reconciled": {
    promise:
      "A comparison with the audit log is itself on record, or says that it is not, and verification tells of it",
    source: "issue 9, point 6; evidence.md, Reading",
  },
  "transcript:sealed": {
    promise:
      "What agents were told is kept sealed, each session's under keys of its own, and whoever lacks the key reads nothing",
    source: "issue 9, point 3; evidence.md, Writing",
  },
  "transcript:bodies-verified": {
    promise: "Verification tells for every sealed body whether it is there, purged by an entry, missing or altered",
    source: "issue 9, points 3 and 5; evidence.md, Reading",
  },
  "transcript:erased": {
    promise:
      "What a destroyed key sealed is gone for everyone while the record stays whole, and each destruction is on record",
    source: "issue 9, points 3 and 11; evidence.md, Writing and Reading; NIST SP 800-53 AU-11",
  },
  "transcript:holds": {
    promise: "No purge destroys what a hold covers, and the answer names what was kept for which hold",
    source: "issue 9, point 11; evidence.md, Reading; NIST SP 800-53 AU-11",
  },
  "transcript:hold-release": {
    promise: "A hold is over only when two different people have agreed to that, whatever accounts they come with",
    source: "issue 9, point 11; evidence.md, Reading; NIST SP 800-53 AU-9(5)",
  },
  "transcript:holds-are-entries": {
    promise: "Which holds are in force is read from the signed entries alone: no file beside them changes it",
    source: "issue 9, point 11; evidence.md",
  },
  "transcript:purges-verified": {
    promise:
      "Verification names a purge without its entry, one of more than its entry says, one against a hold, and a forged release",
    source: "issue 9, point 11; evidence.md, Reading",
  },
  "transcript:retention": {
    promise:
      "What is due is what is past the retention of its class, and a clock that was set forward makes nothing due",
    source: "issue 9, point 11; evidence.md, Reading; NIST SP 800-53 AU-11",
  },
  "transcript:envelopes": {
    promise:
      "Entries past their term go by an entry that says exactly which; their leaves stay, so that the tree and every later proof holds",
    source: "issue 9, point 11; evidence.md, Reading; NIST SP 800-53 AU-11",
  },
  "transcript:envelopes-kept": {
    promise:
      "No purge takes an entry that is held, of a call that has not ended or a grant that may live, whose body is there, or that the check of others needs",
    source: "issue 9, point 11; evidence.md, Reading",
  },
  "transcript:envelopes-verified": {
    promise: "Verification accepts as gone exactly what a signed entry says was purged, and nothing else",
    source: "issue 9, point 11; evidence.md, Reading",
  },
  "transcript:index-term": {
    promise:
      "Entries leave the search index after their days, with every word of theirs, and a search says what it does not reach",
    source: "issue 9, points 8 and 11; evidence.md, Reading",
  },
  "transcript:purged-said": {
    promise: "Whoever asks for what was purged is told that it was, and by which entry; nothing is made of its absence",
    source: "issue 9, points 6, 8 and 11; evidence.md, Reading",
  },
  "transcript:unjudged-is-not-well": {
    promise:
      "A comparison that could not judge a part of the audit log does not end as one that found nothing, and its entry says how much that was",
    source: "issue 9, points 6 and 11; evidence.md, Reconciling",
  },
  "transcript:envelopes-crash": {
    promise: "A purge of entries that was cut short is finished later, and no reader loses its place over one",
    source: "issue 9, points 4, 10 and 11",
  },
  "transcript:roles": {
    promise:
      "Only auditors read the record and only operators keep it, people whom the configuration names; absent means no",
    source: "issue 9, point 13; NIST SP 800-53 AU-9(4), AC-6",
  },
  "transcript:readings": {
    promise:
      "Whatever reads the record through the gateway leaves an entry: who, by which query, how much, of how large a record",
    source: "issue 9, point 13; evidence.md, Writing",
  },
  "transcript:own-alone": {
    promise: "Nothing that an agent can ask over MCP tells it of another caller's calls",
    source: "issue 9, point 13; tools.md, section 6",
  },
  "transcript:rewrapped": {
    promise: "Bodies can be opened to one auditor's key without handing out any other",
    source: "issue 9, point 3; evidence.md, Reading",
  },
  "transcript:tree": {
    promise: "The tree is the one of RFC 6962, and only true proofs of it hold",
    source: "evidence.md; RFC 6962, section 2.1",
  },
  "transcript:proof": {
    promise: "One entry's proof is a file that anyone checks offline, and no other entry passes for it",
    source: "issue 9, point 2; c2sp.org/tlog-proof; NIST SP 800-53 AU-10",
  },
  "transcript:rotation": {
    promise:
      "After the key is rotated, everything verifies from the old key and from the new one, and neither signs in the other's stead",
    source: "issue 9, point 2; evidence.md, Writing",
  },
  "transcript:independent": {
    promise: "A program of other people's libraries comes to the same verdict about tree, notes and proofs",
    source: "issue 9, point 2",
  },
  "transcript:standalone": {
    promise: "The verifier is one file that runs anywhere with Node alone, and says what the gateway's own says",
    source: "issue 9, point 5; evidence.md, Reading",
  },
  "transcript:killed": {
    promise:
      "Killed at any moment under load, a gateway leaves no effect in the cluster's audit log without its entry, and marks every unfinished call",
    source: "issue 9, point 4; evidence.md, Figures to reach",
  },
  "transcript:killed-writer": {
    promise:
      "Killed at any moment, its opening included, the record keeps every entry that was acknowledged, is one whole tree and marks every unfinished call",
    source: "issue 9, point 4; evidence.md, Figures to reach",
  },
  "transcript:note": {
    promise: "Checkpoints are C2SP signed notes that other tools verify, and nothing else passes for one",
    source: "evidence.md; c2sp.org/signed-note",
  },
  "transcript:durable-append": {
    promise: "An append returns when its entries are in the files, in order, chained in their session",
    source: "evidence.md",
  },
  "transcript:entry-size": {
    promise: "No entry is larger than 65,535 bytes, and none fails for its size",
    source: "evidence.md",
  },
  "transcript:owner-only": {
    promise: "Only the owner can read the transcript and its key",
    source: "evidence.md",
  },
  "transcript:torn-tail": {
    promise: "A crash may cost the last unfinished line and nothing else, and the cut is on record",
    source: "evidence.md",
  },
  "transcript:no-silent-repair": {
    promise:
      "A transcript that lost its key, was cut, or was changed in what a start reads is not opened, and the file and line are named",
    source: "evidence.md",
  },
  "transcript:quick-start": {
    promise:
      "A start reads the last segment alone where what the others come to was kept under the gateway's key, and everything, which it says, where anything of that does not fit",
    source: "issue 9, point 4; qualities.md, How cost grows",
  },
  "transcript:unsettled": {
    promise: "After a crash every call that had begun is marked unknown, and no call that waits for a person",
    source: "evidence.md",
  },
  "transcript:grants": {
    promise: "The transcript knows every grant ever issued, and which of them may still live, across restarts",
    source: "kubernetes.md",
  },
  "transcript:full-disk": {
    promise: "A full disk lets no new call in, and lets every call in flight be recorded to its end",
    source: "evidence.md",
  },
  "transcript:hanging-disk": {
    promise:
      "A disk that does not answer keeps nobody waiting behind its write, and the outage is on record once it does",
    source: "evidence.md, Writing; AU-5",
  },
  "transcript:degraded": {
    promise: "When the disk fails nothing is appended, and when it works again the outage is on record",
    source: "evidence.md",
  },
  "transcript:one-head": {
    promise: "No two heads of one size that differ are ever signed, and none while the clock stands before the last",
    source: "evidence.md; c2sp.org/tlog-checkpoint",
  },
  "transcript:verify-threads": {
    promise:
      "Verification finds the same however many threads read for it, and a thread that fails it ends it without a report",
    source: "issue 9, point 5; evidence.md, Figures to reach",
  },
  "transcript:verify": {
    promise:
      "Whoever holds the files and the key finds out offline what was done to them, each kind under its own verdict",
    source: "evidence.md",
  },
  "transcript:semantics": {
    promise: "Verification finds every effect without its decision, its approval by others in time, or its grant",
    source: "evidence.md",
  },
  "transcript:search": {
    promise: "A search finds exactly the entries that its query describes, by what they themselves say",
    source: "issue 9, point 8; evidence.md, Reading",
  },
  "transcript:index": {
    promise:
      "The search index is its owner's alone, follows the segments whatever became of it, and is never believed unread",
    source: "issue 9, point 8",
  },
  "transcript:replay": {
    promise:
      "A replay tells of each call of a session what was asked, decided, agreed, run and masked, and where the time went",
    source: "issue 9, point 8; evidence.md, Reading",
  },
  "transcript:streams": {
    promise:
      "What a command printed is on record before its call's end, masked as one text a stream, with the times at which it came, whatever became of the command",
    source: "evidence.md, Kinds and Reading",
  },
  "transcript:asciicast": {
    promise:
      "A replay shows a command's output where it lies in its time, and hands it out as an asciicast v2, on record",
    source: "evidence.md, Reading; docs.asciinema.org/manual/asciicast/v2",
  },
  "transcript:stats": {
    promise: "The counts over the record are those of its entries, each call once",
    source: "issue 9, point 8; issue 7, point 10",
  },
  "transcript:read": {
    promise: "The commands read the record without a gateway, and what they print can do nothing to a terminal",
    source: "evidence.md",
  },
} as const;
