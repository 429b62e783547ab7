// Sets a workload's replica count through its scale subresource, and says what may undo it.

import * as z from "zod";
import {
  answer,
  at,
  defineTool,
  fault,
  Faulted,
  inputs,
  placeOf,
  refersTo,
  textAt,
  type JsonObject,
  type Kit,
  type Need,
  type ResourceKind,
  type Sentence,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: inputs.kind(),
  name: inputs.name(),
  namespace: inputs.namespace(),
  replicas: z.number().int().min(0).max(1000),
  if_replicas: z.number().int().min(0).max(1000).optional().describe("Refuse unless now this"),
  preview: inputs.preview(),
  reason: inputs.reason(),
});

export default defineTool({
  name: "workloads_scale",
  title: "Scale",
  description: "Set the replica count. Warns when an HPA owns it or quota forbids it.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  effects: ["change", "destroy"],
  input,
  effect: ({ replicas }) => (replicas === 0 ? "destroy" : "change"),
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs({ kind, name, namespace }, { findKind }) {
    const found = await findKind(kind);
    if (!found.subresources.includes("scale"))
      throw new Faulted(
        fault("invalid_input", { problems: [{ path: "kind", rule: `${found.kind} has no replica count to set` }] }),
      );
    const scale = { kind: found, namespace: placeOf(found, namespace), name, subresource: "scale" };
    return [{ ...scale, verb: "get" }, { ...scale, verb: "patch" }, ...(await watchers(namespace, findKind))];
  },
  async run({ kind, name, namespace, replicas, if_replicas }, kit) {
    const found = await kit.findKind(kind);
    const ref = { kind: found, namespace: placeOf(found, namespace), name };
    const before = at(await kit.cluster.get(ref, "scale"), "spec", "replicas");
    const from = typeof before === "number" ? before : 0;
    if (if_replicas !== undefined && from !== if_replicas)
      throw new Faulted({
        ...fault("stale", { kind: ref.kind.kind, name, field: "spec.replicas", expected: if_replicas, found: from }),
        retry: "change",
      });
    // Looked up first: nothing that can fail stands behind the write.
    const checks = await checksOf(ref.kind, { name, namespace, from, to: replicas }, kit);
    await kit.cluster.patch(ref, { spec: { replicas } }, { type: "merge", subresource: "scale" });
    if (replicas === 0 && from > 0) checks.unshift([`stops all ${from} replicas`]);
    return { ...answer([]), checks, undo: `workloads_scale replicas ${from}` };
  },
});

/** Who else has a say in the count: looked at where it may be read. */
async function watchers(namespace: string, findKind: Kit["findKind"]): Promise<Need[]> {
  const kinds = await Promise.all(["horizontalpodautoscalers.autoscaling", "resourcequotas"].map(findKind));
  return kinds.map((kind) => ({ verb: "list", kind, namespace, name: "", optional: true }));
}

interface Scaling {
  readonly name: string;
  readonly namespace: string;
  readonly from: number;
  readonly to: number;
}

/** What an autoscaler makes of the new count. At 0 it stands still (Kubernetes, "Horizontal Pod Autoscaling"). */
function autoscaled(owner: JsonObject, { from, to }: Scaling): string {
  const [least, most] = [Number(at(owner, "spec", "minReplicas") ?? 1), Number(at(owner, "spec", "maxReplicas") ?? 0)];
  const hpa = `HPA ${textAt(owner, "metadata", "name")} (${least}-${most})`;
  if (to === 0 && least > 0) return `${hpa} stands still while the count is 0, and sets it again after that`;
  if (to > most) return `${hpa} takes it back to ${most}: change its maxReplicas`;
  if (to < least) return `${hpa} brings it back to ${least}: change its minReplicas`;
  return `${hpa} sets this count too and may undo it: change its ${to < from ? "maxReplicas" : "minReplicas"}`;
}

async function checksOf(kind: ResourceKind, scaling: Scaling, kit: Kit): Promise<Sentence[]> {
  const { name, namespace } = scaling;
  const [autoscalers, quotas] = await watchers(namespace, kit.findKind);
  const checks: Sentence[] = [];
  if (autoscalers === undefined || !kit.cluster.may(autoscalers)) checks.push(["Not checked: HPAs (not readable)"]);
  else {
    const { items } = await kit.cluster.list(autoscalers.kind, namespace, { limit: 500 });
    const owner = items.find((item) => refersTo(at(item, "spec", "scaleTargetRef"), kind, name));
    if (owner !== undefined) {
      checks.push([autoscaled(owner, scaling)]);
    }
  }
  if (quotas === undefined || !kit.cluster.may(quotas)) checks.push(["Not checked: quotas (not readable)"]);
  else {
    const { items } = await kit.cluster.list(quotas.kind, namespace, { limit: 500 });
    for (const item of items) {
      const [used, hard] = [textAt(item, "status", "used", "pods"), textAt(item, "status", "hard", "pods")];
      if (hard !== "")
        checks.push([`quota ${textAt(item, "metadata", "name")}: ${used || "0"} of ${hard} pods in use`]);
    }
  }
  return checks;
}
