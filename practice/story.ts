// The story: what an agent asks, what Sallyport answers, who agrees, what is left, and the record of it all. Long because it is told in one piece; each step says what it expects.

import { Client } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { setTimeout as pause } from "node:timers/promises";
import { textAt, type JsonObject } from "../src/domain/json.ts";
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
  /** Secret values that were planted in the cluster: none may come back. */
  readonly planted: readonly string[];
  /** The status of a GET as the cluster's administrator, who sees all that is there. */
  readonly look: (path: string) => Promise<number>;
  readonly teller: Teller;
}

export interface Step {
  readonly title: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  /** A person is asked: must be, may be (where the namespace's environment says so), or not at all. */
  readonly person: "must" | "may" | "no";
  /** "" when the answer is as it should be, else what is wrong. */
  readonly expect: (text: string, isError: boolean) => string;
}

/** The agent's own client, for as long as the story lasts. */
export interface Agent {
  /** Plays one step; returns what went otherwise. */
  play(step: Step): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function openAgent(options: StoryOptions): Promise<Agent> {
  const { teller, planted } = options;
  const client = new Client({ name: "sallyport-story", version: "1.0.0" });
  const headers = { Authorization: `Bearer ${options.agentToken}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(options.url), { requestInit: { headers } }));
  const { tools } = await client.listTools();
  teller.say(
    `The agent is shown ${tools.length} tools in ${JSON.stringify(tools).length} bytes: ${tools.map((tool) => tool.name).join(", ")}.`,
  );
  let count = 0;
  return {
    async play(step) {
      count += 1;
      teller.say(`\n${teller.paint(1, `${count}. ${step.title}`)}`);
      teller.say(teller.paint(36, `   ${step.tool} ${JSON.stringify(step.arguments)}`));
      const call = client.callTool({ name: step.tool, arguments: step.arguments }, { timeout: 90_000 });
      const ended = new AbortController();
      const [answer, wrongApproval] = await Promise.all([
        call.finally(() => ended.abort()),
        step.person === "no" ? "" : approve(options, step.person, ended.signal),
      ]);
      const text = (answer.content as { text?: string }[]).map((part) => part.text ?? "").join("\n");
      show(teller, text);
      const leaked = planted.some((value) => text.includes(value));
      return [
        step.expect(text, answer.isError === true),
        wrongApproval,
        leaked ? "a planted secret came back" : "",
      ].flatMap((one) => (one === "" ? [] : [`${step.tool}: ${one}`]));
    },
    close: () => client.close(),
  };
}

/** Plays the shop's story; returns what went otherwise. */
export async function playShop(options: StoryOptions): Promise<readonly string[]> {
  const agent = await openAgent(options);
  const failed: string[] = [];
  for (const step of shopSteps) failed.push(...(await agent.play(step)));
  if (failed.length === 0)
    failed.push(...(await lookForTheCredential(options, `${shopSteps.length + 1}`, "shop-prod")));
  await agent.close();
  return [...failed, ...(await showTheRecord(options))];
}

export const startsWith =
  (head: string) =>
  (text: string): string =>
    text.startsWith(head) ? "" : `expected an answer that starts with ${head}`;

export const podsOf = (namespace: string): Step => ({
  title: `The agent looks at the pods of ${namespace}.`,
  tool: "objects_list",
  arguments: { kind: "pods", namespace },
  person: "no",
  expect: (text, isError) =>
    !isError && new RegExp(` pods? in ${namespace}`, "i").test(text) ? "" : "expected a list of pods",
});

export const secretOf = (namespace: string, name: string): Step => ({
  title: "It tries to read a Secret: denied, with the reason that the rule's author wrote.",
  tool: "objects_get",
  arguments: { kind: "Secret", namespace, name },
  person: "no",
  expect: startsWith("DENIED"),
});

const shopSteps: readonly Step[] = [
  podsOf("shop-prod"),
  {
    title: "It reads a Deployment whose env holds a password: the password is masked.",
    tool: "objects_get",
    arguments: { kind: "Deployment", namespace: "shop-prod", name: "api" },
    person: "no",
    expect: (text, isError) => (!isError && text.includes("[MASKED:") ? "" : "expected a masked Deployment"),
  },
  secretOf("shop-prod", "api-db"),
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
    person: "must",
    expect: startsWith("DONE workloads_scale"),
  },
];

/** Looks, as the cluster's administrator, for what the last grant was made of: all of it must be gone. */
export async function lookForTheCredential(
  { env, look, teller }: StoryOptions,
  number: string,
  namespace: string,
): Promise<readonly string[]> {
  teller.say(
    `\n${teller.paint(1, `${number}. The credential of that change died with it: the cluster's administrator looks.`)}`,
  );
  const listed = await sallyport(["transcript", "list", "--json", "--limit", "500"], env);
  const issued = listed.output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as JsonObject)
    .findLast((entry) => entry["kind"] === "grant.issued" && textAt(entry, "details", "account").includes(":run-"));
  if (issued === undefined) return ["the change had no credential of its own"];
  const grant = textAt(issued, "details", "grant");
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const system = "/api/v1/namespaces/sallyport-system";
  const sessions = "/api/v1/namespaces/sallyport-sessions";
  const failed: string[] = [];
  const expected: readonly (readonly [string, string, number])[] = [
    [`ServiceAccount run-${grant}`, `${sessions}/serviceaccounts/run-${grant}`, 404],
    [`its token's anchor`, `${sessions}/secrets/anchor-${grant}`, 404],
    [`Role run-${grant}`, `${rbac}/roles/run-${grant}`, 404],
    [`RoleBinding run-${grant}`, `${rbac}/rolebindings/run-${grant}`, 404],
    // That nothing is found must not come from not seeing anything.
    ["for comparison, the gateway's own account", `${system}/serviceaccounts/gateway`, 200],
  ];
  for (const [what, path, status] of expected) {
    const found = await look(path);
    teller.say(`   ${found === 404 ? "gone   " : found === 200 ? "there  " : String(found)} ${what}`);
    if (found !== status) failed.push(`${what}: the cluster answered ${found} where ${status} was expected`);
  }
  return failed;
}

/** Prints and verifies the transcript. */
export async function showTheRecord({ env, planted, teller }: StoryOptions): Promise<readonly string[]> {
  teller.say(`\n${teller.paint(1, "The record of all this")}`);
  const failed: string[] = [];
  for (const command of [
    ["transcript", "list"],
    ["transcript", "verify"],
  ]) {
    const run = await sallyport(command, env);
    teller.say(teller.paint(36, `   sallyport ${command.join(" ")}`));
    show(teller, run.output.trimEnd());
    if (run.code !== 0) failed.push(`sallyport ${command.join(" ")} ended with ${run.code}`);
    if (planted.some((value) => run.output.includes(value))) failed.push("a planted secret stands in the record");
  }
  return failed;
}

/** Answers the one request as the approver: the person at the terminal, or after a second another person than the requester. */
async function approve(
  { env, home, teller }: StoryOptions,
  person: "must" | "may",
  ended: AbortSignal,
): Promise<string> {
  const approver = { ...env, SALLYPORT_TOKEN_FILE: `${home}/approver.token` };
  const id = await pendingRequest(approver, ended);
  if (id === "") return person === "must" ? "no request for approval appeared" : "";
  const shown = await sallyport(["approvals", "show", id], approver);
  show(teller, shown.output.trimEnd(), `${teller.paint(33, "│")} `);
  const yes = teller.ask === null ? await pause(1000, "y") : await teller.ask("   Approve, as the approver? [y/N] ");
  const answer = /^y(es)?$/i.test(yes.trim())
    ? ["approve", id, "--yes"]
    : ["reject", id, "--reason", "Not now", "--tell-agent"];
  const answered = await sallyport(["approvals", ...answer], approver);
  teller.say(`   ${teller.paint(33, "│")} ${answered.output.trim().split("\n").at(-1) ?? ""}`);
  if (answer[0] === "reject") return "you said no, and it did not run";
  return answered.code === 0 ? "" : `the approver could not approve: ${answered.output.trim().split("\n").at(-1)}`;
}

async function pendingRequest(env: NodeJS.ProcessEnv, ended: AbortSignal): Promise<string> {
  for (let tries = 0; tries < 80 && !ended.aborted; tries++) {
    const listed = await sallyport(["approvals", "list", "--json"], env);
    const found = /"id":\s*"(apr_[^"]+)"/.exec(listed.output);
    if (found?.[1] !== undefined) return found[1];
    await pause(250);
  }
  return "";
}

function show(teller: Teller, text: string, mark = ""): void {
  for (const line of text.split("\n")) teller.say(`   ${mark}${line}`);
}
