// ORDER: each session's entries follow one another without a gap, each linked to the one before.

import type { Entry } from "../entry.ts";
import { linksTo } from "../told.ts";
import { collectFindings, type EntryPlace, type Verdict } from "../verdict.ts";

/** May entries of a session that are not there be purged ones, the last of which this one links to? */
export type Bridges = (sprev: string, missing: number, at: EntryPlace) => boolean;

/** Of a session's next entry. */
interface Expected {
  sseq: number;
  /** Where the leaf hash stands that it must link to, once there is one. */
  readonly link: number;
}

export interface OrderCheck {
  /** Takes the next entry that could be read. Its leaf hash is 32 bytes of `leaves` from `from` on. */
  take(entry: Entry, at: EntryPlace, leaves: Buffer, from: number): void;
  sessions(): number;
  /** What came of the links to purged entries. */
  unlinked(found: readonly { readonly problem: string; readonly at: EntryPlace }[]): void;
  verdict(): Verdict;
}

export function checkOrder(bridges: Bridges = () => false): OrderCheck {
  const sessions = new Map<string, Expected>();
  const findings = collectFindings();
  /** The leaf hash of each session's last entry, one behind the other. */
  let links = Buffer.alloc(1 << 15);
  // Entries of one session mostly stand together.
  let last: { readonly sid: string; readonly expected: Expected } | null = null;

  function expectedOf(sid: string): Expected {
    if (last !== null && last.sid === sid) return last.expected;
    const expected = sessions.get(sid) ?? begin(sid);
    last = { sid, expected };
    return expected;
  }
  function begin(sid: string): Expected {
    const fresh = { sseq: 0, link: 32 * sessions.size };
    if (fresh.link === links.length) links = Buffer.concat([links, Buffer.alloc(links.length)]);
    sessions.set(sid, fresh);
    return fresh;
  }
  return {
    take(entry, at, leaves, from) {
      const { sid, sseq } = entry;
      const expected = expectedOf(sid ?? "");
      if (sseq !== expected.sseq) {
        if (sseq < expected.sseq || !bridges(entry.sprev, sseq - expected.sseq, at))
          findings.add(`${whoseIs(sid)}: number ${sseq} stands where ${expected.sseq} belongs`, at);
      } else if (sseq > 0 && !linksTo(entry, links, expected.link))
        // The first entry of a session links to nothing, or is none.
        findings.add(`${whoseIs(sid)}: does not link to the entry before it`, at);
      expected.sseq = sseq + 1;
      for (let byte = 0; byte < 32; byte++) links[expected.link + byte] = leaves[from + byte] as number;
    },
    unlinked(found) {
      for (const { problem, at } of found) findings.add(problem, at);
    },
    sessions: () => sessions.size - (sessions.has("") ? 1 : 0),
    verdict: () =>
      findings.verdict(
        "ORDER",
        "Every session's entries follow one another without a gap, each linked to the one before.",
        (count) => `${count} ${count === 1 ? "entry does" : "entries do"} not follow the one before in the session.`,
      ),
  };
}

const whoseIs = (sid: string | null): string => (sid === null ? "the gateway's own entries" : `session ${sid}`);
