// The calls of a transcript, each from what its entries say of it: for deciding them again.

import type { JsonObject } from "../domain/json.ts";
import { readEntries, type Kept, type Wanted } from "./read.ts";

export interface KeptCall {
  readonly call: string;
  /** RFC 3339, when it was received. */
  readonly at: string;
  readonly principal: {
    readonly iss: string;
    readonly sub: string;
    readonly act: readonly { iss: string; sub: string }[];
    readonly client_id?: string;
  };
  /** The details of `call.received`. */
  readonly received: JsonObject;
  /** The details of its last `call.decided`. */
  readonly decided: JsonObject;
}

/** The decided calls that were received at `since` (milliseconds since 1970) or later, in the order of their receipt; at most `most`, the newest. */
export async function readCalls(
  folder: string,
  since: number,
  most: number,
  wanted: Wanted = {},
): Promise<readonly KeptCall[]> {
  const open = new Map<string, Kept>();
  const calls = new Map<string, KeptCall>();
  for await (const kept of readEntries(folder, wanted)) {
    const { kind, call, ts, principal, details } = kept.entry;
    if (call === null || principal === null) continue;
    if (kind === "call.received" && Date.parse(ts) >= since) open.set(call, kept);
    const first = open.get(call);
    if (kind !== "call.decided" || first === undefined) continue;
    const plain = { ...principal, act: principal.act.map((one) => ({ ...one })) };
    calls.set(call, { call, at: first.entry.ts, principal: plain, received: first.entry.details, decided: details });
    if (calls.size <= most) continue;
    const [oldest] = calls.keys();
    if (oldest === undefined) continue;
    calls.delete(oldest);
    open.delete(oldest);
  }
  return [...calls.values()];
}
