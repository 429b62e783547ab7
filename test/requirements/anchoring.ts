// What the tests hold of checkpoints that are kept elsewhere.

export const anchoring = {
  "anchor:kept": {
    promise: "While the record grows its checkpoints are kept elsewhere, each with a receipt on record",
    source: "issue 9, point 7; evidence.md, Writing",
  },
  "anchor:idle": {
    promise: "Receipts alone lead to no checkpoint and to no other receipt",
    source: "issue 9, point 7; evidence.md, Writing",
  },
  "anchor:contradicts": {
    promise:
      "An anchor that holds more or something else than the record is told of, never written to and never passed over",
    source: "issue 9, point 7",
  },
  "anchor:fails": {
    promise: "An anchor that fails is tried again ever more seldom, is on record once, and holds nothing up",
    source: "issue 9, point 7",
  },
  "anchor:git": {
    promise: "Git runs without a shell, without programs of the repository, without questions and not for ever",
    source: "issue 9, point 7",
  },
  "anchor:extent": {
    promise: "With an anchor, a record that was cut, rewritten or forked fails EXTENT, which names the anchor",
    source: "issue 9, point 7; evidence.md, Reading; NIST SP 800-53, AU-9 and AU-10",
  },
  "anchor:time": {
    promise: "With an anchor, entries that are dated before or after they can have been written fail TIME",
    source: "issue 9, point 7; NIST SP 800-53, AU-8",
  },
  "anchor:cosigned": {
    promise: "The time beside a checkpoint is signed as C2SP's tlog-cosignature has it",
    source: "issue 9, point 7; c2sp.org/tlog-cosignature",
  },
  "anchor:commands": {
    promise: "The commands anchor at once and list what is kept where, and doctor says which anchor needs a person",
    source: "issue 9, point 7",
  },
} as const;
