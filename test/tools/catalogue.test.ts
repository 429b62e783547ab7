// The list of tools as an agent sees it, as reviewed text; its size; and the pages that are generated from it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { pages } from "../../docs/generate.ts";
import { listTools, toolsByName } from "../../src/catalogue.ts";
import { identify } from "../../src/identity/identify.ts";
import { localUser } from "../../src/identity/verifiers/index.ts";
import { tools } from "../../tools/index.ts";
import { golden } from "../support/golden.ts";
import { promise } from "../support/promise.ts";
import { noAccounts } from "../support/accounts.ts";

const refresh =
  "Read the difference as an agent would; if it is meant: UPDATE_GOLDEN=1 npm test -- test/tools/catalogue.test.ts, then npm run docs";
/** Bytes of `{"tools": […]}` (qualities.md, "tools/list"). */
const most = 16_000;
/** And of the `cluster` argument of every tool (tools.md, section 1). */
const mostOfTwo = 1_600;

async function listed(clusters: readonly string[] = ["prod"]) {
  const found = await identify([localUser("olga")], noAccounts)({ kind: "local-user", user: "olga", client: "test" });
  if (found.kind === "refused") throw new Error(found.cause);
  return { tools: listTools(toolsByName(tools), found.principal, () => clusters, clusters.length > 1) };
}

promise("commands:tool-list", `it is test/golden/tools.json. ${refresh}`, async () => {
  golden("tools.json", `${JSON.stringify(await listed(), null, 2)}\n`);
});

promise("commands:tool-list", `every tool together takes at most ${most} bytes`, async () => {
  expect(Buffer.byteLength(JSON.stringify(await listed()))).toBeLessThanOrEqual(most);
});

promise(
  "clusters:list",
  `with two clusters it takes at most ${mostOfTwo} bytes more, and only the cluster is new`,
  async () => {
    const [one, two] = [await listed(), await listed(["prod", "staging"])];
    expect(Buffer.byteLength(JSON.stringify(two))).toBeLessThanOrEqual(most + mostOfTwo);
    const asked = { type: "string", enum: ["prod", "staging"] };
    expect(two.tools).toEqual(
      one.tools.map((tool) => {
        if (tool.name === "approval_wait") return tool;
        const { properties, required = [], ...rest } = tool.inputSchema as { properties: object; required?: string[] };
        const inputSchema = {
          ...rest,
          properties: { cluster: asked, ...properties },
          required: ["cluster", ...required],
        };
        return { ...tool, inputSchema };
      }),
    );
  },
);

promise("commands:docs-fresh", "docs/tools.md and docs/errors.md: npm run docs writes them anew", () => {
  for (const [name, text] of Object.entries(pages()))
    expect(
      readFileSync(join(import.meta.dirname, "..", "..", "docs", name), "utf8"),
      `docs/${name}: npm run docs`,
    ).toBe(text);
});
