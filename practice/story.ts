// The story: what an agent asks, what Sallyport answers, who agrees, and the record of it all. Each step says what it expects.

import { Client } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { setTimeout as pause } from "node:timers/promises";
import { sallyport } from "./gateway.ts";

export interface Teller {
  readonly say: (line: string) => void;
  readonly paint: (code: number, text: string) => string;
  /** Asks the person at the terminal; null without one. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

export interface StoryOptions {
  readonly url: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly agentToken: string;
  readonly approverToken: string;
  /** Secret values that were planted in the cluster: none may come back. */
  readonly planted: readonly string[];
  readonly teller: Teller;
}

interface Step {
  readonly title: string;
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  /** "" when the answer is as it should be, else what is wrong. */
  readonly expect: (text: string, isError: boolean) => string;
}

/** Plays it; returns what went otherwise. */
export async function playStory(options: StoryOptions): Promise<readonly string[]> {
  const { teller } = options;
  const failed: string[] = [];
  const client = new Client({ name: "sallyport-story", version: "1.0.0" });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(options.url), {
      requestInit: { headers: { Authorization: `Bearer ${options.agentToken}` } },
    }),
  );
  const { tools } = await client.listTools();
  teller.say(
    `The agent is shown ${tools.length} tools in ${JSON.stringify(tools).length} bytes: ${tools.map((tool) => tool.name).join(", ")}.`,
  );

  for (const [index, step] of steps.entries()) {
    teller.say(`\n${teller.paint(1, `${index + 1}. ${step.title}`)}`);
    teller.say(teller.paint(36, `   ${step.tool} ${JSON.stringify(step.arguments)}`));
    const approving = step.tool === "workloads_scale" ? approve(options) : Promise.resolve("");
    const [answer, wrongApproval] = await Promise.all([
      client.callTool({ name: step.tool, arguments: step.arguments }, { timeout: 90_000 }),
      approving,
    ]);
    const text = (answer.content as { text?: string }[]).map((part) => part.text ?? "").join("\n");
    teller.say(
      text
        .split("\n")
        .map((line) => `   ${line}`)
        .join("\n"),
    );
    const leaked = options.planted.some((value) => text.includes(value));
    const wrong = [
      step.expect(text, answer.isError === true),
      wrongApproval,
      leaked ? "a planted secret came back" : "",
    ].filter((one) => one !== "");
    failed.push(...wrong.map((one) => `${step.tool}: ${one}`));
  }
  await client.close();

  teller.say(`\n${teller.paint(1, "The record of all this")}`);
  for (const command of [
    ["transcript", "list"],
    ["transcript", "verify"],
  ]) {
    const run = await sallyport(command, options.env);
    teller.say(teller.paint(36, `   sallyport ${command.join(" ")}`));
    teller.say(
      run.output
        .trimEnd()
        .split("\n")
        .map((line) => `   ${line}`)
        .join("\n"),
    );
    if (run.code !== 0) failed.push(`sallyport ${command.join(" ")} ended with ${run.code}`);
    if (options.planted.some((value) => run.output.includes(value)))
      failed.push("a planted secret stands in the record");
  }
  return failed;
}

const startsWith =
  (head: string) =>
  (text: string): string =>
    text.startsWith(head) ? "" : `expected an answer that starts with ${head}`;

const steps: readonly Step[] = [
  {
    title: "The agent looks at the pods of production.",
    tool: "objects_list",
    arguments: { kind: "pods", namespace: "shop-prod" },
    expect: (text, isError) => (!isError && / pods in shop-prod/.test(text) ? "" : "expected a list of pods"),
  },
  {
    title: "It reads a Deployment whose env holds a password: the password is masked.",
    tool: "objects_get",
    arguments: { kind: "Deployment", namespace: "shop-prod", name: "api" },
    expect: (text, isError) => (!isError && text.includes("[MASKED:") ? "" : "expected a masked Deployment"),
  },
  {
    title: "It tries to read a Secret: denied, with the reason that the rule's author wrote.",
    tool: "objects_get",
    arguments: { kind: "Secret", namespace: "shop-prod", name: "api-db" },
    expect: startsWith("DENIED"),
  },
  {
    title: "It asks to scale production: a person must agree, and sees what will happen.",
    tool: "workloads_scale",
    arguments: {
      kind: "Deployment",
      namespace: "shop-prod",
      name: "api",
      replicas: 5,
      reason: "Checkout latency doubled since noon; two more replicas",
    },
    expect: startsWith("DONE workloads_scale"),
  },
];

/** Answers the one request as the approver: the person at the terminal, or after a second another person than the requester. */
async function approve({ env, home, teller }: StoryOptions): Promise<string> {
  const approver = { ...env, SALLYPORT_TOKEN_FILE: `${home}/approver.token` };
  const id = await pendingRequest(approver);
  if (id === "") return "no request for approval appeared";
  const shown = await sallyport(["approvals", "show", id], approver);
  teller.say(
    shown.output
      .trimEnd()
      .split("\n")
      .map((line) => `   ${teller.paint(33, "│")} ${line}`)
      .join("\n"),
  );
  const yes = teller.ask === null ? await pause(1000, "y") : await teller.ask("   Approve, as the approver? [y/N] ");
  const answer = /^y(es)?$/i.test(yes.trim())
    ? ["approve", id, "--yes"]
    : ["reject", id, "--reason", "Not now", "--tell-agent"];
  const answered = await sallyport(["approvals", ...answer], approver);
  teller.say(`   ${teller.paint(33, "│")} ${answered.output.trim().split("\n").at(-1) ?? ""}`);
  if (answer[0] === "reject") return "you said no, and it did not run";
  return answered.code === 0 ? "" : `the approver could not approve: ${answered.output}`;
}

async function pendingRequest(env: NodeJS.ProcessEnv): Promise<string> {
  for (let tries = 0; tries < 40; tries++) {
    const listed = await sallyport(["approvals", "list", "--json"], env);
    const found = /"id":\s*"(apr_[^"]+)"/.exec(listed.output);
    if (found?.[1] !== undefined) return found[1];
    await pause(250);
  }
  return "";
}
