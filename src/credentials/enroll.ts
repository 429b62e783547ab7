// Brings a cluster to what the manifests say, step by step, and takes it back; a second run changes nothing. Long: both directions share the steps and how they are told.

import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { KubeClient } from "../kubernetes/contract.ts";
import { differencesOf, isEdited } from "./compare.ts";
import { kindObjection } from "./custom-kinds.ts";
import { readEnrolment, widen, type Reach } from "./enrolment.ts";
import {
  enrolmentManifests,
  everyManifest,
  everyObjectOf,
  isReadOnly,
  manifestName,
  namespaceManifests,
  type Manifest,
} from "./manifests.ts";
import { isGrantObject } from "./grant-objects.ts";
import * as names from "./names.ts";
import { namespaceObjection, refusalOf, versionObjection } from "./objections.ts";
import { tryFence } from "./preview.ts";
import { create, faultIn, find, listFound, remove, replace, type Sender } from "./send.ts";
import { leastTokenSeconds, mintToken } from "./token.ts";

export interface Step {
  /** `ClusterRole sallyport-ceiling` */
  readonly object: string;
  /** `kept`: its rules were edited by an admin and stay as they are. */
  readonly answer: "created" | "updated" | "unchanged" | "kept" | "removed" | "absent" | "proved";
}

export type EnrolAnswer =
  | { readonly kind: "done"; readonly steps: readonly Step[] }
  /** Stopped before its end: what was done stands, and the sentence says what is missing. */
  | { readonly kind: "stopped"; readonly steps: readonly Step[]; readonly sentence: string };

export interface EnrolOptions {
  /** From `openSeparated`: never sends a token beside a client certificate. */
  readonly client: KubeClient;
  readonly authorization: string | null;
  readonly nextAuditId: () => string;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Told of each step as it is done. */
  readonly progress: (step: Step) => void;
}

/** Applies what `plannedReach` told, to whatever is enrolled by then. Faults other than a refusal (403) come up as they are. */
export async function enroll(
  reach: Reach,
  options: EnrolOptions,
  vanished: readonly string[] = [],
): Promise<EnrolAnswer> {
  const sender = senderOf(options);
  return await stepwise(options, async (told) => {
    const objection =
      (await versionObjection(sender)) ??
      (await namespaceObjection(sender, reach)) ??
      (await kindObjection(sender, reach, await readEnrolment(sender), options.now));
    if (objection !== null) return objection;
    const { ground, record, reach: bindings } = enrolmentManifests(reach);
    for (const manifest of ground) told({ object: manifestName(manifest), answer: await apply(sender, manifest) });
    const gap = await proveFence(sender, options);
    if (gap !== null) return gap;
    told({ object: `ValidatingAdmissionPolicy ${names.previewFenceName}`, answer: "proved" });
    await applyRecord(sender, record, told, (now) => widen(without(now, vanished), reach));
    for (const manifest of bindings) told({ object: manifestName(manifest), answer: await apply(sender, manifest) });
    return null;
  });
}

export interface PlannedReach {
  readonly reach: Reach;
  /** Namespaces that were enrolled and are gone, or on their way out: they leave the enrolment. */
  readonly vanished: readonly string[];
}

/** What `enroll` would bring the cluster to: what is enrolled already and still there, and what is asked now. */
export async function plannedReach(asked: Reach, options: EnrolOptions): Promise<PlannedReach> {
  const sender = senderOf(options);
  const before = await readEnrolment(sender);
  const earlier = (before?.namespaces ?? []).filter((name) => !asked.namespaces.includes(name));
  const standing = await Promise.all(earlier.map((name) => stands(sender, name)));
  const vanished = earlier.filter((_, index) => standing[index] === false);
  const kept = before === null ? null : { ...before, namespaces: earlier.filter((name) => !vanished.includes(name)) };
  return { reach: widen(kept, asked), vanished };
}

/** Somebody may have deleted a namespace that was enrolled: that must not stand in the way of the others. */
async function stands(sender: Sender, name: string): Promise<boolean> {
  const found = await find(sender, { address: names.namespaces, namespace: "", name });
  return found !== null && textAt(found, "metadata", "deletionTimestamp") === "";
}

