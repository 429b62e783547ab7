// Lists events newest first with repeats as one row; with a name also those of the ReplicaSets and pods that the object owns.

import * as z from "zod";
import {
  ago,
  answer,
  defineTool,
  eventRow,
  fault,
  Faulted,
  fullKind,
  groupEvents,
  inputs,
  isAbout,
  openLooks,
  optionalLists,
  ownedBy,
  since,
  startOf,
  textAt,
  windowText,
  type EventRow,
  type Kit,
  type Looks,
  type Need,
} from "../src/tool.ts";

const input = z.strictObject({
  namespace: inputs.namespaces().describe("* = all you may read"),
  kind: inputs.kind().optional(),
  name: inputs.name().optional(),
  type: z.enum(["Warning", "Normal", "all"]).default("Warning"),
  search: z.string().min(1).max(200).optional().describe("Part of reason or message"),
  since: since().default("1h").describe("15m, 2h or RFC 3339"),
  limit: z.number().int().min(1).max(200).default(30),
});
type Input = z.output<typeof input>;

/** Events that are read in one namespace at most; what is kept of each is a short row. */
const scan = 5000;
/** What an object of these kinds owns on the way to its pods. */
const between: { readonly [kind: string]: string } = { Deployment: "replicasets", CronJob: "jobs" };
const ownsPods = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"];

export default defineTool<Input>({
  name: "events_list",
  title: "List events",
  description:
    "List events newest first, repeats grouped. With kind and name: events of that object and of the pods and ReplicaSets it owns.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs(asked, { findKind }) {
    const kind = await subjectKind(asked, findKind);
    const events: Need = { verb: "list", kind: await findKind("events"), namespace: asked.namespace, name: "" };
    if (kind === "" || !ownsPods.includes(kind) || asked.name === undefined) return [events];
    const owned = [...(between[kind] === undefined ? [] : [between[kind]]), "pods"];
    return [events, ...(await optionalLists(findKind, asked.namespace, owned))];
  },
  async run(asked, kit) {
    const kind = await subjectKind(asked, kit.findKind);
    const looks = openLooks(kit);
    const events = await kit.findKind("events");
    const mine = (namespace: string): boolean => kit.cluster.may({ verb: "list", kind: events, namespace, name: "" });
    const namespaces = asked.namespace === "*" ? kit.cluster.namespaces.filter(mine) : [asked.namespace];
    const from = startOf(asked.since, kit.now());
    let [read, older] = [0, 0];
    const rows: EventRow[] = [];
    for (const namespace of namespaces) {
      const about = await subjectsIn(namespace, kind, asked, looks);
      let seen = 0;
      for (let next = ""; ;) {
        const narrow = asked.type === "all" ? {} : { fieldSelector: `type=${asked.type}` };
        const more = next === "" ? {} : { continue: next };
        const page = await kit.cluster.list(events, namespace, { ...narrow, ...more, limit: 500 });
        seen += page.items.length;
        for (const row of page.items.map(eventRow)) {
          if (row.last < from) older++;
          else if (about(row) && found(row, asked.search)) rows.push(row);
        }
        next = page.continue;
        if (next === "" || seen >= scan) break;
      }
      read += seen;
    }
    return told(asked, kind, rows, { read, older, namespaces: namespaces.length }, looks, kit);
  },
});

/** The kind that is asked about; "" for all. Faults: invalid_input for a name without a kind. */
async function subjectKind({ kind, name }: Input, findKind: Kit["findKind"]): Promise<string> {
  if (kind !== undefined) return fullKind(await findKind(kind));
  if (name === undefined) return "";
  throw new Faulted(
    fault("invalid_input", { problems: [{ path: "kind", rule: "goes with name: say which kind it is" }] }),
  );
}

