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
  "transcript:tree": {
    promise: "The tree is the one of RFC 6962, and only true proofs of it hold",
    source: "evidence.md; RFC 6962, section 2.1",
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
    promise: "A transcript that was changed, cut or lost its key is not opened, and the file and line are named",
    source: "evidence.md",
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
  "transcript:degraded": {
    promise: "When the disk fails nothing is appended, and when it works again the outage is on record",
    source: "evidence.md",
  },
  "transcript:one-head": {
    promise: "No two heads of one size that differ are ever signed, and none while the clock stands before the last",
    source: "evidence.md; c2sp.org/tlog-checkpoint",
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
  "transcript:read": {
    promise: "The commands read the record without a gateway, and what they print can do nothing to a terminal",
    source: "evidence.md",
  },
} as const;