/** Takes back the enrolment of some namespaces, or (null) all of it; leftovers of grants go with it. */
export async function unenroll(leaving: readonly string[] | null, options: EnrolOptions): Promise<EnrolAnswer> {
  const sender = senderOf(options);
  return await stepwise(options, async (told) => {
    const before = await readEnrolment(sender);
    const enrolled = before?.namespaces ?? [];
    for (const namespace of leaving ?? enrolled) await removeGrantRoles(sender, namespace, told);
    if (leaving === null && before?.nodes === true) await removeGrantRoles(sender, "", told);
    const going =
      leaving === null
        ? everyManifest(enrolled)
        : leaving.flatMap((name) => namespaceManifests(name, { secrets: true, exec: true, kinds: true }));
    for (const manifest of going.toReversed())
      told({ object: manifestName(manifest), answer: await remove(sender, manifest) });
    if (leaving === null || before === null) return null;
    await applyRecord(sender, enrolmentManifests(before).record, told, (now) => without(now ?? before, leaving));
    return null;
  });
}

/** Takes custom kinds out of the enrolment; all else of it stays. */
export async function unenrollKinds(leaving: readonly string[], options: EnrolOptions): Promise<EnrolAnswer> {
  const sender = senderOf(options);
  return await stepwise(options, async (told) => {
    const before = await readEnrolment(sender);
    const strange = leaving.find((name) => ![before?.kinds, before?.clusterKinds].flat().includes(name));
    if (before === null || strange !== undefined) return `${strange ?? "This kind"} is not enrolled in this cluster.`;
    const staying = (names: readonly string[]): readonly string[] => names.filter((name) => !leaving.includes(name));
    const fewer = (reach: Reach): Reach => ({
      ...reach,
      kinds: staying(reach.kinds),
      clusterKinds: staying(reach.clusterKinds),
    });
    const stay = new Set(everyObjectOf(fewer(before)).map(manifestName));
    for (const manifest of everyObjectOf(before)
      .filter((one) => !stay.has(manifestName(one)))
      .toReversed())
      told({ object: manifestName(manifest), answer: await remove(sender, manifest) });
    await applyRecord(sender, enrolmentManifests(fewer(before)).record, told, (now) => fewer(now ?? before));
    return null;
  });
}

function without(reach: Reach | null, leaving: readonly string[]): Reach | null {
  return reach === null ? null : { ...reach, namespaces: reach.namespaces.filter((name) => !leaving.includes(name)) };
}

/**
 * Writes the enrolment's record, then the roles that say the same. Two enrolments may be under way at once, so each object is read first, what it
 * should be is made from the record as it stands then, and it is written only if nobody wrote it since: none takes out what another put in.
 */
async function applyRecord(
  sender: Sender,
  record: readonly Manifest[],
  told: (step: Step) => void,
  after: (now: Reach | null) => Reach | null,
): Promise<void> {
  for (const manifest of record) {
    const isRecord = manifest.name === names.enrolmentName;
    const wanted = async (): Promise<Manifest> => {
      const now = await readEnrolment(sender);
      const reach = isRecord ? after(now) : now;
      const found =
        reach === null ? undefined : enrolmentManifests(reach).record.find((one) => one.name === manifest.name);
      return found ?? manifest;
    };
    told({ object: manifestName(manifest), answer: await apply(sender, manifest, wanted) });
  }
}

function senderOf({ client, authorization, nextAuditId, signal }: EnrolOptions): Sender {
  return { client, authorization, nextAuditId, signal, agent: "sallyport" };
}

/** Runs the steps; a sentence or a refusal by Kubernetes stops them where they are. */
async function stepwise(
  options: EnrolOptions,
  run: (told: (step: Step) => void) => Promise<string | null>,
): Promise<EnrolAnswer> {
  const steps: Step[] = [];
  const told = (step: Step): void => {
    steps.push(step);
    options.progress(step);
  };
  try {
    const sentence = await run(told);
    return sentence === null ? { kind: "done", steps } : { kind: "stopped", steps, sentence };
  } catch (thrown) {
    const found = faultIn(thrown);
    const sentence = refusalOf(found);
    if (sentence === null) throw thrown;
    return { kind: "stopped", steps, sentence };
  }
}

