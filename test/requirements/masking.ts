// What the tests hold of masking/.

export const masking = {
  "masking:structure": {
    promise:
      "A secret that Kubernetes' own structure gives away never leaves: Secret values, env, arguments, releases, files",
    source: "masking.md",
  },
  "masking:encodings": {
    promise: "A planted value stays hidden plain, in base64, in gzip, URL-encoded and JSON-escaped, wherever it stands",
    source: "masking.md",
  },
  "masking:formats": {
    promise: "Every row of the formats table finds its own examples and leaves its look-alikes",
    source: "masking.md",
  },
  "masking:text": {
    promise: "Names with values, keys, tokens, URLs, headers and cookies in free text are hidden",
    source: "masking.md",
  },
  "masking:recall": {
    promise: "At least 97 % of vendors' formats and 80 % of generic credentials of the corpus are found",
    source: "masking.md",
  },
  "masking:readable": {
    promise: "Digests, ids, names, versions, times and references stay readable, and clean log lines stay as they are",
    source: "masking.md",
  },
  "masking:token": {
    promise: "Equal values give equal tokens within a session's key, and no token ever confirms a guess",
    source: "masking.md",
  },
  "masking:idempotent": {
    promise: "What was masked is not masked again, and a made-up token protects nothing next to it",
    source: "masking.md",
  },
  "masking:fail-closed": {
    promise: "Whatever goes wrong inside withholds the output; what was not scanned is not shown",
    source: "masking.md",
  },
  "masking:faults-withhold": {
    promise:
      "A fault inside any part of masking withholds the answer, tells nothing of what was being masked, and leaves the gateway working",
    source: "issue 8, point 6",
  },
  "masking:linear": {
    promise: "Twice the text takes about twice the work, whatever stands in it",
    source: "masking.md",
  },
  "masking:keywords": {
    promise: "A text that is stepped over where no keyword can begin shows every keyword that stands in it",
    source: "masking.md",
  },
  "masking:last-pass": {
    promise: "Every string of an output passes the masker once more before it leaves",
    source: "masking.md",
  },
  "masking:recorded": {
    promise:
      "What masking finds on the seeded corpus, and what it writes there, changes only where somebody means it to",
    source: "issue 8",
  },
  "masking:spellings": {
    promise:
      "A secret goes also where its name is escaped, split, in another language, or told by a program's idiom alone",
    source: "issue 8, points 2 and 5",
  },
  "masking:stream": {
    promise: "A text that arrives in pieces is masked the same however it was cut, secrets on every bound among them.",
    source: "masking.md",
  },
  "masking:profiles": {
    promise: "A profile only adds: its formats prove themselves by examples and by their cost before they are used",
    source: "masking.md",
  },
  "masking:reloads": {
    promise:
      "Changed profiles take over whole, for the calls that begin after the change is on record; bad ones change nothing, and neither that nor hiding less goes untold",
    source: "issue 8, point 7; masking.md",
  },
  "masking:objects-same": {
    promise:
      "What is remembered of keys and strings changes no answer: an object is masked among others as it is alone",
    source: "issue 8, point 1; masking.md, point 1",
  },
  "masking:quick-looks": {
    promise: "No short look that spares a longer one misses what the longer one finds",
    source: "issue 8, figures; masking.md, figures to reach",
  },
  "masking:speaking": {
    promise: "Text from the cluster that speaks to an AI is counted, and taints the session that read it",
    source: "tools.md, section 3",
  },
  "masking:neutral": {
    promise:
      "Control, terminal, bidi and invisible characters of the cluster's text are removed or shown as what they are",
    source: "tools.md",
  },
} as const;
