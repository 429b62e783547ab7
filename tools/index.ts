// The catalogue: one line a tool, in the order of the alphabet.

import type { Tool } from "../src/tool.ts";
import access_review from "./access_review.ts";
import approval_wait from "./approval_wait.ts";
import conditions_wait from "./conditions_wait.ts";
import events_list from "./events_list.ts";
import jobs_run from "./jobs_run.ts";
import kinds_explain from "./kinds_explain.ts";
import logs_read from "./logs_read.ts";
import manifests_apply from "./manifests_apply.ts";
import metrics_top from "./metrics_top.ts";
import nodes_cordon from "./nodes_cordon.ts";
import nodes_drain from "./nodes_drain.ts";
import objects_delete from "./objects_delete.ts";
import objects_get from "./objects_get.ts";
import objects_list from "./objects_list.ts";
import objects_patch from "./objects_patch.ts";
import pods_exec from "./pods_exec.ts";
import problems_diagnose from "./problems_diagnose.ts";
import rollouts_get from "./rollouts_get.ts";
import rollouts_undo from "./rollouts_undo.ts";
import workloads_restart from "./workloads_restart.ts";
import workloads_scale from "./workloads_scale.ts";
import workloads_update from "./workloads_update.ts";

export const tools: readonly Tool[] = [
  access_review,
  approval_wait,
  conditions_wait,
  events_list,
  jobs_run,
  kinds_explain,
  logs_read,
  manifests_apply,
  metrics_top,
  nodes_cordon,
  nodes_drain,
  objects_delete,
  objects_get,
  objects_list,
  objects_patch,
  pods_exec,
  problems_diagnose,
  rollouts_get,
  rollouts_undo,
  workloads_restart,
  workloads_scale,
  workloads_update,
];