/** Another enrolment may be under way: what it made or changed first is read and compared again. */
async function apply(
  sender: Sender,
  place: Manifest,
  wanted: () => Promise<Manifest> = async () => place,
): Promise<Step["answer"]> {
  for (let tries = 1; ; tries++) {
    try {
      return await applyOnce(sender, place, wanted);
    } catch (thrown) {
      const met = ["already_exists", "stale"].includes(faultIn(thrown).code);
      if (!met || tries === mostTries) throw thrown;
    }
  }
}

/** Makes the object, or brings it to what it should be; that is asked once it was read. */
async function applyOnce(sender: Sender, place: Manifest, wanted: () => Promise<Manifest>): Promise<Step["answer"]> {
  const have = await find(sender, place);
  const manifest = await wanted();
  if (have === null) {
    await create(sender, manifest.address, manifest.object);
    return "created";
  }
  const differences = differencesOf(manifest.object, have);
  if (differences.length === 0) return "unchanged";
  if (manifest.editable && isEdited(have)) return "kept";
  if (differences.some((path) => path.startsWith("roleRef"))) {
    // A binding's role can't be changed, only the binding.
    await remove(sender, manifest);
    await create(sender, manifest.address, manifest.object);
  } else await replace(sender, manifest, mergedInto(have, manifest.object));
  return "updated";
}

/** Ours over what is there; other people's labels, annotations and the resourceVersion stay. */
function mergedInto(have: JsonObject, want: JsonObject): JsonObject {
  const part = (object: JsonObject, key: string): JsonObject => {
    const found = at(object, "metadata", key);
    return isJsonObject(found) ? found : {};
  };
  const metadata = {
    ...(isJsonObject(have["metadata"]) ? have["metadata"] : {}),
    labels: { ...part(have, "labels"), ...part(want, "labels") },
    annotations: { ...part(have, "annotations"), ...part(want, "annotations") },
  };
  return { ...have, ...want, metadata };
}

/** Enrolments that may meet at one object. */
const mostTries = 8;

const proofTries = 60;

/** An API server takes a moment to learn of a policy; no account gets a right to write before it has. */
async function proveFence(sender: Sender, options: EnrolOptions): Promise<string | null> {
  const { now, pause } = options;
  const token = await mintToken(sender, {
    namespace: names.systemNamespace,
    account: names.previewAccountName,
    seconds: leastTokenSeconds,
    anchor: null,
    now,
  });
  const preview = { ...sender, authorization: token.authorization() };
  let last = "";
  for (let tries = 0; tries < proofTries; tries++) {
    const seen = await tryFence(async () => preview);
    if (seen.kind === "bites") return null;
    last = seen.cause;
    await pause(250);
  }
  return `The admission policy ${names.previewFenceName} does not hold the preview account (${last}), so no namespace was enrolled.`;
}

/** A grant that is running loses its rights at once; that is what unenrolling means. At "" its ClusterRole goes. */
async function removeGrantRoles(sender: Sender, namespace: string, told: (step: Step) => void): Promise<void> {
  const inNamespace = [
    ["RoleBinding", names.roleBindings],
    ["Role", names.roles],
  ] as const;
  const inCluster = [
    ["ClusterRoleBinding", names.clusterRoleBindings],
    ["ClusterRole", names.clusterRoles],
  ] as const;
  const place = namespace === "" ? "" : `${namespace}/`;
  for (const [kind, address] of namespace === "" ? inCluster : inNamespace)
    for (const found of (await listFound(sender, address, namespace, names.grantLabel)).filter(isGrantObject))
      told({ object: `${kind} ${place}${found.name}`, answer: await remove(sender, found) });
}

/** `kube-system` and its like can be enrolled for reading only. */
export function readOnlyAmong(namespaces: readonly string[]): readonly string[] {
  return namespaces.filter(isReadOnly);
}
