// What an entry can be found by, read from that entry's own text and nothing else; and whether it is what was asked for.

import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Entry } from "./entry.ts";

/** What can be asked for; an entry holds a set of each. */
export const fields = [
  "kind",
  "session",
  "principal",
  "agent",
  "tool",
  "cluster",
  "decision",
  "outcome",
  "effect",
  "rule",
  "approver",
] as const;
export type Field = (typeof fields)[number];

/** An object or a collection that the entry names: "" for a part that it does not say. */
export interface Place {
  /** As accesses write it (`apps/deployments/scale`), or a kind as objects have it (`Deployment`). */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Searchable {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly words: { readonly [F in Field]: readonly string[] };
  readonly places: readonly Place[];
}

/** All that is given must hold. A `*` in a text stands for any characters; `resource`, `namespace` and `name` must hold of one object. */
export type Query = { readonly [F in Field]?: string } & {
  readonly [P in keyof Place]?: string;
} & {
  /** Milliseconds since 1970: at this time or later, and before that one. */
  readonly since?: number;
  readonly until?: number;
};

export function searchableOf(entry: Entry): Searchable {
  const { kind, sid, details, principal, client } = entry;
  const text = (key: string): readonly string[] => [textAt(details, key)].filter((one) => one !== "");
  const actors = principal?.act.map((one) => one.sub) ?? [];
  return {
    at: Date.parse(entry.ts),
    words: {
      kind: [kind],
      session: sid === null ? [] : [sid],
      principal: principal === null ? [] : [principal.sub],
      // Where nobody acts for another, the software is known by the client that its token was issued to, and by the name that it gives itself.
      agent: distinct([
        ...actors,
        principal?.client_id ?? "",
        ...(actors.length === 0 ? [client] : []),
        ...text("agent"),
      ]),
      tool: text("tool"),
      cluster: text("cluster"),
      decision: kind === "call.decided" ? text("decision") : [],
      outcome: kind === "call.unknown" ? ["unknown"] : text("outcome"),
      effect: kind === "call.settled" ? text("effect") : [],
      rule: rulesIn(details),
      approver: kind === "approval.decided" ? approverIn(details) : [],
    },
    places: placesIn(entry),
  };
}

function distinct(words: readonly string[]): readonly string[] {
  return [...new Set(words)].filter((one) => one !== "");
}

function listIn(details: JsonObject, key: string): readonly Json[] {
  const list = details[key];
  return Array.isArray(list) ? list : [];
}

function rulesIn(details: JsonObject): readonly string[] {
  const named = listIn(details, "rules").filter((one) => typeof one === "string");
  const asked = listIn(details, "requirements").map((one) => textAt(one, "rule"));
  return distinct([...named, textAt(details, "forbid"), ...asked]);
}

function approverIn(details: JsonObject): readonly string[] {
  const { approver } = details;
  return distinct([textAt(approver, "subject") || textAt(approver, "sub")]);
}

function placesIn({ kind, details }: Entry): readonly Place[] {
  const places = new Map<string, Place>();
  const add = (resource: string, namespace: string, name: string): void => {
    if (resource + namespace + name === "") return;
    places.set(JSON.stringify([resource, namespace, name]), { resource, namespace, name });
  };
  for (const access of listIn(details, "accesses")) {
    const place = typeof access === "string" ? accessPlace(access) : null;
    if (place !== null) add(place.resource, place.namespace, place.name);
  }
  for (const object of listIn(details, "objects"))
    if (isJsonObject(object)) add(textAt(object, "kind"), textAt(object, "namespace"), textAt(object, "name"));
  const arguments_ = kind === "call.received" ? details["arguments"] : undefined;
  if (arguments_ !== undefined) add("", textAt(arguments_, "namespace"), textAt(arguments_, "name"));
  return [...places.values()];
}

/** `patch apps/deployments/scale prod/api`: a `*` at the end is a whole collection, a `?` an access that the call could do without. */
function accessPlace(text: string): Place | null {
  const [, resource = "", where = ""] = text.replace(/\?$/, "").split(" ");
  if (resource === "") return null;
  const slash = where.indexOf("/");
  const name = where.slice(slash + 1);
  return { resource, namespace: slash < 0 ? "" : where.slice(0, slash), name: name === "*" ? "" : name };
}

/** Is this entry what was asked for? */
export function answers(query: Query, { at, words, places }: Searchable): boolean {
  if (query.since !== undefined && !(at >= query.since)) return false;
  if (query.until !== undefined && !(at < query.until)) return false;
  for (const field of fields) {
    const asked = query[field];
    if (asked !== undefined && !words[field].some((one) => isLike(one, asked))) return false;
  }
  const { resource, namespace, name } = query;
  if (resource === undefined && namespace === undefined && name === undefined) return true;
  return places.some(
    (place) =>
      (resource === undefined || isResource(place.resource, resource)) &&
      (namespace === undefined || isLike(place.namespace, namespace)) &&
      (name === undefined || isLike(place.name, name)),
  );
}

/** Is the text the one asked for, whose `*` stand for any characters? */
export function isLike(text: string, asked: string): boolean {
  const [head = "", ...rest] = asked.split("*");
  const tail = rest.pop();
  if (tail === undefined) return text === asked;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}

/** `deployments`, `apps/deployments` and `apps/deployments/scale` all ask for the last; `Deployment` asks for the kind. Case does not count. */
export function isResource(resource: string, asked: string): boolean {
  const [has, wants] = [resource.toLowerCase(), asked.toLowerCase()];
  if (isLike(has, wants)) return true;
  const parts = has.split("/");
  return parts.some((_, from) =>
    parts.some((_part, to) => to >= from && isLike(parts.slice(from, to + 1).join("/"), wants)),
  );
}
