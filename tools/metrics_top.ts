// Shows what pods or nodes use now beside what they ask for and may use, highest first; long, since both are read, joined and shown here.

import * as z from "zod";
import {
  answer,
  at,
  cpuText,
  defineTool,
  fault,
  Faulted,
  inputs,
  listAt,
  memoryText,
  openLooks,
  optionalLists,
  quantity,
  servedKind,
  textAt,
  type FindKind,
  type Json,
  type JsonObject,
  type Kit,
  type Looks,
  type ResourceKind,
} from "../src/tool.ts";

const input = z.strictObject({
  of: z.enum(["pods", "nodes"]).default("pods"),
  namespace: inputs.namespaces().optional().describe("* = all you may read"),
  selector: inputs.selector().optional(),
  sort: z.enum(["cpu", "memory"]).default("cpu"),
  limit: z.number().int().min(1).max(100).default(20),
});
type Input = z.output<typeof input>;

/** Objects that are read in one namespace at most; short rows are kept. */
const scan = 5000;

export default defineTool<Input>({
  name: "metrics_top",
  title: "Resource usage",
  description:
    "Show current CPU and memory use of pods or nodes beside requests and limits, highest first. A snapshot, not history.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs(asked, { findKind }) {
    const namespace = placeOf(asked);
    const metrics = await metricsKind(asked, findKind);
    return [
      { verb: "list", kind: metrics, namespace, name: "" },
      ...(await optionalLists(findKind, namespace, [asked.of])),
    ];
  },
  async run(asked, kit) {
    const metrics = await metricsKind(asked, kit.findKind);
    const looks = openLooks(kit);
    const mine = (namespace: string): boolean => kit.cluster.may({ verb: "list", kind: metrics, namespace, name: "" });
    const places = asked.namespace === "*" ? kit.cluster.namespaces.filter(mine) : [placeOf(asked)];
    const rows: Row[] = [];
    let more = false;
    for (const place of places) {
      const bounds = await boundsIn(place, asked, looks);
      for (let next = ""; ;) {
        const page = await readPage(metrics, place, asked, next, kit);
        rows.push(...page.items.map((item) => rowOf(place, item, bounds)));
        next = page.continue;
        if (next === "") break;
        if (rows.length >= scan) {
          more = true;
          break;
        }
      }
    }
    return told(
      asked,
      rows.sort((a, b) => b.use[asked.sort] - a.use[asked.sort] || (a.name < b.name ? -1 : 1)),
      more,
      looks,
      kit,
    );
  },
});

interface Amounts {
  readonly cpu: number;
  readonly memory: number;
}
interface Row {
  readonly place: string;
  readonly name: string;
  readonly use: Amounts;
  readonly bounds: Bounds | null;
}
/** What is asked for and what is the most; of a node what it has to give. A missing limit is 0. */
interface Bounds {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** Faults: invalid_input for pods without a namespace, and for nodes with one. */
function placeOf({ of, namespace }: Input): string {
  if (of === "pods" && namespace !== undefined) return namespace;
  if (of === "nodes" && namespace === undefined) return "";
  const rule = of === "pods" ? "pods are namespaced: name a namespace, or *" : "nodes have no namespace: leave it out";
  throw new Faulted(fault("invalid_input", { problems: [{ path: "namespace", rule }] }));
}

/** Faults: metrics_unavailable where the cluster serves no metrics (metrics.k8s.io, Resource Metrics API). */
async function metricsKind({ of }: Input, findKind: FindKind): Promise<ResourceKind> {
  const kind = await servedKind(findKind, `${of}.metrics.k8s.io`);
  if (kind === null) throw new Faulted(fault("metrics_unavailable", { why: "unserved" }));
  return kind;
}

async function readPage(
  kind: ResourceKind,
  place: string,
  { selector }: Input,
  next: string,
  kit: Kit,
): ReturnType<Kit["cluster"]["list"]> {
  const options = {
    limit: 500,
    ...(selector === undefined ? {} : { selector }),
    ...(next === "" ? {} : { continue: next }),
  };
  try {
    return await kit.cluster.list(kind, place, options);
  } catch (thrown) {
    const down = thrown instanceof Faulted && ["cluster_busy", "unknown_kind"].includes(thrown.fault.code);
    throw down ? new Faulted(fault("metrics_unavailable", { why: "down" }, thrown.fault.cause)) : thrown;
  }
}

/** Requests and limits by name, or null where the objects themselves may not be read. */
async function boundsIn(
  place: string,
  { of, selector }: Input,
  looks: Looks,
): Promise<ReadonlyMap<string, Bounds> | null> {
  const found = new Map<string, Bounds>();
  const read = await looks.pages(of, place, selector === undefined ? {} : { selector }, scan, (items) => {
    for (const item of items)
      found.set(textAt(item, "metadata", "name"), of === "pods" ? podBounds(item) : nodeBounds(item));
  });
  return read ? found : null;
}

function amounts(value: Json | undefined): Amounts {
  return { cpu: quantity(textAt(value, "cpu")), memory: quantity(textAt(value, "memory")) };
}

const plus = (a: Amounts, b: Amounts): Amounts => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory });
const none: Amounts = { cpu: 0, memory: 0 };

