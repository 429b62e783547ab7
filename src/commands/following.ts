// A `sallyport` on stdio whose state folder has an owner: it relays to the owner, and takes over when that is gone.

import { PassThrough } from "node:stream";
import { renderLost } from "../mcp/render.ts";
import { isModern, openConversation, type Conversation, type Waiting } from "../owner/conversation.ts";
import { passLines } from "../owner/lines.ts";
import { takeLock, type OwnerLock } from "../owner/lock.ts";
import { findMeeting } from "../owner/meeting.ts";
import { relay } from "../owner/relay.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import { readSetting } from "./setting.ts";

/** Milliseconds between two looks for an owner, and how many: one that starts or ends has the lock and is not there. */
const look = 100;
const looks = 300;

/**
 * Serves one client to its end, through as many owners as it outlives. `own` serves as the owner, with these streams.
 * Calls that had begun when an owner ended are answered with effect unknown and never made again from here.
 */
export async function follow(
  io: Io,
  configPath: string | undefined,
  own: (io: Io, lock: OwnerLock) => Promise<void>,
): Promise<void> {
  const folder = stateFolder(io.env);
  const conversation = openConversation();
  let again: readonly string[] = [];
  let absent = 0;
  for (;;) {
    const taken = await takeLock(folder, io.uid);
    if (taken.kind === "refused") throw new CommandFailed(taken.sentence);
    if (taken.kind === "taken") return await own(handedOver(io, conversation, again), taken.lock);
    if (io.signal.aborted) return;
    if ((await findMeeting(folder, io.uid)).kind === "absent" && absent < looks) {
      absent += 1;
      await io.pause(look);
      continue;
    }
    // Read each time: whoever owns the folder now may have reloaded its policy.
    const { digest: config } = await readSetting(io, configPath);
    const { uid, version, input, output, signal } = io;
    const ended = await relay({ folder, uid, version, config, input, output, signal, conversation, again });
    switch (ended.kind) {
      case "ended":
        return;
      case "refused":
        throw new CommandFailed(ended.sentence);
      case "absent":
        if (++absent > looks) throw new CommandFailed(ended.sentence);
        await io.pause(look);
        break;
      case "owner-gone": {
        const { again: anew, lost } = conversation.handOver();
        for (const request of lost) output.write(`${JSON.stringify(lostAnswer(request))}\n`);
        again = anew;
        absent = 0;
        io.err(
          `${ended.sentence} ${lost.length === 0 ? "Nothing was under way." : "What was under way is answered as unknown."}\n`,
        );
      }
    }
  }
}

function lostAnswer(request: Waiting): object {
  const { id, method } = request;
  const answer = renderLost(method === "tools/call");
  if ("error" in answer) return { jsonrpc: "2.0", id, error: answer.error };
  // The 2026-07-28 revision asks of every result what kind it is.
  return {
    jsonrpc: "2.0",
    id,
    result: isModern(request) ? { resultType: "complete", ...answer.result } : answer.result,
  };
}

/** The client's streams as they are for a new owner: it hears first how the session began, and answers to that stay here. */
function handedOver(io: Io, conversation: Conversation, again: readonly string[]): Io {
  const [input, output] = [new PassThrough(), new PassThrough()];
  for (const line of again) input.write(`${line}\n`);
  io.input.pipe(input);
  // A stream that had closed before it was piped tells nobody.
  if (io.input.readableEnded || io.input.destroyed) input.end();
  passLines(output, io.output, (line) => conversation.answered(line));
  return { ...io, input, output };
}
