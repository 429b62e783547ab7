// Waits for a person's answer to one of the caller's own calls, and gives that call's result.

import * as z from "zod";
import { answer, defineTool, fault, Faulted } from "../src/tool.ts";

export default defineTool({
  name: "approval_wait",
  title: "Wait for an approval",
  description:
    "Wait for a pending approval or long call and return its result; the call runs by itself once approved. Do not repeat it with other arguments meanwhile.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  clusterless: true,
  input: z.strictObject({
    id: z
      .string()
      .min(5)
      .max(41)
      .regex(/^(apr|call)_[0-9a-f-]{36}$/, "must be an apr_… or call_… id")
      .describe("apr_… or call_…"),
    wait_seconds: z.number().int().min(0).max(45).default(30),
  }),
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  needs: async () => [],
  async run({ id, wait_seconds }, { gateway, now }) {
    const waited = await gateway.waitFor(id, wait_seconds * 1000);
    switch (waited.kind) {
      case "completed": {
        const effect = { kind: "line", line: [`the approved call has run: effect ${waited.effect}`] } as const;
        return { ...waited.output, blocks: [...waited.output.blocks, effect] };
      }
      case "pending": {
        const minutes = Math.max(1, Math.round((waited.expiresAt - now()) / 60_000));
        return answer([
          `APPROVAL PENDING ${waited.id} - still waiting for a person, ${minutes} min left; decided at ${waited.where}. `,
          "Call approval_wait again; do not repeat the call.",
        ]);
      }
      case "running":
        return answer([
          `RUNNING ${waited.tool} ${waited.id} for ${waited.seconds} s - ${waited.progress}. `,
          "Call approval_wait again; do not repeat the call.",
        ]);
      case "taken":
        return answer([`${waited.id} has ended and its answer was given before; read the object to see how it is now`]);
      case "unknown":
        throw new Faulted(fault("not_found", { kind: "approval", name: id }));
    }
  },
});
