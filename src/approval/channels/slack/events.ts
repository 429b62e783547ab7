// What the two ways in from Slack hand on: one envelope each, heard once however often it comes.

import type { JsonObject } from "../../../domain/json.ts";

/** One thing that Slack says, with the way to answer it. */
export interface Envelope {
  readonly body: JsonObject;
  /** Answers within three seconds, or Slack shows its own error; only the first answer counts. */
  readonly ack: (reply?: JsonObject | string) => Promise<void>;
}

/** How an envelope is heard; it never rejects. */
export type Hear = (envelope: Envelope) => Promise<void>;
