// Credentials over a loopback server, with a clock that a test turns.

import { Faulted, type Fault } from "../../../src/domain/fault.ts";
import type { IssuedGrant } from "../../../src/credentials/issue.ts";
import { openCredentials, type ClusterCredentials, type CredentialOptions } from "../../../src/credentials/open.ts";
import { access, auditIds, authorizedCall, testIds, type CallParts } from "./calls.ts";
import { openLoopback, type Loopback } from "./loopback.ts";

export interface Bench {
  readonly loopback: Loopback;
  readonly credentials: ClusterCredentials;
  /** Milliseconds since 1970; starts at a fixed day. */
  clock: number;
  issue(parts: Omit<CallParts, "cluster">, signal?: AbortSignal): ReturnType<ClusterCredentials["issue"]>;
}

export const never = new AbortController().signal;
export const seconds = (count: number): number => count * 1000;

export async function openBench(more: Partial<CredentialOptions> = {}): Promise<Bench> {
  const loopback = await openLoopback();
  const ids = testIds();
  const bench: Bench = {
    loopback,
    credentials: openCredentials({
      connection: loopback.connection,
      client: loopback.client,
      mode: "grants",
      gatewayId: "g1",
      newGrantId: () => ids.grant(),
      nextAuditId: auditIds("gateway"),
      now: () => bench.clock,
      pause: () => Promise.resolve(),
      ...more,
    }),
    clock: Date.UTC(2026, 10, 21),
    issue: (parts, signal = never) =>
      bench.credentials.issue(authorizedCall({ cluster: "loopback", ...parts }), {
        nextAuditId: auditIds("call"),
        deadline: 30_000,
        signal,
      }),
  };
  return bench;
}

/** Is this credential's record still to be written? It is, then. */
export async function writes(issued: Pick<IssuedGrant, "record">): Promise<boolean> {
  let wrote = false;
  await issued.record(async () => void (wrote = true));
  return wrote;
}

export const listPods = [access("loopback", { verb: "list", resource: "pods" })];
export const patchApi = [access("loopback", { verb: "patch", resource: "deployments", name: "api" })];
export const getSecret = [access("loopback", { verb: "get", resource: "secrets", name: "db" })];

export async function faultOf(promised: Promise<unknown>): Promise<Fault> {
  try {
    await promised;
  } catch (thrown) {
    if (thrown instanceof Faulted) return thrown.fault;
    throw thrown;
  }
  throw new Error("no fault");
}
