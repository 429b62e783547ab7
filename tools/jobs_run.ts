// Runs a CronJob now: a Job of its template, under a name that is fixed when the call is planned.

import * as z from "zod";
import { answer, at, defineTool, inputs, isJsonObject, textAt, type Graft, type Sentence } from "../src/tool.ts";

const input = z.strictObject({
  name: inputs.name(),
  namespace: inputs.namespace(),
  // A Job's name becomes a label of its pods.
  job_name: inputs.name().max(63).optional(),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

/** The annotation and the owner that `kubectl create job --from` writes too, so that the CronJob counts it as its own. */
const instantiate = "cronjob.kubernetes.io/instantiate";

export default defineTool<Input>({
  name: "jobs_run",
  title: "Run a CronJob now",
  description: "Create a Job from a CronJob now.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  effects: ["change"],
  input,
  effect: () => "change",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs(asked, { findKind, calledAt }) {
    const [cronjobs, jobs] = await Promise.all([findKind("cronjobs.batch"), findKind("jobs.batch")]);
    const job = { kind: jobs, namespace: asked.namespace, name: jobName(asked, calledAt) };
    return [
      { verb: "get", kind: cronjobs, namespace: asked.namespace, name: asked.name },
      { verb: "get", ...job },
      { verb: "patch", ...job },
      { verb: "create", ...job },
    ];
  },
  async run(asked, kit) {
    const { namespace } = asked;
    const from = { kind: await kit.findKind("cronjobs.batch"), namespace, name: asked.name };
    const name = jobName(asked, kit.calledAt);
    const cronJob = await kit.cluster.get(from);
    const owner = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      name: asked.name,
      uid: textAt(cronJob, "metadata", "uid"),
      controller: true,
    };
    const manifest = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace, annotations: { [instantiate]: "manual" }, ownerReferences: [owner] },
    };
    const grafts: Graft[] = [{ at: ["spec"], from, path: ["spec", "jobTemplate", "spec"] }];
    for (const marks of ["labels", "annotations"])
      if (isJsonObject(at(cronJob, "spec", "jobTemplate", "metadata", marks)))
        grafts.push({ at: ["metadata", marks], from, path: ["spec", "jobTemplate", "metadata", marks] });
    const ref = { kind: await kit.findKind("jobs.batch"), namespace, name };
    await kit.cluster.apply(ref, manifest, { force: false, create: true, grafts });
    const checks: Sentence[] = [];
    const active = at(cronJob, "status", "active");
    if (Array.isArray(active) && active.length > 0) checks.push([`${active.length} Jobs of this CronJob run already`]);
    if (at(cronJob, "spec", "suspend") === true) checks.push(["the CronJob itself is suspended and stays so"]);
    return { ...answer([]), checks, undo: `objects_delete kind Job, names [${name}]` };
  },
});

/** `report-manual-mi8z1k2p`: the call's time tells one run from the next, and a preview's from none but its own. */
function jobName({ name, job_name }: Input, calledAt: number): string {
  return job_name ?? `${name.slice(0, 40).replace(/[^a-z0-9]+$/, "")}-manual-${calledAt.toString(36)}`;
}
