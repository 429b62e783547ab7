// The real stages of one call: the composition root's parts, bound to the call's own masker, audit ids, clock and signal. Long: all stages of the line stand side by side.

import { setImmediate as immediate } from "node:timers/promises";
import { spend } from "../approval/verdict.ts";
import { noCredential } from "../credentials/contract.ts";
import { clusterScopeNeeds } from "../credentials/custom-kinds.ts";
import { needsClusterRole } from "../credentials/grant-objects.ts";
import { issueNothing } from "../credentials/issue.ts";
import { untilAborted } from "../credentials/kept.ts";
import { isRefused } from "../credentials/send.ts";
import type { CallRequest, PlannedCall } from "../domain/call.ts";
import type { Facts } from "../domain/decision.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { Grant } from "../domain/grant.ts";
import { madeAt, type SessionId } from "../domain/ids.ts";
import { agentOf } from "../domain/principal.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Output } from "../domain/output.ts";
import type { StreamSegment } from "../domain/run.ts";
import { cursorsFor } from "../execution/cursor.ts";
import { execute, type ExecuteOptions } from "../execution/execute.ts";
import type { ReachedCluster } from "../execution/contract.ts";
import { openLookUp } from "../execution/look-up.ts";
import { pattern } from "../execution/pattern.ts";
import { preview } from "../execution/preview.ts";
import { resolveFacts } from "../execution/resolve.ts";
import type { Stages } from "../pipeline.ts";
import { authorize } from "../policy/authorize.ts";
import { forbidden } from "../policy/forbid.ts";
import { decide } from "../policy/decide.ts";
import { neededFacts } from "../policy/needed.ts";
import { planCall } from "../policy/plan.ts";
import type { FindKind, LookUp, Tool } from "../tool.ts";
import { openCallRecord } from "../transcript/call-record.ts";
import { openCallMasking } from "./call-masking.ts";
import type { Parts, Waiting } from "./parts.ts";
import { counter, type Reach } from "./reach.ts";

/** What an administrator would do to let nodes be cordoned and drained. */
const nodesNeed = "sallyport enroll --nodes";

