// The door for one client on a pair of streams: standard input and output, or a relay's connection to the owner.

import type { Readable, Writable } from "node:stream";
import { serveStdio as serveConnection } from "@modelcontextprotocol/server/stdio";
import type { Evidence } from "../domain/evidence.ts";
import type { Session } from "../domain/principal.ts";
import type { About, Door } from "./door.ts";
import { lineTransport } from "./line-transport.ts";
import { keptAnswers } from "./kept-answers.ts";
import type { Beat } from "./progress.ts";
import { runningCalls } from "./running.ts";
import { mcpServer } from "./server.ts";
import { oneSession } from "./sessions.ts";

export interface StdioOptions {
  readonly about: About;
  /** May still be loading: `initialize` is answered without it. */
  readonly door: Door | Promise<Door>;
  /** Who this connection speaks for; the claimed client name is filled in. */
  readonly evidence: (client: string) => Evidence;
  readonly input: Readable;
  readonly output: Writable;
  readonly via: Session["door"];
  /** Standard error, one sentence a call: standard output belongs to the protocol. */
  readonly complain: (sentence: string) => void;
  readonly beat?: Beat;
}

export interface StdioServing {
  /** Settles when the client has closed its end and the calls that still ran, then aborted, have ended: time to exit. */
  readonly closed: Promise<void>;
  /** Closes this end; settles as `closed` does. */
  close(): Promise<void>;
}

/** Milliseconds that aborted calls get to record their end. */
const lastCalls = 3_000;

export function serveStdio(options: StdioOptions): StdioServing {
  const transport = lineTransport(options.input, options.output);
  // A rejected door is answered to each call; without this line it would also end the process.
  Promise.resolve(options.door).catch(() => options.complain("The gateway could not start; calls are refused."));
  const sessions = oneSession(options.via);
  const running = runningCalls();
  const factory = mcpServer({
    about: options.about,
    door: options.door,
    evidence: (_context, client) => options.evidence(client),
    sessions,
    running,
    kept: keptAnswers(),
    ...(options.beat === undefined ? {} : { beat: options.beat }),
  });
  const handle = serveConnection(factory, {
    transport,
    // The library's messages may hold what the client sent; only the kind of error is told.
    onerror: (error) => options.complain(`MCP on ${options.via}: a message could not be served (${error.name}).`),
  });
  const closed = transport.closed.then(async () => {
    await running.settled(lastCalls);
    await sessions.end();
  });
  return { closed, close: () => handle.close().then(() => closed) };
}
