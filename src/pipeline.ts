// The line that every call takes, top to bottom: identify came before it, rendering comes after it, and there is no way round.

import type { ApprovalRequest, SpentApproval } from "./domain/approval.ts";
import { otherLine, otherThanShown } from "./domain/as-shown.ts";
import type { AuthorizedCall, CallRequest, PlannedCall, Precondition } from "./domain/call.ts";
import type { Decision, Facts } from "./domain/decision.ts";
import { fault, Faulted, type EffectLeft, type Fault } from "./domain/fault.ts";
import type { Grant } from "./domain/grant.ts";
import type { Block, Change, MaskedOutput, Output } from "./domain/output.ts";
import type { Outcome } from "./domain/outcome.ts";
import type { Ended, Executed, Preview } from "./domain/run.ts";

/** Writes one call's entries in their order; each function returns once they are durable. */
export interface CallRecord {
  received(call: PlannedCall): Promise<void>;
  previewed(preview: Preview): Promise<void>;
  /** The last entry before a credential exists. */
  running(authorized: AuthorizedCall): Promise<void>;
  /** A credential that was made for this call (or for its session just now) exists. */
  granted(grant: Grant, authorized: AuthorizedCall): Promise<void>;
  /** The decision that a person must agree; the approval's own entries follow it. */
  pending(call: PlannedCall, decision: Decision): Promise<void>;
  refused(why: Fault, decision: Decision | null): Promise<Outcome>;
  settled(ended: Ended): Promise<Outcome>;
}

/** A credential that exists, and its end. */
export interface Issued {
  readonly grant: Grant;
  /** Puts it on record by `write`, unless another call of the session has; returns once that is durable, whoever's call wrote it. */
  record(write: () => Promise<void>): Promise<void>;
  /** True when all of it is gone, false when something is left; null where there is nothing to remove, or where its removal goes on and is recorded by itself. */
  revoke(): Promise<boolean | null>;
}

/** The stages, each behind its contract; gateway.ts puts the real ones in. */
export interface Stages {
  /** `again`: the call was received before; it runs now because it was approved. */
  record(request: CallRequest, again: boolean): CallRecord;
  plan(request: CallRequest): Promise<PlannedCall>;
  resolve(call: PlannedCall): Promise<Facts>;
  decide(call: PlannedCall, facts: Facts): Decision;
  preview(call: PlannedCall, decision: Decision, request: CallRequest): Promise<Preview>;
  /** Joins or makes the request for approval, tells the channels, and holds the caller for as long as it asked. */
  seek(call: PlannedCall, decision: Decision, facts: Facts, preview: Preview, request: CallRequest): Promise<Outcome>;
  spend(approved: ApprovalRequest): Promise<SpentApproval>;
  authorize(
    call: PlannedCall,
    decision: Decision,
    facts: Facts,
    preview: Preview | null,
    spent: SpentApproval | null,
  ): AuthorizedCall;
  issue(authorized: AuthorizedCall, signal: AbortSignal): Promise<Issued>;
  execute(authorized: AuthorizedCall, grant: Grant, request: CallRequest): Promise<Executed>;
  mask(output: Output): MaskedOutput;
}

/** Governs one call from its arguments to its recorded outcome. Never throws: every fault is an outcome. */
export async function governCall(stages: Stages, request: CallRequest): Promise<Outcome> {
  const record = stages.record(request, false);
  try {
    const call = await stages.plan(request);
    const facts = await stages.resolve(call);
    const decision = stages.decide(call, facts);
    if (decision.effect === "deny") return await record.refused(denied(decision), decision);
    if (call.effect === "read" && decision.effect === "allow")
      return await carryOut(stages, record, stages.authorize(call, decision, facts, null, null), [], request);

    await record.received(call);
    const preview = await stages.preview(call, decision, request);
    const final = stages.decide(call, { ...facts, change: preview.change });
    if (final.effect === "deny") return await record.refused(denied(final), final);
    await record.previewed(preview);
    if (call.previewOnly) return await record.settled(rehearsed(stages, call, preview, final));
    if (final.effect === "allow")
      return await carryOut(
        stages,
        record,
        stages.authorize(call, final, facts, preview, null),
        preview.changes,
        request,
      );

    await record.pending(call, final);
    return await stages.seek(call, final, facts, preview, request);
  } catch (thrown) {
    return await record.refused(faultOf(thrown), null);
  }
}

