// What a run writes: each write reads its object, compares it with what was agreed, pins it, and looks at the answer.

import { isCustom, resourcePath } from "../domain/access.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { KubeRequest } from "../kubernetes/contract.ts";
import type { Cluster, ObjectRef } from "../tool.ts";
import { agreed, placeIn } from "./agreed.ts";
import { refuse } from "./body-forbids.ts";
import { broughtBy, shownIn } from "./body.ts";
import { bodyOf, type Before } from "./caller-body.ts";
import type { Gate } from "./gate.ts";
import { refuseExposed, refuseHiddenWords, refuseSurfaced } from "./hidden.ts";
import type { Twice } from "./keep.ts";
import { refuseTakenMarks } from "./own-marks.ts";
import { broughtOwners } from "./owners.ts";
import { takenOver } from "./taken.ts";
import type { Taken } from "./write.ts";
import { dryRun, marksOf, patchTypes, pinned, pinnedSteps, writeQuery } from "./write-body.ts";

interface Prepared extends Pick<KubeRequest, "verb" | "body" | "contentType" | "query"> {
  /** Looks which fields would be taken from others; may meet a conflict as the write may. */
  readonly taking?: () => Promise<readonly Taken[]>;
  /** What the caller's own body says, in the object's shape; absent where there is no body of a caller's. */
  readonly says?: JsonObject;
  /** Where the hidden values of the object must still be hidden. */
  readonly hidden?: Twice;
  /** The body with other values over hidden ones: what it would be refused, the write is refused too. */
  readonly other?: Json | null;
}
type Prepare = (before: Before | null) => Promise<Prepared>;

/** The writes of one run. Faults: those of the gate; stale, where the object is not as it was agreed. */
export function writesOf(gate: Gate): Pick<Cluster, "patch" | "apply" | "remove"> {
  const { options } = gate;
  const { client, masking } = options;

  /** The object, or null where it is not there. */
  async function find(ref: ObjectRef, subresource: string): Promise<Before | null> {
    try {
      const stored = await gate.read(ref, subresource);
      return { object: masking.object(stored), live: { stored, shown: masking.asRead(stored) } };
    } catch (thrown) {
      if (thrown instanceof Faulted && thrown.fault.code === "not_found" && subresource === "") return null;
      throw thrown;
    }
  }

  /** One write of an object that is as it was agreed: read, compared, pinned by uid and resourceVersion; a conflict is looked at again, three times. */
  async function write(ref: ObjectRef, subresource: string, prepare: Prepare): Promise<JsonObject> {
    // Only a Scale is an object of its own; other subresources are doors to the object itself.
    const looked = subresource === "scale" ? subresource : "";
    for (let conflicts = 0; ; conflicts++) {
      const found = await find(ref, looked);
      const before = found?.object ?? null;
      agreed(options.preconditions, resourcePath({ ...ref.kind, subresource: looked }), ref, before);
      const { verb, query, taking, says, hidden, other = null, ...rest } = await prepare(found);
      if (verb !== "delete") refuse(shownIn(rest.body ?? null));
      const sent = gate.request(
        { verb, ...ref, subresource },
        { ...rest, query: { ...(verb === "delete" ? dryRun(options) : writeQuery(options)), ...query } },
      );
      try {
        const taken = (await taking?.()) ?? [];
        if (other !== null)
          await client.request(
            gate.request(
              { verb, ...ref, subresource },
              { ...rest, body: other, query: { ...writeQuery(options), ...query, dryRun: "All" } },
            ),
          );
        const answer = await client.request(sent);
        gate.answered();
        const after = verb === "delete" ? null : masking.object(answer.body);
        const fields = says === undefined ? null : masking.object(says);
        const { warnings } = answer;
        gate.writes.push({ ref, subresource: looked, before, after, sent: fields, taken, warnings });
        if (after === null) return {};
        if (found !== null) refuseTakenMarks(found.live.stored, answer.body);
        refuse(broughtBy(before, after));
        refuse(broughtOwners(before, after, gate.met));
        if (says !== undefined) refuseHiddenWords(says, answer.body, after);
        if (hidden !== undefined) refuseExposed(hidden, answer.body, after);
        if (found !== null && says !== undefined && rest.contentType === applyType && isCustom(ref.kind.group))
          refuseSurfaced(
            found.live,
            { stored: says, shown: fields ?? undefined },
            { stored: answer.body, shown: after },
          );
        refuseMet(ref, before, answer.status, options.rehearse);
        return after;
      } catch (thrown) {
        if (!isStale(thrown) || wroteLast(thrown) || conflicts === 3) throw thrown;
      }
    }
  }

  return {
    patch: (ref, patch, { type, subresource = "", ...more }) =>
      write(ref, subresource, async (found) => {
        if (found === null) throw new Faulted(fault("not_found", placeIn(ref)));
        const { body, other, ...told } = await bodyOf(gate, patch, type, found, more);
        const { object } = found;
        const pin = (whole: Json): Json =>
          type === "json" ? pinnedSteps(whole, object) : pinned(isJsonObject(whole) ? whole : {}, object);
        const contentType = patchTypes[type];
        return { verb: "patch", body: pin(body), contentType, ...told, other: other === null ? null : pin(other) };
      }),
    apply: (ref, manifest, { force, create, ...more }) =>
      located(ref, more.argument, () =>
        write(ref, "", async (found) => {
          if (create === true && found !== null) throw new Faulted(fault("already_exists", placeIn(ref)));
          const { body: whole, other: differs, ...told } = await bodyOf(gate, manifest, "apply", found, more);
          const pin = (one: Json): JsonObject => pinned(isJsonObject(one) ? one : {}, found?.object ?? null);
          const [body, other] = [pin(whole), differs === null ? null : pin(differs)];
          const contentType = applyType;
          const asks = { verb: "patch" as const, body, contentType, query: { force: String(force) }, ...told, other };
          return force ? { ...asks, taking: () => takenOver(gate, ref, other ?? body, contentType) } : asks;
        }),
      ),
    async remove(ref, { cascade, graceSeconds }) {
      const propagationPolicy = { background: "Background", foreground: "Foreground", orphan: "Orphan" }[cascade];
      const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
      await write(ref, "", async (found) => {
        if (found === null) throw new Faulted(fault("not_found", placeIn(ref)));
        const options_ = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy, ...grace };
        return { verb: "delete", body: { ...options_, preconditions: marksOf(found.object) } };
      });
    },
  };
}

const applyType = "application/apply-patch+yaml";

function isStale(thrown: unknown): boolean {
  return thrown instanceof Faulted && thrown.fault.code === "stale";
}

const wroteLast = (thrown: unknown): boolean => thrown instanceof Faulted && thrown.fault.effect === "applied";

/** An apply creates what is not there; where somebody else was first it changes theirs, which nobody had agreed to. */
function refuseMet(ref: ObjectRef, before: JsonObject | null, status: number, rehearse: boolean): void {
  if (before !== null || status === 201 || rehearse) return;
  const { kind, name } = placeIn(ref);
  throw new Faulted(fault("stale", { kind, name }, `${name} came to be before it was created here`, "applied"));
}

/** Of several bodies, says which of them a fault is about. */
async function located<Value>(
  ref: ObjectRef,
  argument: string | undefined,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (argument === undefined || !(thrown instanceof Faulted)) throw thrown;
    const { kind, namespace, name } = placeIn(ref);
    const document = `${argument} (${kind} ${namespace === "" ? "" : `${namespace}/`}${name})`;
    throw new Faulted({ ...thrown.fault, detail: { ...thrown.fault.detail, document } });
  }
}
