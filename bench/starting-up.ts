// How long the built program takes until it answers `initialize`, and how large it is.

import { median, round } from "./clock.ts";
import { builtBytes } from "./built.ts";
import type { Figure } from "./figures.ts";
import { startUp } from "./floors.ts";

export async function startingUp(program: string, env: NodeJS.ProcessEnv): Promise<readonly Figure[]> {
  const [own, node]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 7; turn++) {
    node.push(await startUp("", env));
    own.push(await startUp(program, env));
  }
  const measured = median(own);
  const bytes = builtBytes();
  return [
    {
      figure: "start-up to initialize on stdio, built, median of 7",
      measured,
      unit: "ms",
      floor: median(node),
      goal: "<= 200 ms",
      reached: measured <= 200,
      note: `fastest ${round(Math.min(...own), 0)} ms; the floor is Node itself echoing one line`,
    },
    {
      figure: "built package, dist",
      measured: bytes / 1e6,
      unit: "MB",
      floor: null,
      goal: "<= 15 MB",
      reached: bytes <= 15e6,
      note: "",
    },
  ];
}
