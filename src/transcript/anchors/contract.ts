// What every anchor does: keeps signed checkpoints where the gateway's own machine can't take them back. A witness, an object lock or a time stamp authority would be one more.

import type { JsonObject } from "../../domain/json.ts";

/** One signed head as it is kept elsewhere. */
export interface Anchorable {
  /** The signed note, cosigned with its time. */
  readonly note: string;
  /** The log's name, the note's first line. */
  readonly origin: string;
  /** Entries under it, and the root over them, hex. */
  readonly size: number;
  readonly root: string;
  /** When it was cosigned, in milliseconds since 1970. */
  readonly at: number;
}

export interface Anchor {
  readonly kind: "file" | "git" | "syslog";
  /** Where it is, in a word for people: a path or an address, never a credential. */
  readonly place: string;
  /** Every checkpoint of this log that it holds now, as signed notes; null where nothing can be read back. Rejects where that is not known. */
  held(origin: string, signal: AbortSignal): Promise<readonly string[] | null>;
  /**
   * Keeps one more and returns what shows it, for the record. Rejects where it is not known to be kept; it may then be
   * asked again, and what is kept twice does no harm. Nothing that is kept is ever written over.
   */
  keep(checkpoint: Anchorable, signal: AbortSignal): Promise<JsonObject>;
}
