// What the tests hold of bundles: entries with their proofs, handed to an auditor.

export const bundle = {
  "bundle:alone": {
    promise:
      "A bundle is checked anywhere with Node alone, after the record is gone, and the one file says what the command says",
    source: "issue 9, points 5 and 9; evidence.md, Reading",
  },
  "bundle:selection": {
    promise:
      "A bundle shows that nothing of a session or a period was left out, and says of any other part that it can't",
    source: "issue 9, point 9; RFC 6962, section 2.1.1",
  },
  "bundle:attacked": {
    promise: "Whatever is changed, dropped, added or exchanged in a bundle fails the questions that it touches",
    source: "issue 9, points 5 and 9; evidence.md, Reading",
  },
  "bundle:names": {
    promise: "Nothing outside of a bundle's folder is opened, whatever names and links stand in it",
    source: "issue 9, point 9; CWE-22, CWE-59",
  },
  "bundle:on-record": {
    promise: "A bundle is on record, with its query and digest, before it is there, and carries the proof that it is",
    source: "issue 9, point 9; evidence.md, Writing; NIST SP 800-53 AU-9, AU-12",
  },
  "bundle:clock": {
    promise:
      "A bundle carries what says of a step of the clock among its entries, and a step that nothing tells of is found or left open",
    source: "issue 9, points 5 and 9; evidence.md, Reading",
  },
  "bundle:bodies": {
    promise: "Bodies in a bundle open with one auditor's key alone, and those that were left out are said to be",
    source: "issue 9, points 3 and 9; evidence.md, Reading",
  },
  "bundle:keys": {
    promise: "A bundle verifies with any key that its log had, and with every head that was kept of it",
    source: "issue 9, points 2 and 9",
  },
  "bundle:policies": {
    promise: "The text of every policy that was in force is kept by its digest, and stands in a bundle",
    source: "issue 9, point 9; evidence.md, Reading",
  },
  "bundle:independent": {
    promise: "A program of other people's libraries comes to the same verdict about a bundle",
    source: "issue 9, point 2",
  },
  "bundle:large": {
    promise: "A bundle is checked without its entries in memory: of each call only what later ones are held against",
    source: "issue 9, point 9",
  },
} as const;
