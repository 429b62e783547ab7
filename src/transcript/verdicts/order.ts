// ORDER: each session's entries follow one another without a gap, each linked to the one before.

import { placeIn } from "../standing.ts";
import type { Place } from "../entry.ts";
import { collectFindings, type Check } from "../verdict.ts";

export function checkOrder(): Check & { sessions(): number } {
  const sessions = new Map<string, Place>();
  const findings = collectFindings();
  return {
    take({ sid, sseq, sprev }, at, leaf) {
      const expected = placeIn({ sessions }, sid);
      if (sseq !== expected.sseq)
        findings.add(`${whoseIs(sid)}: number ${sseq} stands where ${expected.sseq} belongs`, at);
      else if (sprev !== expected.sprev) findings.add(`${whoseIs(sid)}: does not link to the entry before it`, at);
      sessions.set(sid ?? "", { sseq: sseq + 1, sprev: leaf });
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
