// ORDER: each session's entries follow one another without a gap, each linked to the one before.

import { collectFindings, type Check, type EntryPlace } from "../verdict.ts";

/** May entries of a session that are not there be purged ones, the last of which this one links to? */
export type Bridges = (sprev: string, missing: number, at: EntryPlace) => boolean;

/** Of a session's next entry. */
interface Expected {
  sseq: number;
  sprev: string;
}

export interface OrderCheck extends Check {
  sessions(): number;
  /** What came of the links to purged entries. */
  unlinked(found: readonly { readonly problem: string; readonly at: EntryPlace }[]): void;
}

export function checkOrder(bridges: Bridges = () => false): OrderCheck {
  const sessions = new Map<string, Expected>();
  const findings = collectFindings();
  return {
    take({ sid, sseq, sprev }, at, leaf) {
      let expected = sessions.get(sid ?? "");
      if (expected === undefined) sessions.set(sid ?? "", (expected = { sseq: 0, sprev: "" }));
      if (sseq !== expected.sseq) {
        if (sseq < expected.sseq || !bridges(sprev, sseq - expected.sseq, at))
          findings.add(`${whoseIs(sid)}: number ${sseq} stands where ${expected.sseq} belongs`, at);
      } else if (sprev !== expected.sprev) findings.add(`${whoseIs(sid)}: does not link to the entry before it`, at);
      expected.sseq = sseq + 1;
      expected.sprev = leaf;
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
