// Sets the image, environment or resources of one container; of a running pod, its resources in place.

import * as z from "zod";
import {
  answer,
  at,
  containersOf,
  defineTool,
  fault,
  Faulted,
  inputs,
  named,
  podSpecPath,
  refuseTokens,
  textAt,
  workloads,
  type Json,
  type JsonObject,
  type Need,
  type Sentence,
} from "../src/tool.ts";

const quantities = z.record(
  z.string().regex(/^[a-z0-9]([a-z0-9./-]{0,250}[a-z0-9])?$/, "must name a resource, for example cpu"),
  z
    .string()
    .min(1)
    .max(40)
    .regex(
      /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]i?|[eE][+-]?[0-9]+)?$/,
      "must be a quantity, for example 200m or 256Mi",
    ),
);

const input = z.strictObject({
  kind: z.enum([...workloads, "CronJob", "Pod"]),
  name: inputs.name(),
  namespace: inputs.namespace(),
  container: inputs.container(),
  image: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/, "must be an image, for example registry.example.com/api:1.2")
    .optional(),
  env: z
    .record(
      z.string().regex(/^[-._a-zA-Z][-._a-zA-Z0-9]{0,252}$/, "must be the name of a variable"),
      z.string().max(1024).nullable(),
    )
    .optional()
    .describe("null removes; never secrets"),
  requests: quantities.optional().describe("cpu: 200m, memory: 256Mi"),
  limits: quantities.optional(),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

const groups = { Deployment: "apps", StatefulSet: "apps", DaemonSet: "apps", CronJob: "batch", Pod: "" } as const;
const kindName = (kind: Input["kind"]): string => (groups[kind] === "" ? kind : `${kind}.${groups[kind]}`);

export default defineTool<Input>({
  name: "workloads_update",
  title: "Update a container",
  description:
    "Set image, environment or CPU/memory of one container; the pods roll. kind Pod resizes resources in place where supported.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  effects: ["change"],
  input,
  effect: () => "change",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs({ kind, name, namespace }, { findKind }) {
    const found = await findKind(kindName(kind));
    const subresource = kind === "Pod" ? "resize" : "";
    return [
      { verb: "get", kind: found, namespace, name },
      { verb: "patch", kind: found, namespace, name, subresource },
    ] satisfies Need[];
  },
  async run(asked, kit) {
    const { kind, name, namespace } = asked;
    refuseBadChange(asked);
    const ref = { kind: await kit.findKind(kindName(kind)), namespace, name };
    const before = await kit.cluster.get(ref);
    const path = podSpecPath(kind);
    const all = containersOf(at(before, ...path));
    const found = all.find((one) => textAt(one.container, "name") === asked.container);
    if (found === undefined)
      throw new Faulted(
        fault("not_found", {
          kind: "container",
          name: asked.container,
          near: all.slice(0, 8).map((one) => textAt(one.container, "name")),
          shows: "objects_get shows the containers",
        }),
      );
    const patch = path.reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), {
      [found.list]: [{ name: asked.container, ...changeOf(asked, found.container) }],
    });
    const subresource = kind === "Pod" ? "resize" : "";
    await kit.cluster.patch(ref, patch, { type: "strategic", subresource });
    const checks: Sentence[] = kind === "Pod" ? [[resized]] : [];
    // What is not rolled out or not kept is in no revision to go back to.
    const spec = at(before, "spec");
    const keeps = kind !== "Pod" && kind !== "CronJob" && at(spec, "revisionHistoryLimit") !== 0;
    return {
      ...answer([]),
      checks,
      undo: undoOf(asked, found.container, keeps && at(spec, "paused") !== true),
    };
  },
});
const resized = "the pod's resources change in place; a container whose resizePolicy says so restarts";

function problem(path: string, rule: string): Faulted {
  return new Faulted(fault("invalid_input", { problems: [{ path, rule }] }));
}

function refuseBadChange(asked: Input): void {
  const { image, env, requests, limits } = asked;
  if (image === undefined && env === undefined && requests === undefined && limits === undefined)
    throw problem("arguments", "must hold image, env, requests or limits");
  if (asked.kind === "Pod" && (image !== undefined || env !== undefined))
    throw problem("kind", "of a running Pod only requests and limits can be changed: change its workload instead");
  refuseTokens({ ...env }, "env");
}

/** A strategic patch of one container (Kubernetes API reference: env merges by name). */
function changeOf(asked: Input, container: JsonObject): JsonObject {
  const known = at(container, "env");
  const sources = (Array.isArray(known) ? (known as readonly Json[]) : []).filter(
    (one) => at(one, "valueFrom") !== undefined,
  );
  const env = Object.entries(asked.env ?? {}).map(([name, value]): JsonObject => {
    if (value === null) return { name, $patch: "delete" };
    // A variable has one source: its old reference must go, or the server would merge both.
    return sources.some((one) => textAt(one, "name") === name) ? { name, value, valueFrom: null } : { name, value };
  });
  const { requests, limits } = asked;
  return {
    ...(asked.image === undefined ? {} : { image: asked.image }),
    ...(asked.env === undefined ? {} : { env }),
    ...(requests === undefined && limits === undefined
      ? {}
      : {
          resources: { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) },
        }),
  };
}

/** The same tool with what stood there before; what was hidden or absent is not made up. */
function undoOf(asked: Input, container: JsonObject, keepsRevisions: boolean): string {
  const parts: string[] = [];
  if (asked.image !== undefined) parts.push(`image ${plain(textAt(container, "image"))}`);
  const known = at(container, "env");
  for (const name of Object.keys(asked.env ?? {})) {
    const old = (Array.isArray(known) ? (known as readonly Json[]) : []).find((one) => textAt(one, "name") === name);
    const value = at(old, "value");
    parts.push(
      `env ${name}=${old === undefined ? "null" : typeof value === "string" ? plain(value) : "(its reference)"}`,
    );
  }
  for (const side of ["requests", "limits"] as const)
    for (const resource of Object.keys(asked[side] ?? {}))
      parts.push(`${side} ${resource}=${plain(textAt(container, "resources", side, resource))}`);
  return `${keepsRevisions ? "rollouts_undo, or " : ""}workloads_update ${parts.join(", ")}`;
}

function plain(text: string): string {
  if (text === "") return "(none)";
  const word = named(text);
  return typeof word === "string" ? word : JSON.stringify(word.quoted.slice(0, 80));
}
