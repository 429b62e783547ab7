// Reads logs of a pod or a workload's pods and folds repeats, so that an agent sees errors and the newest lines in few tokens; long, since it also says why there is nothing to read.

import * as z from "zod";
import {
  answer,
  at,
  cellOf,
  defineTool,
  fault,
  Faulted,
  foldLog,
  inputs,
  isJsonObject,
  named,
  since,
  textAt,
  type Block,
  type JsonObject,
  type Kit,
  type Need,
} from "../src/tool.ts";

const input = z.strictObject({
  namespace: inputs.namespace(),
  kind: z.enum(["Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"]).default("Pod"),
  name: inputs.name(),
  container: inputs.container().optional(),
  previous: z.boolean().default(false),
  since: since().optional().describe("15m, 2h or RFC 3339"),
  until: z.iso.datetime({ offset: true }).optional().describe("RFC 3339"),
  tail: z.number().int().min(1).max(2000).default(100).describe("Per container"),
  grep: z.string().min(1).max(200).optional().describe("RE2 regex"),
  context: z.number().int().min(0).max(10).default(0),
  mode: z.enum(["auto", "raw", "patterns"]).default("auto"),
  max_pods: z.number().int().min(1).max(20).default(3),
});
type Input = z.output<typeof input>;

/** 2 MiB or 20,000 lines a container are scanned (tools.md). */
const scanBytes = 2 * 1024 * 1024;
const scanLines = 20_000;

export default defineTool<Input>({
  name: "logs_read",
  title: "Read logs",
  description:
    "Read logs of a pod or workload (all containers, unhealthy pods first). auto folds repeats into counted patterns and keeps errors and the newest lines; grep searches before any cut; previous reads the run before a crash.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs({ namespace, kind, name }, { findKind }) {
    const pods = await findKind("pods");
    const one: Need[] = [
      { verb: "get", kind: pods, namespace, name },
      { verb: "get", kind: pods, namespace, name, subresource: "log" },
    ];
    if (kind === "Pod") return one;
    return [
      { verb: "get", kind: await findKind(kind), namespace, name },
      { verb: "list", kind: pods, namespace, name: "" },
      { verb: "get", kind: pods, namespace, name: "", subresource: "log" },
    ];
  },
  async run(asked, kit) {
    const pods = await podsOf(asked, kit);
    const chosen = pods.toSorted((a, b) => Number(healthy(a)) - Number(healthy(b))).slice(0, asked.max_pods);
    const all = chosen.flatMap((pod) =>
      containersOf(pod, asked).map((container) => ({
        pod: textAt(pod, "metadata", "name"),
        container,
        silent: silence(pod, container, asked.previous),
      })),
    );
    const reads = all.filter((one) => one.silent === null);
    const silent = all.flatMap((one) => (one.silent === null ? [] : [{ ...one, ...one.silent }]));
    if (reads.length === 0 && silent[0] !== undefined)
      throw new Faulted(
        fault("no_logs", {
          kind: asked.kind,
          name: asked.name,
          why: silent[0].why,
          ...(silent[0].reason === "" ? {} : { reason: silent[0].reason }),
        }),
      );
    if (reads.length === 0)
      throw new Faulted(fault("no_logs", { kind: asked.kind, name: asked.name, why: "no pod of it exists now" }));
    const matches = asked.grep === undefined ? null : kit.pattern(asked.grep, "grep");
    const blocks: Block[] = [];
    const unread: string[] = [];
    let [scanned, matched] = [0, 0];
    for (const { pod, container } of reads) {
      const { lines, older } = await linesOf(pod, container, asked, matches !== null, kit);
      if (older) unread.push(`${pod}/${container}`);
      scanned += lines.length;
      const found = matches === null ? { lines, matched: 0 } : await grepLines(lines, matches, asked.context, kit);
      matched += found.matched;
      const text =
        asked.mode === "raw"
          ? found.lines.slice(-asked.tail).join("\n")
          : await foldLog(found.lines, asked.mode, asked.tail, kit.others);
      blocks.push({ kind: "data", source: `logs ${pod}/${container}`, text: text === "" ? "(no lines)" : text });
    }
    const left = pods.length - chosen.length;
    const counts = { pods: chosen.length, containers: reads.length, scanned, ...(matches === null ? {} : { matched }) };
    const found = matches === null ? "" : `, ${matched} matched`;
    return answer(
      [
        `logs of ${asked.kind} ${asked.namespace}/${asked.name}: ${reads.length} containers in ${chosen.length} of ${pods.length} pods, ${scanned} lines scanned${found}`,
        window(asked),
        unread.length > 0 ? ` Older lines not read: ${unread.join(", ")}; narrow by since or container.` : "",
        left > 0 ? ` ${left} pods not read: raise max_pods or name one.` : "",
      ],
      [
        ...blocks,
        ...silent.map(({ pod, container, why, reason }): Block => ({
          kind: "line",
          line: [
            `no logs of ${pod}/${container}: ${why === "previous" ? "there was no run before this one" : "it has not started yet"}`,
            ...(reason === "" ? [] : [" (", named(reason), ")"]),
          ],
        })),
      ],
      { counts },
      true,
    );
  },
});

