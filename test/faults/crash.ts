// Kills a gateway with a credential in its hand, starts it again on the same folder, and tells what was left and what became of it.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/client";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import type { Admin } from "../cluster/admin.ts";
import type { Wire } from "../support/proxy.ts";
import { clientTransport, type World } from "../support/world.ts";
import { leftoversIn, moments } from "./shop.ts";

const root = join(import.meta.dirname, "..", "..");

export interface CrashPlace {
  readonly world: World;
  /** Between the gateway and its cluster. */
  readonly wire: Wire;
  readonly admin: Admin;
  /** Where the Deployment `api` is. */
  readonly namespace: string;
}

export interface Crash {
  /** Kinds of the objects that the dead gateway left, once each. */
  readonly left: readonly string[];
  /** The call that was running. */
  readonly call: string;
}

/**
 * Stops the world's gateway and runs another one on its folder as a process of its own; `ask` makes a call through it
 * whose write the cluster never answers; then the process is killed (SIGKILL) and the world's gateway starts again.
 */
export async function killWhileWriting(
  { world, wire, admin, namespace }: CrashPlace,
  ask: (agent: Client) => Promise<unknown>,
): Promise<Crash> {
  let left: readonly string[] = [];
  let call = "";
  await world.restart(async () => {
    const writing = Promise.withResolvers<string>();
    wire.rule = (passing) => {
      if (!moments.write(passing)) return { kind: "pass" };
      writing.resolve(String(passing.headers["audit-id"]).replace(/\.\d+$/, ""));
      return { kind: "hang" };
    };
    const gateway = await startProcess(world.env);
    try {
      const agent = new Client({ name: "test-agent", version: "1.0.0" });
      await agent.connect(clientTransport(gateway.url, world.tokens.agent));
      const asked = ask(agent).catch(() => undefined);
      call = await writing.promise;
      left = [...new Set((await leftoversIn(admin, [namespace])).map((one) => one.split(" ")[0] ?? ""))];
      gateway.process.kill("SIGKILL");
      await agent.close();
      await asked;
    } finally {
      const exited = once(gateway.process, "exit");
      gateway.process.kill("SIGKILL");
      if (gateway.process.signalCode === null) await exited;
      wire.rule = () => ({ kind: "pass" });
    }
  });
  return { left, call };
}

/** `sallyport serve --http` as a process of its own. */
export async function startProcess(
  env: Record<string, string>,
): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const child = spawn(process.execPath, [join(root, "src", "main.ts"), "serve", "--http"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: string[] = [];
  const listening = Promise.withResolvers<string>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    const url = /listens at (\S+)/.exec(line)?.[1];
    if (url !== undefined) listening.resolve(url);
  });
  child.once("exit", () => listening.reject(new Error(`the gateway ended: ${said.join("\n")}`)));
  return { url: await listening.promise, process: child };
}

/** The kinds of the entries that name a call, in their order. */
export function kindsOf(entries: readonly JsonObject[], call: string): string[] {
  return entries.filter((entry) => entry["call"] === call).map((entry) => textAt(entry, "kind"));
}
