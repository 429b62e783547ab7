// What a gateway stands on, each with how to try it: the transcript, the approvals, every cluster, every issuer and every channel that can say how it is.

import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "../approval/channels/contract.ts";
import type { ApprovalStore } from "../approval/stores/contract.ts";
import { Faulted } from "../domain/fault.ts";
import type { Verifier } from "../identity/verifiers/contract.ts";
import type { Dependency } from "../telemetry/readiness.ts";
import type { Anchoring } from "../transcript/anchoring.ts";
import type { Transcript } from "../transcript/record.ts";
import { askVersion } from "./ask-version.ts";
import type { Clusters } from "./clusters.ts";

export type { Dependency } from "../telemetry/readiness.ts";

export interface StandsOn {
  readonly transcript: Pick<Transcript, "degraded">;
  readonly store: Pick<ApprovalStore, "list">;
  readonly clusters: Pick<Clusters, "all">;
  readonly verifiers: readonly Verifier[];
  readonly channels: readonly Channel[];
  readonly anchoring: Pick<Anchoring, "standings">;
}

export function dependenciesOf(on: StandsOn): readonly Dependency[] {
  const { transcript, store, clusters, verifiers, channels, anchoring } = on;
  return [
    {
      name: "transcript",
      kind: "each",
      probe: async () => (transcript.degraded() === null ? "" : "transcript_unavailable"),
    },
    { name: "approvals", kind: "each", probe: async () => await codeOf(store.list(["pending"])) },
    ...clusters.all.map((reach): Dependency => ({
      name: `cluster ${reach.cluster}`,
      kind: "cluster",
      probe: async (signal) => await codeOf(askVersion(reach, signal)),
    })),
    // Verifiers that ask nobody outside can't be away.
    ...verifiers.flatMap((verifier): readonly Dependency[] =>
      verifier.standing === undefined
        ? []
        : [{ name: `issuer ${verifier.name}`, kind: "issuer", probe: (signal) => issuerReady(verifier, signal) }],
    ),
    // Requests wait and are decided elsewhere: Slack being away must not take the gateway away.
    ...channels
      .filter((channel) => channel.standing !== undefined)
      .map((channel): Dependency => {
        return { name: `channel ${channel.name}`, kind: "told", probe: async () => channel.standing?.() ?? "" };
      }),
    // The record itself is whole without them.
    ...anchoring.standings().map(({ name }): Dependency => ({
      name: `anchor ${name}`,
      kind: "told",
      probe: async () => anchorReady(anchoring, name),
    })),
  ];
}

/** Milliseconds that an issuer which is being asked for its keys gets, and between two looks at whether they came. */
const issuerTakes = 2_000;
const lookEvery = 50;

/** Asking for its standing begins to fetch what is missing. Why it is away is in the log: here it would be somebody else's words. */
async function issuerReady(verifier: Verifier, signal: AbortSignal): Promise<string> {
  for (let waited = 0; waited < issuerTakes && !signal.aborted; waited += lookEvery) {
    if (verifier.standing?.().kind === "ready") return "";
    await pause(lookEvery, undefined, { signal }).catch(() => undefined);
  }
  return "issuer_unavailable";
}

/** Why its last try failed is in the log: here it would be a path of this machine. */
function anchorReady(anchoring: Pick<Anchoring, "standings">, name: string): string {
  const standing = anchoring.standings().find((one) => one.name === name);
  return standing?.trouble === null ? "" : "anchor_unavailable";
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "",
    (thrown: unknown) => (thrown instanceof Faulted ? thrown.fault.code : "internal"),
  );
}
