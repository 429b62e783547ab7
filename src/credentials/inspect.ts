// Compares an installed enrolment with what it should be, naming each difference.

import { differencesOf, isEdited } from "./compare.ts";
import { parseEnrolment, type Enrolment } from "./enrolment.ts";
import { enrolmentManifests, manifestName, type Manifest } from "./manifests.ts";
import * as names from "./names.ts";
import { faultIn, find, type Sender } from "./send.ts";

export interface Finding {
  readonly object: string;
  /** `edited`: an editable role that an admin changed, which is allowed and worth knowing. */
  readonly kind: "missing" | "differs" | "edited" | "unreadable";
  /** Where it differs. */
  readonly paths: readonly string[];
}

export type Inspection =
  | { readonly kind: "not_enrolled" }
  | { readonly kind: "enrolled"; readonly enrolment: Enrolment; readonly findings: readonly Finding[] };

/** Compares what is installed with what should be, with rights that may read it (the kubeconfig's, not the gateway's). */
export async function inspect(sender: Sender): Promise<Inspection> {
  const place = { address: names.configMaps, namespace: names.systemNamespace, name: names.enrolmentName };
  const record = await find(sender, place);
  if (record === null) return { kind: "not_enrolled" };
  const enrolment = parseEnrolment(record);
  const { ground, reach } = enrolmentManifests(enrolment);
  const findings = await Promise.all([...ground, ...reach].map((manifest) => findingOf(sender, manifest)));
  return { kind: "enrolled", enrolment, findings: findings.filter((one) => one !== null) };
}

async function findingOf(sender: Sender, manifest: Manifest): Promise<Finding | null> {
  const object = manifestName(manifest);
  try {
    const have = await find(sender, manifest);
    if (have === null) return { object, kind: "missing", paths: [] };
    const paths = differencesOf(manifest.object, have);
    if (paths.length === 0) return null;
    return { object, kind: manifest.editable && isEdited(have) ? "edited" : "differs", paths };
  } catch (thrown) {
    if (faultIn(thrown).code !== "cluster_denied") throw thrown;
    return { object, kind: "unreadable", paths: [] };
  }
}
