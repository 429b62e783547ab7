// Answers as JSON, for the programs that ask for them; text stays the default.

import { Client as V2Client, StreamableHTTPClientTransport as V2Transport } from "@modelcontextprotocol/client";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import * as fc from "fast-check";
import { expect } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { fault } from "../../src/domain/fault.ts";
import type { ApprovalId, CallId } from "../../src/domain/ids.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Block } from "../../src/domain/output.ts";
import { serveHttp } from "../../src/mcp/http.ts";
import { renderOutcome } from "../../src/mcp/render.ts";
import { outputSchema, structured } from "../../src/mcp/structured.ts";
import { tools as catalogue } from "../../tools/index.ts";
import { golden } from "../support/golden.ts";
import { promise } from "../support/promise.ts";
import { about, asMasked, shown, testDoor } from "./door-for-tests.ts";

const call = "call_019ab000-0000-7000-8000-000000000001" as CallId;
const random = (count: number): Uint8Array => new Uint8Array(count).fill(0x7f);
const asJson = (outcome: Outcome, answer = 24_576) =>
  structured(outcome, renderOutcome(outcome, { random }, { answer }), answer);
const completed = (blocks: readonly Block[]): Extract<Outcome, { kind: "completed" }> => ({
  kind: "completed",
  call,
  output: asMasked({
    headline: ["2 pods in ", { quoted: "shop\nprod" }],
    blocks,
    facts: { counts: { total: 2 } },
    untrusted: false,
  }),
  effect: "none",
  ambient: false,
});

const blocks: readonly Block[] = [
  { kind: "line", line: ["note: ", { quoted: "DENIED\u202e: stop" }] },
  {
    kind: "table",
    columns: ["NAME", "STATUS"],
    rows: [
      ["api-1", "Running"],
      ["api-2", "say \u001b[31mred"],
    ],
  },
  { kind: "object", object: { metadata: { annotations: { note: "one\u2028two" } } } },
  { kind: "data", source: "logs api-1", text: "first\nsecond\n" },
  { kind: "diff", lines: [{ sign: "~", risk: true, path: "spec.replicas", before: "3", after: "5" }] },
];

promise("mcp:structured", "as the golden file says", () => {
  const outcomes: readonly Outcome[] = [
    completed(blocks),
    {
      kind: "suspended",
      call,
      approval: "apr_019ab000-0000-7000-8000-000000000002" as ApprovalId,
      expiresAt: Date.UTC(2026, 10, 21, 12, 30),
      where: "sallyport approvals",
    },
    {
      kind: "refused",
      call,
      fault: fault("not_found", { kind: "Pod", name: "api", namespace: "prod", near: ["api-1"] }),
    },
    { kind: "refused", call, fault: fault("denied", { tell: "Ask the release team" }) },
  ];
  golden(
    "render/structured.json",
    `${JSON.stringify(
      outcomes.map((one) => asJson(one)),
      null,
      2,
    )}\n`,
  );
});

promise("mcp:structured", "within its bound, with what was cut, for any answer", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 200 });
  const rows = fc.array(fc.array(text, { minLength: 2, maxLength: 2 }), { maxLength: 200 });
  const block: fc.Arbitrary<Block> = fc.oneof(
    rows.map((all): Block => ({ kind: "table", columns: ["A", "B"], rows: all })),
    rows.map((all): Block => ({ kind: "data", source: "logs", text: all.flat().join("\n") })),
    rows.map((all): Block => ({ kind: "object", object: all })),
    text.map((one): Block => ({ kind: "line", line: [{ quoted: one }] })),
  );
  fc.assert(
    fc.property(fc.array(block, { maxLength: 6 }), fc.constantFrom(8_192, 16_384), (given, answer) => {
      const { structuredContent, content } = asJson(completed(given), answer);
      expect(Buffer.byteLength(JSON.stringify(structuredContent))).toBeLessThanOrEqual(answer);
      expect(content[0].text.split("\n").length).toBe(1);
      const kept = (structuredContent["blocks"] as readonly unknown[]).length;
      if (kept < given.length) expect(structuredContent["cut"]).toMatch(/^\d+ of \d+ /);
    }),
    { numRuns: 40 },
  );
});

promise(
  "mcp:structured",
  "is taken by both official clients, with a schema of each tool that its answers keep",
  async () => {
    const door = testDoor({ output: "structured" });
    const served = await serveHttp({ door, about, host: "127.0.0.1", port: 0, refused: () => undefined, grace: 100 });
    if (served.kind === "refused") throw new Error(served.sentence);
    const headers = { authorization: "Bearer alice-agent" };
    const clients = [
      new V2Client({ name: "v2", version: "2" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
      new V1Client({ name: "v1", version: "1" }),
    ] as const;
    try {
      await clients[0].connect(new V2Transport(new URL(served.url), { requestInit: { headers } }));
      await clients[1].connect(new V1Transport(new URL(served.url), { requestInit: { headers } }));
      for (const client of clients) {
        const { tools } = await client.listTools();
        expect(tools.map((tool) => tool.outputSchema)).toEqual(tools.map(() => outputSchema));
        // The clients hold the answer against the schema themselves.
        const answer = await client.callTool({ name: "echo", arguments: {} });
        expect(answer.structuredContent).toMatchObject({
          headline: 'echo for alice-agent: "{}"',
          blocks: [],
          outcome: "completed",
        });
        expect(answer.content).toEqual([{ type: "text", text: 'echo for alice-agent: "{}"' }]);
      }
    } finally {
      for (const client of clients) await client.close();
      await served.close();
    }
  },
);

promise(
  "mcp:structured",
  "is off unless the configuration asks for it, and costs each tool its schema in tools/list",
  () => {
    const outputOf = (text: string): string => {
      const loaded = loadConfig(text);
      return loaded.kind === "loaded" ? loaded.config.output : loaded.problems.map((one) => one.sentence).join();
    };
    expect([outputOf("version: 1\n"), outputOf("version: 1\noutput: structured\n")]).toEqual(["text", "structured"]);
    expect(outputOf("version: 1\noutput: both\n")).not.toMatch(/^(text|structured)$/);
    const bytes = (more: object): number =>
      Buffer.byteLength(JSON.stringify({ tools: catalogue.map((tool) => ({ ...shown(tool), ...more })) }));
    expect(bytes({ outputSchema }) - bytes({})).toBeLessThanOrEqual(catalogue.length * 200);
  },
);
