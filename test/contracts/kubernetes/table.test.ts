// Tables, pages and logs as the server gives them.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { readLog, wholeLines } from "../../../src/kubernetes/stream.ts";
import { includeObject, parseList, parseTable, readPages, tableAccept } from "../../../src/kubernetes/table.ts";
import { promise } from "../../support/promise.ts";
import { answers, asking, clientOf, serve } from "./server.ts";

const columns = [
  { name: "Name", type: "string", format: "name", description: "…", priority: 0 },
  { name: "Ready", type: "string", priority: 0 },
  { name: "Restarts", type: "integer", priority: 0 },
  { name: "Node", type: "string", priority: 1 },
];
const table = {
  kind: "Table",
  apiVersion: "meta.k8s.io/v1",
  metadata: { resourceVersion: "271", continue: "abc", remainingItemCount: 7 },
  columnDefinitions: columns,
  rows: [
    { cells: ["api-1", "1/1", 3, null], object: { metadata: { name: "api-1", namespace: "shop" } } },
    { cells: ["api-2", true, { a: [1] }], object: null },
  ],
};

describe("tables", () => {
  promise("kubernetes:tables", "cells become text, rows keep their names with and without their objects", () => {
    expect(parseTable(table, "shop")).toEqual({
      columns: [
        { name: "Name", priority: 0 },
        { name: "Ready", priority: 0 },
        { name: "Restarts", priority: 0 },
        { name: "Node", priority: 1 },
      ],
      rows: [
        { cells: ["api-1", "1/1", "3", "<none>"], namespace: "shop", name: "api-1" },
        { cells: ["api-2", "true", '{"a":[1]}'], namespace: "shop", name: "api-2" },
      ],
      continue: "abc",
      remaining: 7,
      resourceVersion: "271",
    });
  });

  promise("kubernetes:tables", "a server without tables gives names and times", () => {
    const list = {
      kind: "ThingList",
      metadata: { resourceVersion: "5" },
      items: [
        { metadata: { name: "a", namespace: "n", creationTimestamp: "2026-01-01T00:00:00Z" }, data: { secret: "x" } },
      ],
    };
    expect(parseTable(list)).toEqual({
      columns: [
        { name: "Name", priority: 0 },
        { name: "Created", priority: 0 },
      ],
      rows: [{ cells: ["a", "2026-01-01T00:00:00Z"], namespace: "n", name: "a" }],
      continue: "",
      remaining: 0,
      resourceVersion: "5",
    });
  });

  promise("kubernetes:tables", "any answer at all is read without a throw, and its cells are text", () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(json, json, json, json, (metadata, columnDefinitions, rows, items) => {
        const page = parseTable(
          JSON.parse(JSON.stringify({ kind: "Table", metadata, columnDefinitions, rows, items })),
        );
        for (const row of page.rows) for (const cell of row.cells) expect(typeof cell).toBe("string");
        expect(parseList(JSON.parse(JSON.stringify({ metadata, items }))).items).toBeInstanceOf(Array);
      }),
    );
  });

  promise(
    "kubernetes:tables",
    "the request asks for no objects in one namespace, and for their metadata across all",
    async () => {
      const { url, seen } = await serve(answers(table));
      const client = clientOf(url);
      for (const namespace of ["shop", ""]) {
        const query = { limit: "50", includeObject: includeObject(namespace) };
        await client.request(
          asking({ verb: "list", resource: "pods", name: "", namespace, query, accept: tableAccept }),
        );
      }
      expect(seen.map(({ url: path, headers }) => [path, headers.accept])).toEqual([
        ["/api/v1/namespaces/shop/pods?limit=50&includeObject=None", tableAccept],
        ["/api/v1/pods?limit=50&includeObject=Metadata", tableAccept],
      ]);
    },
  );
});

