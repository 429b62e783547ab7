// The governed line in this process, as the owner process opens it, for one caller of one session: the stages without MCP around them.

import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Io } from "../src/commands/io.ts";
import { startOwning } from "../src/commands/owning.ts";
import type { Voter } from "../src/approval/ballot.ts";
import type { CallRequest } from "../src/domain/call.ts";
import { isJsonObject, textAt, type JsonObject } from "../src/domain/json.ts";
import type { Outcome } from "../src/domain/outcome.ts";
import { takeLock } from "../src/owner/lock.ts";
import { randomFrom } from "../src/random.ts";

export interface Line {
  /** One governed call; throws where it did not complete. */
  call(tool: string, arguments_: JsonObject): Promise<Outcome>;
  /** Milliseconds from a person's yes to the recorded outcome of a change that waited for it. */
  approvedCall(tool: string, arguments_: JsonObject): Promise<number>;
  close(): Promise<void>;
}

/** Opens it on a state folder that holds a single-user configuration. */
export async function openLine(env: { readonly [name: string]: string | undefined }): Promise<Line> {
  const io = ioOf(env);
  const taken = await takeLock(env["SALLYPORT_HOME"] ?? "", io.uid);
  if (taken.kind !== "taken") throw new Error(`the state folder can't be owned: ${taken.kind}`);
  const owning = await startOwning(io, taken.lock, undefined);
  const { gateway } = owning;
  const session = { id: gateway.newSessionId(), door: "stdio" } as const;
  const evidence = { kind: "local-user", user: io.user, client: "bench" } as const;
  const voter: Voter = {
    issuer: "local",
    subject: io.user,
    kind: "person",
    groups: [],
    actors: [],
    channel: "terminal",
    assurance: "same-device",
  };

  async function govern(tool: string, arguments_: JsonObject, hold: number): Promise<Outcome> {
    // Identified anew for each call, as a door does it.
    const identified = await gateway.identify(evidence);
    if (identified.kind === "refused") throw new Error(identified.cause);
    const request: CallRequest = {
      id: gateway.newCallId(),
      principal: identified.principal,
      session,
      tool,
      arguments: arguments_,
      receivedAt: gateway.now(),
      signal: new AbortController().signal,
      hold,
      progress: () => undefined,
    };
    const outcome = await gateway.governCall(request);
    if (outcome.kind === "completed") return outcome;
    throw new Error(`${tool}: ${outcome.kind}${"fault" in outcome ? ` ${outcome.fault.code}` : ""}`);
  }

  return {
    call: (tool, arguments_) => govern(tool, arguments_, 0),
    async approvedCall(tool, arguments_) {
      const methods = gateway.approvals(voter);
      const ended = govern(tool, arguments_, 45_000);
      // A call that ends without a person ends the wait for one.
      let over = false;
      ended.finally(() => (over = true)).catch(() => undefined);
      for (;;) {
        const { requests } = await methods["approvals.list"]({});
        const [waiting] = Array.isArray(requests) ? requests.filter(isJsonObject) : [];
        if (over) throw new Error(`${tool} asked nobody`);
        if (waiting === undefined) {
          await pause(5);
          continue;
        }
        const begun = performance.now();
        await methods["approvals.approve"]({ id: textAt(waiting, "id") });
        await ended;
        return performance.now() - begun;
      }
    },
    async close() {
      await owning.stop("the measurements are over");
      taken.lock.release();
    },
  };
}

function ioOf(env: { readonly [name: string]: string | undefined }): Io {
  return {
    version: "0.0.0-bench",
    node: process.versions.node,
    uid: process.getuid?.() ?? -1,
    user: userInfo().username,
    home: homedir(),
    runtimeFolder: tmpdir(),
    launched: { node: process.execPath, file: join(import.meta.dirname, "..", "src", "main.ts") },
    cores: 2,
    shipped: join(import.meta.dirname, "..", "policies"),
    input: new PassThrough(),
    output: new PassThrough(),
    env,
    out: () => undefined,
    err: (text) => void process.stderr.write(text),
    colour: false,
    interactive: false,
    ask: () => Promise.reject(new Error("nobody is asked here")),
    now: () => Date.now(),
    pause: (milliseconds) => pause(milliseconds),
    random: randomFrom((bytes) => crypto.getRandomValues(bytes)),
    signal: new AbortController().signal,
  };
}
