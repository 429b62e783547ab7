// Empties a node: cordons it, then evicts its pods within their budgets and waits until they are gone. Long: one loop with what it tells before, meanwhile and after.

import * as z from "zod";
import {
  answer,
  at,
  countAt,
  defineTool,
  drainedPods,
  fault,
  Faulted,
  inputs,
  isEvictable,
  named,
  pause,
  selectsLabels,
  textAt,
  type ChangeNotes,
  type DrainedPod,
  type FindKind,
  type JsonObject,
  type Kit,
  type Need,
  type ObjectRef,
  type Output,
  type Problem,
  type ResourceKind,
  type Sentence,
} from "../src/tool.ts";

const input = z.strictObject({
  name: inputs.name(),
  delete_emptydir_data: z.boolean().default(false),
  force: z.boolean().default(false).describe("Also pods nothing recreates"),
  timeout_seconds: z.number().int().min(30).max(900).default(300),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

/** Milliseconds beside the wait itself: planning, the grant, the rehearsal. */
const overhead = 60_000;
/** Milliseconds between two rounds: short at first, since most pods go quickly. */
const rounds = { first: 250, most: 5000, factor: 1.5 };
const shown = 10;

export default defineTool<Input>({
  name: "nodes_drain",
  title: "Drain a node",
  description:
    "Cordon a node and evict its pods within their PodDisruptionBudgets. Preview lists pods, blocking budgets and data lost. Safe to repeat.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  effects: ["destroy"],
  input,
  effect: () => "destroy",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  lasts: ({ preview, timeout_seconds }) => (preview ? 0 : timeout_seconds * 1000 + overhead),
  async needs({ name }, { findKind, lookUp }) {
    const kinds = await kindsOf(findKind);
    const ref = { kind: kinds.nodes, namespace: "", name };
    const pods = (await lookUp(kinds.pods, "", `spec.nodeName=${name}`)).filter(isEvictable);
    const places = [...new Set(pods.map((pod) => pod.namespace))];
    return [
      { verb: "get", ...ref },
      { verb: "patch", ...ref },
      { verb: "list", kind: kinds.pods, namespace: "", name: "" },
      ...pods.map((pod) => eviction(kinds.pods, pod)),
      ...places.map((namespace) => budgetsIn(kinds.budgets, namespace)),
    ];
  },
  async run(asked, kit) {
    const kinds = await kindsOf(kit.findKind);
    const node: ObjectRef = { kind: kinds.nodes, namespace: "", name: asked.name };
    const wasClosed = at(await kit.cluster.get(node), "spec", "unschedulable") === true;
    const found = await podsOn(asked.name, kinds.pods, kit);
    refuse(asked, found);
    // Looked up first: nothing that can fail stands behind the cordon but the evictions themselves.
    const notes = [...stayingNotes(found), ...lossNotes(found), ...(await budgetNotes(found, kinds.budgets, kit))];
    await kit.cluster.patch(node, { spec: { unschedulable: true } }, { type: "merge" });
    const drained = kit.preview
      ? await rehearse(found, kinds.pods, kit)
      : await empty({ asked, kinds, kit, found, began: kit.now() });
    return {
      ...answer([], [], { counts: { pods: found.filter(goes).length } }),
      checks: [...drained, ...(wasClosed ? [["it was cordoned already"]] : []), ...notes],
      undo: `nodes_cordon uncordon true takes new pods again; those that were evicted stay elsewhere`,
    } satisfies Output & ChangeNotes;
  },
});

interface Kinds {
  readonly nodes: ResourceKind;
  readonly pods: ResourceKind;
  readonly budgets: ResourceKind;
}

async function kindsOf(findKind: FindKind): Promise<Kinds> {
  const [nodes, pods, budgets] = await Promise.all([
    findKind("nodes"),
    findKind("pods"),
    findKind("poddisruptionbudgets.policy"),
  ]);
  return { nodes, pods, budgets };
}

function eviction(
  kind: ResourceKind,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Need {
  return { verb: "create", kind, namespace, name, subresource: "eviction" };
}

function budgetsIn(kind: ResourceKind, namespace: string): Need {
  return { verb: "list", kind, namespace, name: "", optional: true };
}

/** All pods of the node as they are now. */
async function podsOn(node: string, kind: ResourceKind, kit: Kit): Promise<readonly DrainedPod[]> {
  const found: JsonObject[] = [];
  const options = { fieldSelector: `spec.nodeName=${node}`, limit: 500 };
  for (let next = ""; ;) {
    const page = await kit.cluster.list(kind, "", next === "" ? options : { ...options, continue: next });
    found.push(...page.items);
    next = page.continue;
    if (next === "") return drainedPods(found);
  }
}

const goes = (pod: DrainedPod): boolean => pod.stays === "";
const place = ({ namespace, name }: Pick<DrainedPod, "namespace" | "name">): string => `${namespace}/${name}`;

/** `shop/api-1, shop/api-2 and 5 more` */
function names(pods: readonly Pick<DrainedPod, "namespace" | "name">[]): string {
  const first = pods.slice(0, shown).map(place).join(", ");
  return pods.length > shown ? `${first} and ${pods.length - shown} more` : first;
}

/** What nobody has agreed to lose keeps the node as it is: not even the cordon is made. Faults: invalid_input. */
function refuse({ force, delete_emptydir_data }: Input, found: readonly DrainedPod[]): void {
  const going = found.filter((pod) => goes(pod) && !pod.over);
  const alone = going.filter((pod) => pod.alone);
  const full = going.filter((pod) => pod.emptyDirs.length > 0);
  const problems: Problem[] = [];
  if (alone.length > 0 && !force)
    problems.push({ path: "force", rule: `nothing recreates ${names(alone)}: force evicts them all the same` });
  if (full.length > 0 && !delete_emptydir_data)
    problems.push({
      path: "delete_emptydir_data",
      rule: `emptyDir volumes of ${names(full)} would be lost: true accepts it`,
    });
  if (problems.length > 0) throw new Faulted(fault("invalid_input", { problems: problems.map((one) => ({ ...one })) }));
}

function stayingNotes(found: readonly DrainedPod[]): Sentence[] {
  const daemons = found.filter((pod) => pod.stays === "DaemonSet");
  const mirrors = found.filter((pod) => pod.stays === "mirror");
  return [
    ...(daemons.length === 0 ? [] : [[`stay, since their DaemonSets run on every node: ${names(daemons)}`]]),
    ...(mirrors.length === 0 ? [] : [[`stay, since the node itself runs them (static pods): ${names(mirrors)}`]]),
  ];
}

function lossNotes(found: readonly DrainedPod[]): Sentence[] {
  const going = found.filter((pod) => goes(pod) && !pod.over);
  const alone = going.filter((pod) => pod.alone);
  const full = going.filter((pod) => pod.emptyDirs.length > 0);
  const volumes = full.slice(0, shown).map((pod) => `${place(pod)} (${pod.emptyDirs.slice(0, 5).join(", ")})`);
  const more = full.length > shown ? ` and ${full.length - shown} more` : "";
  return [
    ...(full.length === 0 ? [] : [[`data lost, emptyDir volumes: ${volumes.join(", ")}${more}`]]),
    ...(alone.length === 0 ? [] : [[`gone for good, nothing recreates them: ${names(alone)}`]]),
  ];
}

/** The budgets that pods of the node count in, those that allow nothing now first. */
async function budgetNotes(found: readonly DrainedPod[], kind: ResourceKind, kit: Kit): Promise<Sentence[]> {
  const going = found.filter((pod) => goes(pod) && !pod.over);
  const counted: { readonly allowed: number; readonly says: Sentence }[] = [];
  const unread: string[] = [];
  for (const namespace of new Set(going.map((pod) => pod.namespace))) {
    if (!kit.cluster.may(budgetsIn(kind, namespace))) {
      unread.push(namespace);
      continue;
    }
    const { items } = await kit.cluster.list(kind, namespace, { limit: 500 });
    for (const budget of items) {
      const inIt = going.filter(
        (pod) =>
          pod.namespace === namespace &&
          selectsLabels(at(budget, "spec", "selector"), at(pod.pod, "metadata", "labels")),
      );
      if (inIt.length === 0) continue;
      const allowed = countAt(budget, "status", "disruptionsAllowed");
      const blocks = allowed === 0 ? "BLOCKED now: budget " : "budget ";
      const name = named(textAt(budget, "metadata", "name"));
      const count = `${allowed} of its ${inIt.length} pods here at a time`;
      counted.push({ allowed, says: [blocks, `${namespace}/`, name, ` lets go ${count}`] });
    }
  }
  const says = counted.sort((a, b) => a.allowed - b.allowed).map((one) => one.says);
  return unread.length === 0 ? says : [...says, [`Not checked: budgets in ${unread.join(", ")} (not readable)`]];
}

/** The pods that this call was planned for: one that came since has no access of its own. */
function planned(found: readonly DrainedPod[], kind: ResourceKind, kit: Kit): readonly DrainedPod[] {
  return found.filter((pod) => goes(pod) && !pod.leaving && kit.cluster.may(eviction(kind, pod)));
}

/** Each eviction as a dry run: which of them a budget holds back now. */
async function rehearse(found: readonly DrainedPod[], kind: ResourceKind, kit: Kit): Promise<Sentence[]> {
  const going = planned(found, kind, kit);
  const blocked: DrainedPod[] = [];
  for (const pod of going) if ((await evict(pod, kind, kit)).kind === "blocked") blocked.push(pod);
  const leaving = found.filter((pod) => goes(pod) && pod.leaving);
  return [
    [`evicts ${going.length} pods, each as soon as its budget allows`],
    ...(blocked.length === 0 ? [] : [[`BLOCKED now by their budgets: ${names(blocked)}`]]),
    ...(leaving.length === 0 ? [] : [[`on their way out already: ${names(leaving)}`]]),
  ];
}

type Evicted =
  | { readonly kind: "evicted" }
  /** It was gone already. */
  | { readonly kind: "gone" }
  /** It is none that was agreed: another one stands under its name. */
  | { readonly kind: "other" }
  | { readonly kind: "blocked"; readonly detail: JsonObject };

async function evict(pod: DrainedPod, kind: ResourceKind, kit: Kit): Promise<Evicted> {
  try {
    await kit.cluster.evict({ kind, namespace: pod.namespace, name: pod.name }, pod.pod);
    return { kind: "evicted" };
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    const { code, detail, effect } = thrown.fault;
    // An answer that was lost is the caller's to know of, whatever it might have been.
    if (effect !== "none") throw thrown;
    if (code === "not_found") return { kind: "gone" };
    if (code === "stale") return { kind: "other" };
    // A namespace that is being deleted takes its pods with it, and evicts none.
    if (code === "namespace_terminating") return { kind: "evicted" };
    if (code === "eviction_blocked" || code === "cluster_busy") return { kind: "blocked", detail };
    throw thrown;
  }
}

interface Drain {
  readonly asked: Input;
  readonly kinds: Kinds;
  readonly kit: Kit;
  readonly found: readonly DrainedPod[];
  /** Milliseconds since 1970. */
  readonly began: number;
}

/** Evicts and waits, round by round, until the node is empty. Faults: eviction_blocked, once the time is over. */
async function empty(drain: Drain): Promise<Sentence[]> {
  const { asked, kinds, kit, began } = drain;
  const going = planned(drain.found, kinds.pods, kit);
  const waiting = new Map(
    drain.found.filter((pod) => goes(pod) && (pod.leaving || going.includes(pod))).map((pod) => [pod.uid, pod]),
  );
  let all = waiting.size;
  const left = new Map(going.map((pod) => [pod.uid, pod]));
  const gone = () => ({ done: all - waiting.size, total: all });
  let blocked: JsonObject | null = null;
  for (let gap = rounds.first; ; gap = Math.min(rounds.most, gap * rounds.factor)) {
    blocked = null;
    for (const [uid, pod] of left) {
      const done = await evict(pod, kinds.pods, kit);
      if (done.kind === "blocked") blocked ??= done.detail;
      else left.delete(uid);
      if (done.kind === "other" && waiting.delete(uid)) all -= 1;
      kit.progress(progressOf(drain, { all, left: left.size, waiting: waiting.size, blocked }), gone());
    }
    const now = await podsOn(asked.name, kinds.pods, kit);
    const there = new Set(now.map((pod) => pod.uid));
    for (const uid of waiting.keys()) if (!there.has(uid)) waiting.delete(uid);
    for (const uid of left.keys()) if (!there.has(uid)) left.delete(uid);
    kit.progress(progressOf(drain, { all, left: left.size, waiting: waiting.size, blocked }), gone());
    if (waiting.size === 0) return endNotes(drain, all, now);
    const rest = asked.timeout_seconds * 1000 - (kit.now() - began);
    if (rest <= 0) throw timeIsOver(drain, [...left.values()], [...waiting.values()], blocked);
    await pause(Math.min(gap, rest), kit.signal);
  }
}

interface Count {
  readonly all: number;
  readonly left: number;
  readonly waiting: number;
  readonly blocked: JsonObject | null;
}

/** `Node worker-1: evicted 3 of 7, 2 gone, the others wait for budget api; 12 of 300 s` */
function progressOf({ asked, kit, began }: Drain, { all, left, waiting, blocked }: Count): string {
  const budgets = at(blocked ?? {}, "budgets");
  const budget = Array.isArray(budgets) && typeof budgets[0] === "string" ? ` ${budgets[0]}` : "";
  const holds = left > 0 && blocked !== null ? `, ${left} wait for budget${budget}` : "";
  const seconds = Math.round((kit.now() - began) / 1000);
  return `Node ${asked.name}: evicted ${all - left} of ${all}, ${all - waiting} gone${holds}; ${seconds} of ${asked.timeout_seconds} s`;
}

/** What the last look found: pods that came while it drained, where nothing was declared for them. */
function endNotes({ asked, kit, began }: Drain, all: number, now: readonly DrainedPod[]): Sentence[] {
  const came = now.filter((pod) => goes(pod) && !pod.leaving);
  const seconds = Math.round((kit.now() - began) / 1000);
  return [
    [`${all} pods are gone from ${asked.name} after ${seconds} s`],
    ...(came.length === 0 ? [] : [[`NOT EMPTY: ${names(came)} came meanwhile; drain again for them`]]),
  ];
}

/** What is left when the time is over: held back by a budget, or evicted and slow to end. */
function timeIsOver(
  { asked }: Drain,
  left: readonly DrainedPod[],
  waiting: readonly DrainedPod[],
  blocked: JsonObject | null,
): Faulted {
  const waited = { waited: asked.timeout_seconds };
  const cause = `${asked.name}: ${left.length} not evicted, ${waiting.length} not gone after ${asked.timeout_seconds} s`;
  if (left.length > 0)
    return new Faulted(fault("eviction_blocked", { ...(blocked ?? { budgets: [] }), ...waited }, cause));
  return new Faulted(
    fault("eviction_blocked", { budgets: [], terminating: waiting.slice(0, shown).map(place), ...waited }, cause),
  );
}
