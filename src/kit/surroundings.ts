// What a write should know of its surroundings: who else sets a replica count, what a quota leaves, which pods a Service finds before and after.

import { at, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Sentence } from "../domain/output.ts";
import { named, refersTo } from "./answer.ts";
import { openLooks, optionalLists, type Looks, type OptionalList } from "./look.ts";
import { isHealthy } from "./pod-findings.ts";
import { selects } from "./selector.ts";

interface KindLike {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}
interface Ref<Kind> {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

/** An object that will be written, and what of it matters here. */
export interface Written<Kind extends KindLike = KindLike> {
  readonly ref: Ref<Kind>;
  /** Is `spec.replicas` written? */
  readonly replicas: boolean;
  /** Is `spec.selector` written? */
  readonly selector: boolean;
}

interface SurroundingKit<Kind> {
  readonly findKind: (text: string) => Promise<Kind>;
  readonly cluster: Parameters<typeof openLooks<Kind>>[0]["cluster"] & { get(ref: Ref<Kind>): Promise<JsonObject> };
}

const autoscalers = "horizontalpodautoscalers.autoscaling";
const quotas = "resourcequotas";

/** Optional needs: what is looked at where it may be. */
export async function surroundings<Kind extends KindLike>(
  written: readonly Written<Kind>[],
  findKind: (text: string) => Promise<Kind>,
): Promise<OptionalList<Kind>[]> {
  const lists = [
    ...placesOf(written.filter((one) => one.replicas)).map((place) => [place, [autoscalers, quotas]] as const),
    ...placesOf(written.filter(selectsPods)).map((place) => [place, ["pods"]] as const),
  ];
  return (await Promise.all(lists.map(([place, kinds]) => optionalLists(findKind, place, kinds)))).flat();
}

/** Looks, writes, looks again where the answer lies behind the write; `write` returns the objects as they then are, in the same order. */
export async function lookBeside<Kind extends KindLike>(
  written: readonly Written<Kind>[],
  kit: SurroundingKit<Kind>,
  write: () => Promise<readonly JsonObject[]>,
): Promise<Sentence[]> {
  const looks = openLooks(kit);
  const checks: Sentence[] = [];
  const scaled = written.filter((one) => one.replicas);
  for (const place of placesOf(scaled)) {
    const inPlace = scaled.filter((one) => one.ref.namespace === place).map((one) => one.ref);
    checks.push(...((await looks.list(autoscalers, place)) ?? []).flatMap((one) => scaledBy(one, inPlace)));
    checks.push(...((await looks.list(quotas, place)) ?? []).flatMap(podsLeft));
  }
  const before = await selectorsOf(written, kit);
  const after = await write();
  checks.push(...(await endpoints(written, before, after, looks)));
  return looks.unread.length === 0 ? checks : [...checks, [`Not checked: ${looks.unread.join(", ")}`]];
}

const isService = ({ ref }: Written): boolean => ref.kind.group === "" && ref.kind.resource === "services";
const selectsPods = (one: Written): boolean => one.selector && isService(one);
const placesOf = (written: readonly Written[]): string[] => [
  ...new Set(written.map((one) => one.ref.namespace).filter((place) => place !== "")),
];

/** `HPA api (2-10) sets this count too and may undo it: change its minReplicas` */
function scaledBy(autoscaler: JsonObject, refs: readonly Ref<KindLike>[]): Sentence[] {
  const target = at(autoscaler, "spec", "scaleTargetRef");
  const ref = refs.find((one) => refersTo(target, one.kind, one.name));
  if (ref === undefined) return [];
  const bound = (field: string, otherwise: number): number => Number(at(autoscaler, "spec", field) ?? otherwise);
  const of = refs.length === 1 ? "this count" : `the count of ${ref.kind.kind} ${ref.name}`;
  const bounds = ` (${bound("minReplicas", 1)}-${bound("maxReplicas", 0)})`;
  return [
    [
      "HPA ",
      named(textAt(autoscaler, "metadata", "name")),
      `${bounds} sets ${of} too and may undo it: change its minReplicas`,
    ],
  ];
}

function podsLeft(quota: JsonObject): Sentence[] {
  const [used, hard] = [textAt(quota, "status", "used", "pods"), textAt(quota, "status", "hard", "pods")];
  if (hard === "") return [];
  return [
    ["quota ", named(textAt(quota, "metadata", "name")), ": ", named(used || "0"), " of ", named(hard), " pods in use"],
  ];
}

/** The selectors that Services have now, by their place among what is written; a Service that is not there selects nothing. */
async function selectorsOf<Kind extends KindLike>(
  written: readonly Written<Kind>[],
  kit: SurroundingKit<Kind>,
): Promise<readonly (Json | undefined)[]> {
  const asked = openLooks(kit);
  const found: (Json | undefined)[] = [];
  for (const one of written) {
    const now = selectsPods(one) ? await asked.attempt("service", () => kit.cluster.get(one.ref)) : null;
    found.push(at(now ?? {}, "spec", "selector"));
  }
  return found;
}

/** `Service api: ready pods 0 -> 3` */
async function endpoints(
  written: readonly Written[],
  before: readonly (Json | undefined)[],
  after: readonly JsonObject[],
  looks: Looks,
): Promise<Sentence[]> {
  const checks: Sentence[] = [];
  for (const place of placesOf(written.filter(selectsPods))) {
    const pods = await looks.list("pods", place, {}, 5000);
    if (pods === null) continue;
    const ready = pods.filter((pod) => isHealthy(pod) && textAt(pod, "status", "phase") !== "Succeeded");
    const found = (selector: Json | undefined): number =>
      ready.filter((pod) => selects(selector, at(pod, "metadata", "labels"))).length;
    for (const [index, one] of written.entries()) {
      if (!selectsPods(one) || one.ref.namespace !== place) continue;
      const counts = `${found(before[index])} -> ${found(at(after[index] ?? {}, "spec", "selector"))}`;
      checks.push([`Service ${one.ref.name}: endpoints ${counts}`]);
    }
  }
  return checks;
}
