// Long lists in this process: what an agent gets of 500 and of 5,000 pods, in bytes, beside bare paged Table reads of the same, and in memory.

import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Place } from "../practice/places.ts";
import { textAt, type JsonObject } from "../src/domain/json.ts";
import { capOf } from "../src/mcp/caps.ts";
import { renderOutcome } from "../src/mcp/render.ts";
import type { Admin } from "../test/cluster/admin.ts";
import { byTurns, median, round } from "./clock.ts";
import type { Figure } from "./figures.ts";
import { openPages, type Pages } from "./floors.ts";
import { openLine, type Line } from "./line.ts";

/** A namespace of its own, which has to be enrolled; empty until the lists are measured. */
export const listed = "bench-lists";
const [some, many] = [500, 5000];
const mebibyte = 1024 * 1024;

/** Makes the pods and lists them. Needs a cluster that serves Tables: the real one. */
export async function longLists(env: NodeJS.ProcessEnv, place: Place): Promise<readonly Figure[]> {
  await makePods(place.admin, 0, some);
  const line = await openLine(env);
  const pages = await openPages(place.kubeconfigPath, `/api/v1/namespaces/${listed}/pods`);
  try {
    const first = await bytesOf(line, {});
    const images = await bytesOf(line, { group_by: ".spec.containers[*].image" });
    const whole = await pages.read();
    const bytes: readonly Figure[] = [
      bytesFigure(`list of ${some} pods, first answer`, first, whole.bytes, 8000, "the floor is the bare Table"),
      bytesFigure(`images of ${some} pods by group_by`, images, whole.bytes, 2000, ""),
    ];
    await makePods(place.admin, some, many);
    return [...bytes, ...(await manyFigures(line, pages))];
  } finally {
    await pages.close();
    await line.close();
  }
}

async function manyFigures(line: Line, pages: Pages): Promise<readonly Figure[]> {
  const list = () => line.call("objects_list", { kind: "pods", namespace: listed });
  const [bareTimes = [], listTimes = []] = await byTurns(5, [() => pages.read(), list]);
  const [bare, governed] = [median(bareTimes), median(listTimes)];
  const { bytes, largest } = await pages.read();
  const tables = await heapPeak(list);
  const objects = await heapPeak(() =>
    line.call("objects_list", { kind: "pods", namespace: listed, group_by: ".spec.containers[*].image" }),
  );
  const note = (text: string): string =>
    `${text}; the ten bare pages have ${round(bytes / mebibyte, 1)} MiB, the largest ${round(largest / mebibyte, 1)} MiB`;
  return [
    {
      figure: `list of ${many} pods, p50`,
      measured: governed,
      unit: "ms",
      floor: bare,
      goal: "",
      reached: null,
      note: "bare: the same pages of 500 rows one after the other, read to their ends, nothing parsed but where to go on",
    },
    peakFigure(`list of ${many} pods, peak heap growth`, tables, note("garbage that was not collected yet among it")),
    peakFigure(`images of ${many} pods by group_by, peak heap growth`, objects, "read as whole objects, page by page"),
  ];
}

/** No goal: what the collector leaves lying for a while is no measure of what is held. */
function peakFigure(figure: string, measured: number, note: string): Figure {
  return { figure, measured, unit: "MB", floor: null, goal: "", reached: null, note };
}

function bytesFigure(figure: string, measured: number, floor: number, most: number, note: string): Figure {
  return { figure, measured, unit: "bytes", floor, goal: `<= ${most / 1000} kB`, reached: measured <= most, note };
}

/** What the agent reads of one list. */
async function bytesOf(line: Line, more: JsonObject): Promise<number> {
  const outcome = await line.call("objects_list", { kind: "pods", namespace: listed, ...more });
  const random = (count: number): Uint8Array => randomBytes(count);
  const { content } = renderOutcome(outcome, { random }, { answer: capOf("objects_list", {}) });
  return content.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

/** MB that the heap grows at its highest, looked at every few milliseconds, from a heap that was just collected. */
async function heapPeak(work: () => Promise<unknown>): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await work();
  collect();
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  const looking = setInterval(() => (peak = Math.max(peak, process.memoryUsage().heapUsed)), 2);
  try {
    await work();
  } finally {
    clearInterval(looking);
  }
  return (peak - before) / 1e6;
}

async function makePods(admin: Admin, from: number, to: number): Promise<void> {
  const left = Array.from({ length: to - from }, (_, index) => from + index);
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await makePod(admin, next, next < some);
    }),
  );
}

/** With a status as a kubelet would write it, or none. */
async function makePod(admin: Admin, index: number, reported: boolean): Promise<void> {
  const pods = `/api/v1/namespaces/${listed}/pods`;
  const pod = podNumber(index);
  await admin.create(pods, pod);
  if (!reported) return;
  const name = textAt(pod, "metadata", "name");
  const crashes = index % 40 === 0;
  const state = crashes ? { waiting: { reason: "CrashLoopBackOff" } } : { running: {} };
  const container = { name: "main", image: "i", imageID: "", ready: !crashes, restartCount: index % 7, state };
  const status = { phase: "Running", podIP: `10.0.${index >> 8}.${index & 255}`, containerStatuses: [container] };
  await admin.send("PATCH", `${pods}/${name}/status`, { status }, { contentType: "application/merge-patch+json" });
}

/** As a shop of five programs in three versions would have them; no node takes them, and no controller makes more. */
function podNumber(index: number): JsonObject {
  const program = ["api", "web", "worker", "mail", "search"][index % 5] ?? "";
  const version = ["1.4.2", "1.4.3", "1.5.0"][index % 3] ?? "";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${program}-7d5b8${(4096 + index).toString(16)}-${(60_466_176 + index * 7919).toString(36).slice(-5)}`,
      labels: { app: program, "app.kubernetes.io/version": version },
    },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: "main",
          image: `registry.example.com/shop/${program}:${version}`,
          env: [{ name: "LOG_LEVEL", value: "info" }],
          resources: { requests: { cpu: "100m", memory: "128Mi" } },
        },
      ],
    },
  };
}
