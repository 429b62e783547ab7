// A command as it is shown before it runs: its words, the container that it would run in, and what that container can reach.

import { fault, Faulted } from "../domain/fault.ts";
import { at, textAt, type JsonObject } from "../domain/json.ts";
import type { DiffLine } from "../domain/output.ts";
import { shownJson } from "../domain/unseen.ts";
import { countAt, listAt } from "./selector.ts";

export { commandRisks } from "./command-risks.ts";

/** Most characters of JSON text in one line of a diff: no renderer cuts these. */
const longest = 240;

/** The command, every word quoted as JSON and none cut: in one line where it is short, else a line a word, a long word in parts. */
export function shownCommand(command: readonly string[]): readonly DiffLine[] {
  const line = (path: string, after: string): DiffLine => ({ sign: "+", risk: true, path, before: null, after });
  const whole = shownJson(command);
  if (Buffer.byteLength(whole) <= longest) return [line("command", whole)];
  return command.flatMap((word, index) => {
    const parts = partsOf(word);
    return parts.map((part, at_) =>
      line(`command[${index}]${parts.length === 1 ? "" : ` part ${at_ + 1} of ${parts.length}`}`, shownJson(part)),
    );
  });
}

function partsOf(word: string): readonly string[] {
  const parts = [""];
  for (const character of word) {
    const grown = `${parts.at(-1) ?? ""}${character}`;
    if (Buffer.byteLength(shownJson(grown)) > longest) parts.push(character);
    else parts[parts.length - 1] = grown;
  }
  return parts;
}

/** The container of a pod that a command would run in. */
export interface RunsIn {
  readonly name: string;
  readonly image: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** The runtime's own name for this very run of it; "" where the status tells none. */
  readonly id: string;
  readonly account: string;
  readonly node: string;
  /** What it can reach beyond a plain container, in our words. */
  readonly powers: readonly string[];
}

/**
 * The container of this name, or without a name the only one (or the pod's own default). Faults: invalid_input naming the choices;
 * exec_failed where it is not running.
 */
export function containerIn(pod: JsonObject, name?: string): RunsIn {
  const specs = ["containers", "initContainers", "ephemeralContainers"].flatMap((list) => listAt(pod, "spec", list));
  const plain = listAt(pod, "spec", "containers");
  const preset = textAt(pod, "metadata", "annotations", "kubectl.kubernetes.io/default-container");
  const wanted = name ?? (plain.length === 1 ? textAt(plain[0], "name") : preset);
  const spec = specs.find((one) => textAt(one, "name") === wanted);
  if (spec === undefined) {
    const rule = name === undefined ? "the pod has several: name one" : "not a container of this pod";
    const choices = specs.map((one) => textAt(one, "name"));
    throw new Faulted(fault("invalid_input", { problems: [{ path: "container", rule }], choices }));
  }
  const status = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
    .flatMap((list) => listAt(pod, "status", list))
    .find((one) => textAt(one, "name") === wanted);
  if (at(status, "state", "running") === undefined)
    throw new Faulted(fault("exec_failed", { name: textAt(pod, "metadata", "name"), why: "container" }));
  return {
    name: wanted,
    image: textAt(spec, "image"),
    ready: at(status, "ready") === true,
    restarts: countAt(status, "restartCount"),
    id: textAt(status, "containerID"),
    account: textAt(pod, "spec", "serviceAccountName") || "default",
    node: textAt(pod, "spec", "nodeName"),
    powers: powersOf(pod, spec),
  };
}

/** What makes a command in this container more than a command in a container. */
function powersOf(pod: JsonObject, spec: JsonObject): readonly string[] {
  const on = (...path: string[]): boolean => at(pod, "spec", ...path) === true;
  const mounted = new Set(listAt(spec, "volumeMounts").map((one) => textAt(one, "name")));
  const hostPaths = listAt(pod, "spec", "volumes").filter(
    (one) => at(one, "hostPath") !== undefined && mounted.has(textAt(one, "name")),
  );
  return [
    ...(at(spec, "securityContext", "privileged") === true
      ? ["the container is privileged: it can take the node"]
      : []),
    ...(on("hostPID") || on("hostIPC") || on("hostNetwork")
      ? ["the pod shares the node's processes, memory or network"]
      : []),
    ...(hostPaths.length > 0 ? ["files of the node are mounted in the container"] : []),
  ];
}
