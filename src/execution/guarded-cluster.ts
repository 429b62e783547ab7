// The second line: a cluster that sends nothing outside the call's accesses, and that masks whatever comes back. Long: one write path with its preconditions.

import { resourcePath, type Access } from "../domain/access.ts";
import type { Precondition } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { KubeClient, KubeRequest } from "../kubernetes/contract.ts";
import { readLog } from "../kubernetes/stream.ts";
import { includeObject, parseTable, tableAccept } from "../kubernetes/table.ts";
import type { Cluster, Graft, ListOptions, LogOptions, Need, ObjectRef, ResourceKind } from "../tool.ts";
import { broughtBy, shownIn, type BodyForbid } from "./body.ts";
import type { MaskIncoming } from "./contract.ts";
import { substanceOf } from "./diff.ts";
import { covers, describeTarget, guardSent, type Target } from "./guard.ts";
import { graft, patchTypes, pinned, pinnedSteps, marksOf, writtenBy } from "./write-body.ts";

export interface GuardOptions {
  readonly client: KubeClient;
  /** Exactly what policy allowed; nothing else is sent. */
  readonly accesses: readonly Access[];
  /** The built-in forbids, asked once more about what is really sent. */
  readonly forbids: (target: Target) => boolean;
  /** How many accesses or namespaces policy left out. */
  readonly leftOut: number;
  readonly authorization: () => string | null;
  readonly masking: MaskIncoming;
  /** In a rehearsal every write is a server-side dry run. */
  readonly rehearse: boolean;
  readonly preconditions: readonly Precondition[];
  readonly nextAuditId: () => string;
  readonly agent: string;
  readonly signal: AbortSignal;
  /** Milliseconds for each request. */
  readonly timeout: number;
}

type Prepare = (
  before: JsonObject | null,
) => Promise<Pick<KubeRequest, "verb" | "body" | "contentType" | "query"> & { readonly taken?: readonly Taken[] }>;

/** A field that another manager kept until this write. Both are the cluster's words. */
interface Taken {
  readonly field: string;
  readonly manager: string;
}

/** Field managers that write again whatever they keep: Kubernetes' own, autoscalers, operators, GitOps. */
const controllers = /^(kube-|kubelet$)|controller|autoscaler|operator|^argocd|^flux|^helm-|kustomize/i;

/** One write as it was sent and answered: both sides masked. */
export interface Write {
  readonly ref: ObjectRef;
  readonly subresource: string;
  /** null where it was created. */
  readonly before: JsonObject | null;
  /** null where it was deleted. */
  readonly after: JsonObject | null;
  /** What it took from other field managers. */
  readonly taken: readonly Taken[];
  /** The fields that the body named, masked like the answer; null where it named none. */
  readonly sent: JsonObject | null;
  readonly warnings: readonly string[];
}

export interface GuardedCluster extends Cluster {
  /** The writes of this run, in order. */
  readonly writes: readonly Write[];
  /** What the parts that were grafted into them came from: it must be there again, as it was. */
  readonly sources: readonly Precondition[];
  /** Is every write a dry run? */
  readonly rehearses: boolean;
  /** Was a real write answered with success, whatever became of its answer here? */
  wrote(): boolean;
}