/** The stages of one call. */
export function stagesFor(parts: Parts, waiting: Waiting, request: CallRequest): Stages {
  const { clusters, now, deadline } = parts;
  const masking = openCallMasking(parts.masking(), request.session, plainJson(request.arguments));
  const nextAuditId = counter(request.id);
  const lasts = lastsOf(parts.tools.get(request.tool), request.arguments);
  const late = lasts > deadline ? AbortSignal.timeout(lasts) : parts.deadlineSignal();
  const signal = AbortSignal.any([request.signal, parts.closing, late]);
  const terms = { nextAuditId, deadline: Math.max(deadline, lasts), signal };
  let facts: Facts | null = null;
  let decidedBy = "";
  let streamed: readonly StreamSegment[] = [];
  const [only = "", ...others] = clusters.names;
  const several = others.length > 0;
  let cluster = several ? "" : only;

  // Discovery is read once for all who wait for it: a caller that leaves does not wait for its end.
  const findKindIn =
    ({ discovery }: Reach): FindKind =>
    async (text) =>
      await untilAborted(discovery.find(text), signal);

  const reached = ({ client, credentials }: Reach): ReachedCluster => ({
    client,
    readIdentity: (signal_) => credentials.readIdentity(signal_),
  });
  const lookUpIn = (reach: Reach): LookUp => {
    const agent = agentOf(request.principal);
    return openLookUp({ cluster: reached(reach), nextAuditId, agent, signal, needs: nodesNeed });
  };

  /** Where Kubernetes no longer takes a token (401), the next call mints another: the gateway's own, and this session's where it was that. */
  async function renewing<T>({ credentials }: Reach, work: Promise<T>, session: SessionId | null = null): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      if (thrown instanceof Faulted && isRefused(thrown.fault)) await credentials.refused(session);
      throw thrown instanceof Faulted ? await withNeeds(thrown, credentials, signal) : thrown;
    }
  }
  function executeOptions(call: PlannedCall): ExecuteOptions {
    const tool = parts.tools.get(call.tool);
    if (tool === undefined) throw new Error(`a planned call of no tool: ${call.tool}`);
    const reach = clusters.of(call.cluster);
    return {
      tool,
      client: reach.client,
      masking: masking.incoming(),
      forbids: ({ kind, ...target }) =>
        forbidden({ ...target, ...kind, cluster: reach.cluster, optional: false }, call) !== null,
      nextAuditId,
      timeout: deadline / 2,
      streamed: (segments) => void (streamed = segments),
      kit: {
        gateway: waiting.gatewayFor(request, call.cluster),
        findKind: findKindIn(reach),
        kinds: async () => await untilAborted(reach.discovery.kinds(), signal),
        signal,
        progress: request.progress,
        now,
        calledAt: madeAt(request.id),
        others: () => immediate(),
        pattern: (source, path) => pattern(source, path, now),
        cursor: cursorsFor(parts.cursorKey, request.principal, { tool: call.tool, cluster: call.cluster }),
      },
    };
  }

  /** The facts of namespaces that no rule had asked for; those that can't be read stay unknown. */
  async function namespacesOf(call: PlannedCall, names: readonly string[]): Promise<Facts["namespaces"]> {
    const known = facts?.namespaces ?? [];
    const missing = names.filter((name) => !known.some((one) => one.name === name));
    const needed = { objects: [], annotations: [], namespaces: missing };
    const { environmentLabel } = parts;
    const within = { cluster: reached(clusters.of(call.cluster)), needed, environmentLabel, nextAuditId, signal };
    try {
      return [...known, ...(await resolveFacts(call, within)).namespaces];
    } catch (thrown) {
      if (thrown instanceof Faulted && thrown.fault.code === "cluster_denied") return known;
      throw thrown;
    }
  }

  /** With several clusters each answer says of which it is, also the one that an approved call left for its caller. */
  function placed(output: Output, call: PlannedCall): Output {
    if (!several || isClusterless(call)) return output;
    return { ...output, blocks: [...output.blocks, { kind: "line", line: [`cluster ${call.cluster}`] }] };
  }
  const isClusterless = (call: PlannedCall): boolean => parts.tools.get(call.tool)?.clusterless === true;

  return {
    record(_request, again) {
      const record = openCallRecord({
        append: parts.append,
        request,
        again,
        mask: (value) => masking.json(value),
        now,
        log: (why, call) => parts.log({ ...why, cause: masking.cause(why.cause) }, call),
        cluster: () => cluster,
        facts: () => facts,
        streamed: () => streamed,
      });
      const noted = async (end: Promise<Outcome>): Promise<Outcome> => {
        const outcome = await end;
        parts.sessions.note(request.session.id, outcome);
        return outcome;
      };
      return {
        ...record,
        received: (call) => record.received(masking.spoken(call)),
        refused: (why, decision) => noted(record.refused(why, decision)),
        settled: (ended) => noted(record.settled(ended)),
      };
    },

    async plan() {
      const call = await planCall(request, {
        tools: parts.tools,
        clusters: clusters.names,
        permitted: (tool) => parts.permitted(request.principal, tool),
        within(named) {
          const reach = clusters.of(named);
          cluster = named;
          const findKind = findKindIn(reach);
          return {
            findKind: (text) => renewing(reach, findKind(text)),
            namespaces: () => renewing(reach, reach.namespaces(signal)),
            lookUp: (...look) => renewing(reach, lookUpIn(reach)(...look)),
          };
        },
        digestKey: parts.digestKey,
      });
      return masking.spoken(call);
    },

    async resolve(call) {
      const reach = clusters.of(call.cluster);
      const needed = neededFacts(parts.policy(), call);
      const told = {
        ...(needed.session ? { session: parts.sessions.before(request.session.id) } : {}),
        ...(needed.now ? { now: now() } : {}),
      };
      if (needed.objects.length === 0 && needed.namespaces.length === 0)
        facts = { objects: [], namespaces: [], change: null, ...told };
      else {
        if (needed.objects.length > 0 && call.effect !== "read")
          await renewing(reach, reachesNodes(reach, call, signal));
        const { environmentLabel } = parts;
        const found = resolveFacts(call, { cluster: reached(reach), needed, environmentLabel, nextAuditId, signal });
        facts = { ...(await renewing(reach, found)), ...told };
      }
      return facts;
    },

    decide(call, given) {
      facts = given;
      const decision = decide(parts.policy(), call, given);
      decidedBy = decision.policy;
      masking.oblige(decision.obligations);
      return decision;
    },

    async preview(call, decision) {
      const reach = clusters.of(call.cluster);
      const ambient = reach.mode === "ambient" ? await reach.ambientAuthorization() : null;
      const credential = async (): Promise<Pick<Grant, "authorization">> =>
        reach.mode === "ambient" ? { authorization: () => ambient } : await reach.credentials.issuePreview(signal);
      await reach.credentials.grantable(call.accesses, signal);
      const rehearsal = preview(call, decision, (names) => namespacesOf(call, names), credential, executeOptions(call));
      const made = await renewing(reach, rehearsal);
      return { ...made, output: placed(made.output, call) };
    },

    seek: (call, ...asked) => waiting.seek(masking.spoken(call), ...asked),

    async spend(approved) {
      // Decided under one policy, and another is in force by now: it may ask for more.
      if (decidedBy !== parts.policy().digest)
        throw new Faulted(fault("approval_stale", { changed: "the policy" }, "the policy was reloaded meanwhile"));
      const spending = await spend(parts.store, parts.append, approved.id, {
        approvalDigest: approved.approvalDigest,
        now: now(),
      });
      if (spending.kind === "spent") return spending.approval;
      throw new Faulted(fault("approval_stale", { changed: "the approval" }, `could not be spent: ${spending.code}`));
    },

    authorize: (call, decision, _facts, rehearsed, spent) =>
      authorize(call, decision, rehearsed?.preconditions ?? [], spent),

    async issue(authorized) {
      if (isClusterless(authorized.call)) return issueNothing(parts.newGrantId());
      const { credentials } = clusters.of(authorized.call.cluster);
      return parts.takingBack.soon(await credentials.issue(authorized, terms), request);
    },

    async execute(authorized, grant) {
      const { call } = authorized;
      const run = execute(authorized, grant, executeOptions(call));
      const session = grant.issuer === "reader" ? request.session.id : null;
      const ran = await renewing(clusters.of(call.cluster), run, session);
      return ran.kind === "ran" ? { ...ran, output: placed(ran.output, call) } : ran;
    },

    mask: (output) => masking.output(output),
  };
}

