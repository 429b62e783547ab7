// A small door behind which real calls of a few kinds run: the gateway's side of the network edge, for the MCP tests.

import { randomBytes } from "node:crypto";
import type { CallReceipt } from "../../src/domain/call-receipt.ts";
import type { CallRequest, Effect } from "../../src/domain/call.ts";
import { everyScope, type Evidence, type Identified, type Scope } from "../../src/domain/evidence.ts";
import { fault } from "../../src/domain/fault.ts";
import { idsFrom } from "../../src/domain/ids.ts";
import type { MaskedOutput, Output, Sentence } from "../../src/domain/output.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { identify } from "../../src/identity/identify.ts";
import type { Verifier } from "../../src/identity/verifiers/contract.ts";
import type { Door, ListedTool } from "../../src/mcp/door.ts";
import type { Tool } from "../../src/tool.ts";
import { noAccounts } from "../support/accounts.ts";

/** Tokens are the subjects' names, long enough to pass for tokens nowhere else. */
const byName: Verifier = {
  name: "by-name",
  stillAccepts: async () => true,
  async verify(evidence) {
    if (evidence.kind === "local-user") return who(evidence.user, "person");
    const scopes = scopesOf.get(evidence.token);
    return scopes === undefined ? null : who(evidence.token, "agent", scopes);
  },
};
const who = (subject: string, kind: "person" | "agent", scopes = everyScope) => ({
  verified: { issuer: "local", subject, kind, groups: [], actors: [] },
  scopes,
  expires: null,
});
const scopesOf: ReadonlyMap<string, readonly Scope[]> = new Map([
  ["alice-agent", everyScope],
  ["bob-agent", everyScope],
  ["cluster-admin", everyScope],
  ["only-reads", ["sallyport:read"]],
  ["only-changes", ["sallyport:change"]],
  ["no-scope", []],
]);

const readOnly = { readOnlyHint: true, openWorldHint: false };
const anything = { type: "object" };

/** What one caller sees: `admin_only` is hidden from all but one. */
const tools: readonly ListedTool[] = [
  ["echo", "Echo"],
  ["hold", "Hold until released"],
  ["broken", "Break"],
  ["report", "Report progress"],
  ["admin_only", "Hidden"],
].map(([name = "", title = ""]) => ({
  name,
  title,
  description: `${title}.`,
  inputSchema: anything,
  annotations: readOnly,
}));

/** What else than reading the tools of tests claim to do. */
const effects: ReadonlyMap<string, readonly Effect[]> = new Map([
  ["change_it", ["change", "destroy"]],
  ["run_it", ["execute"]],
  ["admin_only", ["change"]],
]);

export interface TestDoor extends Door {
  readonly calls: CallRequest[];
  /** Reads that were only decided, and calls whose receipts were asked for. */
  readonly decidedReads: CallRequest[];
  /** Who asked for what is no call, and who had too many requests open. */
  readonly looks: string[];
  readonly sentAway: string[];
  readonly viewed: string[];
  readonly receipts: Map<string, { readonly caller: string; readonly receipt: CallReceipt }>;
  readonly evidence: Evidence[];
  readonly broken: { readonly call: string; readonly thrown: unknown }[];
  /** Settles once `count` calls of `hold` are running. */
  holding(count: number): Promise<void>;
  /** Ids of held calls whose signal was aborted; each settles then. */
  aborted(count: number): Promise<readonly CallRequest[]>;
  release(): void;
  readonly refused: Identified[];
  readonly endedSessions: string[];
}

export const brokenMessage = "password=hunter2 at 10.1.2.3";

export interface TestDoorOptions {
  /** Tools that every caller sees beside the others. */
  readonly more?: readonly ListedTool[];
  readonly output?: Door["output"];
  /** What `objects_list` finds. */
  readonly names?: readonly string[];
}

/** A tool of the catalogue as a caller sees it. */
export function shown({ name, title, description, schema, annotations }: Tool): ListedTool {
  return { name, title, description, inputSchema: schema, annotations };
}

