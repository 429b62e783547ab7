// Shows how far a rollout is, what blocks it, which revisions are kept, and what going back to one would change.

import * as z from "zod";
import {
  ago,
  answer,
  at,
  countAt,
  defineTool,
  fault,
  Faulted,
  findingLines,
  inputs,
  isHealthy,
  isJsonObject,
  listAt,
  mergeFindings,
  objectFindings,
  openLooks,
  optionalLists,
  podFindings,
  readiness,
  revisionsOf,
  rollOf,
  selectorText,
  textAt,
  workloads,
  writtenTemplate,
  type Block,
  type JsonObject,
  type Kit,
  type Looks,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: z.enum(workloads),
  name: inputs.name(),
  namespace: inputs.namespace(),
  revision: z.number().int().min(1).optional(),
});
type Input = z.output<typeof input>;

/** Where each kind keeps its revisions. */
const keptIn = {
  Deployment: "replicasets.apps",
  StatefulSet: "controllerrevisions.apps",
  DaemonSet: "controllerrevisions.apps",
} as const;
const shownRevisions = 15;

export default defineTool<Input>({
  name: "rollouts_get",
  title: "Rollout history",
  description:
    "Show rollout progress, what blocks it, and the revision history with images. With revision: what going back to it would change.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs({ kind, name, namespace, revision }, { findKind }) {
    const [found, kept] = await Promise.all([findKind(`${kind}.apps`), findKind(keptIn[kind])]);
    const pods = revision === undefined ? await optionalLists(findKind, namespace, ["pods"]) : [];
    return [{ verb: "get", kind: found, namespace, name }, { verb: "list", kind: kept, namespace, name: "" }, ...pods];
  },
  async run(asked, kit) {
    const { kind, name, namespace } = asked;
    const workload = await kit.cluster.get({ kind: await kit.findKind(`${kind}.apps`), namespace, name });
    const kept = await keptOf(asked, kit);
    const { current, others } = revisionsOf(kind, workload, kept);
    const known = [...(current === undefined ? [] : [current]), ...others].map(({ number, object }) => ({
      number,
      object: kept.find((one) => textAt(one, "metadata", "name") === object) ?? {},
    }));
    if (asked.revision !== undefined) return goingBack(asked, workload, known, kit);
    const looks = openLooks(kit);
    const state = readiness(kind, workload);
    const byHand = textAt(workload, "spec", "updateStrategy", "type") === "OnDelete";
    const word = byHand ? "by hand" : { yes: "done", no: "going on", never: "blocked" }[state.reached];
    const blocks = await blockers(asked, workload, looks, kit);
    const shown = known.toSorted((a, b) => b.number - a.number).slice(0, shownRevisions);
    const rows = shown.map(({ number, object }) => [
      String(number),
      number === current?.number ? "now" : "",
      imagesOf(templateOf(kind, object)),
      ago(Date.parse(textAt(object, "metadata", "creationTimestamp")), kit.now()),
      ...(kind === "Deployment"
        ? [`${countAt(object, "status", "readyReplicas")}/${countAt(object, "spec", "replicas")}`]
        : []),
      textAt(object, "metadata", "annotations", "kubernetes.io/change-cause"),
    ]);
    const causes = rows.some((row) => row.at(-1) !== "");
    const columns = [
      "REVISION",
      "NOW",
      "IMAGES",
      "AGE",
      ...(kind === "Deployment" ? ["PODS"] : []),
      ...(causes ? ["CHANGE-CAUSE"] : []),
    ];
    const left = known.length - shown.length;
    return answer(
      [`${kind} ${namespace}/${name}: rollout ${word}: `, ...state.says, `; ${known.length} revisions kept.`],
      [
        { kind: "line", line: ["a new template: ", ...rollOf(kind, workload)] },
        ...(current === undefined && known.length > 0
          ? [{ kind: "line" as const, line: ["its template is in no revision yet: no pod runs it"] }]
          : []),
        ...blocks,
        ...(rows.length === 0
          ? []
          : [{ kind: "table" as const, columns, rows: rows.map((row) => row.slice(0, columns.length)) }]),
        ...(left > 0 ? [{ kind: "line" as const, line: [`${left} older revisions not shown.`] }] : []),
        ...(looks.unread.length > 0
          ? [{ kind: "line" as const, line: [`Not checked: ${looks.unread.join(", ")}.`] }]
          : []),
      ],
      { counts: { revisions: known.length, shown: shown.length }, ...(left > 0 ? { cut: `${left} revisions` } : {}) },
      true,
    );
  },
});

