// From a command to the URL that runs it, and back: the words that are parsed from the final URL must be the words that were asked, or nothing is sent.

import { fault, Faulted } from "../domain/fault.ts";
import type { ExecRequest, SentExec } from "./contract.ts";
import { containerRule, wordRule, type Problem } from "./names.ts";
import { encode, wireOf, type Wire } from "./url.ts";

/** Most words of a command. */
const mostWords = 32;

export interface ExecWire extends Pick<Wire, "origin" | "path"> {
  readonly exec: SentExec;
}

/**
 * The address of `pods/exec` for one command (core/v1, PodExecOptions): output and errors, no input, no terminal.
 * Faults: invalid_input (path and rule, never the value), internal (the URL would not say what was asked).
 */
export function execWire(
  server: string,
  asked: Pick<ExecRequest, "namespace" | "name" | "container" | "command">,
): ExecWire {
  const problems = problemsOf(asked);
  if (problems.length > 0) throw new Faulted(fault("invalid_input", { problems: problems.map((one) => ({ ...one })) }));
  const { namespace, name, container, command } = asked;
  const target = { verb: "get", group: "", version: "v1", resource: "pods", subresource: "exec" } as const;
  const wire = wireOf(server, { ...target, namespace, name });
  const pairs = [
    ["container", container],
    ["stdout", "true"],
    ["stderr", "true"],
    ...command.map((word) => ["command", word] as const),
  ] as const;
  const path = `${wire.path}?${pairs.map(([key, value]) => `${key}=${encode(value)}`).join("&")}`;
  const final = new URL(`${wire.origin}${path}`);
  if (final.pathname + final.search !== path || final.hash !== "") throw refused("the URL is not what was built");
  const read = commandIn(final.searchParams);
  if (read.container !== container || JSON.stringify(read.command) !== JSON.stringify(command))
    throw refused("the URL means another command than was asked");
  return { origin: wire.origin, path, exec: { sent: wire.sent, ...read } };
}

function problemsOf({ namespace, name, container, command }: Parameters<typeof execWire>[1]): Problem[] {
  const problems: Problem[] = [];
  const check = (path: string, rule: string | null): void => {
    if (rule !== null) problems.push({ path, rule });
  };
  check("namespace", namespace === "" ? "must be named" : null);
  check("name", name === "" ? "must be named" : null);
  check("container", containerRule(container));
  check("command", command.length === 0 || command.length > mostWords ? `must hold 1 to ${mostWords} words` : null);
  check("command[0]", command[0] === "" ? "must name a program" : null);
  command.forEach((word, index) => check(`command[${index}]`, wordRule(word)));
  return problems.slice(0, 8);
}

/** Reads the parameters as the API server does: only `command` may stand several times, and its words keep their order. */
function commandIn(query: URLSearchParams): Pick<SentExec, "container" | "command"> {
  const seen = new Map<string, string>();
  const command: string[] = [];
  for (const [key, value] of query) {
    if (key === "command") command.push(value);
    else if (seen.has(key) || !["container", "stdout", "stderr"].includes(key)) throw refused("another parameter");
    else seen.set(key, value);
  }
  return { container: seen.get("container") ?? "", command };
}

function refused(why: string): Faulted {
  return new Faulted(fault("internal", {}, `request refused before sending: ${why}`));
}
