// How fast answers are written, beside a floor of the same run: objects as YAML against the `yaml` library and against JSON.stringify. Run with `node bench/rendering.ts`.

import { Document, visit, type Scalar } from "yaml";
import type { CallId } from "../src/domain/ids.ts";
import type { Json } from "../src/domain/json.ts";
import type { MaskedOutput } from "../src/domain/output.ts";
import { renderOutcome } from "../src/mcp/render.ts";
import { yamlLines } from "../src/mcp/yaml-lines.ts";

/** A Deployment as an API server answers it, without what the views drop. */
const deployment: Json = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "api",
    namespace: "shop-prod",
    labels: { app: "api", "app.kubernetes.io/part-of": "shop", tier: "backend" },
    annotations: { "deployment.kubernetes.io/revision": "4", note: "owned by team checkout; page on failure" },
    creationTimestamp: "2026-11-21T09:12:44Z",
  },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "api" } },
    template: {
      metadata: { labels: { app: "api", tier: "backend" } },
      spec: {
        containers: ["api", "proxy", "exporter"].map((name) => ({
          name,
          image: `registry.example.com/shop/${name}:1.4.2`,
          args: ["--listen=:8080", "--log-level", "info"],
          env: [
            { name: "LOG_LEVEL", value: "info" },
            { name: "DB_PASSWORD", value: "[MASKED:password:5f1c09aa]" },
            { name: "MOTD", value: "welcome to the shop" },
          ],
          ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
          resources: { requests: { cpu: "200m", memory: "256Mi" }, limits: { memory: "512Mi" } },
          readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 10, failureThreshold: 3 },
        })),
      },
    },
  },
  status: {
    replicas: 3,
    readyReplicas: 2,
    conditions: [{ type: "Available", status: "False", message: "no quorum yet" }],
  },
};

function withLibrary(value: Json): readonly string[] {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  visit(document, {
    Scalar(_key, node: Scalar) {
      if (typeof node.value === "string" && /\s/.test(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: false }).trimEnd().split("\n");
}

/** Microseconds a turn, the middle of several rounds. */
function measure(turn: () => unknown, turns: number): number {
  const rounds = Array.from({ length: 9 }, () => {
    const begun = performance.now();
    for (let at = 0; at < turns; at++) turn();
    return ((performance.now() - begun) / turns) * 1000;
  });
  return rounds.toSorted((a, b) => a - b)[4] ?? 0;
}

const output = {
  headline: ["Deployment shop-prod/api."],
  blocks: [{ kind: "object", object: deployment }],
  facts: {},
  untrusted: false,
  masked: [],
} as unknown as MaskedOutput;
const outcome = { kind: "completed", call: "call_x" as CallId, output, effect: "none", ambient: false } as const;
const random = (count: number): Uint8Array => new Uint8Array(count).fill(7);

const floor = measure(() => JSON.stringify(deployment, null, 2), 2_000);
const rows: readonly (readonly [string, number])[] = [
  ["JSON.stringify, the floor", floor],
  ["the yaml library", measure(() => withLibrary(deployment), 200)],
  ["yamlLines", measure(() => yamlLines(deployment), 2_000)],
  ["renderOutcome of the same object", measure(() => renderOutcome(outcome, { random }), 2_000)],
];
for (const [what, microseconds] of rows)
  process.stdout.write(
    `${what.padEnd(34)} ${microseconds.toFixed(1).padStart(9)} µs  ${(microseconds / floor).toFixed(1).padStart(6)} ×\n`,
  );
