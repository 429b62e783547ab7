// What the tests hold of exports of the transcript.

export const exporting = {
  "export:ocsf": {
    promise: "Every entry is an OCSF 1.8 event that keeps the rules of its class, and loses nothing",
    source: "issue 9, point 10; controls.md, Export formats",
  },
  "export:csv": {
    promise: "The CSV reads back to the same cells, always in the same columns, and no cell of it is a formula",
    source: "issue 9, point 10; RFC 4180",
  },
  "export:cef": {
    promise: "A CEF line is one line, and no value of it can end its field or begin another",
    source: "issue 9, point 10",
  },
  "export:html": {
    promise: "The report is one file that fetches nothing, runs nothing and shows every word as a word",
    source: "issue 9, point 10",
  },
  "export:syslog": {
    promise: "Syslog receivers get each message whole, over TCP and over TLS that was checked",
    source: "issue 9, point 10; RFC 5424, 5425 and 6587",
  },
  "export:command": {
    promise: "The export command writes what was asked for, the same each time, and a file only when it is whole",
    source: "issue 9, point 10",
  },
  "export:continuous": {
    promise: "A destination gets every entry at least once, in order, over outages and restarts, and holds nobody up",
    source: "issue 9, point 10; evidence.md, Reading",
  },
} as const;
