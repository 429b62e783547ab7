// A caller's body as it is sent: its masks as the values they stand for, and the parts of other objects that go into it.

import { resourcePath } from "../domain/access.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Graft } from "../tool.ts";
import { sameObject } from "./agreed.ts";
import { substanceOf } from "./diff.ts";
import type { Gate } from "./gate.ts";
import { otherwise } from "./guess.ts";
import { expected, namedBy } from "./hidden.ts";
import { keep, type Kept, type Twice } from "./keep.ts";
import { graft } from "./write-body.ts";

/** An object as it was just read: `object` for tools, `live` for what is put back into it. */
export interface Before {
  readonly object: JsonObject;
  readonly live: { readonly stored: JsonObject; readonly shown: JsonObject };
}

/** Puts the stored values, then the parts of other objects, into the body. Faults: invalid_input; stale; not_found. */
export async function bodyOf(
  gate: Gate,
  given: Json,
  type: "merge" | "strategic" | "json" | "apply",
  before: Before | null,
  { grafts, argument = "body" }: { readonly grafts?: readonly Graft[]; readonly argument?: string },
): Promise<{ readonly body: Json; readonly says: JsonObject; readonly hidden?: Twice; readonly other: Json | null }> {
  const live = before?.live ?? { stored: undefined, shown: undefined };
  const kept = keep(given, type, live, argument);
  const put = await grafting(gate, grafts);
  const whole: Kept = { sent: put(kept.sent), says: put(kept.says), given: put(kept.given) };
  const says = namedBy(whole.says, before?.object ?? null);
  const differs = otherwise(kept, live);
  const other = differs === null ? null : put(differs);
  return { body: whole.sent, says, other, ...(before === null ? {} : { hidden: expected(live, whole, type) }) };
}

/** Fetches the parts of other objects, as they are stored, and returns what puts them into a body. */
async function grafting(gate: Gate, grafts: readonly Graft[] = []): Promise<(body: Json) => Json> {
  const { options, sources } = gate;
  const parts: ((body: Json) => Json)[] = [];
  for (const one of grafts) {
    const { body: source } = await options.client.request(gate.request({ verb: "get", ...one.from, subresource: "" }));
    const { namespace, name, kind } = one.from;
    const resource = `${one.path.join(".")} of ${resourcePath({ ...kind, subresource: "" })}`;
    const seen = graft(null, { ...one, at: [] }, options.masking.object(source)).part;
    const substance = substanceOf({ part: seen });
    const marks = { uid: textAt(source, "metadata", "uid"), resourceVersion: "" };
    const agreedOn = options.preconditions.find((one_) => sameObject(one_, resource, one.from));
    if (agreedOn !== undefined && (agreedOn.uid !== marks.uid || agreedOn.substance !== substance))
      throw new Faulted(fault("stale", { kind: kind.kind, name }, `${resource} ${name} is not as it was agreed`));
    if (!sources.some((one_) => sameObject(one_, resource, one.from)))
      sources.push({ resource, namespace, name, ...marks, substance });
    parts.push((body) => graft(body, one, source).whole);
  }
  return (body) => parts.reduce((whole, put) => put(whole), body);
}