/** Why this container can have written nothing; null where it may have. The kubelet would only say that the request is bad. */
function silence(pod: JsonObject, container: string, previous: boolean): { why: string; reason: string } | null {
  const statuses = ["containerStatuses", "initContainerStatuses"].flatMap((list) => {
    const found = at(pod, "status", list);
    return Array.isArray(found) ? (found as JsonObject[]) : [];
  });
  const status = statuses.find((one) => textAt(one, "name") === container);
  const before = at(status, "lastState", "terminated") !== undefined || Number(at(status, "restartCount") ?? 0) > 0;
  if (before) return null;
  if (status === undefined || at(status, "state", "waiting") !== undefined)
    return { why: "waiting", reason: textAt(status, "state", "waiting", "reason") };
  return previous ? { why: "previous", reason: "" } : null;
}

async function podsOf(asked: Input, kit: Kit): Promise<readonly JsonObject[]> {
  const pods = await kit.findKind("pods");
  const { namespace, name } = asked;
  if (asked.kind === "Pod") return [await kit.cluster.get({ kind: pods, namespace, name })];
  const owner = await kit.cluster.get({ kind: await kit.findKind(asked.kind), namespace, name });
  const labels = at(owner, "spec", "selector", "matchLabels");
  if (!isJsonObject(labels)) {
    const { items } = await kit.cluster.list(pods, namespace, { limit: 500 });
    return items.filter((pod) => textAt(pod, "metadata", "name").startsWith(`${name}-`));
  }
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key}=${cellOf([value])}`)
    .join(",");
  return (await kit.cluster.list(pods, namespace, { limit: 500, selector })).items;
}

function containersOf(pod: JsonObject, asked: Input): string[] {
  const containers = at(pod, "spec", "containers");
  const names = (Array.isArray(containers) ? containers : []).map((one: JsonObject) => textAt(one, "name"));
  if (asked.container === undefined) return names;
  if (names.includes(asked.container)) return [asked.container];
  throw new Faulted(
    fault("not_found", {
      kind: "container",
      name: asked.container,
      near: names,
      shows: "objects_get shows the containers",
    }),
  );
}

function healthy(pod: JsonObject): boolean {
  const statuses = at(pod, "status", "containerStatuses");
  return (
    textAt(pod, "status", "phase") === "Running" &&
    Array.isArray(statuses) &&
    statuses.every((one: JsonObject) => at(one, "ready") === true)
  );
}

interface Read {
  readonly lines: readonly string[];
  /** There are older lines that were not read, because of a cap or because they were not asked for. */
  readonly older: boolean;
}

async function linesOf(pod: string, container: string, asked: Input, searching: boolean, kit: Kit): Promise<Read> {
  const kind = await kit.findKind("pods");
  const whole = searching || asked.until !== undefined || asked.mode !== "raw";
  const seconds = asked.since === undefined ? null : sinceSeconds(asked.since, kit.now());
  const { text, cut } = await kit.cluster.logs(
    { kind, namespace: asked.namespace, name: pod },
    {
      container,
      previous: asked.previous,
      tailLines: whole ? scanLines : asked.tail,
      ...(seconds === null ? {} : { sinceSeconds: seconds }),
      limitBytes: scanBytes,
      timestamps: asked.until !== undefined,
    },
  );
  const lines = text.split("\n").filter((line) => line !== "");
  const older = cut !== null || (whole && lines.length >= scanLines);
  if (asked.until === undefined) return { lines, older };
  const end = Date.parse(asked.until);
  const before = lines
    .filter((line) => !(Date.parse(line.slice(0, line.indexOf(" "))) > end))
    .map((line) => line.slice(line.indexOf(" ") + 1));
  return { lines: before, older };
}

function sinceSeconds(span: string, now: number): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[span.at(-1) ?? ""];
  const seconds = unit === undefined ? Math.ceil((now - Date.parse(span)) / 1000) : Number(span.slice(0, -1)) * unit;
  return Math.max(1, seconds);
}

/** Lines that are matched before others have their turn. */
const stretch = 500;

async function grepLines(
  lines: readonly string[],
  matches: (line: string) => boolean,
  context: number,
  { others }: Pick<Kit, "others">,
): Promise<{ readonly lines: readonly string[]; readonly matched: number }> {
  const kept = new Set<number>();
  let matched = 0;
  for (const [index, line] of lines.entries()) {
    if (index > 0 && index % stretch === 0) await others();
    if (!matches(line)) continue;
    matched += 1;
    for (let near = Math.max(0, index - context); near <= Math.min(lines.length - 1, index + context); near++)
      kept.add(near);
  }
  return { lines: lines.filter((_line, index) => kept.has(index)), matched };
}

function window(asked: Input): string {
  const from = asked.since === undefined ? "" : ` since ${asked.since}`;
  const to = asked.until === undefined ? "" : ` until ${asked.until}`;
  return `${from}${to}${asked.previous ? ", the run before" : ""}.`;
}