describe("pages", () => {
  promise("kubernetes:pages", "what is left is told where the server says it, and nothing after the last page", () => {
    const page = (metadata: object): unknown => {
      const { continue: next, remaining } = parseList({ metadata: { ...metadata }, items: [] });
      return [next, remaining];
    };
    expect(page({ continue: "c", remainingItemCount: 3 })).toEqual(["c", 3]);
    expect(page({ continue: "c" })).toEqual(["c", null]);
    expect(page({})).toEqual(["", 0]);
  });

  promise("kubernetes:pages", "pages are read until the last, or until there are enough", async () => {
    const { url, seen } = await serve((one, response) => {
      const from = Number(new URL(one.url, "http://x").searchParams.get("continue") ?? "0");
      const metadata = from < 6 ? { continue: String(from + 2), remainingItemCount: 6 - from } : {};
      answers({ metadata, items: [{ n: from }, { n: from + 1 }] })(one, response);
    });
    const client = clientOf(url);
    const ask = (next: string) =>
      client.request(
        asking({ verb: "list", name: "", query: { limit: "2", ...(next === "" ? {} : { continue: next }) } }),
      );
    const all = await readPages(ask, 1000);
    expect(all).toEqual({ items: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ n })), continue: "", remaining: 0 });
    expect(await readPages(ask, 3)).toEqual({ items: [0, 1, 2, 3].map((n) => ({ n })), continue: "4", remaining: 4 });
    expect(seen).toHaveLength(6);
  });

  promise("kubernetes:pages", "a server that gives the same page for ever is left", async () => {
    const ask = () => Promise.resolve({ body: { metadata: { continue: "same" }, items: [{}] } });
    expect((await readPages(ask, 1000)).items).toHaveLength(2);
  });
});

describe("logs", () => {
  promise("kubernetes:logs-whole-lines", "the query says what is wanted, one byte more than the cap", async () => {
    const { url, seen } = await serve((_, response) => void response.writeHead(200).end("one\ntwo"));
    const log = {
      container: "app",
      previous: true,
      timestamps: true,
      tailLines: 5,
      sinceSeconds: 60,
      sinceTime: "2026-01-01T00:00:00Z",
      limitBytes: 100,
    };
    const request = asking({ resource: "pods", name: "p1", subresource: "log" });
    expect(await readLog(clientOf(url), () => request, log)).toEqual({ text: "one\ntwo", lines: 2, cut: null });
    expect(Object.fromEntries(new URL(seen[0]?.url ?? "", url).searchParams)).toEqual({
      container: "app",
      limitBytes: "101",
      previous: "true",
      timestamps: "true",
      tailLines: "5",
      sinceSeconds: "60",
      sinceTime: "2026-01-01T00:00:00Z",
    });
  });

  promise("kubernetes:logs-whole-lines", "a line torn by the cap, or by the time, is not given", async () => {
    const { url } = await serve((seen, response) => {
      response.writeHead(200);
      response.write("user=a\npassword=hunt");
      if (seen.url.includes("limitBytes=16")) response.end("er2\n");
    });
    const client = clientOf(url);
    const request = asking({ resource: "pods", name: "p1", subresource: "log", timeout: 2000 });
    const log = { container: "app", previous: false, timestamps: false };
    expect(await readLog(client, () => request, { ...log, limitBytes: 15 })).toEqual({
      text: "user=a\n",
      lines: 1,
      cut: "bytes",
    });
    expect(await readLog(client, () => request, { ...log, limitBytes: 100 })).toEqual({
      text: "user=a\n",
      lines: 1,
      cut: "time",
    });
  });

  promise("kubernetes:logs-whole-lines", "of any text only whole lines are kept, the newest of too many", () => {
    const some = fc.array(fc.constantFrom("", "a", "bb", "\r", "ü"), { maxLength: 12 });
    fc.assert(
      fc.property(some, fc.boolean(), fc.nat(12), fc.nat(40), (lines, ends, most, at) => {
        const text = lines.join("\n") + (ends && lines.length > 0 ? "\n" : "");
        const whole = wholeLines(text, null, most + 1);
        expect(text.endsWith(whole.text)).toBe(true);
        expect(whole.lines).toBeLessThanOrEqual(most + 1);
        const torn = wholeLines(text.slice(0, at), "bytes", 100);
        expect(torn.text === "" || torn.text.endsWith("\n")).toBe(true);
        expect(text.startsWith(torn.text)).toBe(true);
      }),
    );
    expect(wholeLines("a\nb\nc\n", null, 2)).toEqual({ text: "b\nc\n", lines: 2, cut: "lines" });
    expect(wholeLines("", null, 2)).toEqual({ text: "", lines: 0, cut: null });
    expect(wholeLines("no end", "bytes", 2)).toEqual({ text: "", lines: 0, cut: "bytes" });
  });
});
