// Reads and changes through governCall in this process, beside the bare GET of the same object.

import type { Place } from "../practice/places.ts";
import { atOnce, byTurns, median, percentile, perSecond, round } from "./clock.ts";
import type { Figure } from "./figures.ts";
import { openBare, openDisk, type Bare, type Disk } from "./floors.ts";
import { openLine, type Line } from "./line.ts";

/** What other measurements hold themselves against. */
export interface BareTimes {
  readonly get: number;
  readonly parallel: number;
}

const object = { kind: "Deployment", namespace: "shop-prod", name: "api" };
const path = "/apis/apps/v1/namespaces/shop-prod/deployments/api";
const crowd = 100;

export async function onTheLine(
  env: NodeJS.ProcessEnv,
  place: Place,
  folder: string,
): Promise<{ readonly figures: readonly Figure[]; readonly bare: BareTimes }> {
  const bare = await openBare(place.kubeconfigPath, path);
  const disk = await openDisk(folder);
  const line = await openLine(env);
  try {
    const reads = await readFigures(line, bare, disk);
    return { ...reads, figures: [...reads.figures, await changeFigure(line)] };
  } finally {
    await line.close();
    await disk.close();
    await bare.close();
  }
}

async function readFigures(line: Line, bare: Bare, disk: Disk) {
  const full = () => line.call("objects_get", { ...object, view: "full" });
  const summary = () => line.call("objects_get", object);
  const [bareTimes = [], fullTimes = [], summaryTimes = [], diskTimes = []] = await byTurns(500, [
    () => bare.get(),
    full,
    summary,
    () => disk.append(),
  ]);
  const [bareGet, governed] = [median(bareTimes), median(fullTimes)];
  const [bareCrowd = [], governedCrowd = []] = await byTurns(10, [
    () => atOnce(crowd, () => bare.get()),
    () => atOnce(crowd, full),
  ]);
  const before = process.cpuUsage();
  const { rate, calls, took } = await perSecond(4000, 64, full);
  const { user, system } = process.cpuUsage(before);
  const spent = (user + system) / 1000;
  const parallel = median(bareCrowd);
  const figures: Figure[] = [
    figure("governed read, added to a bare GET, p50", governed - bareGet, null, "<= 1 ms", governed - bareGet <= 1, {
      note: `two durable appends among it, each ${round(median(diskTimes))} ms of bare write and fdatasync here`,
    }),
    figure("governed read (objects_get, view full), p50", governed, bareGet, "<= 2x", governed <= 2 * bareGet, {
      note: `p95 ${round(percentile(fullTimes, 0.95))} ms; bare p95 ${round(percentile(bareTimes, 0.95))} ms; ${bare.bytes} bytes of object`,
    }),
    figure("governed read, default view (object and events), p50", median(summaryTimes), bareGet, "", null, {
      note: "two requests to the cluster where the floor has one",
    }),
    figure(
      `${crowd} parallel governed reads`,
      median(governedCrowd),
      parallel,
      "<= 2x",
      median(governedCrowd) <= 2 * parallel,
    ),
    {
      ...figure("sustained governed reads, 64 under way", rate, null, ">= 1000/s", rate >= 1000, {
        note: `this process had ${round((100 * spent) / took, 0)} % of a core: ${round(spent / calls)} ms of it a read`,
      }),
      unit: "calls/s",
    },
  ];
  return { figures, bare: { get: bareGet, parallel } };
}

/** Each change is another count, so that each is asked for anew. */
async function changeFigure(line: Line): Promise<Figure> {
  const taken: number[] = [];
  for (let turn = 0; turn < 9; turn++) {
    const replicas = 4 + (turn % 2);
    const reason = "measuring how long an approved change takes";
    taken.push(await line.approvedCall("workloads_scale", { ...object, replicas, reason }));
  }
  const [first = 0, ...rest] = taken;
  const p50 = median(rest);
  return figure("approved change, from the yes to its recorded end, p50", p50, null, "<= 400 ms", p50 <= 400, {
    note: `the first ${round(first, 0)} ms, the slowest after it ${round(Math.max(...rest), 0)} ms; making and removing its credential among it`,
  });
}

function figure(
  name: string,
  measured: number,
  floor: number | null,
  goal: string,
  reached: boolean | null,
  { note = "" }: { readonly note?: string } = {},
): Figure {
  return { figure: name, measured, unit: "ms", floor, goal, reached, note };
}
