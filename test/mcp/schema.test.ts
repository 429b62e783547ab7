// What a client is told of a tool's arguments, in one order.

import { expect } from "vitest";
import { z } from "zod";
import { wireSchema } from "../../src/kit/schema.ts";
import { tools } from "../../tools/index.ts";
import { promise } from "../support/promise.ts";

promise("mcp:schema-order", "whatever the order in which the tool's author said it", () => {
  const schema = wireSchema(
    z.strictObject({
      limit: z.number().describe("Rows").int().max(200).min(1).default(50),
      count: z.int().optional(),
      kinds: z.array(z.string().max(10)).describe("Kinds").max(8).min(1).optional(),
      type: z.enum(["a", "b"]).describe("One").default("a"),
      description: z.boolean().default(false).describe("An argument of that name"),
      env: z
        .record(z.string(), z.union([z.string(), z.null()]))
        .describe("Values")
        .optional(),
    }),
  );
  expect(JSON.stringify(schema)).toBe(
    JSON.stringify({
      type: "object",
      properties: {
        limit: { type: "integer", minimum: 1, maximum: 200, default: 50, description: "Rows" },
        count: { type: "integer" },
        kinds: { type: "array", minItems: 1, maxItems: 8, items: { type: "string" }, description: "Kinds" },
        type: { type: "string", enum: ["a", "b"], default: "a", description: "One" },
        description: { type: "boolean", description: "An argument of that name" },
        env: { type: "object", additionalProperties: { type: ["string", "null"] }, description: "Values" },
      },
      additionalProperties: false,
    }),
  );
});

promise("mcp:schema-order", "in every tool of the catalogue", () => {
  for (const tool of tools)
    for (const [name, one] of Object.entries(tool.schema["properties"] as Record<string, object>)) {
      const keys = Object.keys(one);
      expect([tool.name, name, keys[0]]).toEqual([tool.name, name, "type"]);
      if (keys.includes("description"))
        expect([tool.name, name, keys.at(-1)]).toEqual([tool.name, name, "description"]);
    }
});