/** Runs the recorded call of an approval, at once: planned, resolved, decided and previewed again, and spent only if nothing changed. */
export async function runApproved(stages: Stages, approved: ApprovalRequest, request: CallRequest): Promise<Outcome> {
  const record = stages.record(request, true);
  try {
    const call = await stages.plan(request);
    const facts = await stages.resolve(call);
    const preview = await stages.preview(call, stages.decide(call, facts), request);
    const decision = stages.decide(call, { ...facts, change: preview.change });
    if (decision.effect === "deny") return await record.refused(denied(decision), decision);
    const changed = whatChanged(approved, call, decision, preview);
    if (changed !== "") return await record.refused(fault("approval_stale", { changed }), decision);
    const spent = await stages.spend(approved);
    return await carryOut(
      stages,
      record,
      stages.authorize(call, decision, facts, preview, spent),
      preview.changes,
      request,
    );
  } catch (thrown) {
    return await record.refused(faultOf(thrown), null);
  }
}

/** Issues the credential, executes, masks, takes the credential back and records the end, in that order. */
async function carryOut(
  stages: Stages,
  record: CallRecord,
  authorized: AuthorizedCall,
  shown: readonly Change[],
  request: CallRequest,
): Promise<Outcome> {
  await record.running(authorized);
  let issued: Issued | null = null;
  let effect: EffectLeft = "none";
  let [changes, other]: [readonly Change[], readonly Change[]] = [[], []];
  let result: Ended["result"];
  try {
    issued = await stages.issue(authorized, request.signal);
    const { grant } = issued;
    await issued.record(() => record.granted(grant, authorized));
    const executed = await stages.execute(authorized, grant, request);
    changes = executed.changes;
    effect = authorized.call.effect === "read" ? "none" : "applied";
    other = otherThanShown(shown, changes);
    if (executed.kind === "broke") throw executed.thrown;
    const { output } = executed;
    const told = other.length === 0 ? output : { ...output, blocks: [...output.blocks, otherLine(other)] };
    result = { output: stages.mask(told) };
  } catch (thrown) {
    const caught = faultOf(thrown);
    // A read leaves nothing itself: an effect that it tells of is another call's, for which it waited.
    if (authorized.call.effect === "read") result = { fault: caught };
    else {
      // What was written before stays written; a second write whose answer was lost leaves more than that open.
      if (caught.effect !== "none") effect = caught.effect;
      result = { fault: { ...caught, effect } };
    }
  }
  let revoked: boolean | null = null;
  try {
    if (issued !== null) revoked = await issued.revoke();
  } catch (thrown) {
    // Whatever broke there, what ran is put on record; the sweep removes what is left.
    revoked = false;
    result = { fault: { ...faultOf(thrown), effect } };
  }
  return await record.settled({ grant: issued?.grant ?? null, revoked, effect, changes, other, result });
}

/** The preview itself is the answer: nothing ran. Policy's word in it is the last one, with what the change would do. */
function rehearsed(stages: Stages, call: PlannedCall, { output, undo }: Preview, final: Decision): Ended {
  const policy = `policy: ${final.effect === "allow" ? "allowed" : "needs approval"}`;
  const last: Block = { kind: "line", line: [undo === "" ? policy : `undo: ${undo}; ${policy}`] };
  const told = stages.mask({ ...output, blocks: [...output.blocks, last] });
  return { grant: null, revoked: null, effect: "none", changes: [], other: [], result: { output: told } };
}

/** What is no longer as the approver saw it; "" when nothing is. */
function whatChanged(approved: ApprovalRequest, call: PlannedCall, decision: Decision, preview: Preview): string {
  if (call.digest !== approved.callDigest) return "the call";
  const uids = (conditions: readonly Precondition[]): string => conditions.map((one) => one.uid).join(" ");
  if (uids(preview.preconditions) !== uids(approved.preconditions)) return "the object was replaced";
  if (preview.digest !== approved.diffDigest) return "what the call would do";
  // The diff of a deletion names its object, and that of a command its container: what goes, or is run in, must be what it was.
  const going = new Set(preview.changes.filter((one) => one.after === null).map((one) => one.uid));
  const substances = (conditions: readonly Precondition[]): string =>
    conditions.map((one) => (going.has(one.uid) || one.resource === "pods/exec" ? one.substance : "")).join(" ");
  if (substances(preview.preconditions) !== substances(approved.preconditions)) return "the object itself";
  if (isStricter(decision, approved)) return "the policy asks for more";
  return "";
}

/** Does the decision ask for anything that the approval was not asked for? */
function isStricter(decision: Decision, approved: ApprovalRequest): boolean {
  const agreed = new Set(approved.requirements.map((one) => JSON.stringify(one)));
  return decision.requirements.some((one) => !agreed.has(JSON.stringify(one)));
}

function denied(decision: Decision): Fault {
  return fault("denied", decision.tell === null ? {} : { tell: decision.tell }, `rules: ${decision.rules.join(", ")}`);
}

/** A declared fault as it is; anything else is ours to be ashamed of and says nothing to the agent. */
function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Faulted) return thrown.fault;
  return fault("internal", {}, thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
}
