// A command as it is agreed and as it is sent: what it would run in, what of it an approver could not see, and the last look at its URL.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Access } from "../domain/access.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { DiffLine } from "../domain/output.ts";
import { shownJson } from "../domain/unseen.ts";
import type { SentExec } from "../kubernetes/contract.ts";
import {
  commandRisks,
  containerIn,
  shownCommand,
  type ExecOptions,
  type ObjectRef,
  type ResourceKind,
} from "../tool.ts";
import type { MaskIncoming } from "./contract.ts";
import { describeTarget, type Target } from "./guard.ts";

/** Most bytes of a command's output (tools.md, `pods_exec`). */
export const mostOutput = 64 * 1024;

/** What a command is agreed by: whatever of it changes, the agreement no longer holds. */
export interface ExecMatter {
  /** The command, and where it would run: for the diff, the card and the preview's digest. */
  readonly lines: readonly DiffLine[];
  /** SHA-256 over the command and this very run of its container, hex. */
  readonly substance: string;
  /** Why it needs a person whatever a rule allows. */
  readonly alwaysAsks: readonly string[];
}

/** The matter of a command in a pod as it is now. Faults: invalid_input, exec_failed. */
export function execMatter(pod: JsonObject, { container, command }: ExecOptions): ExecMatter {
  const runs = containerIn(pod, container);
  const { name, image, account, node, restarts, id, powers } = runs;
  const where = `${name} of image ${image} as service account ${account} on ${node || "no node"}, restarts ${restarts}`;
  const generation = isJsonObject(pod["metadata"]) ? (pod["metadata"]["generation"] ?? null) : null;
  const agreed: Json = [[...command], name, image, account, node, restarts, id, generation, [...powers]];
  return {
    lines: [...shownCommand(command), line("container", where)],
    substance: createHash("sha256")
      .update(canonicalize(agreed) ?? "")
      .digest("hex"),
    alwaysAsks: [...commandRisks(command), ...powers],
  };
}

function line(path: string, text: string): DiffLine {
  return { sign: "+", risk: false, path, before: null, after: shownJson(text) };
}

/** Refuses a command of which the masker would hide a word: nobody could agree to it. Faults: invalid_input with the place of each word. */
export function inspectable(command: readonly string[], masking: Pick<MaskIncoming, "object" | "text">): void {
  const masked = masking.object({ command: [...command] })["command"];
  const shown: readonly Json[] = Array.isArray(masked) ? (masked as readonly Json[]) : [];
  const hidden = command.flatMap((word, index) =>
    shown[index] === word && masking.text(word) === word && !word.includes("[MASKED:") ? [] : [index],
  );
  const line_ = command.join(" ");
  if (hidden.length === 0 && masking.text(line_) === line_) return;
  const rule = "holds what looks like a secret: whoever agrees to a command must see all of it";
  const places = hidden.length === 0 ? ["command"] : hidden.map((index) => `command[${index}]`);
  throw new Faulted(fault("invalid_input", { problems: places.slice(0, 8).map((path) => ({ path, rule })) }));
}

/** The two accesses of a command, by the pod's name: Kubernetes asks for both. */
export function execTargets(
  { namespace, name }: Pick<ObjectRef, "namespace" | "name">,
  kind: Target["kind"],
): Target[] {
  return (["get", "create"] as const).map((verb) => ({ verb, kind, namespace, name, subresource: "exec" }));
}

/** What the last look knows. */
interface Line {
  readonly accesses: readonly Access[];
  readonly client: { readonly cluster: string };
  readonly rehearse: boolean;
  readonly forbids: (target: Target) => boolean;
}

/**
 * The last look at a command: its URL must name this pod and say exactly these words in this container, both accesses must be declared by the pod's own
 * name, no forbid may hold it, and a rehearsal sends none. Fault: internal.
 */
export function guardExec(
  { sent, container, command }: SentExec,
  meant: ObjectRef & Pick<ExecOptions, "container" | "command">,
  { accesses, client, rehearse, forbids }: Line,
): void {
  const kind: Pick<ResourceKind, "group" | "version" | "resource" | "kind"> = { ...meant.kind };
  const { verb, group, version, resource, subresource, namespace, name, dryRun } = sent;
  const targets = execTargets({ namespace, name }, { group, version, resource, kind: kind.kind });
  const declared = targets.every((target) =>
    accesses.some(
      (one) =>
        one.cluster === client.cluster &&
        one.verb === target.verb &&
        one.group === group &&
        one.resource === resource &&
        one.subresource === "exec" &&
        one.namespace === namespace &&
        one.name === name,
    ),
  );
  const asMeant =
    verb === "get" &&
    group === "" &&
    resource === "pods" &&
    subresource === "exec" &&
    !dryRun &&
    name !== "" &&
    namespace === meant.namespace &&
    name === meant.name &&
    container === meant.container &&
    JSON.stringify(command) === JSON.stringify(meant.command);
  if (declared && asMeant && !rehearse && !targets.some(forbids)) return;
  const told = describeTarget(targets[0] ?? { verb, kind, namespace, name, subresource });
  throw new Faulted(fault("internal", {}, `stopped at the wire: ${told}`));
}
