// The second line: a cluster that sends nothing outside the call's accesses, and that masks whatever comes back.

import { describeAccess, type Access } from "../domain/access.ts";
import type { Precondition } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { KubeClient, KubeRequest } from "../kubernetes/contract.ts";
import { readLog } from "../kubernetes/stream.ts";
import { includeObject, parseTable, tableAccept } from "../kubernetes/table.ts";
import type { Cluster, ListOptions, LogOptions, Need, ObjectRef, ResourceKind } from "../tool.ts";
import type { MaskIncoming } from "./contract.ts";

export interface GuardOptions {
  readonly client: KubeClient;
  /** Exactly what policy allowed; nothing else is sent. */
  readonly accesses: readonly Access[];
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

/** One write as it was sent and answered: both sides masked. */
export interface Write {
  readonly ref: ObjectRef;
  readonly subresource: string;
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly warnings: readonly string[];
}

export interface GuardedCluster extends Cluster {
  /** The writes of this run, in order. */
  readonly writes: readonly Write[];
  /** Is every write a dry run? */
  readonly rehearses: boolean;
  /** Was a real write answered with success, whatever became of its answer here? */
  wrote(): boolean;
}

/** Opens a cluster for one run of one call. A request outside `accesses` is a fault `internal`: the tool broke its word. */
export function guardCluster(options: GuardOptions): GuardedCluster {
  const { client, masking } = options;
  const writes: Write[] = [];
  let wrote = false;

  function request(access: Target, more: Partial<KubeRequest> = {}): KubeRequest {
    if (!options.accesses.some((declared) => covers(declared, client.cluster, access)))
      throw new Faulted(fault("internal", {}, `undeclared access: ${describe(access)}`));
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
      ...more,
    };
  }
  async function get(ref: ObjectRef, subresource = ""): Promise<JsonObject> {
    const answer = await client.request(request({ verb: "get", ...ref, subresource }));
    return masking.object(answer.body);
  }

  return {
    name: client.cluster,
    namespaces: [...new Set(options.accesses.filter((one) => one.name === "").map((one) => one.namespace))],
    leftOut: options.leftOut,
    writes,
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
      return masking.text((await readLog(client, read, log)).text);
    },
    async mergePatch(ref, patch, subresource = "") {
      const before = await get(ref, subresource);
      const pinned = pin(patch, options.preconditions, ref, before);
      const answer = await client.request(
        request(
          { verb: "patch", ...ref, subresource },
          {
            body: pinned,
            contentType: "application/merge-patch+json",
            query: { fieldManager: "sallyport", ...(options.rehearse ? { dryRun: "All" } : {}) },
          },
        ),
      );
      if (!options.rehearse) wrote = true;
      const after = masking.object(answer.body);
      writes.push({ ref, subresource, before, after, warnings: answer.warnings });
      return after;
    },
    may: (need: Need) =>
      options.accesses.some((declared) =>
        covers(declared, client.cluster, { ...need, subresource: need.subresource ?? "" }),
      ),
  };
}

/** What one request is about to touch. */
interface Target {
  readonly verb: Access["verb"];
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** A list that was allowed for one name does not allow the collection; an access without a name allows the collection alone. */
function covers(declared: Access, cluster: string, target: Target): boolean {
  return (
    declared.cluster === cluster &&
    declared.verb === target.verb &&
    declared.group === target.kind.group &&
    declared.resource === target.kind.resource &&
    declared.subresource === target.subresource &&
    declared.namespace === target.namespace &&
    declared.name === target.name
  );
}

function describe(target: Target): string {
  const { verb, namespace, name, subresource } = target;
  const { group, version, resource, kind } = target.kind;
  return describeAccess({
    cluster: "",
    verb,
    group,
    version,
    resource,
    subresource,
    kind,
    namespace,
    name,
    optional: false,
  });
}

/** The write must find the object as it was when it was agreed: its uid and resourceVersion travel in the patch (409 otherwise). */
function pin(patch: JsonObject, conditions: readonly Precondition[], ref: ObjectRef, before: JsonObject): JsonObject {
  const agreed = conditions.find(
    (one) => one.resource === ref.kind.resource && one.namespace === ref.namespace && one.name === ref.name,
  );
  const uid = agreed?.uid ?? textAt(before, "metadata", "uid");
  const resourceVersion = agreed?.resourceVersion ?? textAt(before, "metadata", "resourceVersion");
  const metadata = at(patch, "metadata");
  const given = isJsonObject(metadata) ? metadata : {};
  return { ...patch, metadata: { ...given, uid, resourceVersion } };
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
