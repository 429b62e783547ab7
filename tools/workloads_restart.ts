// Restarts a workload's pods by its own rolling update: the time of the call goes into the pod template.

import * as z from "zod";
import { answer, defineTool, inputs, workloads, type Need } from "../src/tool.ts";

const input = z.strictObject({
  kind: z.enum(workloads),
  name: inputs.name(),
  namespace: inputs.namespace(),
  preview: inputs.preview(),
  reason: inputs.reason(),
});

/** The annotation that `kubectl rollout restart` sets too, so that either shows the other's restarts. */
const annotation = "kubectl.kubernetes.io/restartedAt";

export default defineTool({
  name: "workloads_restart",
  title: "Restart",
  description: "Rolling restart of all pods, for example after a ConfigMap or Secret changed.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  effects: ["change"],
  input,
  effect: () => "change",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs({ kind, name, namespace }, { findKind }) {
    const found = await findKind(`${kind}.apps`);
    return (["get", "patch"] as const).map((verb): Need => ({ verb, kind: found, namespace, name }));
  },
  async run({ kind, name, namespace }, kit) {
    const ref = { kind: await kit.findKind(`${kind}.apps`), namespace, name };
    // The call's own time: the approver sees the value that is written.
    const annotations = { [annotation]: new Date(kit.calledAt).toISOString() };
    await kit.cluster.patch(ref, { spec: { template: { metadata: { annotations } } } }, { type: "merge" });
    return { ...answer([]), checks: [], undo: "a restart can't be taken back; rollouts_undo changes the template" };
  },
});
