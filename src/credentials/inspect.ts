// Compares an installed enrolment with what it should be, naming each difference.

import { differencesOf, isEdited } from "./compare.ts";
import { wordsOf } from "./differences.ts";
import { parseEnrolment, type Enrolment } from "./enrolment.ts";
import { findExtras } from "./extras.ts";
import { everyObjectOf, manifestName, type Manifest } from "./manifests.ts";
import * as names from "./names.ts";
import { faultIn, find, type Sender } from "./send.ts";

export interface Finding {
  readonly object: string;
  /** `edited`: an editable role that an admin changed, which is allowed and worth knowing. `extra`: it stands beside what enrolment makes. */
  readonly kind: "missing" | "differs" | "edited" | "unreadable" | "extra";
  /** Where it differs. */
  readonly paths: readonly string[];
  /** How it differs, in words. */
  readonly says: readonly string[];
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
  // Who made it may have been an older version; what it should be is for this one to say.
  const manifests = everyObjectOf(enrolment);
  const findings = await Promise.all(manifests.map((manifest) => findingOf(sender, manifest)));
  const extras = await extrasOf(sender, manifests);
  return { kind: "enrolled", enrolment, findings: [...findings.filter((one) => one !== null), ...extras] };
}

async function extrasOf(sender: Sender, manifests: readonly Manifest[]): Promise<readonly Finding[]> {
  try {
    const extras = await findExtras(sender, manifests);
    return extras.map(({ object, says }) => ({ object, kind: "extra", paths: [], says: [says] }));
  } catch (thrown) {
    if (faultIn(thrown).code !== "cluster_denied") throw thrown;
    return [{ object: "what else binds our accounts", kind: "unreadable", paths: [], says: [] }];
  }
}

async function findingOf(sender: Sender, manifest: Manifest): Promise<Finding | null> {
  const object = manifestName(manifest);
  try {
    const have = await find(sender, manifest);
    if (have === null) return { object, kind: "missing", paths: [], says: [] };
    const paths = differencesOf(manifest.object, have);
    if (paths.length === 0) return null;
    return {
      object,
      kind: manifest.editable && isEdited(have) ? "edited" : "differs",
      paths,
      says: wordsOf(manifest.object, have),
    };
  } catch (thrown) {
    if (faultIn(thrown).code !== "cluster_denied") throw thrown;
    return { object, kind: "unreadable", paths: [], says: [] };
  }
}
