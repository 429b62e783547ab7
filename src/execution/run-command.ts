// Runs one command in a pod that is as it was agreed; a rehearsal only looks at the pod.

import { textAt } from "../domain/json.ts";
import { wholeLines } from "../kubernetes/stream.ts";
import type { Cluster } from "../tool.ts";
import { agreedExec } from "./agreed.ts";
import { execMatter, execTargets, guardExec, inspectable, mostOutput } from "./exec.ts";
import type { Gate } from "./gate.ts";

/** Faults: exec_failed; stale; invalid_input where the masker would hide a word of the command. */
export function runCommand(gate: Gate): Cluster["exec"] {
  const { options } = gate;
  const { client, masking } = options;
  return async (pod, exec) => {
    for (const target of execTargets(pod, pod.kind)) gate.request(target);
    inspectable(exec.command, masking);
    const before = masking.object(await gate.read(pod, ""));
    const matter = execMatter(before, exec);
    const agreement = { resource: "pods/exec", uid: textAt(before, "metadata", "uid"), substance: matter.substance };
    const write = { ref: pod, subresource: "exec", before, after: before, taken: [], sent: null, warnings: [] };
    if (options.rehearse) {
      gate.writes.push({ ...write, exec: matter });
      return { kind: "rehearsed" };
    }
    agreedExec(options.preconditions, pod, agreement);
    const { namespace, name } = pod;
    const answer = await client.exec({
      namespace,
      name,
      container: exec.container,
      command: exec.command,
      authorization: options.authorization(),
      auditId: options.nextAuditId(),
      agent: options.agent,
      signal: options.signal,
      timeout: exec.seconds * 1000,
      maxBytes: mostOutput,
      guard: (sent) => guardExec(sent, { ...pod, ...exec }, options),
    });
    gate.answered();
    gate.writes.push({ ...write, exec: { ...matter, lines: matter.lines.filter((line) => line.risk) } });
    const { end } = answer;
    const cut = end.kind === "cut" ? end.by : null;
    const text = (stream: string): string => masking.text(wholeLines(stream, cut, Infinity).text);
    const [stdout, stderr] = [text(answer.stdout), text(answer.stderr)];
    return end.kind === "cut" ? { ...end, stdout, stderr } : { ...end, stdout, stderr };
  };
}
