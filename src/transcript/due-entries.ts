// Which entries of old days may go: whole calls that ended, with all that belongs to them, and nothing that later entries or checks refer to.

import { textAt } from "../domain/json.ts";
import type { Entry } from "./entry.ts";
import { addIndex, type Range } from "./purged-lines.ts";
import { endsCall } from "./standing.ts";

/** What says who signed, what is held, what is gone and when the record could not be trusted stays for ever. */
const forEver: ReadonlySet<string> = new Set([
  "key.rotated",
  "retention.purged",
  "hold.placed",
  "hold.asked",
  "hold.released",
  "audit.degraded",
  "audit.recovered",
]);

export interface DueEntries {
  /** Takes the next entry that is there. */
  take(entry: Entry, index: number): void;
  /** After all of them. */
  due(): readonly Range[];
}

interface Group {
  parent: Group | null;
  /** Something of it is younger, or is still needed. */
  stays: boolean;
  /** Calls of it that have not ended. */
  open: number;
}

/**
 * Entries of days before `before`, up to the first that is not of such a day. Calls, approvals and grants that belong
 * together go together, once every call of them has ended, no grant of them may live, nothing was written of them since,
 * and their bodies are gone: `keys` are those that are still there.
 */
export function chooseDue(before: string, keys: ReadonlySet<string>): DueEntries {
  const groups = new Map<string, Group>();
  const old: { readonly index: number; readonly group: Group | null; readonly opens: string }[] = [];
  const live = new Map<string, Group>();
  const ended = new Set<Group>();
  const sessions = new Set<string>();
  const newest = newestOf();
  let past = false;

  function groupOf({ call, details }: Entry): Group | null {
    const names = [call ?? "", textAt(details, "approval"), textAt(details, "grant")].filter((one) => one !== "");
    let found: Group | null = null;
    for (const name of names) {
      const known = groups.get(name);
      const group = known === undefined ? { parent: null, stays: false, open: 0 } : rootOf(known);
      if (known === undefined) groups.set(name, group);
      if (known === undefined && name === call) group.open++;
      found = found === null ? group : joined(found, group);
    }
    return found;
  }
  /** A younger entry keeps what it belongs to; it needs no group of its own. */
  function takeYounger({ call, details, sid }: Entry): void {
    if (sid !== null) sessions.add(sid);
    for (const name of [call ?? "", textAt(details, "approval"), textAt(details, "grant")]) {
      const group = groups.get(name);
      if (group !== undefined) rootOf(group).stays = true;
    }
  }
  function takeOld(entry: Entry, index: number): void {
    const { kind, details, call, sid } = entry;
    const group = groupOf(entry);
    if (group !== null) {
      const own = call === null ? undefined : groups.get(call);
      if (own !== undefined && endsCall(entry) && !ended.has(own)) {
        ended.add(own);
        group.open--;
      }
      if (keys.has(textAt(details, "body", "key"))) group.stays = true;
      if (kind === "grant.issued") live.set(textAt(details, "grant"), group);
      if (kind === "grant.swept" || (kind === "grant.revoked" && details["complete"] === true))
        live.delete(textAt(details, "grant"));
    }
    const bodyStays = group === null && keys.has(textAt(details, "body", "key"));
    if (forEver.has(kind) || bodyStays) return;
    old.push({ index, group, opens: kind === "session.opened" ? (sid ?? "") : "" });
  }
  return {
    take(entry, index) {
      newest.take(entry, index);
      past ||= entry.ts >= before;
      if (past) takeYounger(entry);
      else takeOld(entry, index);
    },
    due() {
      for (const group of live.values()) rootOf(group).stays = true;
      const needed = newest.indexes();
      const ranges: (readonly [number, number])[] = [];
      for (const { index, group, opens } of old) {
        const root = group === null ? null : rootOf(group);
        const stays = (root !== null && (root.stays || root.open > 0)) || needed.has(index) || sessions.has(opens);
        if (!stays) addIndex(ranges, index);
      }
      return ranges;
    },
  };
}

function rootOf(group: Group): Group {
  let root = group;
  while (root.parent !== null) root = root.parent;
  for (let one = group; one.parent !== null;) [one.parent, one] = [root, one.parent];
  return root;
}

function joined(one: Group, other: Group): Group {
  if (one === other) return one;
  other.parent = one;
  one.open += other.open;
  one.stays ||= other.stays;
  return one;
}

/** What a start reads of the newest of their kind: how the last gateway began, and what each anchor kept. */
function newestOf() {
  const anchors = new Map<string, number>();
  let began: number[] = [];
  return {
    take({ kind, details }: Entry, index: number): void {
      if (kind === "gateway.started") began = [index];
      if (kind === "policy.changed") began.push(index);
      if (kind === "checkpoint.anchored") anchors.set(textAt(details, "anchor"), index);
    },
    indexes: (): ReadonlySet<number> => new Set([...began, ...anchors.values()]),
  };
}
