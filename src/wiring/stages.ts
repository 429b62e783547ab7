// The real stages of one call: the composition root's parts, bound to the call's own masker, audit ids, clock and signal.

import type { ApprovalStore } from "../approval/stores/contract.ts";
import { spend } from "../approval/verdict.ts";
import { untilAborted } from "../credentials/kept.ts";
import { isRefused } from "../credentials/send.ts";
import type { CallRequest, PlannedCall } from "../domain/call.ts";
import type { Facts } from "../domain/decision.ts";
import type { Append } from "../domain/entry.ts";
import { fault, Faulted, type Fault } from "../domain/fault.ts";
import type { Grant } from "../domain/grant.ts";
import { madeAt, type SessionId } from "../domain/ids.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import { cursorsFor } from "../execution/cursor.ts";
import { execute, type ExecuteOptions } from "../execution/execute.ts";
import { pattern } from "../execution/pattern.ts";
import { preview } from "../execution/preview.ts";
import { resolveFacts } from "../execution/resolve.ts";
import type { Masking } from "../masking/mask.ts";
import type { Stages } from "../pipeline.ts";
import { authorize } from "../policy/authorize.ts";
import { forbidden } from "../policy/forbid.ts";
import { decide, neededFacts } from "../policy/decide.ts";
import type { Policy } from "../policy/policy.ts";
import { planCall } from "../policy/plan.ts";
import type { FindKind, Gateway as KitGateway, Tool } from "../tool.ts";
import { openCallRecord } from "../transcript/call-record.ts";
import { counter, type Reach } from "./reach.ts";

/** What lives as long as the gateway. */
export interface Parts {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly reach: Reach;
  readonly policy: () => Policy;
  readonly masking: Masking;
  readonly append: Append;
  readonly store: ApprovalStore;
  readonly environmentLabel: string;
  /** The gateway's own keys: for call digests and for cursors. */
  readonly digestKey: Uint8Array;
  readonly cursorKey: Uint8Array;
  readonly now: () => number;
  readonly closing: AbortSignal;
  /** Milliseconds that a call may take; each of its requests half of that. */
  readonly deadline: number;
  /** Aborts at the deadline of a call that begins now. */
  readonly deadlineSignal: () => AbortSignal;
  readonly log: (fault: Fault, call: string) => void;
}

/** What the approval stage adds: it needs the line itself, so it is given after it. */
export interface Waiting {
  readonly seek: Stages["seek"];
  readonly gatewayFor: (request: CallRequest) => KitGateway;
}

/** The stages of one call. */
export function stagesFor(parts: Parts, waiting: Waiting, request: CallRequest): Stages {
  const { reach, now, deadline } = parts;
  const masker = parts.masking.forCall(request.session, plainJson(request.arguments));
  const nextAuditId = counter(request.id);
  const signal = AbortSignal.any([request.signal, parts.closing, parts.deadlineSignal()]);
  const terms = { nextAuditId, deadline, signal };
  let facts: Facts | null = null;

  // Discovery is read once for all who wait for it: a caller that leaves does not wait for its end.
  const findKind: FindKind = async (text) => await untilAborted(reach.discovery.find(text), signal);

  /** Where Kubernetes no longer takes a token (401), the next call mints another: the gateway's own, and this session's where it was that. */
  async function renewing<T>(work: Promise<T>, session: SessionId | null = null): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      if (thrown instanceof Faulted && isRefused(thrown.fault)) await reach.credentials.refused(session);
      throw thrown;
    }
  }
  function executeOptions(call: PlannedCall): ExecuteOptions {
    const tool = parts.tools.get(call.tool);
    if (tool === undefined) throw new Error(`a planned call of no tool: ${call.tool}`);
    return {
      tool,
      client: reach.client,
      masking: masker,
      forbids: ({ kind, ...target }) =>
        forbidden({ ...target, ...kind, cluster: reach.cluster, optional: false }, call) !== null,
      nextAuditId,
      timeout: deadline / 2,
      kit: {
        gateway: waiting.gatewayFor(request),
        findKind,
        kinds: async () => await untilAborted(reach.discovery.kinds(), signal),
        signal,
        progress: request.progress,
        now,
        calledAt: madeAt(request.id),
        pattern: (source, path) => pattern(source, path, now),
        cursor: cursorsFor(parts.cursorKey, request.principal),
      },
    };
  }

  return {
    record: (_request, again) =>
      openCallRecord({
        append: parts.append,
        request,
        again,
        mask: (value) => masker.json(value),
        now,
        log: parts.log,
        facts: () => facts,
      }),

    async plan() {
      const planned = planCall(request, {
        tools: parts.tools,
        cluster: reach.cluster,
        findKind,
        namespaces: () => reach.namespaces(signal),
        digestKey: parts.digestKey,
      });
      const call = await renewing(planned);
      // The agent's own words go to approvers and on record; the exact ones stay in the arguments, which are sealed.
      return call.reason === null ? call : Object.freeze({ ...call, reason: masker.text(call.reason) });
    },

    async resolve(call) {
      const needed = neededFacts(parts.policy(), call);
      if (!needed.objects && !needed.namespaces) facts = { objects: [], namespaces: [], change: null };
      else {
        const cluster = {
          client: reach.client,
          readIdentity: (signal_: AbortSignal) => reach.credentials.readIdentity(signal_),
        };
        const { environmentLabel } = parts;
        facts = await renewing(resolveFacts(call, { cluster, needed, environmentLabel, nextAuditId, signal }));
      }
      return facts;
    },

    decide(call, given) {
      facts = given;
      return decide(parts.policy(), call, given);
    },

    async preview(call, decision) {
      const ambient = reach.mode === "ambient" ? await reach.ambientAuthorization() : null;
      const credential = async (): Promise<Pick<Grant, "authorization">> =>
        reach.mode === "ambient" ? { authorization: () => ambient } : await reach.credentials.issuePreview(signal);
      return await preview(call, decision, credential, executeOptions(call));
    },

    seek: waiting.seek,

    async spend(approved) {
      const spending = await spend(parts.store, parts.append, approved.id, {
        approvalDigest: approved.approvalDigest,
        now: now(),
      });
      if (spending.kind === "spent") return spending.approval;
      throw new Faulted(fault("approval_stale", { changed: "the approval" }, `could not be spent: ${spending.code}`));
    },

    authorize: (call, decision, _facts, rehearsed, spent) =>
      authorize(call, decision, rehearsed?.preconditions ?? [], spent),

    issue: async (authorized) => await reach.credentials.issue(authorized, terms),

    execute: async (authorized, grant) =>
      await renewing(
        execute(authorized, grant, executeOptions(authorized.call)),
        grant.issuer === "reader" ? request.session.id : null,
      ),

    mask: (_call, output) => masker.output(output),
  };
}

/** Arguments that are no JSON object were refused before any value of theirs could come back. */
function plainJson(value: unknown): Json {
  return isJsonObject(value) ? value : {};
}
