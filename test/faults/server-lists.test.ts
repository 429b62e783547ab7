// Much of everything: lists of thousands, logs of tens of thousands of lines, and a server that goes away between two pages; what is held and what is told stays small.

import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, type Json, type JsonObject } from "../../src/domain/json.ts";
import type { Kit, ListOptions, ResourceKind } from "../../src/tool.ts";
import { tools } from "../../tools/index.ts";
import { openArena, type Arena } from "../support/arena.ts";
import { promise } from "../support/promise.ts";
import { status, type Action, type Passing } from "../support/proxy.ts";
import type { Answer } from "../support/world.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "server-lists";
const bytesOf = (text: string): number => Buffer.byteLength(text);

/** Pods of a list, one of ten in trouble. */
const phaseOf = (index: number): string => (index % 10 === 3 ? "CrashLoopBackOff" : "Running");
const nameOf = (index: number): string => `web-${String(index).padStart(5, "0")}`;

/** One page of a Table of so many pods, as an API server gives it. */
function tablePage(url: string, count: number): JsonObject {
  const { from, to, metadata } = pageOf(url, count);
  const columns = ["Name", "Ready", "Status", "Restarts", "Age"];
  const rows = Array.from({ length: to - from }, (_, index) => {
    const phase = phaseOf(from + index);
    return { cells: [nameOf(from + index), phase === "Running" ? "1/1" : "0/1", phase, "0", "5m"], object: null };
  });
  const columnDefinitions = columns.map((name, index) => ({
    name,
    type: "string",
    format: index === 0 ? "name" : "",
    priority: 0,
  }));
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions,
    rows: rows.map(({ cells }) => ({ cells })),
  };
}
/** One page of whole pods, each of some kilobytes. */
function listPage(url: string, count: number): JsonObject {
  const { from, to, metadata } = pageOf(url, count);
  const items = Array.from({ length: to - from }, (_, index) => podOf(from + index));
  return { kind: "PodList", apiVersion: "v1", metadata, items };
}
function podOf(index: number): JsonObject {
  return {
    metadata: { name: nameOf(index), namespace: place, uid: String(index), annotations: { filler: "x ".repeat(500) } },
    spec: { containers: [{ name: "main", image: `registry.example.com/web:${index % 7}` }] },
    // All of them have been restarted once: more than a diagnosis looks into.
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [{ name: "main", ready: true, restartCount: 1, state: { running: {} } }],
    },
  };
}
function pageOf(url: string, count: number): { from: number; to: number; metadata: JsonObject } {
  const query = new URL(url, "http://x").searchParams;
  const from = Number(query.get("continue") ?? "0");
  const to = Math.min(count, from + Number(query.get("limit") ?? count));
  return {
    from,
    to,
    metadata: { resourceVersion: "1", ...(to < count ? { continue: String(to), remainingItemCount: count - to } : {}) },
  };
}

const isPods = (one: Passing): boolean =>
  String(one.headers["audit-id"]).startsWith("call_") && one.url.startsWith(`/api/v1/namespaces/${place}/pods?`);
const isTable = (one: Passing): boolean => String(one.headers["accept"]).includes("as=Table");
const isSecondPage = (one: Passing): boolean => isPods(one) && one.url.includes("continue=");
const manyPods =
  (count: number) =>
  (one: Passing): Action =>
    isPods(one)
      ? { kind: "answer", status: 200, body: isTable(one) ? tablePage(one.url, count) : listPage(one.url, count) }
      : { kind: "pass" };

