// What the tests hold of connecting: the blocks that clients need, the configuration before it runs, real clients and a real identity provider, conformance, two clients on one machine.

export const clients = {
  "clients:print": {
    promise: "config print gives each client the exact block of its own format, ready to paste",
    source: "issue 6, point 10",
  },
  "clients:print-works": {
    promise: "What config print gives starts the same gateway, or names an address that answers",
    source: "issue 6, point 10",
  },
  "clients:print-no-token": { promise: "config print never shows a token", source: "issue 6, point 10; qualities.md" },
  "clients:print-refused": {
    promise: "config print refuses what could not work or would be unsafe, and says what to do instead",
    source: "issue 6, point 10",
  },
  "clients:check": {
    promise:
      "config check finds what is wrong with the configuration and with every file that it names, before a start",
    source: "issue 6, point 10",
  },
  "clients:check-starts-nothing": {
    promise: "config check starts nothing, writes nothing and calls nobody",
    source: "issue 6, point 10",
  },
  "clients:schema": {
    promise: "The JSON Schema has every setting with its meaning, and takes what the loader takes",
    source: "issue 6, point 10",
  },
  "clients:oauth": {
    promise: "The official clients find their way in by standard OAuth discovery, with nothing but the address",
    source: "issue 6, point 3; mcp.md, The HTTP door",
  },
  "clients:step-up": {
    promise: "A client that lacks a scope is told which, gets it from its person, and goes on",
    source: "issue 6, point 3",
  },
  "clients:agent-alone": {
    promise: "Software with a key of its own is an agent without a person, and is recorded so",
    source: "issue 6, point 2; mcp.md, The HTTP door",
  },
  "clients:delegation": {
    promise: "A person's token that an agent exchanged is the person's, with the agent as actor",
    source: "issue 6, point 2; RFC 8693",
  },
  "clients:unknown-client": {
    promise: "A person's token used through an unknown client is still that person, and says which client",
    source: "issue 6, point 2",
  },
  "clients:key-rotation": {
    promise: "Keys that the provider changes count at once as it says, without a restart",
    source: "issue 6, point 1",
  },
  "clients:other-resource": {
    promise: "A token for another resource, or with a right of the provider's but not ours, lets nobody in",
    source: "issue 6, point 3; RFC 8707",
  },
  "clients:python": {
    promise: "The official Python client lists and calls over HTTP",
    source: "issue 6",
  },
  "clients:takeover": {
    promise:
      "A relayed session outlives its owner: calls that had begun answer with effect unknown and are never made again, and no record is lost",
    source: "issue 6, point 6; mcp.md, Two clients on one machine",
  },
  "clients:two-at-once": {
    promise: "Clients that start at the same time share one gateway",
    source: "issue 6, point 6; mcp.md, Two clients on one machine",
  },
  "clients:other-configuration": {
    promise: "A second client with another configuration or other clusters is refused and disturbs nobody",
    source: "issue 6, point 6; mcp.md, Two clients on one machine",
  },
  "clients:conformance": {
    promise: "The door passes the official conformance suite for 2026-07-28 and 2025-11-25",
    source: "issue 6; mcp.md, Packages and revisions",
  },
} as const;