/** Which events are the asked object's own or of what it owns. Pods that are gone are known by their names alone. */
async function subjectsIn(
  namespace: string,
  kind: string,
  { name }: Input,
  looks: Looks,
): Promise<(row: EventRow) => boolean> {
  if (kind === "") return () => true;
  if (name === undefined) return (row) => isAbout(row, kind);
  const own = (row: EventRow): boolean => isAbout(row, kind) && row.name === name;
  if (!ownsPods.includes(kind)) return own;
  const middle = between[kind];
  const middleKind = middle === "jobs" ? "Job" : "ReplicaSet";
  const owners =
    middle === undefined
      ? [name]
      : ((await looks.list(middle, namespace, {}, scan)) ?? [])
          .filter((one) => ownedBy(one, kind, name))
          .map((one) => textAt(one, "metadata", "name"));
  const ownerKind = middle === undefined ? kind : middleKind;
  const pods = new Set(
    ((await looks.list("pods", namespace, {}, scan)) ?? [])
      .filter((pod) => owners.some((owner) => ownedBy(pod, ownerKind, owner)))
      .map((pod) => textAt(pod, "metadata", "name")),
  );
  const gone = (pod: string): boolean =>
    owners.some((owner) => pod.startsWith(`${owner}-`) && /^([a-z0-9]{5}|\d{1,4})$/.test(pod.slice(owner.length + 1)));
  return (row) =>
    own(row) ||
    (middle !== undefined && row.kind === middleKind && owners.includes(row.name)) ||
    (row.kind === "Pod" && (pods.has(row.name) || gone(row.name)));
}

function found(row: EventRow, search: string | undefined): boolean {
  if (search === undefined) return true;
  return `${row.reason} ${row.message}`.toLowerCase().includes(search.toLowerCase());
}

function told(
  asked: Input,
  kind: string,
  rows: readonly EventRow[],
  scanned: { readonly read: number; readonly older: number; readonly namespaces: number },
  looks: Looks,
  kit: Kit,
): ReturnType<typeof answer> {
  const groups = groupEvents(rows);
  const shown = groups.slice(0, asked.limit);
  const many = asked.namespace === "*";
  const times = rows.reduce((sum, row) => sum + row.count, 0);
  const left = groups.length - shown.length;
  const where = many ? `${scanned.namespaces} namespaces` : asked.namespace;
  const subject = kind === "" ? "" : ` of ${kind}${asked.name === undefined ? "s" : ` ${asked.name} and what it owns`}`;
  const dropped = many && kit.cluster.leftOut > 0 ? ` ${kit.cluster.leftOut} namespaces left out by policy.` : "";
  const columns = [
    "LAST",
    "COUNT",
    ...(many ? ["NAMESPACE"] : []),
    ...(asked.type === "all" ? ["TYPE"] : []),
    "OBJECT",
    "REASON",
    "MESSAGE",
  ];
  const cells = (group: (typeof groups)[number]): string[] => [
    ago(group.last, kit.now()),
    group.first < group.last ? `${group.count} (${ago(group.first, kit.now())})` : String(group.count),
    ...(many ? [group.namespace] : []),
    ...(asked.type === "all" ? [group.type] : []),
    `${group.kind}/${group.name}${group.objects > 1 ? `+${group.objects - 1}` : ""}`,
    group.reason,
    group.message,
  ];
  const notes = [
    ...(shown.length > 0 && groups.some((group) => group.objects > 1)
      ? ["OBJECT +n: the same of n more objects."]
      : []),
    ...(left > 0 ? [`${left} more rows: raise limit, or narrow by kind, name, search or since.`] : []),
    ...(scanned.older > 0 ? [`${scanned.older} events are older than the window.`] : []),
    ...(looks.unread.length > 0 ? [`Not checked: ${looks.unread.join(", ")}.`] : []),
    // Events outlive their object and end before it: none says nothing of it.
    ...(rows.length === 0 && asked.name !== undefined ? [`Not checked: whether ${kind} ${asked.name} exists.`] : []),
  ];
  return answer(
    [
      `${times} ${asked.type === "all" ? "" : `${asked.type} `}events${subject} in ${where}, ${groups.length} different, newest first; ${windowText(asked.since, kit.now())}, ${scanned.read >= scan ? "at least " : ""}${scanned.read} read${asked.search === undefined ? "" : ", searched for the text"}.${dropped}`,
    ],
    [
      ...(shown.length === 0 ? [] : [{ kind: "table" as const, columns, rows: shown.map(cells) }]),
      ...notes.map((line) => ({ kind: "line" as const, line: [line] })),
    ],
    {
      counts: { events: times, rows: groups.length, shown: shown.length, read: scanned.read },
      ...(left > 0 ? { cut: `${left} rows` } : {}),
    },
    true,
  );
}
