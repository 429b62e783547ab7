// The floors that figures are held against, in the same run: the same object over a bare pooled connection, one durable write, Node itself.

import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConnections } from "../src/kubernetes/kubeconfig.ts";
import { exchange, openPool, type Ask } from "../src/kubernetes/exchange.ts";

export interface Bare {
  /** GETs the object as the kubeconfig's own user and reads the body to its end; nothing is parsed, checked or recorded. */
  get(): Promise<unknown>;
  readonly bytes: number;
  close(): Promise<void>;
}

/** A pool of the gateway's own kind to the same server. */
export async function openBare(kubeconfigPath: string, path: string): Promise<Bare> {
  const { pool, ask } = await openAsk(kubeconfigPath, path);
  async function get(): Promise<number> {
    const answered = await exchange(pool, ask);
    if (answered.kind !== "answered" || answered.status !== 200) throw new Error(`bare GET: ${answered.kind}`);
    return answered.body.length;
  }
  return { get, bytes: await get(), close: () => pool.destroy() };
}

/** A pool to the server, and a GET as the kubeconfig's own user. */
async function openAsk(kubeconfigPath: string, path: string) {
  const { connections } = await loadConnections({
    kubeconfig: [kubeconfigPath],
    env: {},
    readFile: (file) => readFile(file, "utf8"),
    now: () => Date.now(),
  });
  const [connection] = connections;
  if (connection === undefined) throw new Error("the kubeconfig has no context");
  const pool = openPool(connection);
  const ask: Ask = {
    origin: new URL(connection.server).origin,
    method: "GET",
    path,
    headers: { authorization: (await connection.authorization()) ?? "", accept: "application/json" },
    body: null,
    signal: new AbortController().signal,
    timeout: 30_000,
    maxBytes: 16 * 1024 * 1024,
  };
  return { pool, ask };
}

export interface Pages {
  /** Reads a collection as Tables without objects, 500 rows a page, each to its end; nothing is parsed but where the next page begins. */
  read(): Promise<{ readonly bytes: number; readonly largest: number }>;
  close(): Promise<void>;
}

/** Pages of a list over a pool of the gateway's own kind. */
export async function openPages(kubeconfigPath: string, path: string): Promise<Pages> {
  const { pool, ask } = await openAsk(kubeconfigPath, path);
  const accept = "application/json;as=Table;g=meta.k8s.io;v=v1, application/json";
  async function page(from: string): Promise<{ readonly size: number; readonly next: string }> {
    const more = from === "" ? "" : `&continue=${encodeURIComponent(from)}`;
    const query = `${path}?limit=500&includeObject=None${more}`;
    const answered = await exchange(pool, { ...ask, path: query, headers: { ...ask.headers, accept } });
    if (answered.kind !== "answered" || answered.status !== 200) throw new Error(`bare list: ${answered.kind}`);
    const [, next = ""] = /"continue":"([^"]*)"/.exec(answered.body.toString("latin1", 0, 2000)) ?? [];
    return { size: answered.body.length, next };
  }
  return {
    async read() {
      let [bytes, largest, next] = [0, 0, ""];
      do {
        const got = await page(next);
        bytes += got.size;
        largest = Math.max(largest, got.size);
        next = got.next;
      } while (next !== "");
      return { bytes, largest };
    },
    close: () => pool.destroy(),
  };
}

export interface Disk {
  /** Appends as many bytes as the two entries of a read's first append take, and waits until they are durable. */
  append(): Promise<unknown>;
  close(): Promise<void>;
}

export async function openDisk(folder: string): Promise<Disk> {
  const file = await open(join(folder, "floor"), "a");
  const bytes = Buffer.alloc(2048, 0x20);
  return {
    async append() {
      await file.write(bytes);
      await file.datasync();
    },
    close: () => file.close(),
  };
}

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
});

/** Milliseconds from spawning a program on this Node to its answer to `initialize` on stdio; "" takes an echo of one line instead: Node's own floor. */
export async function startUp(program: string, env: NodeJS.ProcessEnv): Promise<number> {
  const echo = ["-e", "process.stdin.once('data',(line)=>process.stdout.write(line))"];
  const begun = performance.now();
  const child = spawn(process.execPath, program === "" ? echo : [program], { env, stdio: ["pipe", "pipe", "ignore"] });
  const gone = new Promise((resolve) => child.once("close", resolve));
  const answered = new Promise<number>((resolve, reject) => {
    child.stdout.once("data", () => resolve(performance.now() - begun));
    child.once("close", (code) => reject(new Error(`ended with ${code} before it answered`)));
  });
  child.stdin.write(`${initialize}\n`);
  try {
    return await answered;
  } finally {
    child.stdin.end();
    await gone;
  }
}