/** The sums over its containers; one container without a limit leaves the pod without one. */
function podBounds(pod: JsonObject): Bounds {
  const containers = listAt(pod, "spec", "containers").map((one) => ({
    requests: amounts(at(one, "resources", "requests")),
    limits: amounts(at(one, "resources", "limits")),
  }));
  const limits = containers.map((one) => one.limits);
  const sum = limits.reduce(plus, none);
  return {
    requests: containers.map((one) => one.requests).reduce(plus, none),
    limits: {
      cpu: limits.some((one) => one.cpu === 0) ? 0 : sum.cpu,
      memory: limits.some((one) => one.memory === 0) ? 0 : sum.memory,
    },
  };
}

function nodeBounds(node: JsonObject): Bounds {
  const most = amounts(at(node, "status", "allocatable"));
  return { requests: most, limits: most };
}

function rowOf(place: string, item: JsonObject, bounds: ReadonlyMap<string, Bounds> | null): Row {
  const name = textAt(item, "metadata", "name");
  const containers = listAt(item, "containers");
  const use =
    containers.length === 0
      ? amounts(at(item, "usage"))
      : containers.map((one) => amounts(at(one, "usage"))).reduce(plus, none);
  return { place, name, use, bounds: bounds?.get(name) ?? null };
}

function told(asked: Input, rows: readonly Row[], more: boolean, looks: Looks, kit: Kit): ReturnType<typeof answer> {
  const shown = rows.slice(0, asked.limit);
  const left = rows.length - shown.length;
  const many = asked.namespace === "*";
  const total = rows.map((row) => row.use).reduce(plus, none);
  const where =
    asked.of === "nodes"
      ? ""
      : many
        ? ` in ${kit.cluster.namespaces.length} namespaces`
        : ` in ${asked.namespace ?? ""}`;
  const dropped = many && kit.cluster.leftOut > 0 ? ` ${kit.cluster.leftOut} namespaces left out by policy.` : "";
  const columns =
    asked.of === "nodes"
      ? ["NAME", "CPU", "CPU-OF", "CPU%", "MEM", "MEM-OF", "MEM%"]
      : [...(many ? ["NAMESPACE"] : []), "NAME", "CPU", "CPU-REQ", "CPU-LIM", "MEM", "MEM-REQ", "MEM-LIM", "MEM%"];
  return answer(
    [
      `${more ? "at least " : ""}${rows.length} ${asked.of}${where}: ${cpuText(total.cpu)} CPU and ${memoryText(total.memory)} memory in use, highest ${asked.sort} first. A snapshot.${dropped}`,
    ],
    [
      ...(shown.length === 0
        ? []
        : [{ kind: "table" as const, columns, rows: shown.map((row) => cells(row, asked.of, many)) }]),
      ...(left > 0
        ? [{ kind: "line" as const, line: [`${left} more use less: raise limit, or narrow by selector.`] }]
        : []),
      ...(looks.unread.length > 0
        ? [
            {
              kind: "line" as const,
              line: [`Not checked: requests and limits of ${[...new Set(looks.unread)].join(", ")}.`],
            },
          ]
        : []),
    ],
    { counts: { total: rows.length, shown: shown.length }, ...(left > 0 ? { cut: `${left} ${asked.of}` } : {}) },
  );
}

/** `-`: not stated; `n/a`: not known, since the object is gone or may not be read. */
function cells({ place, name, use, bounds }: Row, of: Input["of"], many: boolean): string[] {
  const cpu = (value: number | undefined): string => (value === undefined ? "n/a" : value === 0 ? "-" : cpuText(value));
  const memory = (value: number | undefined): string =>
    value === undefined ? "n/a" : value === 0 ? "-" : memoryText(value);
  const share = (part: number, whole: number | undefined): string =>
    whole ? `${Math.round((part / whole) * 100)}%` : "-";
  const { limits, requests } = bounds ?? {};
  if (of === "nodes")
    return [
      name,
      cpuText(use.cpu),
      cpu(limits?.cpu),
      share(use.cpu, limits?.cpu),
      memoryText(use.memory),
      memory(limits?.memory),
      share(use.memory, limits?.memory),
    ];
  return [
    ...(many ? [place] : []),
    name,
    cpuText(use.cpu),
    cpu(requests?.cpu),
    cpu(limits?.cpu),
    memoryText(use.memory),
    memory(requests?.memory),
    memory(limits?.memory),
    share(use.memory, limits?.memory),
  ];
}
