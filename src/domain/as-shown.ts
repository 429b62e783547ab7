// Whether what was written is what its rehearsal had shown: a webhook may do to a write what it did not do to the dry run.

import type { Block, Change } from "./output.ts";

/**
 * The changes that are not, line by line, one that was shown. A command changes no object of its own, and what it runs in
 * was held to before it began.
 */
export function otherThanShown(shown: readonly Change[], written: readonly Change[]): readonly Change[] {
  const known = new Set(shown.map(textOf));
  return written.filter((change) => !isCommand(change) && !known.has(textOf(change)));
}

const isCommand = ({ before, after }: Change): boolean => before !== null && before === after;

const textOf = ({ cluster, kind, group = "", namespace, name, lines }: Change): string =>
  JSON.stringify([cluster, kind, group, namespace, name, lines]);

/** A line for whoever asked: the diff beside it is what was written. */
export function otherLine(other: readonly Change[]): Block {
  const objects = other.map(({ kind, namespace, name }) => `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`);
  const says = "! written otherwise than its preview showed, by something in the cluster (an alert was raised): ";
  return { kind: "line", line: [says, { quoted: objects.join(", ") }] };
}
