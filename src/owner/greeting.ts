// The first line of a connection to the owner: who comes in, from which version and configuration, and for what.

import type { Socket } from "node:net";
import { isJsonObject } from "../domain/json.ts";

export interface Hello {
  readonly token: string;
  readonly version: string;
  /** Digest of the configuration and the set of clusters; "" where it does not matter. */
  readonly config: string;
  /** `methods`: calls of the owner's methods, one JSON line each. `mcp`: the rest of the stream is an MCP session. */
  readonly purpose: "methods" | "mcp";
}

export type Welcome = { readonly ok: true } | { readonly ok: false; readonly sentence: string };

const longest = 8_192;

/** The stream's first line without its end; what follows stays in the stream, which is left paused. null when none comes within `wait` milliseconds or 8 KiB. */
export async function firstLine(socket: Socket, wait: number): Promise<string | null> {
  return await new Promise((resolve) => {
    let read: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => settle(null), wait);
    const gone = (): void => settle(null);
    function take(chunk: Buffer): void {
      read = Buffer.concat([read, chunk]);
      const at = read.indexOf("\n");
      if (at === -1 && read.length <= longest) return;
      socket.pause();
      if (at === -1 || at > longest) return settle(null);
      if (at + 1 < read.length) socket.unshift(read.subarray(at + 1));
      settle(read.subarray(0, at).toString());
    }
    function settle(line: string | null): void {
      clearTimeout(timer);
      socket.off("data", take).off("close", gone).off("end", gone);
      resolve(line);
    }
    socket.on("data", take).on("close", gone).on("end", gone);
  });
}

export function parseHello(line: string): Hello | null {
  const value = parseLine(line);
  if (!isJsonObject(value)) return null;
  const { token, version, config, purpose } = value;
  if (typeof token !== "string" || typeof version !== "string" || typeof config !== "string") return null;
  return purpose === "methods" || purpose === "mcp" ? { token, version, config, purpose } : null;
}

export function parseWelcome(line: string): Welcome | null {
  const value = parseLine(line);
  if (!isJsonObject(value)) return null;
  if (value["ok"] === true) return { ok: true };
  const sentence = value["sentence"];
  return value["ok"] === false && typeof sentence === "string" ? { ok: false, sentence } : null;
}

/** The line's JSON, or undefined where it is none. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
