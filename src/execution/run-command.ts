// Runs one command in a pod that is as it was agreed; a rehearsal only looks at the pod.

import { Faulted } from "../domain/fault.ts";
import { textAt } from "../domain/json.ts";
import type { StreamSegment } from "../domain/run.ts";
import type { Cluster } from "../tool.ts";
import { agreedExec } from "./agreed.ts";
import type { MaskIncoming } from "./contract.ts";
import { execMatter, execTargets, guardExec, inspectable, mostOutput } from "./exec.ts";
import type { Gate } from "./gate.ts";
import { hear, type Heard } from "./heard.ts";

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
    const heard = hear(options.now);
    const sending = client.exec({
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
      hears: heard,
    });
    const { end } = await sending.catch((thrown: unknown) => {
      options.streamed(whatCame(heard, masking));
      throw thrown;
    });
    gate.answered();
    gate.writes.push({ ...write, exec: { ...matter, lines: matter.lines.filter((line) => line.risk) } });
    const { text, segments } = heard.told(masking, end.kind === "exited");
    options.streamed(segments);
    return { ...end, ...text };
  };
}

/** What a command wrote before its end was lost. Where that can't be masked nothing of it is kept, and the fault stays the command's own. */
function whatCame(heard: Heard, masking: MaskIncoming): readonly StreamSegment[] {
  try {
    return heard.told(masking, false).segments;
  } catch (thrown) {
    if (thrown instanceof Faulted) return [];
    throw thrown;
  }
}
