// What the tests hold of mcp/ and owner/.

export const mcp = {
  "mcp:tasks": {
    promise:
      "A client that declares the Tasks extension gets a handle for a call that waits for a person, and its result by polling",
    source: "issue 7, point 8; mcp.md",
  },
  "mcp:tasks-own": {
    promise: "A task is its caller's alone, and no answer of a client approves anything",
    source: "issue 7, point 8; mcp.md",
  },
  "mcp:both-eras": {
    promise: "Clients of the 2026-07-28 revision and of the 2025 revisions are served alike, by one server",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:list-deterministic": {
    promise: "The same caller gets the same list of tools, byte for byte",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:hidden-is-unknown": {
    promise: "A tool that is hidden from a caller answers as one that does not exist",
    source: "words.md, What an agent sees",
  },
  "mcp:bad-arguments-reach-the-line": {
    promise: "A call with bad arguments is judged and recorded by the line, not turned away by the protocol library",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:no-foreign-message": {
    promise: "What breaks inside a door is told by the call id alone",
    source: "dependencies.md, MCP",
  },
  "mcp:progress": {
    promise: "A client that gave a progress token hears within a second, and then steadily, that its call is alive",
    source: "mcp.md, Waiting for a person",
  },
  "mcp:cancel": {
    promise: "A cancelled call is aborted, in every revision and over every transport",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:cancel-own-only": {
    promise: "A cancel notice aborts only its caller's own call, and only where its id stands for one call",
    source: "dependencies.md, MCP",
  },
  "mcp:two-clients": {
    promise: "Several clients are served at once without mixing callers or sessions",
    source: "issue 3",
  },
  "mcp:sessions-end": {
    promise: "A session ends with its connection, or over HTTP when it has been idle, and what was kept for it goes",
    source: "words.md, session",
  },
  "mcp:duplicate-keys": {
    promise: "A message in which one object holds a key twice is refused before anything reads it",
    source: "issue 3, Bad input and faults",
  },
  "mcp:http-token-in-header-only": {
    promise: "Over HTTP a caller is known by the token in its Authorization header and by nothing else",
    source: "mcp.md, The HTTP door",
  },
  "mcp:http-host-origin": {
    promise: "Requests for a foreign Host or from a foreign Origin are refused",
    source: "mcp.md, The HTTP door",
  },
  "mcp:http-single-headers": {
    promise: "A header that decides something may stand only once",
    source: "mcp.md, The HTTP door",
  },
  "mcp:http-body-limit": {
    promise: "A request body is at most 1 MiB",
    source: "mcp.md, The HTTP door",
  },
  "mcp:http-loopback-only": {
    promise: "Without an identity provider the HTTP door opens on loopback only, with one address for MCP",
    source: "mcp.md, The HTTP door",
  },
  "mcp:strangers-counted": {
    promise: "Strangers are counted and never reach the line",
    source: "architecture.md, Life of a call",
  },
  "mcp:early-initialize": {
    promise: "On stdio initialize is answered before the gateway has loaded, and when it can't load",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:stdin-end": {
    promise: "When standard input ends, running calls are aborted and the session is over",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:stdout-is-protocol": {
    promise: "Standard output carries JSON-RPC messages only, whatever comes in",
    source: "mcp.md, Packages and revisions",
  },
  "mcp:every-fault-has-words": {
    promise: "Every fault has a sentence of ours, what to do next, its effect and its retry",
    source: "tools.md, section 4",
  },
  "mcp:cluster-text-quoted": {
    promise: "Text from the cluster stands quoted or framed in an answer, never bare",
    source: "tools.md, section 3",
  },
  "mcp:answer-blocks": {
    promise: "Each kind of block has its one format",
    source: "tools.md, sections 2 and 5",
  },
  "mcp:yaml-exact": {
    promise: "An object is written as YAML that reads back as the same value, by the rules of 1.1 and of 1.2",
    source: "tools.md, section 2",
  },
  "mcp:answer-size": {
    promise: "No answer is larger than 24 KiB, and what was cut is named",
    source: "tools.md, section 2",
  },
  "mcp:pending-is-no-error": {
    promise: "A call that waits for a person says so in its first line, with the approval, and is no error",
    source: "mcp.md, Waiting for a person",
  },
  "mcp:prompts": {
    promise: "A caller is shown the prompts whose tools it sees, and each names those tools in the order that is safe",
    source: "tools.md, section 6",
  },
  "mcp:prompt-arguments": {
    promise: "An argument of a prompt is a checked name or a quotation, bounded, and never one of its steps",
    source: "tools.md, sections 3 and 6",
  },
  "mcp:own-calls": {
    promise:
      "A caller reads back its own calls alone: another's call and none answer alike, and each reading is recorded",
    source: "tools.md, section 6; evidence.md, Writing",
  },
  "mcp:answer-kept": {
    promise: "An answer that had to be cut can be read whole by its caller for a while, within 24 KiB",
    source: "tools.md, section 6",
  },
  "mcp:completions": {
    promise: "A completion offers only names that the caller could list, at most 100, and asks nobody for approval",
    source: "tools.md, section 6",
  },
  "mcp:structured": {
    promise: "With output: structured an answer is JSON by its schema and one line of text, never both in full",
    source: "tools.md, Decisions (2)",
  },
  "mcp:schema-order": {
    promise: "Inside each argument the keys of the schema stand in one order: its type first, its description last",
    source: "tools.json",
  },
  "mcp:caps": {
    promise:
      "An answer is no larger than its kind may be: 8 KiB for lists, objects and events, 10 for logs, diagnoses and diffs, 16 for whole objects and commands",
    source: "tools.md, section 2",
  },
  "mcp:hidden-counted": {
    promise:
      "An answer says in its first line that text speaks to an AI, and at its end how much was masked and written out",
    source: "tools.md, sections 2 and 3",
  },
  "mcp:error-tokens": {
    promise: "An error takes few tokens: without detail about 60 with its call id, and never more than 80",
    source: "tools.md, section 4",
  },
  "mcp:instructions-true": {
    promise: "The instructions name only tools that there are, within 2,048 characters",
    source: "tools.md, section 6",
  },
  "mcp:one-owner": {
    promise: "A state folder has one owner process at a time",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:lock-dies-with-process": {
    promise: "The owner's lock ends with its process, however that ends",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:state-folder-private": {
    promise: "A state folder that others can write in, or that is not ours, is not used",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:owner-token": {
    promise: "The owner's socket serves only who holds the token that its owner alone can read",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:stale-socket": {
    promise: "A dead owner's socket is replaced, by the holder of the lock only, and nothing else in its place is",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:owner-methods": {
    promise: "The command line asks the owner, and learns in a sentence when there is none or it ends",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:relay": {
    promise: "A second sallyport on stdio is served by the owner",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:relay-same-configuration": {
    promise: "The owner refuses a relay of another configuration or version",
    source: "mcp.md, Two clients on one machine",
  },
  "mcp:running-text": {
    promise:
      "A call that outlasts its caller's patience is answered as running, with the id to wait by, and never as an end",
    source: "tools.md, section 1",
  },
} as const;
