// The two wires to a gateway, bare: JSON-RPC lines on a child's stdio, and POSTs over kept connections; no client library's own work among it.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";

/** Asks a method and returns the answer's bytes. Throws for an error, and for a tool's. */
export interface Wire {
  ask(method: string, params: object): Promise<string>;
  stop(): Promise<void>;
}

/** The 2026-07-28 revision, which needs no handshake. */
const revision = "2026-07-28";
const envelope = {
  "io.modelcontextprotocol/protocolVersion": revision,
  "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** POSTs with so many connections at most. */
export function httpWire(url: string, token: string, connections: number): Wire {
  const post = poster(url, connections);
  let id = 0;
  return {
    async ask(method, params) {
      const name = "name" in params && typeof params.name === "string" ? { "mcp-name": params.name } : {};
      const message = { jsonrpc: "2.0", id: ++id, method, params: { ...params, _meta: envelope } };
      const headers = {
        authorization: `Bearer ${token}`,
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": revision,
        "mcp-method": method,
        ...name,
      };
      return held(await post.send(JSON.stringify(message), headers));
    },
    stop: async () => post.stop(),
  };
}

export interface Poster {
  send(body: string, headers?: { readonly [name: string]: string }): Promise<string>;
  stop(): void;
}

/** POSTs JSON over kept connections. Throws unless the answer is 200. */
export function poster(url: string, connections: number): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    send: (body, headers = {}) =>
      new Promise((resolve, reject) => {
        const all = {
          "content-type": "application/json",
          "content-length": String(Buffer.byteLength(body)),
          ...headers,
        };
        const sent = request(url, { method: "POST", agent, headers: all }, (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.on("end", () => {
            if (response.statusCode === 200) resolve(text);
            else reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 300)}`));
          });
        });
        sent.on("error", reject).end(body);
      }),
    stop: () => agent.destroy(),
  };
}

/** The program on stdio, after its handshake; `pid` for whoever measures it. */
export async function stdioWire(program: string, env: NodeJS.ProcessEnv): Promise<Wire & { readonly pid: number }> {
  const child = spawn(process.execPath, [program], { env, stdio: ["pipe", "pipe", "inherit"] });
  const gone = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const waiting = new Map<number, (line: string) => void>();
  const ended = gone.then((): never => {
    throw new Error("the program on stdio ended before it answered");
  });
  ended.catch(() => undefined);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const id = (JSON.parse(line) as { readonly id?: number }).id ?? -1;
    waiting.get(id)?.(line);
    waiting.delete(id);
  });
  let id = 0;
  async function ask(method: string, params: object): Promise<string> {
    id += 1;
    const mine = id;
    const line = new Promise<string>((resolve) => waiting.set(mine, resolve));
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: mine, method, params })}\n`);
    return held(await Promise.race([line, ended]));
  }
  await ask("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "bench", version: "1" },
  });
  child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
  return {
    pid: child.pid ?? 0,
    ask,
    async stop() {
      child.stdin.end();
      await gone;
    },
  };
}

function held(answer: string): string {
  if (/"error":\{|"isError":true/.test(answer)) throw new Error(`refused: ${answer.slice(0, 400)}`);
  return answer;
}

/** Seconds of a core that a process has used (proc(5), stat: utime and stime at 100 ticks a second); null where the system does not tell. */
export async function coreSeconds(pid: number): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const echo = `
const answer = Buffer.alloc(Number(process.argv[1]), 0x61);
require("node:http").createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json", "content-length": answer.length }).end(answer));
}).listen(0, "127.0.0.1", function () { process.stdout.write(this.address().port + "\\n"); });`;

/** The floor of an answer over HTTP: another process that takes a POST to its end and answers so many bytes. */
export async function openEcho(bytes: number): Promise<{ readonly url: string; stop(): void }> {
  const child = spawn(process.execPath, ["-e", echo, String(bytes)], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve) =>
    child.stdout.once("data", (chunk: Buffer) => resolve(String(chunk).trim())),
  );
  return { url: `http://127.0.0.1:${port}/`, stop: () => void child.kill() };
}
