// Why a Service or an Ingress leads nowhere: selectors that match no pod, ports that nobody serves, backends that do not exist.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Sentence } from "../domain/output.ts";
import { named } from "./answer.ts";
import type { Finding } from "./findings.ts";
import { isHealthy } from "./pod-findings.ts";
import { listAt, pairs, selects, wordAt } from "./selector.ts";

/** What a Service needs to know of a pod: a short row, so that thousands can be held. */
export interface PodRow {
  readonly name: string;
  readonly labels: JsonObject;
  readonly ready: boolean;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export function podRow(pod: JsonObject): PodRow {
  const labels = at(pod, "metadata", "labels");
  return {
    name: textAt(pod, "metadata", "name"),
    labels: isJsonObject(labels) ? labels : {},
    ready: isHealthy(pod),
    ports: listAt(pod, "spec", "containers").flatMap((one) =>
      listAt(one, "ports").map((port) => ({
        name: textAt(port, "name"),
        port: Number(at(port, "containerPort") ?? 0),
      })),
    ),
  };
}

function finding(
  kind: string,
  object: JsonObject,
  weight: number,
  problem: Sentence,
  evidence: readonly Sentence[],
  next: string,
): Finding {
  const name = textAt(object, "metadata", "name");
  return { weight, problem, evidence, next, kind, name, owner: name };
}

/** `pods`: all of the namespace. `slices`: its EndpointSlices, or null where they can't be read. */
export function serviceFindings(
  service: JsonObject,
  pods: readonly PodRow[],
  slices: readonly JsonObject[] | null,
): Finding[] {
  if (textAt(service, "spec", "type") === "ExternalName") return [];
  const selector = at(service, "spec", "selector");
  const of = (weight: number, problem: Sentence, evidence: readonly Sentence[], next: string): Finding[] => [
    finding("Service", service, weight, problem, evidence, next),
  ];
  if (pairs(selector).length === 0) {
    const served = slices?.some((slice) => belongs(slice, service) && listAt(slice, "endpoints").length > 0);
    if (served !== false) return [];
    return of(60, ["it has no selector and no endpoints"], [], "give it a selector with objects_patch.");
  }
  const matched = pods.filter((pod) => selects(selector, pod.labels));
  if (matched.length === 0)
    return of(
      82,
      ["its selector matches no pod: ", ...terms(selector)],
      nearMisses(selector, pods),
      "correct spec.selector with objects_patch, or the pods' labels; then diagnose again.",
    );
  const ports = portFindings(service, matched);
  if (ports.length > 0)
    return ports.flatMap(([problem, evidence]) =>
      of(78, problem, evidence, "correct targetPort with objects_patch; then diagnose again."),
    );
  const ready = matched.filter((pod) => pod.ready).length;
  if (ready === 0)
    return of(
      44,
      [`none of its ${matched.length} pods is ready, so it has no endpoints`],
      [],
      "the pods are at fault, see above or problems_diagnose one.",
    );
  return [];
}

function belongs(slice: JsonObject, service: JsonObject): boolean {
  return textAt(slice, "metadata", "labels", "kubernetes.io/service-name") === textAt(service, "metadata", "name");
}

function terms(selector: Json | undefined): Sentence {
  return pairs(selector).flatMap(([key, value], index): Sentence => [
    index === 0 ? "" : ", ",
    named(`${key}=${value}`),
  ]);
}

/** For each wrong term: the values that the pods do have, most frequent first. */
function nearMisses(selector: Json | undefined, pods: readonly PodRow[]): Sentence[] {
  if (pods.length === 0) return [["there are no pods in the namespace"]];
  return pairs(selector).flatMap(([key, value]): Sentence[] => {
    const counts = new Map<string, number>();
    for (const pod of pods) counts.set(textAt(pod.labels, key), (counts.get(textAt(pod.labels, key)) ?? 0) + 1);
    if (counts.has(value)) return [];
    counts.delete("");
    if (counts.size === 0) return [["no pod has a label ", named(key)]];
    const found = [...counts].sort((a, b) => distance(a[0], value) - distance(b[0], value) || b[1] - a[1]).slice(0, 4);
    return [
      [
        "pods have ",
        named(key),
        ": ",
        ...found.flatMap(([one, count], index): Sentence => [index === 0 ? "" : ", ", named(one), ` (${count})`]),
      ],
    ];
  });
}

/** Edit distance (Levenshtein), for names of at most 63 characters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Target ports that no matched pod serves; a numeric one is doubted only where the containers state others. */
function portFindings(service: JsonObject, matched: readonly PodRow[]): (readonly [Sentence, readonly Sentence[]])[] {
  const stated = matched.flatMap((pod) => pod.ports);
  return listAt(service, "spec", "ports").flatMap((port) => {
    const target = at(port, "targetPort") ?? at(port, "port") ?? 0;
    const known =
      typeof target === "number"
        ? stated.length === 0 || stated.some((one) => one.port === target)
        : stated.some((one) => one.name === target);
    if (known) return [];
    const offers = [...new Set(stated.map((one) => (one.name === "" ? `${one.port}` : `${one.name}=${one.port}`)))];
    const evidence: Sentence = [
      "its pods state ports: ",
      ...(offers.length === 0
        ? ["none"]
        : offers.slice(0, 6).flatMap((one, index): Sentence => [index === 0 ? "" : ", ", named(one)])),
    ];
    return [[["targetPort ", named(wordAt(target)), " is served by none of its pods"], [evidence]] as const];
  });
}

/** Backends of an Ingress that do not lead to a Service's port. */
export function ingressFindings(ingress: JsonObject, services: readonly JsonObject[]): Finding[] {
  const backends = [
    ...listAt(ingress, "spec", "rules").flatMap((rule) =>
      listAt(rule, "http", "paths").map((path) => at(path, "backend", "service")),
    ),
    at(ingress, "spec", "defaultBackend", "service"),
  ].filter(isJsonObject);
  const wrong = new Map<string, Finding>();
  for (const backend of backends) {
    const name = textAt(backend, "name");
    const service = services.find((one) => textAt(one, "metadata", "name") === name);
    const port = at(backend, "port", "number") ?? at(backend, "port", "name") ?? "";
    if (service === undefined)
      wrong.set(
        name,
        finding(
          "Ingress",
          ingress,
          84,
          ["its backend Service ", named(name), " does not exist"],
          [["services here: ", ...names(services)]],
          "correct the backend's name with objects_patch.",
        ),
      );
    else if (!listAt(service, "spec", "ports").some((one) => at(one, "port") === port || textAt(one, "name") === port))
      wrong.set(
        `${name}:${wordAt(port)}`,
        finding(
          "Ingress",
          ingress,
          80,
          ["its backend port ", named(wordAt(port)), " is none of Service ", named(name)],
          [["the Service has ports: ", ...ports(service)]],
          "correct the backend's port with objects_patch.",
        ),
      );
  }
  return [...wrong.values()];
}

/** The Services that an Ingress leads to. */
export function backendsOf(ingress: JsonObject): Set<string> {
  const paths = listAt(ingress, "spec", "rules").flatMap((rule) => listAt(rule, "http", "paths"));
  return new Set(
    [
      ...paths.map((path) => textAt(path, "backend", "service", "name")),
      textAt(ingress, "spec", "defaultBackend", "service", "name"),
    ].filter((name) => name !== ""),
  );
}

function names(services: readonly JsonObject[]): Sentence {
  if (services.length === 0) return ["none"];
  return services
    .slice(0, 8)
    .flatMap((one, index): Sentence => [index === 0 ? "" : ", ", named(textAt(one, "metadata", "name"))]);
}

function ports(service: JsonObject): Sentence {
  return listAt(service, "spec", "ports").flatMap((one, index): Sentence => [
    index === 0 ? "" : ", ",
    named(textAt(one, "name") === "" ? wordAt(one, "port") : `${textAt(one, "name")}=${wordAt(one, "port")}`),
  ]);
}
