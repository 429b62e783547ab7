// What the tests hold of the command line, of npm start, and of what is generated from the code.

export const commands = {
  "commands:doctor": {
    promise: "doctor says what works and what is missing, and fails exactly where something is",
    source: "issue 3, The line; qualities.md",
  },
  "commands:unenroll": {
    promise: "unenroll takes away all that enroll made, and says so",
    source: "kubernetes.md, Grants",
  },
  "commands:print": { promise: "enroll --print shows the manifests and touches no cluster", source: "kubernetes.md" },
  "commands:asks-first": {
    promise: "A command that changes a cluster asks first, and without a terminal refuses",
    source: "kubernetes.md, Grants",
  },
  "commands:completion": {
    promise: "Completion offers exactly the words that the commands themselves take",
    source: "CONTRIBUTING.md",
  },
  "commands:usage": {
    promise: "Wrong usage gives one sentence, the nearest word, and exit code 2",
    source: "issue 3, Bad input and faults",
  },
  "commands:left": {
    promise: "Who stops a command, or stops reading it, ends it quietly",
    source: "qualities.md",
  },
  "commands:stdio": {
    promise:
      "Without flags Sallyport is an MCP server on stdio that serves reads before enrolment, marked as such, and no change",
    source: "issue 3, npm start; kubernetes.md, Grants",
  },
  "commands:stdio-second": {
    promise: "A second client on the same state folder is served by the first one's gateway",
    source: "mcp.md",
  },
  "commands:stdio-end": { promise: "The server ends with its standard input", source: "issue 3, npm start" },
  "commands:tool-list": {
    promise: "The list of tools is reviewed text of at most 16 kB",
    source: "tools.md; qualities.md",
  },
  "commands:docs-fresh": { promise: "The generated pages say what the code says", source: "issue 3, Docs" },
  "start:story": {
    promise: "npm start plays its story to the end without a terminal, and leaves nothing behind",
    source: "issue 3, npm start",
  },
  "start:otherwise": {
    promise: "npm start ends with another exit code where any step went otherwise",
    source: "issue 3, npm start",
  },
  "start:own-cluster": {
    promise: "npm start does nothing to a person's own cluster without asking them",
    source: "issue 3, npm start",
  },
  "commands:doctor-record": {
    promise:
      "doctor looks at the record's keys, its last checkpoint, the room for it and its exports, and says of each accident what to do",
    source: "issue 9; evidence.md",
  },
  "commands:doctor-issuers": {
    promise: "doctor asks every issuer for its keys and says what would keep its tokens out",
    source: "issue 6",
  },
  "commands:random": {
    promise: "Random bytes are fetched many at a time, given out once each, and kept nowhere after that",
    source: "issue 4, Speed; qualities.md, governed read",
  },
  "commands:memory": {
    promise: "What does not live long takes no more than 16 MiB of memory, and as much again while V8 looks",
    source: "issue 4, Speed; qualities.md, memory",
  },
} as const;
