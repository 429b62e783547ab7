// Which message shows which request, on disk: after a restart the same cards are edited, and only they count.

import { readFile, rename } from "node:fs/promises";
import * as z from "zod";
import { parseApprovalId, type ApprovalId } from "../../../domain/ids.ts";
import { absent, replaceFile } from "../../durable.ts";
import type { KeptRequest } from "../../stores/contract.ts";

const place = z.strictObject({
  channel: z.string(),
  /** Slack's name for the message in its channel; null until it is posted. */
  ts: z.string().nullable(),
  /** On every button of this message and of no other. */
  nonce: z.string(),
  /** A digest of what it shows; "" where it must be shown anew. */
  shown: z.string(),
  /** Slack's word for why it can't be shown there; "" while it can. */
  dead: z.string(),
  /** How often it had to be posted: whoever deletes a card gets another one, a few times. */
  posts: z.number().int(),
  /** Shown with as little as there is, since Slack took the whole card for malformed. */
  minimal: z.boolean(),
});

const entry = z.strictObject({
  id: z.custom<ApprovalId>((value) => typeof value === "string" && parseApprovalId(value) !== undefined),
  session: z.string(),
  /** Milliseconds since 1970. */
  requestedAt: z.number(),
  expiresAt: z.number(),
  /** Messages of its own. */
  places: z.array(place),
  /** Lists that it stands in instead. */
  lists: z.array(z.string()),
  /** What the threads were told, by its key. */
  told: z.array(z.string()),
  /** Was its requester told of its end? */
  requesterTold: z.boolean(),
  /** Nothing is left to show. */
  settled: z.boolean(),
});

const list = z.strictObject({
  key: z.string(),
  place,
  ids: z.array(z.string()),
  begun: z.number(),
  settled: z.boolean(),
});

const shape = z.strictObject({ format: z.literal(1), entries: z.array(entry), lists: z.array(list) });

/** Changed in place by the one worker that owns the board; `save` makes it durable. */
export type Place = z.output<typeof place>;
export type Entry = z.output<typeof entry>;
export type List = z.output<typeof list>;

export interface Board {
  readonly entries: Map<ApprovalId, Entry>;
  readonly lists: Map<string, List>;
  /** The request that this message stands for, if it is the one that counts. */
  carrier(channel: string, ts: string): { readonly place: Place; readonly ids: readonly string[] } | null;
  newPlace(channel: string): Place;
  /** Durable once it resolves; several at once are one write. */
  save(): Promise<void>;
}

/** Lists and cards of what ended longer ago than this are forgotten: a press on them finds nothing. */
const keep = 7 * 86_400_000;

/**
 * Opens the board. A damaged file is put aside: what it held is posted anew, and cards that nobody remembers count for
 * nothing.
 */
export async function openBoard(options: {
  readonly path: string;
  readonly random: (count: number) => Uint8Array;
  readonly now: () => number;
  readonly say: (sentence: string) => void;
}): Promise<Board> {
  const { path, random, now, say } = options;
  const read = await load(path, say);
  const entries = new Map(read.entries.map((one) => [one.id, one]));
  const lists = new Map(read.lists.map((one) => [one.key, one]));
  const hex = (count: number): string => Buffer.from(random(count)).toString("hex");
  let writing: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function write(): Promise<void> {
    for (const [id, one] of entries) if (one.settled && now() - one.requestedAt > keep) entries.delete(id);
    for (const [key, one] of lists) if (one.settled && now() - one.begun > keep) lists.delete(key);
    const text = JSON.stringify({ format: 1, entries: [...entries.values()], lists: [...lists.values()] });
    await replaceFile(path, `${text}\n`, hex(8));
  }

  function save(): Promise<void> {
    if (writing === null) {
      writing = write().finally(() => (writing = null));
      return writing;
    }
    // Whatever was changed until the write that runs has ended goes into one more.
    next ??= writing
      .catch(() => undefined)
      .then(() => {
        next = null;
        return save();
      });
    return next;
  }

  return {
    entries,
    lists,
    carrier(channel, ts) {
      const at = (one: Place): boolean => one.channel === channel && one.ts === ts;
      for (const one of entries.values()) {
        const found = one.places.find(at);
        if (found !== undefined) return { place: found, ids: [one.id] };
      }
      const found = [...lists.values()].find((one) => at(one.place));
      return found === undefined ? null : { place: found.place, ids: found.ids };
    },
    newPlace: (channel) => ({ channel, ts: null, nonce: hex(16), shown: "", dead: "", posts: 0, minimal: false }),
    save,
  };
}

async function load(path: string, say: (sentence: string) => void): Promise<z.output<typeof shape>> {
  const text = await readFile(path, "utf8").catch(absent);
  if (text === undefined) return { format: 1, entries: [], lists: [] };
  const parsed = shape.safeParse(json(text));
  if (parsed.success) return parsed.data;
  await rename(path, `${path}.damaged`);
  say(`The file ${path} of cards in Slack is damaged and was put aside; open requests are posted anew.`);
  return { format: 1, entries: [], lists: [] };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function newEntry(request: KeptRequest): Entry {
  const { id, call, requestedAt, expiresAt } = request;
  return {
    id,
    session: call.session.id,
    requestedAt,
    expiresAt,
    places: [],
    lists: [],
    told: [],
    requesterTold: false,
    settled: false,
  };
}
