// One call's entries in their order: what must be durable before a credential exists, and before the reply. Long: one call, from its first entry to its last.

import { describeAccess, type Access } from "../domain/access.ts";
import type { AuthorizedCall, CallRequest, PlannedCall } from "../domain/call.ts";
import type { ChangeFact, Decision, Facts } from "../domain/decision.ts";
import type { Append, EntryDetails, EntryDraft, EntryKind } from "../domain/entry.ts";
import { fault, Faulted, type EffectLeft, type Fault } from "../domain/fault.ts";
import type { Grant } from "../domain/grant.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { Change, DiffLine } from "../domain/output.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import type { Ended, StreamSegment } from "../domain/run.ts";
import { BodyLost } from "./unusable.ts";

export interface RecordOptions {
  readonly append: Append;
  readonly request: CallRequest;
  /** True when `call.received` was written before (the call runs because it was approved). */
  readonly again: boolean;
  /** What may be kept or told of the caller's and the cluster's words: masked. A fault withholds them all. */
  readonly mask: (value: JsonObject) => JsonObject;
  readonly now: () => number;
  /** The operator's log: the cause of each fault, under its call id. */
  readonly log: (fault: Fault, call: string) => void;
  /** The call's cluster as planning found it; "" before that, or where the call named none that it may. */
  readonly cluster: () => string;
  /** The facts that the last decision was made on. */
  readonly facts: () => Facts | null;
  /** What its command wrote, masked, in its time; empty where it ran none. */
  readonly streamed: () => readonly StreamSegment[];
}

