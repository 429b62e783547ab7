// Rolls a workload back: the pod template of an earlier revision takes the place of today's, exactly as it was stored.

import * as z from "zod";
import {
  answer,
  at,
  defineTool,
  fault,
  Faulted,
  inputs,
  revisionsOf,
  workloads,
  type Need,
  type ObjectRef,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: z.enum(workloads),
  name: inputs.name(),
  namespace: inputs.namespace(),
  to_revision: z.number().int().min(1).optional().describe("Default: previous"),
  preview: inputs.preview(),
  reason: inputs.reason(),
});

/** Where each kind keeps its revisions. */
const keptIn = {
  Deployment: "replicasets.apps",
  StatefulSet: "controllerrevisions.apps",
  DaemonSet: "controllerrevisions.apps",
} as const;

export default defineTool({
  name: "rollouts_undo",
  title: "Roll back",
  description: "Roll back to an earlier revision; see rollouts_get first.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  effects: ["change"],
  input,
  effect: () => "change",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs({ kind, name, namespace }, { findKind }) {
    const [found, kept] = await Promise.all([findKind(`${kind}.apps`), findKind(keptIn[kind])]);
    return [
      { verb: "get", kind: found, namespace, name },
      { verb: "patch", kind: found, namespace, name },
      { verb: "list", kind: kept, namespace, name: "" },
      // Which of them it will be is known only from the list.
      { verb: "get", kind: kept, namespace, name: "" },
    ] satisfies Need[];
  },
  async run({ kind, name, namespace, to_revision }, kit) {
    const ref: ObjectRef = { kind: await kit.findKind(`${kind}.apps`), namespace, name };
    const kept = await kit.findKind(keptIn[kind]);
    const workload = await kit.cluster.get(ref);
    // Until its controller has seen the last change, the newest revision is not yet among the kept ones.
    if (at(workload, "status", "observedGeneration") !== at(workload, "metadata", "generation"))
      throw new Faulted(fault("stale", { kind, name }));
    const { items } = await kit.cluster.list(kept, namespace, { limit: 500 });
    const { current, others } = revisionsOf(kind, workload, items);
    const chosen = to_revision === undefined ? others[0] : others.find((revision) => revision.number === to_revision);
    if (chosen === undefined)
      throw new Faulted(
        to_revision !== undefined && to_revision === current?.number
          ? fault("invalid_input", { problems: [{ path: "to_revision", rule: "is what runs now" }] })
          : fault("not_found", {
              kind: "revision",
              name: String(to_revision ?? "before this one"),
              near: others.slice(0, 5).map((revision) => String(revision.number)),
              shows: "rollouts_get lists the revisions",
            }),
      );
    const stored = kind === "Deployment" ? ["spec", "template"] : ["data", "spec", "template"];
    const template = {
      at: [0, "value"],
      from: { kind: kept, namespace, name: chosen.object },
      path: stored,
      // The controller's own label and the directive of a stored patch are no part of the template.
      without: kind === "Deployment" ? [["metadata", "labels", "pod-template-hash"]] : [["$patch"]],
    };
    const step = { op: "replace", path: "/spec/template", value: null };
    await kit.cluster.patch(ref, [step], { type: "json", grafts: [template] });
    const checks = [[`goes back to revision ${chosen.number}`]];
    const undo =
      current === undefined
        ? "workloads_update or objects_patch with the values before the arrows: no revision holds this template"
        : `rollouts_undo to_revision ${current.number}`;
    return { ...answer([]), checks, undo };
  },
});