describe.skipIf("skip" in cluster)(`much of everything${why}`, () => {
  let arena: Arena;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    arena = await openArena(cluster, place, { config: "hold: 0\ndeadline: 40" });
  });
  afterAll(async () => {
    await arena?.stop();
  });
  async function ask(rule: (one: Passing) => Action, tool: string, input: JsonObject): Promise<Answer> {
    arena.wire.passed.length = 0;
    arena.wire.rule = rule;
    const answer = await arena.world.call(tool, input);
    arena.wire.rule = () => ({ kind: "pass" });
    return answer;
  }

  promise(
    "faults:server-lists",
    "five thousand rows: exact counts, problems first, and no answer beyond its cap",
    async () => {
      const listing = { kind: "pods", namespace: place };
      const answer = await ask(manyPods(5_000), "objects_list", listing);
      expect(answer.text.split("\n")[0]).toBe(
        `5000 pods in ${place}: 4500 Running, 500 CrashLoopBackOff; problems 500. Rows 1-50 of 5000, problems first.`,
      );
      expect(answer.facts["counts"]).toEqual({ total: 5_000, problems: 500, shown: 50 });
      const pages = arena.wire.passed.filter(isPods).map((one) => new URL(one.url, "http://x").searchParams);
      expect(pages.map((one) => [one.get("limit"), one.get("includeObject")])).toEqual(
        Array.from({ length: 10 }, () => ["500", "None"]),
      );
      const all = await ask(manyPods(5_000), "objects_list", { ...listing, limit: 200 });
      expect([bytesOf(answer.text) <= 8_192, bytesOf(all.text) <= 8_192]).toEqual([true, true]);
      const grouped = await ask(manyPods(5_000), "objects_list", { ...listing, group_by: ".spec.containers[*].image" });
      expect(grouped.facts["counts"]).toEqual({ total: 5_000, groups: 7 });
    },
  );

  promise("faults:server-lists", "more than are scanned are told as at least so many", async () => {
    const answer = await ask(manyPods(12_345), "objects_list", { kind: "pods", namespace: place });
    expect(answer.text).toMatch(/^at least 5000 pods/);
    expect(arena.wire.passed.filter(isPods)).toHaveLength(10);
  });

  promise(
    "faults:server-lists",
    "a server that goes away between two pages: no half of a list is taken for all of it",
    async () => {
      const many = manyPods(5_000);
      const away: { readonly [what: string]: readonly [Action, string] } = {
        "an expired page": [status(410, "Expired", "no"), "cursor_expired"],
        "429": [status(429, "TooManyRequests", "no"), "cluster_busy"],
        "503": [status(503, "ServiceUnavailable", "no"), "cluster_busy"],
        "half a page": [{ kind: "half" }, "cluster_unavailable"],
        "a dropped connection": [{ kind: "drop" }, "cluster_unavailable"],
        "no JSON": [{ kind: "raw", body: "<html>" }, "cluster_unavailable"],
      };
      for (const [what, [action, code]] of Object.entries(away))
        for (const [tool, input] of [
          ["objects_list", { kind: "pods", namespace: place }],
          ["objects_list", { kind: "pods", namespace: place, group_by: ".spec.containers[*].image" }],
          ["problems_diagnose", { namespace: place }],
        ] as const) {
          const answer = await ask((one) => (isSecondPage(one) ? action : many(one)), tool, input);
          expect([what, tool, answer.facts["code"], answer.facts["effect"]]).toEqual([what, tool, code, "none"]);
        }
    },
  );

  promise("faults:server-lists", "a server that gives the same page for ever is not followed for ever", async () => {
    const endless = (one: Passing): Action =>
      isPods(one)
        ? { kind: "answer", status: 200, body: { ...tablePage("/?limit=500", 5_000), metadata: { continue: "again" } } }
        : { kind: "pass" };
    const answer = await ask(endless, "objects_list", { kind: "pods", namespace: place });
    expect(answer.text).toMatch(/^at least 5000 pods/);
    const empty = (one: Passing): Action =>
      isPods(one)
        ? { kind: "answer", status: 200, body: { ...tablePage("/?limit=0", 0), metadata: { continue: "again" } } }
        : { kind: "pass" };
    const nothing = await ask(empty, "objects_list", { kind: "pods", namespace: place });
    expect([nothing.facts["code"], nothing.text.split("\n")[0]]).toEqual([
      "limit_exceeded",
      "ERROR limit_exceeded: A limit was reached: the pages of one list.",
    ]);
    expect(arena.wire.passed.filter(isPods)).toHaveLength(20);
  });

  /** Lines as they would be logged, the newest saying so. */
  const logOf = (count: number, size: number): string[] =>
    Array.from({ length: count }, (_, index) => `line ${index === count - 1 ? "newest" : index} ${"x".repeat(size)}`);
  /** A log as the kubelet gives it: the last lines that are asked for, and of these as many bytes as may be, from their beginning. */
  const logging =
    (lines: readonly string[]) =>
    (one: Passing): Action => {
      if (!one.url.includes("/log?")) return { kind: "pass" };
      const query = new URL(one.url, "http://x").searchParams;
      const text = `${lines.slice(-Number(query.get("tailLines") ?? lines.length)).join("\n")}\n`;
      return { kind: "raw", body: text.slice(0, Number(query.get("limitBytes") ?? text.length)) };
    };
  const reading = (more: JsonObject = {}): JsonObject => ({ namespace: place, name: arena.pod, ...more });

  promise(
    "faults:server-logs",
    "twenty thousand lines: all are scanned, few are told, and the newest are among them",
    async () => {
      const answer = await ask(logging(logOf(20_000, 40)), "logs_read", reading());
      expect([answer.isError, at(answer.facts, "counts", "scanned")]).toEqual([false, 20_000]);
      expect(answer.text).toContain("line newest");
      expect(bytesOf(answer.text)).toBeLessThanOrEqual(11_000);
    },
  );

  promise(
    "faults:server-logs",
    "of more than two megabytes the newest are read, and that older ones were not is said",
    async () => {
      for (const mode of ["auto", "patterns"]) {
        const answer = await ask(logging(logOf(30_000, 300)), "logs_read", reading({ mode }));
        expect(answer.text.split("\n")[0]).toContain(`Older lines not read: ${arena.pod}/main`);
        const scanned = Number(at(answer.facts, "counts", "scanned"));
        expect(scanned).toBeGreaterThan(4_000);
        expect(scanned).toBeLessThan(7_000);
        expect([mode, answer.text.includes("newest")]).toEqual([mode, true]);
        expect(bytesOf(answer.text)).toBeLessThanOrEqual(11_000);
      }
      const found = await ask(logging(logOf(30_000, 300)), "logs_read", reading({ grep: "line newest" }));
      expect(at(found.facts, "counts", "matched")).toBe(1);
      const ids = arena.wire.passed.filter((one) => one.url.includes("/log?")).map((one) => one.headers["audit-id"]);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );

  promise("faults:server-logs", "one line of many megabytes is no line, and an endless log ends", async () => {
    const one = await ask(logging(["x".repeat(9_000_000)]), "logs_read", reading());
    expect(one.isError ? "" : bytesOf(one.text) <= 11_000).not.toBe(false);
    expect(one.text.includes("x".repeat(5_000))).toBe(false);
    const cut = await ask(
      (passing) => (passing.url.includes("/log?") ? { kind: "half" } : { kind: "pass" }),
      "logs_read",
      reading(),
    );
    expect([cut.facts["code"] ?? "done", cut.facts["effect"]]).toEqual([
      cut.isError ? "cluster_unavailable" : "done",
      "none",
    ]);
  });
});

