// Waits, within bounds, until an object is ready, complete, gone, or has a condition, and says early when it never will.

import * as z from "zod";
import {
  answer,
  completion,
  defineTool,
  fault,
  Faulted,
  fullKind,
  hasCondition,
  inputs,
  leavingSays,
  pause,
  placeOf,
  readiness,
  textAt,
  type JsonObject,
  type Kit,
  type ObjectRef,
  type Sentence,
  type StandsAt,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: inputs.kind(),
  name: inputs.name(),
  namespace: inputs.namespace().optional(),
  for: z
    .string()
    .max(90)
    .regex(
      /^(ready|complete|deleted|[A-Za-z][A-Za-z0-9./-]{0,62}=[A-Za-z]{1,20})$/,
      "must be ready, complete, deleted or Type=Status",
    )
    .default("ready")
    .describe("ready, complete, deleted, Type=Status"),
  wait_seconds: z.number().int().min(1).max(45).default(30),
});
type Input = z.output<typeof input>;

/** Milliseconds between two looks: short at first, since much is done at once. A watch tells of changes itself, and is looked at no more often than `watched`. */
const looks = { first: 250, most: 2000, factor: 1.5, watched: 250 };

export default defineTool<Input>({
  name: "conditions_wait",
  title: "Wait for a condition",
  description:
    "Wait until an object is ready (rollout done, pod or node ready), complete, deleted or has a condition. Call again to keep waiting.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs({ kind, name, namespace }, { findKind }) {
    const found = await findKind(kind);
    const object = { kind: found, namespace: placeOf(found, namespace), name };
    const watched = found.verbs.includes("watch") ? [{ verb: "watch", ...object, optional: true } as const] : [];
    return [{ verb: "get", ...object }, ...watched];
  },
  async run(asked, kit) {
    const kind = await kit.findKind(asked.kind);
    const ref: ObjectRef = { kind, namespace: placeOf(kind, asked.namespace), name: asked.name };
    const title = `${kind.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${asked.name}`;
    const began = kit.now();
    const waited = (): number => Math.round((kit.now() - began) / 1000);
    const ends = began + asked.wait_seconds * 1000;
    let uid: string | null = null;
    let told_ = "";
    for await (const object of statesOf(ref, asked.for, ends, kit)) {
      if (uid !== null && asked.for !== "deleted" && (object === null || textAt(object, "metadata", "uid") !== uid))
        return told([`${title}: it was deleted meanwhile, after ${waited()} s.`], "never", waited());
      uid ??= object === null ? "" : textAt(object, "metadata", "uid");
      const now = standing(asked, fullKind(kind), object, uid);
      if (now.reached === "yes")
        return told([`${title}: ${asked.for} after ${waited()} s: `, ...now.says, "."], "yes", waited());
      if (now.reached === "never")
        return told(
          [`${title}: waiting alone will not make it ${asked.for}: `, ...now.says, ". Next: problems_diagnose."],
          "never",
          waited(),
        );
      if (kit.now() >= ends)
        return told(
          [
            `${title}: not ${asked.for} after ${waited()} s: `,
            ...now.says,
            ". Call again to keep waiting, or problems_diagnose.",
          ],
          "no",
          waited(),
        );
      // Our own words alone: what the cluster says is masked and framed in the answer.
      const words = now.says.filter((part) => typeof part === "string").join("");
      if (words !== told_) kit.progress(`${title}: not ${asked.for} yet: ${words}`);
      told_ = words;
    }
    throw new Error("the states of an object came to an end");
  },
});

/** The object as it is now and as it changes, without end: watched where that may be, else looked at; the last look is at `ends` or after. */
async function* statesOf(
  ref: ObjectRef,
  awaited: Input["for"],
  ends: number,
  kit: Kit,
): AsyncGenerator<JsonObject | null, void, undefined> {
  let watches = kit.cluster.may({ verb: "watch", ...ref, optional: true });
  let seen = false;
  for (let gap = looks.first; ; gap = Math.min(looks.most, gap * looks.factor)) {
    const object = await lookAt(ref, awaited === "deleted" || seen, kit);
    seen = true;
    yield object;
    const resourceVersion = textAt(object ?? {}, "metadata", "resourceVersion");
    if (watches && resourceVersion !== "" && kit.now() < ends)
      try {
        for await (const state of kit.cluster.watch(ref, { resourceVersion, milliseconds: ends - kit.now() })) {
          yield state;
          await pause(Math.min(looks.watched, Math.max(0, ends - kit.now())), kit.signal);
        }
      } catch (thrown) {
        // Whoever may not watch may still look.
        if (!(thrown instanceof Faulted) || !unwatchable.includes(thrown.fault.code)) throw thrown;
        watches = false;
      }
    await pause(Math.min(gap, Math.max(0, ends - kit.now())), kit.signal);
  }
}
const unwatchable: readonly string[] = ["cluster_denied", "unknown_kind", "invalid_input"];

/** The object; null where it may be gone and is. */
async function lookAt(ref: ObjectRef, mayBeGone: boolean, kit: Kit): Promise<JsonObject | null> {
  try {
    return await kit.cluster.get(ref);
  } catch (thrown) {
    if (mayBeGone && thrown instanceof Faulted && thrown.fault.code === "not_found") return null;
    throw thrown;
  }
}

function standing(asked: Input, kind: string, object: JsonObject | null, uid: string): StandsAt {
  if (asked.for === "deleted") {
    if (object === null) return { reached: "yes", says: [uid === "" ? "it is not there" : "it is gone"] };
    if (textAt(object, "metadata", "uid") !== uid)
      return { reached: "yes", says: ["it is gone; another of its name stands there now"] };
    const leaving = leavingSays(object);
    return { reached: "no", says: leaving ?? ["nobody has asked for its deletion"] };
  }
  if (object === null) throw new Faulted(fault("not_found", { kind, name: asked.name }));
  const [type = "", status = ""] = asked.for.split("=");
  const now =
    asked.for === "ready"
      ? readiness(kind, object)
      : asked.for === "complete"
        ? completion(kind, object)
        : hasCondition(object, type, status);
  const leaving = leavingSays(object);
  return leaving === null ? now : { ...now, says: [...now.says, "; ", ...leaving] };
}

function told(headline: Sentence, reached: StandsAt["reached"], seconds: number): ReturnType<typeof answer> {
  const foreign = headline.some((part) => typeof part !== "string");
  return answer(headline, [], { counts: { reached: reached === "yes" ? 1 : 0, seconds } }, foreign);
}
