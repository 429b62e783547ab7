// Closes a node to new pods, or opens it again; what runs on it stays.

import * as z from "zod";
import { answer, at, defineTool, inputs, type FindKind, type ObjectRef } from "../src/tool.ts";

export default defineTool({
  name: "nodes_cordon",
  title: "Cordon or uncordon",
  description: "Stop, or with uncordon allow again, new pods on a node; running pods stay.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  effects: ["change"],
  input: z.strictObject({
    name: inputs.name(),
    uncordon: z.boolean().default(false),
    preview: inputs.preview(),
    reason: inputs.reason(),
  }),
  effect: () => "change",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs({ name }, { findKind }) {
    const ref = await nodeOf(name, findKind);
    return [
      { verb: "get", ...ref },
      { verb: "patch", ...ref },
    ];
  },
  async run({ name, uncordon }, kit) {
    const ref = await nodeOf(name, kit.findKind);
    const closed = at(await kit.cluster.get(ref), "spec", "unschedulable") === true;
    // An open node has no such field at all (core/v1 NodeSpec).
    await kit.cluster.patch(ref, { spec: { unschedulable: uncordon ? null : true } }, { type: "merge" });
    const was = uncordon ? !closed : closed;
    return {
      ...answer([]),
      checks: was ? [[uncordon ? "it took new pods already" : "it was cordoned already"]] : [],
      undo: was ? "" : `nodes_cordon uncordon ${String(!uncordon)}`,
    };
  },
});

async function nodeOf(name: string, findKind: FindKind): Promise<ObjectRef> {
  return { kind: await findKind("nodes"), namespace: "", name };
}
