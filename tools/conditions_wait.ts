// Waits, within bounds, until an object is ready, complete, gone, or has a condition, and says early when it never will.

import { z } from "zod";
import {
  answer,
  completion,
  defineTool,
  fault,
  Faulted,
  hasCondition,
  inputs,
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

/** Milliseconds between two looks: short at first, since much is done at once. */
const looks = { first: 250, most: 2000, factor: 1.5 };

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
    return [{ verb: "get", kind: found, namespace: placeOf(found, namespace), name }];
  },
  async run(asked, kit) {
    const kind = await kit.findKind(asked.kind);
    const ref: ObjectRef = { kind, namespace: placeOf(kind, asked.namespace), name: asked.name };
    const title = `${kind.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${asked.name}`;
    const began = kit.now();
    const waited = (): number => Math.round((kit.now() - began) / 1000);
    let uid: string | null = null;
    for (let gap = looks.first; ; gap = Math.min(looks.most, gap * looks.factor)) {
      const object = await lookAt(ref, asked.for === "deleted" || uid !== null, kit);
      if (uid !== null && asked.for !== "deleted" && (object === null || textAt(object, "metadata", "uid") !== uid))
        return told([`${title}: it was deleted meanwhile, after ${waited()} s.`], "never", waited());
      uid ??= object === null ? "" : textAt(object, "metadata", "uid");
      const now = standing(asked, kind.kind, object, uid);
      const left = asked.wait_seconds * 1000 - (kit.now() - began);
      if (now.reached === "yes")
        return told([`${title}: ${asked.for} after ${waited()} s: `, ...now.says, "."], "yes", waited());
      if (now.reached === "never")
        return told(
          [`${title}: waiting alone will not make it ${asked.for}: `, ...now.says, ". Next: problems_diagnose."],
          "never",
          waited(),
        );
      if (left <= 0)
        return told(
          [
            `${title}: not ${asked.for} after ${waited()} s: `,
            ...now.says,
            ". Call again to keep waiting, or problems_diagnose.",
          ],
          "no",
          waited(),
        );
      kit.progress(`${title}: not ${asked.for} yet, ${waited()} of ${asked.wait_seconds} s`);
      await pause(Math.min(gap, left), kit.signal);
    }
  },
});

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
    const leaving = textAt(object, "metadata", "deletionTimestamp") !== "";
    return { reached: "no", says: [leaving ? "it is on its way out" : "nobody has asked for its deletion"] };
  }
  if (object === null) throw new Faulted(fault("not_found", { kind, name: asked.name }));
  if (asked.for === "ready") return readiness(kind, object);
  if (asked.for === "complete") return completion(kind, object);
  const [type = "", status = ""] = asked.for.split("=");
  return hasCondition(object, type, status);
}

function told(headline: Sentence, reached: StandsAt["reached"], seconds: number): ReturnType<typeof answer> {
  const foreign = headline.some((part) => typeof part !== "string");
  return answer(headline, [], { counts: { reached: reached === "yes" ? 1 : 0, seconds } }, foreign);
}
