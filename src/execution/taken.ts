// What an apply by force would take from other field managers, and from whom it takes nothing.

import { Faulted } from "../domain/fault.ts";
import { textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { ObjectRef } from "../tool.ts";
import type { Gate } from "./gate.ts";
import type { Taken } from "./write.ts";
import { writeQuery } from "./write-body.ts";

/** Field managers that write again whatever they keep: Kubernetes' own, autoscalers, operators, GitOps. */
const controllers = /^(kube-|kubelet$)|controller|autoscaler|operator|^argocd|^flux|^helm-|kustomize/i;

/** A name that can't be read may be a controller's. */
const mayBeController = (manager: string): boolean => manager === "" || controllers.test(manager);
const unread = "another manager";

/** The fields that an apply would take from others, found by a rehearsal without force. A controller's are not taken: it would take them back. */
export async function takenOver(
  gate: Gate,
  ref: ObjectRef,
  body: JsonObject,
  contentType: string,
): Promise<readonly Taken[]> {
  const { options } = gate;
  const query = { ...writeQuery(options), dryRun: "All", force: "false" };
  try {
    await options.client.request(
      gate.request({ verb: "patch", ...ref, subresource: "" }, { body, contentType, query }),
    );
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Faulted) || thrown.fault.code !== "conflict_fields") throw thrown;
    const taken = takenIn(thrown.fault.detail["fields"]);
    const theirs = taken.filter(({ manager }) => mayBeController(manager)).map(({ manager }) => manager || unread);
    if (taken.length > 0 && theirs.length === 0) return taken;
    throw new Faulted({ ...thrown.fault, detail: { ...thrown.fault.detail, controllers: [...new Set(theirs)] } });
  }
}

function takenIn(fields: Json | undefined): readonly Taken[] {
  const list = Array.isArray(fields) ? (fields as readonly Json[]) : [];
  return list.map((one) => ({ field: textAt(one, "field"), manager: textAt(one, "manager") }));
}
