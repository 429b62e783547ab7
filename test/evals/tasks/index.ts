// All tasks, by their numbers in tools.md, section 7.

import type { Task } from "../task.ts";
import { containers } from "./containers.ts";
import { manifests } from "./manifests.ts";
import { network } from "./network.ts";
import { nodes } from "./nodes.ts";
import { reading } from "./reading.ts";
import { rollouts } from "./rollouts.ts";
import { scheduling } from "./scheduling.ts";

export const tasks: readonly Task[] = [
  ...containers,
  ...scheduling,
  ...network,
  ...rollouts,
  ...reading,
  ...manifests,
  ...nodes,
].sort((a, b) => a.number - b.number);