/** Opens the record of one call. `refused` and `settled` never throw: a record that fails is itself the outcome. */
export function openCallRecord(options: RecordOptions) {
  const { append, request, now } = options;
  const started = now();
  let received = options.again;
  let planned: PlannedCall | null = null;
  let ranSince = started;

  function draft<K extends EntryKind>(
    kind: K,
    details: EntryDetails[K],
    body: EntryDraft["body"] | null = null,
  ): EntryDraft {
    const { session, id: call, principal } = request;
    return { kind, session, call, principal, details, ...(body === null ? {} : { body }) } as EntryDraft;
  }
  /** Appends the entries, behind the call's first one as long as that is not durable. */
  async function write(entries: readonly EntryDraft[]): Promise<void> {
    try {
      await append(received ? entries : [receivedEntry(), ...entries]);
      received = true;
    } catch (thrown) {
      received ||= thrown instanceof BodyLost;
      throw thrown;
    }
  }
  function receivedEntry(): EntryDraft {
    const raw = planned?.arguments ?? (isJsonObject(request.arguments) ? request.arguments : {});
    const details = {
      cluster: options.cluster(),
      tool: request.tool.slice(0, 80),
      arguments: keptArguments(raw, options.mask),
      digest: planned?.digest ?? "",
      reason: planned?.reason ?? null,
      preview: planned?.previewOnly ?? false,
    };
    return draft("call.received", details, longArguments(raw, options.mask));
  }
  function segmentEntry({ stream, from, to, text, masked }: StreamSegment): EntryDraft {
    const details = { tool: request.tool, stream, from, to, bytes: Buffer.byteLength(text), masked };
    return draft("stream.segment", details, { class: "output", text });
  }
  /** What was agreed to was shown, and this is something else. */
  function otherEntry(changes: readonly Change[]): EntryDraft {
    const diff = changes.flatMap((change) => change.lines.map(diffText));
    const about = { tool: request.tool, objects: changes.map(objectOf), diff: diff.slice(0, mostLines) };
    return draft("alert.raised", { alert: "written otherwise than shown", about });
  }
  /** The fault as it may be told: its detail can hold the cluster's words. */
  function toTell(why: Fault): Fault {
    return { ...why, detail: maskedOr({}, why.detail, options.mask) };
  }
  function decided(decision: Decision | null, code: string): EntryDraft {
    return draft("call.decided", {
      cluster: options.cluster(),
      tool: request.tool.slice(0, 80),
      effect: planned?.effect ?? "unknown",
      decision: decision?.effect ?? "deny",
      accesses: (planned?.accesses ?? []).slice(0, 200).map(accessText),
      rules: decision?.rules ?? [],
      forbid: decision?.forbid ?? null,
      errors: decision?.errors ?? [],
      policy: decision?.policy ?? "",
      facts: maskedOr({}, factsUsed(options.facts(), request.principal), options.mask),
      approval: null,
      ...obligationsIn(decision),
      code,
    });
  }

  return {
    async received(call: PlannedCall): Promise<void> {
      planned = call;
      await write([]);
    },

    async previewed(preview: { readonly changes: readonly Change[]; readonly digest: string }): Promise<void> {
      const diff = preview.changes.flatMap((change) => change.lines.map(diffText));
      const objects = preview.changes.map(objectOf);
      const details = { tool: request.tool, diff: diff.slice(0, mostLines), diffDigest: preview.digest, objects };
      const body = diff.length > mostLines ? ({ class: "diff", text: diff.join("\n") } as const) : null;
      await append([draft("call.previewed", details, body)]);
    },

    async pending(call: PlannedCall, decision: Decision): Promise<void> {
      planned = call;
      await write([decided(decision, "")]);
    },

    async running(authorized: AuthorizedCall): Promise<void> {
      planned = authorized.call;
      const entry = decided({ ...authorized.decision, effect: "allow" }, "");
      await write([{ ...entry, details: { ...entry.details, approval: authorized.approval } } as EntryDraft]);
      ranSince = now();
    },

    async granted(grant: Grant, authorized: AuthorizedCall): Promise<void> {
      const { id, issuer, account, jti, expiresAt } = grant;
      const accesses = authorized.accesses.slice(0, 200).map(describeAccess);
      await append([
        draft("grant.issued", {
          grant: id,
          cluster: options.cluster(),
          issuer,
          account,
          jti,
          accesses,
          expires: new Date(expiresAt).toISOString(),
        }),
      ]);
    },

    async refused(why: Fault, decision: Decision | null): Promise<Outcome> {
      options.log(why, request.id);
      const settled = draft("call.settled", {
        ...nothingLeft(request.tool),
        cluster: options.cluster(),
        outcome: "refused",
        code: why.code,
        effect: why.effect,
        durations: { total: now() - started },
      });
      try {
        await write([decided(decision, why.code), settled]);
        return { kind: "refused", call: request.id, fault: toTell(why) };
      } catch (thrown) {
        return { kind: "refused", call: request.id, fault: unrecorded(thrown, "none") };
      }
    },

    async settled(ended: Ended): Promise<Outcome> {
      const failed = "fault" in ended.result ? ended.result.fault : null;
      if (failed !== null) options.log(failed, request.id);
      const output = "output" in ended.result ? ended.result.output : null;
      // What the agent was told is sealed: the entry says how much it was and what was masked in it.
      const text = output === null ? "" : JSON.stringify(output);
      const details = {
        cluster: options.cluster(),
        tool: request.tool,
        outcome: failed === null ? ("completed" as const) : ("failed" as const),
        code: failed?.code ?? "",
        effect: ended.effect,
        objects: ended.changes.map(objectOf),
        grant: ended.grant?.id ?? "",
        account: ended.grant?.account ?? "",
        jti: ended.grant?.jti ?? "",
        ambient: ended.grant?.issuer === "ambient",
        masked: output?.masked ?? [],
        bytes: text.length,
        durations: { total: now() - started, run: now() - ranSince },
      };
      const body = output === null ? null : ({ class: "output", text } as const);
      const entries = [
        ...options.streamed().map(segmentEntry),
        ...(ended.other.length === 0 ? [] : [otherEntry(ended.other)]),
        draft("call.settled", details, body),
      ];
      if (ended.grant !== null && ended.revoked !== null)
        entries.push(draft("grant.revoked", { grant: ended.grant.id, complete: ended.revoked }));
      try {
        await write(entries);
      } catch (thrown) {
        return { kind: "failed", call: request.id, fault: unrecorded(thrown, ended.effect) };
      }
      if (failed !== null) return { kind: "failed", call: request.id, fault: toTell(failed) };
      if (output === null) return { kind: "failed", call: request.id, fault: fault("internal") };
      const ambient = ended.grant?.issuer === "ambient";
      return { kind: "completed", call: request.id, output, effect: ended.effect, ambient };
    },
  };
}

/** One diff line as text: `~ spec.replicas: 3 -> 5`, with `!` before a risk. */
export function diffText(line: DiffLine): string {
  const values = [line.before, line.after].filter((value) => value !== null).join(" -> ");
  return `${line.risk ? "!" : ""}${line.sign} ${line.path}: ${values}`;
}

