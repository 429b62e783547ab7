// What the tests hold of the evidence pack: the mapping of controls, the reports, the OSCAL documents.

export const evidence = {
  "evidence:mapping": {
    promise:
      "Each control names promises that are tested and queries that entries can answer, and what is not built is marked as planned",
    source: "issue 9, point 12; evidence.md, NIST evidence",
  },
  "evidence:mapping-refused": {
    promise: "A mapping that claims by a slip is refused with its place",
    source: "issue 9, point 12",
  },
  "evidence:not-mistaken": {
    promise: "Controls are mapped to what they ask for, not to what their names suggest",
    source: "controls.md, Mapping errors to avoid",
  },
  "evidence:rows": {
    promise:
      "A query's rows are exactly the entries of the period that it describes, and their digest is that of their lines",
    source: "issue 9, point 12; controls.md, What auditors ask",
  },
  "evidence:sample": {
    promise: "A sample is drawn by the auditor's own text, and nobody else chooses it",
    source: "controls.md, What auditors ask",
  },
  "evidence:same-bytes": {
    promise: "The same entries give the same report, byte for byte",
    source: "issue 9, point 12",
  },
  "evidence:unverified": {
    promise: "A report of a transcript that does not verify says so first, and the command fails",
    source: "issue 9, point 12",
  },
  "evidence:planned": {
    promise: "What is planned, or could not be checked, is listed and counts for nothing",
    source: "issue 9, point 12",
  },
  "evidence:text": {
    promise: "No text of the record becomes a heading, a cell, a formula or a second line of a report",
    source: "qualities.md",
  },
  "evidence:oscal": {
    promise: "The OSCAL documents validate with compliance-trestle, and every reference in them leads somewhere",
    source: "issue 9, point 12; controls.md, OSCAL",
  },
  "evidence:oscal-modest": {
    promise: "OSCAL results hold observations, and a finding only where the record contradicts a control",
    source: "controls.md, OSCAL",
  },
  "evidence:gateway": {
    promise: "What a real gateway records is found by the queries that the mapping claims it answers",
    source: "issue 9, point 12",
  },
  "evidence:review": {
    promise:
      "A person's review is on record with who, which entries and how many, what was found, and the tree it was of",
    source: "issue 9, point 12; evidence.md, Kinds; NIST SP 800-53 AU-6",
  },
  "evidence:review-attacks": {
    promise: "No agent, no token without a role, no empty scope, no foreign tree and no silence makes a review",
    source: "issue 9, point 13; NIST SP 800-53 AU-6, AU-9(4)",
  },
  "evidence:command": {
    promise: "evidence report takes periods, controls and formats, and refuses the rest with a sentence",
    source: "issue 9, point 12",
  },
} as const;
