// Where a request is shown: a card in each channel of the groups that may answer, or a line of a list where cards would come too fast to be read.

import { approversOf } from "./card.ts";
import { newEntry, type Board, type Entry, type List } from "./board.ts";
import type { KeptRequest } from "../../stores/contract.ts";

export interface SpreadOptions {
  readonly board: Board;
  /** The channel of whoever has none of their own. */
  readonly channel: string;
  /** By group. */
  readonly channels: { readonly [group: string]: string };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
}

const burst = { within: 60_000, most: 3 };
/** Cards that wait to be posted to one channel; more become a list. */
const mostQueued = 10;
const listFor = 10 * 60_000;
const mostInList = 500;

/** Puts the request on the board, or where others may answer now, too. Answers what is to be shown anew. */
export function spread(options: SpreadOptions, request: KeptRequest): readonly string[] {
  const { board } = options;
  const known = board.entries.get(request.id);
  const entry = known ?? newEntry(request);
  const missing = channelsOf(options, request).filter((channel) => !isIn(board, entry, channel));
  const keys = missing.map((channel) => putIn(options, entry, channel));
  board.entries.set(request.id, entry);
  return [...keys, request.id];
}

function channelsOf({ channel, channels }: SpreadOptions, request: KeptRequest): readonly string[] {
  const all = approversOf(request).map((one) =>
    one.startsWith("group:") ? (channels[one.slice("group:".length)] ?? channel) : channel,
  );
  return [...new Set(all)];
}

function isIn(board: Board, entry: Entry, channel: string): boolean {
  return (
    entry.places.some((one) => one.channel === channel) ||
    entry.lists.some((key) => board.lists.get(key)?.place.channel === channel)
  );
}

function putIn(options: SpreadOptions, entry: Entry, channel: string): string {
  const { board } = options;
  const session = tooManyOf(options, entry) ? entry.session : tooManyWait(board, channel) ? "" : null;
  if (session === null) {
    entry.places.push(board.newPlace(channel));
    return entry.id;
  }
  const list = listOf(options, `list ${session} ${channel}`, channel);
  list.ids.push(entry.id);
  list.settled = false;
  entry.lists.push(list.key);
  return list.key;
}

/** More than three of one session in a minute are read by nobody one by one. */
function tooManyOf({ board, now }: SpreadOptions, entry: Entry): boolean {
  const recent = [...board.entries.values()].filter(
    (one) =>
      one.session === entry.session && one.id !== entry.id && !one.settled && now() - one.requestedAt < burst.within,
  );
  return recent.length >= burst.most;
}

function tooManyWait(board: Board, channel: string): boolean {
  const waiting = [...board.entries.values()].filter((one) =>
    one.places.some((place) => place.channel === channel && place.ts === null && place.dead === ""),
  );
  return waiting.length >= mostQueued;
}

function listOf({ board, now, random }: SpreadOptions, name: string, channel: string): List {
  const open = [...board.lists.values()].find(
    (one) =>
      one.key.startsWith(`${name} `) &&
      now() - one.begun < listFor &&
      one.ids.length < mostInList &&
      one.place.dead === "",
  );
  if (open !== undefined) return open;
  const key = `${name} ${Buffer.from(random(8)).toString("hex")}`;
  const list: List = { key, place: board.newPlace(channel), ids: [], begun: now(), settled: false };
  board.lists.set(key, list);
  return list;
}
