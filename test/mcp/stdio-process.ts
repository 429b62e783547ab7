// A program with the door on its standard streams, for the tests that need a real process.

import { serveStdio } from "../../src/mcp/stdio.ts";
import { about, testDoor } from "./door-for-tests.ts";

const served = serveStdio({
  about,
  door: testDoor(),
  evidence: (client) => ({ kind: "local-user", user: "olga", client }),
  input: process.stdin,
  output: process.stdout,
  via: "stdio",
  complain: (sentence) => process.stderr.write(`${sentence}\n`),
});
await served.closed;
process.stderr.write("the session is over\n");
