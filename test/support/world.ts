// A whole Sallyport for one test file: a cluster, its enrolment, the gateway on loopback HTTP, an agent's MCP client, and the command line.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { CommandFailed, sentenceOf, type Io } from "../../src/commands/io.ts";
import { program } from "../../src/commands/program.ts";
import { serve } from "../../src/commands/serve.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { readEntries } from "../../src/transcript/read.ts";
import { entrySchema } from "../../src/transcript/schemas.ts";

export interface WorldOptions {
  /** A kubeconfig of a running cluster, with an admin's credential. */
  readonly kubeconfigPath: string;
  /** Namespaces to enroll; null leaves the cluster as it is. */
  readonly enroll: readonly string[] | null;
  /** Further flags of `sallyport enroll`, for example `--cluster-read`. */
  readonly enrollFlags?: readonly string[];
  /** The policy's text; absent: the default policy. */
  readonly policy?: string;
  /** Further lines of sallyport.yaml. */
  readonly config?: string;
  /** Claims of the agent; the configuration allows them. */
  readonly claims?: { readonly [claim: string]: string };
  /** Further files of the state folder, by name. */
  readonly files?: { readonly [name: string]: string };
  /** A clock, a disk or another outside of the test's own, for the gateway and for the command line. */
  readonly outside?: Outside;
}

export type Outside = Partial<Pick<Io, "now" | "disk" | "onHangup" | "launched" | "slackApi" | "clockTimes">>;

/** One answer as the agent sees it. */
export interface Answer {
  readonly text: string;
  readonly isError: boolean;
  readonly facts: JsonObject;
}