// ── What is held ─────────────────────────────────────────────────────────────────────────────────────────────────────

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const pods: ResourceKind = {
  group: "",
  version: "v1",
  resource: "pods",
  kind: "Pod",
  namespaced: true,
  verbs: ["list"],
  shortNames: [],
  subresources: [],
};

/** A kit whose lists never end soon, and the most objects of earlier pages that were still held when the next was asked for. */
function probe(count: number): { readonly kit: Kit; readonly held: () => number } {
  const seen: WeakRef<JsonObject>[] = [];
  let most = 0;
  const cluster = {
    name: "probe",
    namespaces: [place],
    leftOut: 0,
    may: () => true,
    get: async (): Promise<JsonObject> => podOf(0),
    async list(kind: ResourceKind, _namespace: string, options: ListOptions) {
      if (kind.resource !== "pods") return { items: [], continue: "", remaining: null };
      const from = Number(options.continue ?? "0");
      // Collecting takes long: on three of the pages is enough to tell one page from all of them.
      if ([1_000, 2_500, 4_500].includes(from)) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        collect();
        most = Math.max(most, seen.filter((one) => one.deref() !== undefined).length);
      }
      const to = Math.min(count, from + options.limit);
      const items = Array.from({ length: to - from }, (_, index) => podOf(from + index));
      seen.push(...items.map((one) => new WeakRef(one)));
      return { items, continue: to < count ? String(to) : "", remaining: null };
    },
  };
  const kit = {
    cluster,
    findKind: async (text: string): Promise<ResourceKind> => {
      const resource = text.split(".")[0] ?? "";
      return { ...pods, resource, kind: resource === "pods" ? "Pod" : "Other" };
    },
    now: () => Date.now(),
    calledAt: 0,
    preview: false,
    signal: new AbortController().signal,
    progress: () => undefined,
    cursor: { seal: (): string => "x", open: (): Json => ({}) },
  };
  return { kit: kit as unknown as Kit, held: () => most };
}

promise(
  "faults:server-held",
  "of five thousand objects one page, and what a diagnosis looks into besides",
  async () => {
    const page = 500;
    for (const [name, input, most] of [
      [
        "objects_list",
        { kind: "pods", namespace: place, columns: [".spec.containers[*].image", ".metadata.annotations"] },
        page,
      ],
      ["objects_list", { kind: "pods", namespace: place, group_by: ".spec.containers[*].image" }, page],
      ["metrics_top", { namespace: place }, page],
      ["problems_diagnose", { namespace: place, logs: false }, page + 100],
    ] as const) {
      const { kit, held } = probe(5_000);
      const opened = tools.find((tool) => tool.name === name)?.open(input);
      if (opened?.kind !== "opened") throw new Error(`${name} does not take its input`);
      await opened.run(kit);
      expect([name, held(), held() <= most]).toEqual([name, held(), true]);
    }
  },
  300_000,
);
