// The scale subresource: a workload's replica count as an autoscaling/v1 Scale.

import { admit } from "./admission.ts";
import { at, isJsonObject, numberAt, put, textAt, timestamp, type Json, type JsonObject } from "./json.ts";
import { decodeObject, existing, patched, requireName, type Write, type Written } from "./objects.ts";
import { own } from "./fields.ts";
import { groupVersionOf } from "./kinds.ts";
import { selectorText } from "./selectors.ts";
import { conflict, invalid, invalidValue, modified } from "./status.ts";
import type { Storage } from "./storage.ts";
import { replicaCauses } from "./validate.ts";

/** A count of none is left out of a Scale's spec, as Go's omitempty does. */
const counted = (replicas: number): JsonObject => (replicas === 0 ? {} : { replicas });

export function scaleOf(object: JsonObject): JsonObject {
  const fields = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];
  const selector = selectorText(at(object, "spec", "selector"));
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: Object.fromEntries(fields.map((field) => [field, textAt(object, "metadata", field)])),
    spec: counted(numberAt(object, "spec", "replicas")),
    status: { replicas: numberAt(object, "status", "replicas"), selector },
  };
}

/** A Scale as it was sent: by a patch (`apply`) or, where that is null, whole. `strict` refuses fields that a Scale does not have. */
export interface SentScale {
  readonly apply: ((target: Json | undefined, patch: Json) => Json) | null;
  readonly body: Json | undefined;
  readonly strict: boolean;
}

/** Sets the count. */
export function setScale(storage: Storage, write: Write, { apply, body, strict }: SentScale): Written {
  const { kind, name } = write;
  const old = existing(storage, kind, write.namespace, name);
  const before = scaleOf(old);
  const unpinned = put(before, ["metadata", "resourceVersion"], undefined);
  const scale =
    apply === null ? decodeObject(body, "Scale", "autoscaling/v1") : patched(unpinned, apply, body, "Scale");
  if (strict) refuseUnknown(scale);
  requireName(write, scale);
  const version = textAt(scale, "metadata", "resourceVersion");
  if (version !== "" && version !== textAt(before, "metadata", "resourceVersion")) throw conflict(kind, name, modified);
  const [uid, known] = [textAt(scale, "metadata", "uid"), textAt(before, "metadata", "uid")];
  if (uid !== "" && uid !== known) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${known}`;
    throw conflict({ group: kind.group, resource: `${kind.resource}/scale` }, name, why);
  }
  const causes = replicaCauses(scale);
  if (causes.length > 0) throw invalid("Scale", "autoscaling", name, causes);
  const replicas = numberAt(scale, "spec", "replicas");
  const asked = put(before, ["spec"], counted(replicas));
  const warnings = admit(storage, { ...write, operation: "UPDATE", object: asked, old: before });
  if (replicas === numberAt(old, "spec", "replicas")) return { object: before, warnings };
  const generation = numberAt(old, "metadata", "generation") + 1;
  const changed = put(put(old, ["metadata", "generation"], generation), ["spec", "replicas"], replicas);
  const next = own(old, changed, {
    manager: write.manager,
    apiVersion: groupVersionOf(kind),
    subresource: "scale",
    time: timestamp(write.now),
  });
  return { object: scaleOf(write.dryRun ? next : storage.write(kind, next)), warnings };
}

/** As Kubernetes' strict decoder words it. */
function refuseUnknown(scale: JsonObject): void {
  const spec = at(scale, "spec");
  const unknown = [
    ...Object.keys(scale).filter((key) => !["kind", "apiVersion", "metadata", "spec", "status"].includes(key)),
    ...Object.keys(isJsonObject(spec) ? spec : {}).flatMap((key) => (key === "replicas" ? [] : [`spec.${key}`])),
  ];
  if (unknown.length === 0) return;
  const said = `strict decoding error: ${unknown.map((field) => `unknown field "${field}"`).join(", ")}`;
  throw invalid("", "", "", [invalidValue("patch", JSON.stringify(scale), said)]);
}