export interface World {
  readonly folder: string;
  readonly url: string;
  readonly env: Record<string, string>;
  readonly tokens: { readonly agent: string; readonly approver: string };
  call(tool: string, arguments_: JsonObject, options?: { readonly signal?: AbortSignal }): Promise<Answer>;
  readonly agent: Client;
  /** Runs `sallyport …`: as the owner, or as the approver. */
  sallyport(
    arguments_: readonly string[],
    as?: "owner" | "approver",
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** Waits for the one pending request and answers it as the approver. */
  approve(): Promise<string>;
  /** All entries of the transcript, oldest first. */
  entries(): Promise<readonly JsonObject[]>;
  /** What the gateway logged. */
  log(): string;
  /** Stops the gateway and starts it again on the same folder; the agent connects anew. `between` runs while it is down. */
  restart(between?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** One agent plays a whole test file: its limits are for the tests that are about them. */
const widestLimits = "limits: { inFlight: 1000, callsPerMinute: 100000, bytesPerMinute: 1073741824 }";

export async function openWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-world-"));
  await chmod(folder, 0o700);
  const random = (count: number): Uint8Array => randomBytes(count);
  const files = { agent: join(folder, "agent.token"), approver: join(folder, "approver.token") };
  const tokens = {
    agent: await writeTokenFile(files.agent, random),
    approver: await writeTokenFile(files.approver, random),
  };
  if (options.policy !== undefined) await writeFile(join(folder, "policy.yaml"), options.policy);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const claims = options.claims === undefined ? "" : `, claims: ${JSON.stringify(options.claims)}`;
  await writeFile(
    join(folder, "sallyport.yaml"),
    `version: 1
mode: multi-user
kubeconfig: ${JSON.stringify(options.kubeconfigPath)}
${options.policy === undefined ? "" : "policies: [policy.yaml]\n"}${options.config ?? "hold: 10"}
${options.config?.includes("limits:") === true ? "" : widestLimits}
http:
  port: 0
  tokens:
    - { file: ${JSON.stringify(files.agent)}, subject: agent, kind: agent, groups: [agents]${claims} }
    - { file: ${JSON.stringify(files.approver)}, subject: approver, kind: person, groups: [approvers] }
`,
  );
  const env = { SALLYPORT_HOME: folder, PATH: process.env["PATH"] ?? "", HOME: folder };
  if (options.enroll !== null) {
    const enrolled = await runCommand(
      ["enroll", "--namespace", options.enroll.join(","), "--yes", ...(options.enrollFlags ?? [])],
      env,
      options.outside,
    );
    if (enrolled.code !== 0) throw new Error(`enroll failed: ${enrolled.out}${enrolled.err}`);
  }

  const open = async () => {
    const started = await startServing(env, options.outside);
    const agent = new Client({ name: "test-agent", version: "1.0.0" });
    await agent.connect(clientTransport(started.url, tokens.agent));
    return { started, agent };
  };
  let { started, agent } = await open();
  let logged = "";
  const world: World = {
    folder,
    get url() {
      return started.url;
    },
    env,
    tokens,
    get agent() {
      return agent;
    },
    log: () => logged + started.log(),
    async call(tool, arguments_, { signal } = {}) {
      const answer = await agent.callTool(
        { name: tool, arguments: arguments_ },
        { timeout: 120_000, ...(signal === undefined ? {} : { signal }) },
      );
      const parts = answer.content as readonly { readonly text?: string }[];
      const facts = (answer._meta?.["sallyport/facts"] ?? {}) as JsonObject;
      return { text: parts.map((part) => part.text ?? "").join("\n"), isError: answer.isError === true, facts };
    },
    sallyport: (arguments_, as = "owner") =>
      runCommand(arguments_, as === "owner" ? env : { ...env, SALLYPORT_TOKEN_FILE: files.approver }, options.outside),
    async approve() {
      const until = Date.now() + 60_000;
      while (Date.now() < until) {
        const listed = await world.sallyport(["approvals", "list", "--json"], "approver");
        const id = /"id":\s*"(apr_[^"]+)"/.exec(listed.out)?.[1];
        if (id !== undefined) {
          const answered = await world.sallyport(["approvals", "approve", id, "--yes"], "approver");
          if (answered.code !== 0) throw new Error(`approve failed: ${answered.out}${answered.err}`);
          return id;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`no request for approval appeared; the gateway says: ${started.log()}`);
    },
    async entries() {
      // From the files: a command would leave an entry of its own.
      const all: JsonObject[] = [];
      for await (const { index, entry } of readEntries(folder))
        all.push(JSON.parse(JSON.stringify({ index, ...entry })) as JsonObject);
      return all;
    },
    async restart(between) {
      await agent.close();
      await started.stop();
      logged += started.log();
      await between?.();
      ({ started, agent } = await open());
    },
    async stop() {
      await agent.close();
      await started.stop();
      await validEntries(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** Throws unless each entry that this world wrote is as docs/entries.schema.json says. */
async function validEntries(folder: string): Promise<void> {
  const segments = join(folder, "transcript", "segments");
  for (const name of (await readdir(segments)).filter((one) => one.endsWith(".ndjson")).sort())
    for (const line of (await readFile(join(segments, name), "utf8")).split("\n").slice(0, -1)) {
      const checked = entrySchema.safeParse(JSON.parse(line));
      if (!checked.success) throw new Error(`an entry is not as published: ${checked.error.message}\n${line}`);
    }
}

export function clientTransport(url: string, token: string): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
}

/** Runs the gateway in this process, exactly as `sallyport serve --http` does. */
export async function startServing(
  env: Record<string, string>,
  outside: Outside = {},
): Promise<{ readonly url: string; readonly log: () => string; stop(): Promise<void> }> {
  const stopping = new AbortController();
  let said = "";
  const listening = Promise.withResolvers<string>();
  const io: Io = {
    ...testIo(env, stopping.signal),
    ...outside,
    err: (text) => {
      said += text;
      const found = /listens at (\S+)/.exec(text);
      if (found?.[1] !== undefined) listening.resolve(found[1]);
    },
  };
  const serving = serve(io, { http: true }).catch((thrown: unknown) => {
    listening.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
  });
  const url = await listening.promise;
  return {
    url,
    log: () => said,
    async stop() {
      stopping.abort();
      await serving;
    },
  };
}

/** Runs one command in this process. */
export async function runCommand(
  arguments_: readonly string[],
  env: Record<string, string>,
  outside: Outside = {},
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const io: Io = {
    ...testIo(env, new AbortController().signal),
    ...outside,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  };
  try {
    await program(io).parseAsync([...arguments_], { from: "user" });
    return { code: 0, out, err };
  } catch (thrown) {
    const code = thrown instanceof CommandFailed ? thrown.exitCode : (thrown as { exitCode?: number }).exitCode;
    return { code: code ?? 1, out, err: `${err}${sentenceOf(thrown)}` };
  }
}

/** The same as a process of its own would say: the owner's socket lets in no other. */
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")) as {
  readonly version: string;
};

export function testIo(env: Record<string, string>, signal: AbortSignal): Io {
  return {
    version,
    node: process.versions.node,
    uid: process.getuid?.() ?? -1,
    user: userInfo().username,
    home: env["HOME"] ?? "",
    runtimeFolder: tmpdir(),
    launched: { node: process.execPath, file: join(import.meta.dirname, "..", "..", "src", "main.ts") },
    cores: 2,
    shipped: join(import.meta.dirname, "..", "..", "policies"),
    input: new PassThrough(),
    output: new PassThrough(),
    env,
    out: () => undefined,
    err: () => undefined,
    colour: false,
    interactive: false,
    ask: () => Promise.reject(new Error("nobody is at this terminal")),
    now: () => Date.now(),
    pause: (milliseconds) => pause(milliseconds),
    random: (count) => randomBytes(count),
    signal,
    // A test that counts entries must not find one more by the time: those that are about the clock say when.
    clockTimes: { first: 2_000_000_000, every: 2_000_000_000, again: 2_000_000_000 },
  };
}

/** A fresh folder of the test's own. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-test-"));
  await mkdir(folder, { recursive: true });
  return folder;
}
