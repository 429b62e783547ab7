// What kind of call a write is, by what it says.

import type { Effect } from "../domain/call.ts";
import { Faulted } from "../domain/fault.ts";
import { at, type Json } from "../domain/json.ts";
import { manifestsIn } from "./manifests.ts";

/** Scaled to nothing through the back door is scaled to nothing: it stops what runs, whichever tool writes it. */
export function effectOfWriting(bodies: readonly Json[]): Extract<Effect, "change" | "destroy"> {
  return bodies.some((body) => isNone(at(body, "spec", "replicas"))) ? "destroy" : "change";
}

/** The same of a manifest. One that can't be read counts as the worst it could say: it is refused for what it is once its accesses are asked for. */
export function effectOfManifest(text: string): Extract<Effect, "change" | "destroy"> {
  try {
    return effectOfWriting(manifestsIn(text).map(({ object }) => object));
  } catch (thrown) {
    if (thrown instanceof Faulted) return "destroy";
    throw thrown;
  }
}

/** Server-side apply keeps the lowest 32 bits of a count (apimachinery, FromUnstructured): 4294967296 is 0 there. */
function isNone(count: Json | undefined): boolean {
  return typeof count === "number" && Math.trunc(count) % 2 ** 32 === 0;
}
