// `sallyport transcript replay --asciicast`: what one call's command printed, in its time, for a player of terminal recordings.

import { join } from "node:path";
import { neutralise } from "../masking/neutral.ts";
import { asciicast } from "../transcript/asciicast.ts";
import { plainText } from "../transcript/describe.ts";
import { openBodies } from "../transcript/opened-bodies.ts";
import type { Replay } from "../transcript/replay.ts";
import { bodiesKey } from "./bodies-key.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import type { OnRecord } from "./on-record.ts";

type Io = Pick<WholeIo, "env" | "out" | "err">;

/** Opens the call's segments, on record, and prints the recording. `keyFile`: what opens bodies; the gateway's own key without it. */
export async function printAsciicast(
  io: Io,
  onRecord: OnRecord,
  replay: Replay,
  { asciicast: id, bodiesKey: keyFile }: { readonly asciicast: string; readonly bodiesKey?: string },
): Promise<void> {
  const folder = stateFolder(io.env);
  const call = replay.calls.find((one) => one.call === id);
  if (call === undefined) throw new CommandFailed(`There is no call ${plainText(id)} in this session.`);
  const refs = call.streams.flatMap(({ body }) => body ?? []);
  if (refs.length === 0)
    throw new CommandFailed(
      call.streams.length === 0
        ? `Nothing that a command of ${id} printed is on record.`
        : `What the command of ${id} printed was not kept: its class of bodies is not sealed here, or there was no room.`,
    );
  const { unwrap } = await bodiesKey(keyFile ?? join(folder, "keys", "bodies.key"));
  const texts = await openBodies(folder, refs, unwrap);
  if (texts.size === 0) throw new CommandFailed(`What ${id} printed was purged, or is not for this key.`);
  const told = { what: "asciicast of a call", to: "standard output", query: id, count: texts.size, why: "" };
  const refused = await onRecord("evidence.exported", told);
  if (refused !== "") throw new CommandFailed(`Nothing was handed out, for no entry could tell of it: ${refused}`);
  const missing = call.streams.length - texts.size;
  if (missing > 0) io.err(`${missing} of ${call.streams.length} segments are not there any more, or never were.\n`);
  const shown = call.streams.flatMap(({ to, body }) => {
    const text = texts.get(body?.commit ?? "");
    // A player sends it to a terminal as it is: nothing in it may move a cursor or reach a clipboard.
    return text === undefined ? [] : [{ at: to, text: neutralise(text).text }];
  });
  const began = Date.parse(call.decisions.at(-1)?.at ?? call.at);
  io.out(asciicast(`${call.tool} ${call.call}`, began, shown));
}
