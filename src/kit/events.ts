// Kubernetes events as short rows, and repeats of one event as one row (core/v1 Event).

import { fullKind } from "../domain/access.ts";
import { at, textAt, type JsonObject } from "../domain/json.ts";
import { groupOf } from "./answer.ts";
import { countAt } from "./selector.ts";

export interface EventRow {
  readonly namespace: string;
  /** The object that it is about; its kind as `fullKind` has it. */
  readonly kind: string;
  readonly name: string;
  /** The event says no version of its object, so the kind's name could be any group's. */
  readonly vague: boolean;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
}

/** One event, whichever of its three generations of fields wrote its times and counts. */
export function eventRow(event: JsonObject): EventRow {
  const created = textAt(event, "metadata", "creationTimestamp");
  const moment = textAt(event, "eventTime");
  const first = textAt(event, "firstTimestamp") || moment || created;
  const last = textAt(event, "series", "lastObservedTime") || textAt(event, "lastTimestamp") || moment || first;
  return {
    namespace: textAt(event, "metadata", "namespace"),
    kind: fullKind({
      kind: textAt(event, "involvedObject", "kind"),
      group: groupOf(textAt(event, "involvedObject", "apiVersion")),
    }),
    name: textAt(event, "involvedObject", "name"),
    vague: textAt(event, "involvedObject", "apiVersion") === "",
    type: textAt(event, "type"),
    reason: textAt(event, "reason"),
    message: plainMessage(textAt(event, "message")),
    count: Math.max(
      1,
      at(event, "series", "count") === undefined ? countAt(event, "count") : countAt(event, "series", "count"),
    ),
    first: time(first),
    last: time(last),
  };
}

/** Is the event about an object of this kind (as `fullKind` has it)? */
export function isAbout(row: Pick<EventRow, "kind" | "vague">, kind: string): boolean {
  return row.kind === kind || (row.vague && kind.startsWith(`${row.kind}.`));
}

/** Without what client-go puts before the newest of many alike (tools/record, EventAggregator): the count tells that. */
const plainMessage = (text: string): string => text.replace(/^\(combined from similar events\): /, "");

function time(text: string): number {
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? 0 : parsed;
}

export interface EventGroup extends EventRow {
  /** How many objects it happened to. */
  readonly objects: number;
}

/** Groups what says the same of objects of one kind and origin, newest first: counts are summed, the newest message stands for all. */
export function groupEvents(rows: readonly EventRow[]): EventGroup[] {
  const groups = new Map<string, { newest: EventRow; count: number; first: number; names: Set<string> }>();
  for (const row of rows) {
    const key = JSON.stringify([row.namespace, row.kind, originOf(row.name), row.type, row.reason, shapeOf(row)]);
    const group = groups.get(key);
    if (group === undefined)
      groups.set(key, { newest: row, count: row.count, first: row.first, names: new Set([row.name]) });
    else {
      group.count += row.count;
      group.first = Math.min(group.first, row.first);
      group.names.add(row.name);
      if (row.last >= group.newest.last) group.newest = row;
    }
  }
  return [...groups.values()]
    .map(({ newest, count, first, names }) => ({ ...newest, count, first, objects: names.size }))
    .sort((a, b) => b.last - a.last || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** A pod's or ReplicaSet's name without the parts that are drawn by lot. */
function originOf(name: string): string {
  return name.replace(/(-[a-f0-9]{8,10})?-[a-z0-9]{5}$|-\d{1,4}$|-[a-f0-9]{8,10}$/, "");
}

/** The message with what differs from object to object taken out. */
function shapeOf({ name, message }: EventRow): string {
  return message
    .slice(0, 400)
    .replaceAll(name, "<name>")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replaceAll(/(<name>|\b[a-z0-9.-]+)-[a-z0-9]{5}\b/g, "<name>")
    .replaceAll(/\d+/g, "#");
}