export function testDoor(options: TestDoorOptions = {}): TestDoor {
  const ids = idsFrom(Date.now, (count) => randomBytes(count));
  const identified = identify([byName], noAccounts);
  const calls: CallRequest[] = [];
  const readable: CallRequest[] = [];
  const looks: string[] = [];
  const sentAway: string[] = [];
  const viewed: string[] = [];
  const receipts: TestDoor["receipts"] = new Map();
  const evidence: Evidence[] = [];
  const refused: Identified[] = [];
  const broken: { call: string; thrown: unknown }[] = [];
  const endedSessions: string[] = [];
  const held: CallRequest[] = [];
  const aborted: CallRequest[] = [];
  let released = Promise.withResolvers<void>();
  const waiters: { readonly ready: () => boolean; readonly go: () => void }[] = [];
  const wake = (): void => waiters.filter((one) => one.ready()).forEach((one) => one.go());
  const until = async (ready: () => boolean): Promise<void> => {
    if (!ready()) await new Promise<void>((go) => waiters.push({ ready, go }));
  };

  async function hold(request: CallRequest): Promise<Outcome> {
    held.push(request);
    const stopped = new Promise<void>((resolve) => {
      request.signal.addEventListener("abort", () => {
        aborted.push(request);
        resolve();
        wake();
      });
    });
    wake();
    await Promise.race([released.promise, stopped]);
    if (request.signal.aborted) return { kind: "failed", call: request.id, fault: fault("cancelled") };
    return completed(request, "held and released");
  }
  return {
    calls,
    decidedReads: readable,
    looks,
    sentAway,
    viewed,
    receipts,
    evidence,
    refused,
    broken,
    endedSessions,
    hold: 45_000,
    output: options.output ?? "text",
    now: Date.now,
    random: (count) => randomBytes(count),
    newCallId: () => ids.call(),
    newSessionId: () => ids.session(),
    endSession: async (session) => void endedSessions.push(session),
    broke: (call, thrown) => void broken.push({ call, thrown }),
    async identify(shown) {
      evidence.push(shown);
      const found = await identified(shown);
      if (found.kind === "refused") refused.push(found);
      return found;
    },
    effectsOf: (tool) => effects.get(tool) ?? (tools.some(({ name }) => name === tool) ? ["read"] : null),
    async listTools(principal) {
      const all = [...tools, ...(options.more ?? [])];
      return all.filter((tool) => tool.name !== "admin_only" || principal.subject === "cluster-admin");
    },
    look: (principal) => void looks.push(principal.subject),
    crowded: (principal) => void sentAway.push(principal.subject),
    task: async () => null,
    cancelTask: async () => false,
    async readable(request) {
      readable.push(request);
      const { kind } = request.arguments as { readonly kind?: string };
      if (kind === "Secret") return [];
      return kind === "Node" ? [""] : ["shop-dev", "shop-prod"];
    },
    async ownCall(call, principal) {
      viewed.push(call);
      const own = receipts.get(call);
      return own !== undefined && own.caller === principal.subject ? own.receipt : null;
    },
    async governCall(request) {
      calls.push(request);
      if (request.tool === "hold") return await hold(request);
      if (request.tool === "broken") throw new Error(brokenMessage);
      if (request.tool === "report") request.progress("dry run is done");
      if (request.tool === "long") return completedWith(request, [{ kind: "object", object: longObject }]);
      if (request.tool === "objects_list") {
        const rows = (options.names ?? []).map((name) => [name, "Running"]);
        return completedWith(request, [{ kind: "table", columns: ["NAME", "STATUS"], rows }]);
      }
      return completed(request, JSON.stringify(request.arguments));
    },
    holding: (count) => until(() => held.length >= count),
    async aborted(count) {
      await until(() => aborted.length >= count);
      return aborted;
    },
    release() {
      released.resolve();
      released = Promise.withResolvers();
    },
  };
}

/** More than fits an answer of its kind, and less than fits any. */
const longObject = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`key-${at}`, "some value"]));

function completed(request: CallRequest, text: string): Outcome {
  return completedWith(request, [], [`${request.tool} for ${request.principal.subject}: `, { quoted: text }]);
}

function completedWith(request: CallRequest, blocks: Output["blocks"], headline: Sentence = ["done"]): Outcome {
  const output: Output = { headline, blocks, facts: {}, untrusted: false };
  return { kind: "completed", call: request.id, output: asMasked(output), effect: "none", ambient: false };
}

/** The tests stand in for the masker here: what they render holds no secret. */
export function asMasked(output: Output, masked: MaskedOutput["masked"] = []): MaskedOutput {
  return { ...output, masked } as MaskedOutput;
}

export const about = { version: "0.0.0-test", instructions: "Governed Kubernetes, for tests." };
