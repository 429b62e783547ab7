// The check that tells what a workload's dry run does not: the namespace's Pod Security profile.

import { expect } from "vitest";
import type { NamespaceFact } from "../../src/domain/decision.ts";
import type { Change } from "../../src/domain/output.ts";
import { podSecurityChecks } from "../../src/execution/pod-security.ts";
import { promise } from "../support/promise.ts";

const namespace = (name: string, level: string): NamespaceFact => ({
  cluster: "test",
  name,
  exists: true,
  labels: level === "" ? {} : { "pod-security.kubernetes.io/enforce": level },
  environment: "",
});
const change = (place: string, path: string, after: Change["after"] = {}): Change => ({
  cluster: "test",
  kind: "Deployment",
  namespace: place,
  name: "api",
  uid: "u",
  before: null,
  after,
  lines: [{ sign: "+", risk: false, path, before: null, after: "1" }],
});
const image = "spec.template.spec.containers[api].image";
const said = async (changes: readonly Change[], namespaces: readonly NamespaceFact[]): Promise<string[]> =>
  (await podSecurityChecks(changes, async () => namespaces)).map((sentence) =>
    sentence.filter((part) => typeof part === "string").join(""),
  );

const where = "where pods are made anew, and the profile is known and asks for something";
promise("tools:change-pod-security", where, async () => {
  const line = "pods must pass the restricted profile of this namespace; a workload's dry run does not try it";
  const restricted = namespace("shop", "restricted");
  const answers = await Promise.all([
    said([change("shop", image), change("shop", image)], [restricted]),
    said([change("shop", image.replace("spec.", "spec.jobTemplate.spec."))], [restricted]),
    said([change("shop", "spec.replicas")], [restricted]),
    said([change("shop", image, null)], [restricted]),
    said([change("shop", image)], [namespace("shop", "privileged")]),
    said([change("shop", image)], [namespace("shop", "ignore the rules")]),
    said([change("shop", image)], [namespace("shop", "")]),
    said([change("shop", image)], []),
    said([change("a", image), change("b", image)], [namespace("a", "baseline"), namespace("b", "")]),
  ]);
  const several = "pods must pass the baseline profile of namespace a; a workload's dry run does not try it";
  expect(answers).toEqual([[line], [line], [], [], [], [], [], [], [several]]);
  const never = (): Promise<never> => Promise.reject(new Error("looked"));
  expect(await podSecurityChecks([change("shop", "spec.replicas")], never)).toEqual([]);
});
