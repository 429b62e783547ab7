// Lists as server-side Tables, and plain lists page by page.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { ObjectPage, TablePage } from "../tool.ts";

/** Asks for a Table (Kubernetes API concepts, "Receiving resources as Tables"); a server without Tables answers with the plain list. */
export const tableAccept = "application/json;as=Table;g=meta.k8s.io;v=v1, application/json";

/** The `includeObject` of a Table request: in one namespace the name column says all; across namespaces each row needs its metadata. */
export function includeObject(namespace: string): "None" | "Metadata" {
  return namespace === "" ? "Metadata" : "None";
}

/**
 * A Table answer as a page of text. `namespace` is the one that was asked for, for rows that carry no object.
 * A plain list (from a server without Tables) gives its names and creation times.
 */
export function parseTable(body: JsonObject, namespace = ""): TablePage {
  const isTable = textAt(body, "kind") === "Table";
  const columns = isTable ? objectsAt(body, "columnDefinitions") : plainColumns;
  const nameColumn = columns.findIndex((column) => textAt(column, "format") === "name");
  const rows = isTable ? objectsAt(body, "rows") : objectsAt(body, "items").map(plainRow);
  return {
    columns: columns.map((column) => ({ name: textAt(column, "name"), priority: numberAt(column, "priority") ?? 0 })),
    rows: rows.map((row) => {
      const cells = listAt(row, "cells").map(cellText);
      return {
        cells,
        namespace: textAt(row, "object", "metadata", "namespace") || namespace,
        name: textAt(row, "object", "metadata", "name") || (cells[nameColumn] ?? ""),
      };
    }),
    ...pageOf(body),
    resourceVersion: textAt(body, "metadata", "resourceVersion"),
  };
}
const plainColumns: readonly JsonObject[] = [{ name: "Name", format: "name" }, { name: "Created" }];

function plainRow(item: JsonObject): JsonObject {
  const metadata = at(item, "metadata") ?? {};
  return { cells: [textAt(metadata, "name"), textAt(metadata, "creationTimestamp")], object: { metadata } };
}

/** A cell as kubectl would print it. */
function cellText(cell: Json): string {
  if (cell === null) return "<none>";
  return typeof cell === "string" ? cell : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** A plain list's page. Items carry no kind of their own. */
export function parseList(body: JsonObject): ObjectPage {
  return { items: objectsAt(body, "items"), ...pageOf(body) };
}

/** Where the next page begins, and how many are left: none after the last page, unknown where a selector keeps the server from counting. */
function pageOf(body: JsonObject): Pick<ObjectPage, "continue" | "remaining"> {
  const next = textAt(body, "metadata", "continue");
  return { continue: next, remaining: next === "" ? 0 : numberAt(body, "metadata", "remainingItemCount") };
}

/**
 * Reads pages until there are no more or `most` items are there; the page that reaches `most` is kept whole, so more may come back.
 * `ask` sends one request with the given `continue` ("" for the first page). Faults: those of `ask`.
 */
export async function readPages(
  ask: (next: string) => Promise<{ readonly body: JsonObject }>,
  most: number,
): Promise<ObjectPage> {
  const items: JsonObject[] = [];
  for (let next = ""; ;) {
    const page = parseList((await ask(next)).body);
    items.push(...page.items);
    if (page.continue === "" || page.continue === next || items.length >= most) return { ...page, items };
    next = page.continue;
  }
}

function listAt(value: JsonObject, key: string): readonly Json[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}

function objectsAt(value: JsonObject, key: string): JsonObject[] {
  return listAt(value, key).filter(isJsonObject);
}

function numberAt(value: JsonObject, ...path: string[]): number | null {
  const found = at(value, ...path);
  return typeof found === "number" ? found : null;
}