/** Opens a cluster for one run of one call. A request outside `accesses` is a fault `internal`: the tool broke its word. */
export function guardCluster(options: GuardOptions): GuardedCluster {
  const { client, masking } = options;
  const writes: Write[] = [];
  const sources: Precondition[] = [];
  let wrote = false;

  function request(access: Target, more: Partial<KubeRequest> = {}): KubeRequest {
    if (!options.accesses.some((declared) => covers(declared, client.cluster, access)))
      throw new Faulted(fault("internal", {}, `undeclared access: ${describeTarget(access)}`));
    if (options.forbids(access)) throw new Faulted(fault("denied", {}, `forbidden access: ${describeTarget(access)}`));
    return {
      verb: access.verb,
      group: access.kind.group,
      version: access.kind.version,
      resource: access.kind.resource,
      ...(access.subresource === "" ? {} : { subresource: access.subresource }),
      namespace: access.namespace,
      name: access.name,
      authorization: options.authorization(),
      auditId: options.nextAuditId(),
      agent: options.agent,
      signal: options.signal,
      timeout: options.timeout,
      guard: (sent) => guardSent(sent, options),
      ...more,
    };
  }
  async function get(ref: ObjectRef, subresource = ""): Promise<JsonObject> {
    const answer = await client.request(request({ verb: "get", ...ref, subresource }));
    return masking.object(answer.body);
  }

  const writeQuery = {
    fieldManager: "sallyport",
    fieldValidation: "Strict",
    ...(options.rehearse ? { dryRun: "All" } : {}),
  };

  /** One write of an object that is as it was agreed: read, compared, pinned by uid and resourceVersion; a conflict is looked at again, three times. */
  async function write(ref: ObjectRef, subresource: string, prepare: Prepare): Promise<JsonObject> {
    // Only a Scale is an object of its own; other subresources are doors to the object itself.
    const looked = subresource === "scale" ? subresource : "";
    for (let conflicts = 0; ; conflicts++) {
      const before = await find(ref, looked);
      agreed(options.preconditions, resourcePath({ ...ref.kind, subresource: looked }), ref, before);
      const { verb, query, taken = [], ...rest } = await prepare(before);
      if (verb !== "delete") refuse(shownIn(rest.body ?? null));
      const sent = request(
        { verb, ...ref, subresource },
        { ...rest, query: { ...(verb === "delete" ? dryRun(options) : writeQuery), ...query } },
      );
      try {
        const answer = await client.request(sent);
        if (!options.rehearse) wrote = true;
        const after = verb === "delete" ? null : masking.object(answer.body);
        if (after !== null) refuse(broughtBy(before, after));
        const named = verb === "delete" ? null : writtenBy(rest.body ?? null, answer.body);
        const { warnings } = answer;
        const fields = named && masking.object(named);
        writes.push({ ref, subresource: looked, before, after, sent: fields, taken, warnings });
        return after ?? {};
      } catch (thrown) {
        if (!isStale(thrown) || conflicts === 3) throw thrown;
      }
    }
  }
  /** Puts the parts of other objects into a body, as they are stored. */
  async function grafted(body: Json, grafts: readonly Graft[] = []): Promise<Json> {
    let whole = body;
    for (const one of grafts) {
      const { body: source } = await client.request(request({ verb: "get", ...one.from, subresource: "" }));
      const part = graft(whole, one, source);
      const { namespace, name, kind } = one.from;
      const resource = `${one.path.join(".")} of ${resourcePath({ ...kind, subresource: "" })}`;
      const seen = graft(null, { ...one, at: [] }, masking.object(source)).part;
      const substance = substanceOf({ part: seen });
      const marks = { uid: textAt(source, "metadata", "uid"), resourceVersion: "" };
      const agreedOn = options.preconditions.find((one_) => sameObject(one_, resource, one.from));
      if (agreedOn !== undefined && (agreedOn.uid !== marks.uid || agreedOn.substance !== substance))
        throw new Faulted(fault("stale", { kind: kind.kind, name }, `${resource} ${name} is not as it was agreed`));
      if (!sources.some((one_) => sameObject(one_, resource, one.from)))
        sources.push({ resource, namespace, name, ...marks, substance });
      whole = part.whole;
    }
    return whole;
  }
  /** The fields that an apply would take from others, found by a rehearsal without force. A controller's are not taken: it would take them back. */
  async function takenOver(ref: ObjectRef, body: JsonObject, contentType: string): Promise<readonly Taken[]> {
    const query = { ...writeQuery, dryRun: "All", force: "false" };
    try {
      await client.request(request({ verb: "patch", ...ref, subresource: "" }, { body, contentType, query }));
      return [];
    } catch (thrown) {
      if (!(thrown instanceof Faulted) || thrown.fault.code !== "conflict_fields") throw thrown;
      const taken = takenIn(thrown.fault.detail["fields"]);
      if (taken.length === 0 || taken.some(({ manager }) => controllers.test(manager))) throw thrown;
      return taken;
    }
  }
  /** The object, masked, or null where it is not there. */
  async function find(ref: ObjectRef, subresource: string): Promise<JsonObject | null> {
    try {
      return await get(ref, subresource);
    } catch (thrown) {
      if (thrown instanceof Faulted && thrown.fault.code === "not_found" && subresource === "") return null;
      throw thrown;
    }
  }

  return {
    name: client.cluster,
    namespaces: [...new Set(options.accesses.filter((one) => one.name === "").map((one) => one.namespace))],
    leftOut: options.leftOut,
    writes,
    sources,
    rehearses: options.rehearse,
    wrote: () => wrote,
    get,
    async list(kind, namespace, list) {
      const target: Target = { verb: "list", kind, namespace, name: "", subresource: "" };
      const { body } = await client.request(request(target, { query: listQuery(list) }));
      const items = at(body, "items");
      return {
        items: (Array.isArray(items) ? items : []).map((item: JsonObject) => masking.object(withKind(item, kind))),
        continue: textAt(body, "metadata", "continue"),
        remaining: numberAt(body, "metadata", "remainingItemCount"),
      };
    },
    async table(kind, namespace, list) {
      const target: Target = { verb: "list", kind, namespace, name: "", subresource: "" };
      const query = { ...listQuery(list), includeObject: includeObject(namespace) };
      const { body } = await client.request(request(target, { query, accept: tableAccept }));
      const page = parseTable(body, namespace);
      const rows = page.rows.map((row) => ({
        ...row,
        cells: row.cells.map((cell, index) => masking.cell(page.columns[index]?.name ?? "", cell)),
      }));
      return { ...page, rows };
    },
    async logs(ref: ObjectRef, log: LogOptions) {
      const read = request({ verb: "get", ...ref, subresource: "log" });
      return await masking.long((await readLog(client, read, log)).text);
    },
    patch: (ref, patch, { type, subresource = "", grafts }) =>
      write(ref, subresource, async (before) => {
        if (before === null) throw new Faulted(fault("not_found", placeIn(ref)));
        const body = await grafted(patch, grafts);
        return {
          verb: "patch",
          body: type === "json" ? pinnedSteps(body, before) : pinned(isJsonObject(body) ? body : {}, before),
          contentType: patchTypes[type],
        };
      }),
    apply: (ref, manifest, { force, grafts, create }) =>
      write(ref, "", async (before) => {
        if (create === true && before !== null) throw new Faulted(fault("already_exists", placeIn(ref)));
        const whole = await grafted(manifest, grafts);
        const body = pinned(isJsonObject(whole) ? whole : {}, before);
        const contentType = "application/apply-patch+yaml";
        const taken = force ? await takenOver(ref, body, contentType) : [];
        return { verb: "patch", body, contentType, query: { force: String(force) }, taken };
      }),
    async remove(ref, { cascade, graceSeconds }) {
      const propagationPolicy = { background: "Background", foreground: "Foreground", orphan: "Orphan" }[cascade];
      const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
      await write(ref, "", async (before) => {
        if (before === null) throw new Faulted(fault("not_found", placeIn(ref)));
        const options_ = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy, ...grace };
        return { verb: "delete", body: { ...options_, preconditions: marksOf(before) } };
      });
    },
    async evict(pod) {
      const { namespace, name } = pod;
      const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
      await client.request(request({ verb: "create", ...pod, subresource: "eviction" }, { body, query: writeQuery }));
      if (!options.rehearse) wrote = true;
    },
    async describe(path) {
      return await client.path(path, { authorization: options.authorization(), signal: options.signal });
    },
    may: (need: Need) =>
      options.accesses.some((declared) =>
        covers(declared, client.cluster, { ...need, subresource: need.subresource ?? "" }),
      ),
  };
}

