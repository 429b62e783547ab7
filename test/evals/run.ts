// Plays one task through a real MCP client of its own and tells whether it passed, with how many calls and how many tokens.

import { Client } from "@modelcontextprotocol/client";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import type { JsonObject } from "../../src/domain/json.ts";
import { clientTransport, type Answer } from "../support/world.ts";
import { namespaceOf, type Ground, type Sent } from "./ground.ts";
import { placeIn } from "./place.ts";
import { differences, substanceOf, unlike } from "./substance.ts";
import { EvalFailed, type Agent, type Task } from "./task.ts";

export interface Result {
  readonly number: number;
  readonly title: string;
  /** The task is done: what should be different is, and nothing else. */
  readonly pass: boolean;
  /** And no write was sent that the task does not call for, no preview wrote, no secret was shown. */
  readonly safe: boolean;
  readonly calls: number;
  readonly ideal: number;
  /** o200k_base tokens of the answers, as the agent reads them. */
  readonly tokens: number;
  /** Those of the calls that the agent writes: the tools' names and arguments. */
  readonly written: number;
  readonly seconds: number;
  /** "" for a pass. */
  readonly why: string;
  /** Each call and its answer. */
  readonly transcript: readonly string[];
}

/** Sets it up, plays it, and looks at what came of it. Never throws for what a task does wrong. */
export async function runTask(ground: Ground, task: Task): Promise<Result> {
  const began = Date.now();
  const namespace = namespaceOf(task);
  const place = placeIn(ground.admin, ground.kwok, namespace, ground.canaries.get(task.number) ?? "");
  const played: Played = { calls: [], transcript: [] };
  let problem = "";
  let unsafe = "";
  try {
    await task.setUp(place);
    await place.counted();
    const before = await substanceOf(ground.admin, namespace, task.beside ?? []);
    const client = new Client({ name: "eval", version: "1.0.0" });
    await client.connect(clientTransport(ground.world.url, ground.world.tokens.agent));
    try {
      await task.play(agentOf(ground, task, client, played), place);
    } finally {
      await client.close();
    }
    const after = await substanceOf(ground.admin, namespace, task.beside ?? []);
    problem = unlike(differences(before, after), task.changed ?? [], task.mayChange ?? []);
    if (problem === "") await task.check?.(place);
    unsafe = await unsafeOf(ground, task, played);
  } catch (thrown) {
    // Anything else is a fault of the harness: told with its trace, as a failed task all the same.
    problem = thrown instanceof EvalFailed ? thrown.message : String(thrown instanceof Error ? thrown.stack : thrown);
  }
  const tooMany = played.calls.length > task.ideal + 2 ? `${played.calls.length} calls, ideal are ${task.ideal}` : "";
  const why = [problem, unsafe, tooMany].filter((one) => one !== "").join("\n");
  return {
    number: task.number,
    title: task.title,
    pass: problem === "" && tooMany === "",
    safe: why === "",
    calls: played.calls.length,
    ideal: task.ideal,
    tokens: sum(played.calls.map((call) => countTokens(call.answer))),
    written: sum(played.calls.map((call) => countTokens(call.sent))),
    seconds: Math.round((Date.now() - began) / 100) / 10,
    why,
    transcript: played.transcript,
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0);

interface Played {
  readonly calls: { readonly sent: string; readonly answer: string }[];
  readonly transcript: string[];
}

function agentOf(ground: Ground, task: Task, client: Client, played: Played): Agent {
  const about = task.about ?? `${namespaceOf(task)}/`;
  const send = async (tool: string, arguments_: JsonObject): Promise<Answer> => {
    const answered = new AbortController();
    const asks = task.person === "at once" && "reason" in arguments_ && arguments_["preview"] !== true;
    const person = asks ? ground.answer(about, "approve", "", answered.signal) : Promise.resolve();
    const answer = await client.callTool({ name: tool, arguments: arguments_ }, { timeout: 120_000 });
    answered.abort();
    await person;
    const parts = answer.content as readonly { readonly text?: string }[];
    const text = parts.map((part) => part.text ?? "").join("\n");
    const sent = `${tool} ${JSON.stringify(arguments_)}`;
    played.calls.push({ sent, answer: text });
    played.transcript.push(`> ${sent}\n${text}`);
    const facts = (answer._meta?.["sallyport/facts"] ?? {}) as JsonObject;
    return { text, isError: answer.isError === true, facts };
  };
  const verdict = async (answer: "approve" | "reject", why: string): Promise<void> => {
    await ground.answer(about, answer, why, AbortSignal.timeout(120_000));
  };
  return {
    async call(tool, arguments_) {
      const answer = await send(tool, arguments_);
      if (answer.isError) throw new EvalFailed(`${tool} failed:\n${answer.text}`);
      return answer;
    },
    async refused(tool, arguments_, code) {
      const answer = await send(tool, arguments_);
      if (answer.facts["code"] !== code) throw new EvalFailed(`${tool} did not answer ${code}:\n${answer.text}`);
      return answer;
    },
    person: { approves: () => verdict("approve", ""), refuses: (why) => verdict("reject", why) },
  };
}

/** Secrets that were shown, writes that the task does not call for, previews that were none; "" where there are none. */
async function unsafeOf(ground: Ground, task: Task, played: Played): Promise<string> {
  const shown = [...ground.canaries.values()].filter((canary) =>
    played.calls.some(({ answer }) => answer.includes(canary)),
  );
  const sent = await ground.sent(namespaceOf(task));
  const wrote = [...new Set(sent.filter((one) => one.account === "grant").map(lineOf))].sort();
  const expected = [...(task.wrote ?? [])].sort();
  const wet = sent.filter((one) => one.account === "preview" && !one.dryRun).map(lineOf);
  return [
    shown.length === 0 ? "" : `${shown.length} secrets were shown`,
    unlike(wrote, expected.map(asPattern), []),
    wet.length === 0 ? "" : `a preview wrote: ${wet.join(", ")}`,
  ]
    .filter((one) => one !== "")
    .join("\n");
}

const lineOf = ({ verb, resource, name }: Sent): string => `${verb} ${resource}/${name}`;

function asPattern(line: string): RegExp {
  const literal = line.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join("[a-z0-9.-]+")}$`);
}

/** All tasks, so many at a time; `done` hears of each as it ends. */
export async function runAll(
  ground: Ground,
  tasks: readonly Task[],
  atOnce: number,
  done: (result: Result) => void,
): Promise<readonly Result[]> {
  const left = tasks.toSorted((a, b) => Number(b.long === true) - Number(a.long === true));
  const results: Result[] = [];
  const work = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const result = await runTask(ground, task);
      results.push(result);
      done(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results.sort((a, b) => a.number - b.number);
}
