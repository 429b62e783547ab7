// What a run reads: objects, lists, Tables, logs and watches, each masked as it comes in.

import { setImmediate as immediate } from "node:timers/promises";
import { fault, Faulted } from "../domain/fault.ts";
import { at, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { KubeRequest } from "../kubernetes/contract.ts";
import { readLog } from "../kubernetes/stream.ts";
import { includeObject, parseTable, tableAccept } from "../kubernetes/table.ts";
import { watchObject } from "../kubernetes/watch.ts";
import type { Cluster, ListOptions, LogOptions, ObjectRef, ResourceKind } from "../tool.ts";
import type { Gate } from "./gate.ts";
import { describeTarget, type Target } from "./guard.ts";

/** Pages of one list in one run: at 500 objects a page twice what any tool scans. */
const mostPages = 20;

/** The reads of one run. Faults: those of the gate, limit_exceeded for a list without end. */
export function readsOf(gate: Gate): Pick<Cluster, "get" | "list" | "table" | "logs" | "watch" | "describe"> {
  const { client, masking, ...options } = gate.options;
  const pages = new Map<string, number>();
  /** A server that always has one more page would be followed to the deadline. Fault: limit_exceeded. */
  function nextPage(target: Target, list: ListOptions): void {
    const of = [describeTarget(target), list.selector ?? "", list.fieldSelector ?? ""].join(" ");
    const page = list.continue === undefined ? 1 : (pages.get(of) ?? 0) + 1;
    pages.set(of, page);
    if (page > mostPages)
      throw new Faulted(fault("limit_exceeded", { limit: "the pages of one list" }, `${of}: page ${page}`));
  }

  return {
    async get(ref, subresource = "") {
      return masking.object(await gate.read(ref, subresource));
    },
    async list(kind, namespace, list) {
      const target: Target = { verb: "list", kind, namespace, name: "", subresource: "" };
      nextPage(target, list);
      const { body } = await client.request(gate.request(target, { query: listQuery(list) }));
      const items = at(body, "items");
      return {
        items: await sharing(items, (item) => masking.object(withKind(item, kind))),
        continue: textAt(body, "metadata", "continue"),
        remaining: numberAt(body, "metadata", "remainingItemCount"),
      };
    },
    async table(kind, namespace, list) {
      const target: Target = { verb: "list", kind, namespace, name: "", subresource: "" };
      nextPage(target, list);
      const query = { ...listQuery(list), includeObject: includeObject(namespace) };
      const { body } = await client.request(gate.request(target, { query, accept: tableAccept }));
      const page = parseTable(body, namespace);
      const rows = page.rows.map((row) => ({
        ...row,
        cells: row.cells.map((cell, index) => masking.cell(page.columns[index]?.name ?? "", cell)),
      }));
      return { ...page, rows };
    },
    async logs(ref: ObjectRef, log: LogOptions) {
      const ask = (): KubeRequest => gate.request({ verb: "get", ...ref, subresource: "log" });
      const { text, cut } = await readLog(client, ask, log);
      return { text: await masking.long(text), cut };
    },
    async *watch(ref, { resourceVersion, milliseconds }) {
      const watching = gate.request({ verb: "watch", ...ref, subresource: "" });
      for await (const news of watchObject(client, watching, { resourceVersion, milliseconds })) {
        if (news.kind === "expired") return;
        yield news.kind === "deleted" ? null : masking.object(news.object);
      }
    },
    async describe(path) {
      gate.refuseAfterwards(path);
      const whose = { auditId: options.nextAuditId(), agent: options.agent };
      return await client.path(path, { authorization: options.authorization(), signal: options.signal, ...whose });
    },
  };
}

function listQuery(list: ListOptions): Record<string, string> {
  return {
    limit: String(list.limit),
    ...(list.selector ? { labelSelector: list.selector } : {}),
    ...(list.fieldSelector ? { fieldSelector: list.fieldSelector } : {}),
    ...(list.continue ? { continue: list.continue } : {}),
  };
}

/** Items of a list carry no kind of their own; the masker decides by it. */
function withKind(item: JsonObject, kind: ResourceKind): JsonObject {
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  return { ...item, apiVersion, kind: kind.kind };
}

/** Objects that are masked in one go: a page of large ones must not stop the loop for as long as it takes. */
const atOnce = 16;

async function sharing(items: Json | undefined, mask: (item: JsonObject) => JsonObject): Promise<JsonObject[]> {
  const masked: JsonObject[] = [];
  for (const item of Array.isArray(items) ? (items as readonly JsonObject[]) : []) {
    masked.push(mask(item));
    if (masked.length % atOnce === 0) await immediate();
  }
  return masked;
}

function numberAt(body: JsonObject, ...path: string[]): number | null {
  const found = at(body, ...path);
  return typeof found === "number" ? found : null;
}