const dryRun = ({ rehearse }: GuardOptions): Record<string, string> => (rehearse ? { dryRun: "All" } : {});

/** The object must be the one that was agreed, in substance; what the server writes by itself may have moved on. Fault: stale. */
function agreed(
  conditions: readonly Precondition[],
  resource: string,
  ref: ObjectRef,
  before: JsonObject | null,
): void {
  const found = conditions.find((one) => sameObject(one, resource, ref));
  if (found === undefined) return;
  const same =
    before === null
      ? found.uid === ""
      : found.uid === textAt(before, "metadata", "uid") && found.substance === substanceOf(before);
  if (same) return;
  const { kind, name } = placeIn(ref);
  throw new Faulted(fault("stale", { kind, name }, `${resource} ${ref.name} is not as it was agreed`));
}

function sameObject(condition: Precondition, resource: string, ref: ObjectRef): boolean {
  return condition.resource === resource && condition.namespace === ref.namespace && condition.name === ref.name;
}

function placeIn(ref: ObjectRef): { kind: string; namespace: string; name: string } {
  return { kind: ref.kind.kind, namespace: ref.namespace, name: ref.name };
}

function refuse(forbid: BodyForbid | null): void {
  if (forbid !== null) throw new Faulted(fault("denied", { tell: forbid.sentence }, `forbid:${forbid.id}`));
}

function takenIn(fields: Json | undefined): readonly Taken[] {
  const list = Array.isArray(fields) ? (fields as readonly Json[]) : [];
  return list.map((one) => ({ field: textAt(one, "field"), manager: textAt(one, "manager") }));
}

function isStale(thrown: unknown): boolean {
  return thrown instanceof Faulted && thrown.fault.code === "stale";
}

function listQuery(list: ListOptions): Record<string, string> {
  return {
    limit: String(list.limit),
    ...(list.selector ? { labelSelector: list.selector } : {}),
    ...(list.fieldSelector ? { fieldSelector: list.fieldSelector } : {}),
    ...(list.continue ? { continue: list.continue } : {}),
  };
}

/** Items of a list carry no kind of their own; the masker decides by it. */
function withKind(item: JsonObject, kind: ResourceKind): JsonObject {
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  return { ...item, apiVersion, kind: kind.kind };
}

function numberAt(body: JsonObject, ...path: string[]): number | null {
  const found = at(body, ...path);
  return typeof found === "number" ? found : null;
}