function objectOf(change: Change): JsonObject {
  const version = (side: JsonObject | null): string => {
    const metadata = side?.["metadata"];
    const found = isJsonObject(metadata) ? metadata["resourceVersion"] : undefined;
    return typeof found === "string" ? found : "";
  };
  const { cluster, kind, namespace, name, uid } = change;
  return { cluster, kind, namespace, name, uid, before: version(change.before), after: version(change.after) };
}

function nothingLeft(tool: string): Omit<EntryDetails["call.settled"], "outcome" | "code" | "effect" | "durations"> {
  return {
    tool: tool.slice(0, 80),
    objects: [],
    grant: "",
    account: "",
    jti: "",
    ambient: false,
    masked: [],
    bytes: 0,
  };
}

function unrecorded(thrown: unknown, effect: EffectLeft): Fault {
  const cause = thrown instanceof Faulted ? thrown.fault.cause : String(thrown);
  return fault("transcript_unavailable", {}, cause, effect);
}

/** Arguments above 16 kB are kept as their size, unread: an entry holds at most 65,535 bytes. */
function keptArguments(arguments_: JsonObject, mask: RecordOptions["mask"]): JsonObject {
  const { length } = JSON.stringify(arguments_);
  if (length > 16_384) return { "sallyport/left_out": `${length} characters` };
  return maskedOr({ "sallyport/left_out": "could not be masked" }, arguments_, mask);
}

/** Lines of a diff that stand in the entry itself. */
const mostLines = 200;

/** Arguments that the entry leaves out, as the body beside it; null where it holds them, or where nothing could hold them. */
function longArguments(arguments_: JsonObject, mask: RecordOptions["mask"]): EntryDraft["body"] | null {
  const { length } = JSON.stringify(arguments_);
  if (length <= 16_384 || length > 524_288) return null;
  const masked = maskedOr({ "sallyport/left_out": "could not be masked" }, arguments_, mask);
  return { class: "arguments", text: JSON.stringify(masked) };
}

/** The value masked, or `otherwise` where that fails: what can't be masked is not shown, and keeps no call off the record. */
function maskedOr(otherwise: JsonObject, value: JsonObject, mask: RecordOptions["mask"]): JsonObject {
  try {
    return mask(value);
  } catch (thrown) {
    if (thrown instanceof Faulted) return otherwise;
    throw thrown;
  }
}

/** What policy asks of the answer, where it asks anything. */
function obligationsIn(decision: Decision | null): { obligations?: JsonObject } {
  const { maxBytes = null, mask = [] } = decision?.obligations ?? {};
  if (maxBytes === null && mask.length === 0) return {};
  return { obligations: { ...(maxBytes === null ? {} : { maxBytes }), ...(mask.length === 0 ? {} : { mask }) } };
}

/** What the decision was made on, complete enough to be made again: who asked in which groups, and what was looked up. */
function factsUsed(
  facts: Facts | null,
  { kind, groups, claims }: Pick<PrincipalFields, "kind" | "groups" | "claims">,
): JsonObject {
  if (facts === null) return {};
  const { session, now, change } = facts;
  return {
    principal: { kind, groups: groups.slice(0, 100), ...(claims === undefined ? {} : { claims }) },
    namespaces: facts.namespaces.map(({ name, exists, environment, labels }) => ({
      name,
      exists,
      environment,
      labels,
    })),
    objects: facts.objects.map(({ access, exists, uid, labels, annotations }) => ({
      resource: access.resource,
      namespace: access.namespace,
      name: access.name,
      exists,
      uid,
      labels,
      ...(annotations === undefined ? {} : { annotations }),
    })),
    change: change === null ? null : plainChange(change),
    ...(session === undefined ? {} : { session: { ...session } }),
    ...(now === undefined ? {} : { now: new Date(now).toISOString() }),
  };
}

function plainChange(change: ChangeFact): JsonObject {
  const { replicas, scaled, images, envNames, securityContext, serviceAccounts, volumes, owners, finalizers } = change;
  const parts = { replicas: replicas === null ? null : { ...replicas }, securityContext, owners, finalizers };
  const lists = { scaled: scaled.map((one) => ({ ...one })), images: images.map((one) => ({ ...one })) };
  return {
    ...parts,
    ...lists,
    envNames,
    serviceAccounts: serviceAccounts.map((one) => ({ ...one })),
    volumes,
    paths: change.paths.slice(0, 500),
  };
}

/** As policies write it; a trailing `?` marks an access that the call could do without. */
function accessText(access: Access): string {
  return `${describeAccess(access)}${access.optional ? "?" : ""}`;
}