async function keptOf({ kind, namespace }: Input, kit: Kit): Promise<readonly JsonObject[]> {
  const kept = await kit.findKind(keptIn[kind]);
  const items: JsonObject[] = [];
  for (let next = ""; ;) {
    const page = await kit.cluster.list(kept, namespace, { limit: 500, ...(next === "" ? {} : { continue: next }) });
    items.push(...page.items);
    next = page.continue;
    if (next === "") return items;
  }
}

function templateOf(kind: Input["kind"], object: JsonObject): JsonObject {
  const template = kind === "Deployment" ? at(object, "spec", "template") : at(object, "data", "spec", "template");
  return isJsonObject(template) ? writtenTemplate(template) : {};
}

function imagesOf(template: JsonObject): string {
  return ["initContainers", "containers"]
    .flatMap((list) => listAt(template, "spec", list).map((one) => textAt(one, "image")))
    .join(",");
}

/** What keeps it from being done: its own conditions, then its pods. */
async function blockers({ kind, namespace }: Input, workload: JsonObject, looks: Looks, kit: Kit): Promise<Block[]> {
  const now = kit.now();
  const selector = selectorText(at(workload, "spec", "selector"));
  const pods = selector === null ? [] : ((await looks.list("pods", namespace, { selector }, 2000)) ?? []);
  const found = [
    // The headline says it already.
    ...objectFindings({ kind, object: workload, warnings: [], now }).filter(
      (one) => one.problem[0] !== "its rollout passed its deadline",
    ),
    ...pods
      .filter((pod) => !isHealthy(pod))
      .flatMap((pod) => podFindings(pod, { warnings: [], nodes: null, now }).map((one) => ({ ...one, owner: "" }))),
  ];
  const merged = mergeFindings(found);
  const more = merged.length - 4;
  return [
    ...(merged.length === 0 ? [] : [{ kind: "line" as const, line: ["blocked by:"] }]),
    // Their evidence is problems_diagnose's to tell.
    ...merged.slice(0, 4).flatMap((one, index) => findingLines({ ...one, evidence: [] }, index + 1)),
    ...(more > 0 ? [{ kind: "line" as const, line: [`${more} more: problems_diagnose.`] }] : []),
  ];
}

function goingBack(
  asked: Input,
  workload: JsonObject,
  known: readonly { readonly number: number; readonly object: JsonObject }[],
  kit: Kit,
): ReturnType<typeof answer> {
  const chosen = known.find((one) => one.number === asked.revision);
  if (chosen === undefined)
    throw new Faulted(
      fault("not_found", {
        kind: "revision",
        name: String(asked.revision),
        near: known.slice(0, 8).map((one) => String(one.number)),
        shows: "without revision they are listed",
      }),
    );
  const template = at(workload, "spec", "template");
  const now = isJsonObject(template) ? writtenTemplate(template) : {};
  const before = { spec: { template: now } };
  const after = { spec: { template: templateOf(asked.kind, chosen.object) } };
  const lines = kit.diff(before, after);
  // Guessable values are hidden without a tag, so that equal text does not mean equal values.
  const hidden = Math.min(untagged(before), untagged(after));
  return answer(
    [
      `${asked.kind} ${asked.namespace}/${asked.name}: going back to revision ${chosen.number} would change ${lines.length === 0 ? (hidden > 0 ? "no field that can be compared" : "nothing: it is what runs now") : `fields: ${lines.length}`}.`,
    ],
    [
      ...(lines.length === 0 ? [] : [{ kind: "diff" as const, lines }]),
      ...(hidden > 0
        ? [{ kind: "line" as const, line: [`Not checked: masked values that may differ too: ${hidden}.`] }]
        : []),
      ...(lines.length === 0 && hidden === 0
        ? []
        : [{ kind: "line" as const, line: [`next: rollouts_undo to_revision ${chosen.number}, with preview first.`] }]),
    ],
    { counts: { fields: lines.length, hidden } },
    true,
  );
}

/** How many values are masked without a tag. */
function untagged(object: JsonObject): number {
  return [...JSON.stringify(object).matchAll(/\[MASKED:[a-z_-]+\]/g)].length;
}
