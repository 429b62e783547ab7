// Tells the caller who it acts as and what policy would answer, without running anything and without naming rules or people.

import * as z from "zod";
import { answer, defineTool, inputs, named, type JsonObject } from "../src/tool.ts";

export default defineTool({
  name: "access_review",
  title: "What may I do",
  description:
    "Show who you act as, what you can see, and which tools are allowed, need approval or are denied. With tool and arguments: the policy answer for exactly that call, without running it.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input: z.strictObject({
    tool: z
      .string()
      .min(1)
      .max(40)
      .regex(/^[a-z0-9_]+$/, "must be a tool name")
      .optional(),
    arguments: z.record(z.string().max(64), z.unknown()).optional().describe("As you would pass them"),
    namespace: inputs.namespace().optional(),
  }),
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  needs: async () => [],
  async run(input, { gateway }) {
    if (input.tool !== undefined) {
      const arguments_ = (input.arguments ?? {}) as JsonObject;
      const review = await gateway.review(input.tool, arguments_);
      const tell = review.tell === null ? [] : [` ${review.tell}`];
      const open = review.final ? "" : " by the rules so far; what its preview finds decides";
      return answer([`${input.tool} with these arguments: ${review.answer}${open}. Nothing was run.`, ...tell]);
    }
    const standing = await gateway.standing(input.namespace ?? "");
    const shown = standing.namespaces.slice(0, 100);
    const more = standing.namespaces.length - shown.length;
    const tools = (["allowed", "needs approval", "denied"] as const).map((reply) => {
      const names = standing.tools.filter((tool) => tool.answer === reply).map((tool) => tool.name);
      const others =
        reply === "denied" && standing.unlisted > 0 ? [`${standing.unlisted} that your list does not show`] : [];
      const said = [...names, ...others];
      return { kind: "line" as const, line: [`${reply}: ${said.length === 0 ? "-" : said.join(", ")}`] };
    });
    return answer(
      ["You act as ", named(standing.actsAs), ", through ", named(standing.agent), "."],
      [
        {
          kind: "line",
          line: [`namespaces (${standing.namespaces.length}): ${shown.join(", ")}${more > 0 ? `, ${more} more` : ""}`],
        },
        ...tools,
        {
          kind: "line",
          line: ["Each call is decided on its own arguments: name tool and arguments for an exact answer."],
        },
      ],
      { counts: { namespaces: standing.namespaces.length } },
    );
  },
});
