// What a preview can't tell of Pod Security: a workload's dry run makes no pods, and only pods are held to a namespace's profile (Kubernetes, "Pod Security Admission").

import type { NamespaceFact } from "../domain/decision.ts";
import { textAt } from "../domain/json.ts";
import type { Change, Sentence } from "../domain/output.ts";

const template = /^spec\.(jobTemplate\.spec\.)?template\./;
const enforce = "pod-security.kubernetes.io/enforce";

/** The facts of these namespaces, as far as they can be looked up. */
export type LookAtNamespaces = (names: readonly string[]) => Promise<readonly NamespaceFact[]>;

/** A line for each namespace whose profile the pods of these changes must pass. Nothing is looked up where no pods are made anew. */
export async function podSecurityChecks(changes: readonly Change[], look: LookAtNamespaces): Promise<Sentence[]> {
  const touched = changes.filter(
    ({ lines, after }) => after !== null && lines.some((line) => template.test(line.path)),
  );
  const places = [...new Set(touched.map((change) => change.namespace))].filter((place) => place !== "");
  if (places.length === 0) return [];
  const levels = new Map((await look(places)).map(({ name, labels }) => [name, textAt(labels, enforce)]));
  return places.flatMap((place): Sentence[] => {
    const level = levels.get(place);
    if (level !== "baseline" && level !== "restricted") return [];
    const where = places.length > 1 ? `namespace ${place}` : "this namespace";
    return [[`pods must pass the ${level} profile of ${where}; a workload's dry run does not try it`]];
  });
}
