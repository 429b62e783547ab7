// Runs one command in a container, as a list of words without a shell, and returns how it ended and what it wrote.

import * as z from "zod";
import {
  answer,
  containerIn,
  defineTool,
  inputs,
  refuseTokens,
  textAt,
  type Block,
  type ExecResult,
  type JsonObject,
  type ObjectRef,
  type Sentence,
} from "../src/tool.ts";

/** No control or invisible characters but tabs and line ends: an approver must see what runs. */
const word = z
  .string()
  .max(1024)
  .regex(
    /^(?:[\t\n]|[^\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])*$/u,
    "must hold no control or invisible characters",
  );

const input = z.strictObject({
  name: inputs.name(),
  namespace: inputs.namespace(),
  container: inputs.namespace().optional(),
  command: z
    .array(word)
    .min(1)
    .max(32)
    .refine(([program = ""]) => program.trim() !== "", "must name a program"),
  timeout_seconds: z.number().int().min(1).max(60).default(20),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

export default defineTool<Input>({
  name: "pods_exec",
  title: "Run a command",
  description:
    "Run one command (argument list, no stdin or TTY) in a container of a pod; returns exit code and output. Prefer read tools; usually needs approval.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  effects: ["execute"],
  input,
  effect: () => "execute",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  // A short command is a call like any other; a longer one needs more than a call's usual time, and runs on when its caller has waited enough.
  lasts: ({ preview, timeout_seconds }) => (preview || timeout_seconds <= 30 ? 0 : timeout_seconds * 1000 + 30_000),
  async needs({ name, namespace, command }, { findKind }) {
    refuseTokens(command, "command");
    const pods = await findKind("pods");
    const exec = { kind: pods, namespace, name, subresource: "exec" };
    // Over a WebSocket a command is a GET, and Kubernetes asks for the right to create as well.
    return [
      { verb: "get", kind: pods, namespace, name },
      { verb: "get", ...exec },
      { verb: "create", ...exec },
    ];
  },
  async run({ name, namespace, container, command, timeout_seconds: seconds }, kit) {
    const ref: ObjectRef = { kind: await kit.findKind("pods"), namespace, name };
    const pod = await kit.cluster.get(ref);
    const runs = containerIn(pod, container);
    const ended = await kit.cluster.exec(ref, { container: runs.name, command, seconds });
    if (ended.kind === "rehearsed") return { ...answer([]), checks: checksOf(pod, runs), undo };
    const blocks: Block[] = (["stdout", "stderr"] as const).flatMap((stream) =>
      ended[stream] === "" ? [] : [{ kind: "data", source: `${stream} of ${name}/${runs.name}`, text: ended[stream] }],
    );
    const silent: Block[] = blocks.length > 0 ? [] : [{ kind: "line", line: ["it wrote nothing"] }];
    const facts = { counts: countsOf(ended), ...cutOf(ended, seconds) };
    return { ...answer([], [{ kind: "line", line: ending(ended, seconds) }, ...blocks, ...silent], facts, true) };
  },
});

const undo = "none: nobody can foresee what a command changes";

function checksOf(pod: JsonObject, { name, ready }: ReturnType<typeof containerIn>): Sentence[] {
  const leaving = textAt(pod, "metadata", "deletionTimestamp") !== "";
  return [
    ready ? [`container ${name} is ready`] : [`container ${name} runs and is not ready`],
    ...(leaving ? [["the pod is on its way out"]] : []),
  ];
}

type Ended = Exclude<ExecResult, { kind: "rehearsed" }>;

function ending(ended: Ended, seconds: number): Sentence {
  if (ended.kind === "exited")
    return [ended.code === null ? "exit code not 0 (the node does not tell which)" : `exit code ${ended.code}`];
  return ended.by === "bytes"
    ? ["no exit code: its output passed 64 KiB, so the connection was closed; it may still run"]
    : [`no exit code after ${seconds} s: the connection was closed; it may still run`];
}

function countsOf(ended: Ended): { [key: string]: number } {
  return ended.kind === "exited" && ended.code !== null ? { exit_code: ended.code } : {};
}

function cutOf(ended: Ended, seconds: number): { cut?: string } {
  if (ended.kind === "exited") return {};
  return { cut: ended.by === "bytes" ? "output beyond 64 KiB" : `output after ${seconds} s` };
}
