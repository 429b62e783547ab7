// An anchor that is somebody else's log: each checkpoint goes to a syslog receiver, whose own copy is what proves it later.

import type { Destination } from "../destinations.ts";
import { noteWord } from "../found-notes.ts";
import { gatewayOf } from "../key.ts";
import { syslogMessage } from "../syslog.ts";
import type { Anchor } from "./contract.ts";

/** `address`: where it goes, in a word for people. Syslog answers nothing: the receipt says what was sent, and when. */
export function syslogAnchor(
  { address, destination, version }: { address: string; destination: Destination; version: string },
  now: () => number,
): Anchor {
  return {
    kind: "syslog",
    place: address,
    held: () => Promise.resolve(null),
    async keep({ note, origin, size, at }) {
      const text = `checkpoint of ${size} entries of ${origin} ${noteWord(note)}`;
      const about = { severity: 1, at: new Date(at).toISOString(), host: gatewayOf(origin), version, id: "checkpoint" };
      await destination.deliver([syslogMessage({ ...about, text })], "");
      return { address, sent: new Date(now()).toISOString() };
    },
  };
}
