// The catalogue: one line a tool, in the order of the alphabet.

import type { Tool } from "../src/tool.ts";
import access_review from "./access_review.ts";
import approval_wait from "./approval_wait.ts";
import logs_read from "./logs_read.ts";
import objects_get from "./objects_get.ts";
import objects_list from "./objects_list.ts";
import workloads_scale from "./workloads_scale.ts";

export const tools: readonly Tool[] = [
  access_review,
  approval_wait,
  logs_read,
  objects_get,
  objects_list,
  workloads_scale,
];
