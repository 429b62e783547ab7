// What the tests hold of the HTTP door as a resource server and as something that stands in a network.

export const door = {
  "door:metadata": {
    promise: "Who may give out tokens for the door, and which scopes there are, stands at both well-known places",
    source: "issue 6, point 3; RFC 9728, sections 2 and 3.1",
  },
  "door:challenge": {
    promise: "A challenge names the metadata and the first scope, and an error only where a token was shown",
    source: "issue 6, point 3; RFC 9728, section 5.1; RFC 6750, section 3.1",
  },
  "door:scopes": {
    promise: "A call needs the scope of what its tool does; who lacks it is told all scopes that the call needs",
    source: "issue 6, point 3; mcp.md, The HTTP door",
  },
  "door:scopes-hide": {
    promise: "A missing scope never tells that a hidden tool is there",
    source: "words.md, What an agent sees",
  },
  "door:subjects-alike": {
    promise: "Tokens that are not accepted are answered alike, whatever is wrong with them",
    source: "issue 6, Bad input; words.md, What an agent sees",
  },
  "door:browsers": {
    promise: "A page of an allowed origin may call, and one of another origin learns nothing",
    source: "mcp.md, The HTTP door; Fetch, section 3.3",
  },
  "door:each-request": {
    promise: "The token is looked at on each request: what ended while an answer streams begins nothing new",
    source: "issue 6, point 3; mcp.md, The HTTP door",
  },
  "door:bind": {
    promise: "Beyond loopback the door opens only with an issuer, and with TLS or a proxy that is named",
    source: "issue 6, point 5",
  },
  "door:tls": {
    promise: "TLS is 1.2 or later, with a key that nobody else can read",
    source: "issue 6, point 5; RFC 9325, section 3.1.1",
  },
  "door:tls-reload": {
    promise: "A new certificate is taken without a restart, and a broken one leaves the old one in use",
    source: "issue 6, point 5",
  },
  "door:proxies": {
    promise: "What is forwarded is believed only of a proxy that is named",
    source: "issue 6, point 5",
  },
  "door:operators": {
    promise: "Operators are asked about by who they are: this machine itself, or whoever shows a token",
    source: "issue 6, point 9; mcp.md, The HTTP door",
  },
  "door:not-smuggled": {
    promise: "A request whose head or framing can be read in two ways is refused, and nothing behind it is served",
    source: "issue 6, Bad input; RFC 9112, section 11.2",
  },
  "door:slow": {
    promise: "Who sends slowly, too much or not at all loses the connection, and nobody else does",
    source: "issue 6, point 5",
  },
  "door:crowd": {
    promise: "Ten thousand idle connections take the place of nobody who is known",
    source: "issue 6, Bad input",
  },
  "door:never-reads": {
    promise: "A client that does not take its answers is cut off, and its answers do not pile up",
    source: "issue 6, Bad input",
  },
  "door:pipelined": {
    promise: "Requests that were sent ahead are answered in turn, and none after a refusal",
    source: "issue 6, point 5",
  },
  "door:comments": {
    promise: "A long answer is kept alive by comments, in both protocol generations",
    source: "issue 6, point 5",
  },
  "door:clean-stop": {
    promise: "Told to stop, the process takes nothing new, lets calls end or marks them, and ends by itself",
    source: "issue 6, point 5",
  },
  "door:no-passthrough": {
    promise: "No byte that goes upstream holds the caller's token, whole or in parts",
    source: "issue 6, point 3; mcp.md, The HTTP door",
  },
  "door:doctor": {
    promise: "Doctor tells what keeps the door shut, and when its certificate ends",
    source: "issue 6",
  },
} as const;