/** Milliseconds that this call may take beyond what every call may; 0 for all but the long tools. */
export function lastsOf(tool: Tool | undefined, arguments_: unknown): number {
  if (tool?.long !== true) return 0;
  const { cluster: _cluster, ...own } = isJsonObject(arguments_) ? arguments_ : {};
  const opened = tool.open(own);
  return opened.kind === "opened" ? opened.lasts : 0;
}

/** A call that needs a ClusterRole, in a cluster whose enrolment gives none: said before anything is asked with rights that are not there. */
async function reachesNodes({ mode, credentials }: Reach, call: PlannedCall, signal: AbortSignal): Promise<void> {
  if (mode === "ambient" || !needsClusterRole(call.accesses)) return;
  const enrolment = await credentials.enrolment(signal);
  if (enrolment !== null && !enrolment.nodes)
    throw noCredential("the enrolment does not reach nodes", clusterScopeNeeds(call.accesses) || nodesNeed);
}

/** A custom kind that was never enrolled: the refusal says which command would change that. What can't be asked leaves it as it was. */
async function withNeeds(thrown: Faulted, credentials: Reach["credentials"], signal: AbortSignal): Promise<Faulted> {
  if (thrown.fault.code !== "cluster_denied") return thrown;
  const needs = await credentials.needsFor(thrown.fault, signal).catch(() => "");
  const { detail } = thrown.fault;
  return needs === "" ? thrown : new Faulted({ ...thrown.fault, detail: { ...detail, needs } });
}

/** Arguments that are no JSON object were refused before any value of theirs could come back. */
function plainJson(value: unknown): Json {
  return isJsonObject(value) ? value : {};
}
