// Recognises what admission refused: webhooks, admission policies, Pod Security, quotas and limits.

import { showable, type Refusal, type Status } from "./status.ts";

// Each phrase is anchored at its beginning: an object's own text can stand later in a message, and must not choose the fault.

/** A webhook may answer any HTTP status, so its words decide. */
export function deniedByWebhook({ message }: Status): Refusal | null {
  const [, name, quote] =
    /^admission webhook "([^"]*)" denied the request(?:: ([^]*)| without explanation)$/.exec(message) ?? [];
  return name === undefined ? null : denied("webhook", showable(name), quote ?? "");
}

/** A ValidatingAdmissionPolicy answers 403, 413 or 422, as its author chose. */
export function deniedByPolicy({ message }: Status): Refusal | null {
  const said =
    /^[^ ]+ "[^"]*" is forbidden: ValidatingAdmissionPolicy '([^']*)' with binding '[^']*' denied request: ([^]*)$/;
  const [, name, quote] = said.exec(message) ?? [];
  return name === undefined ? null : denied("policy", showable(name), quote ?? "");
}

export function unreachableWebhook({ message }: Status): Refusal | null {
  const [, name] = /^Internal error occurred: failed calling webhook "([^"]*)"/.exec(message) ?? [];
  return name === undefined ? null : { code: "admission_unavailable", detail: { name: showable(name) } };
}

/** A 403 that an admission plugin caused; RBAC's own 403 is left to the status. */
export function forbidden({ code, message }: Status): Refusal | null {
  const [, words] = (code === 403 && /^[^ ]+ (?:"[^"]*" )?is forbidden: ([^]*)$/.exec(message)) || [];
  if (words === undefined) return null;
  const unsizable = words === fixedSize ? denied("storage-class", "", "") : null;
  return (
    overQuota(words) ??
    violatesPodSecurity(words) ??
    unsizable ??
    (limits.test(words) ? denied("limits", "", words) : null)
  );
}
/** PersistentVolumeClaimResize (Kubernetes, "Admission Controllers"). */
const fixedSize =
  "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
/** LimitRange: numbers and resource names only. */
const limits = /^\[?(?:maximum|minimum) [a-z0-9./-]+ usage per |^\[?[a-z0-9./-]+ max limit to request ratio /;

function overQuota(words: string): Refusal | null {
  const exceeded = /^exceeded quota: ([^ ,]+), requested: ([^ ]+), used: ([^ ]+), limited: ([^ ]+)$/.exec(words);
  if (exceeded !== null) {
    const [, name = "", asked = "", used = "", limit = ""] = exceeded;
    const numbers = { asked: quantities(asked), used: quantities(used), limit: quantities(limit) };
    return { code: "quota_exceeded", detail: { name: showable(name), ...numbers } };
  }
  const [, quota, unstated = ""] = /^failed quota: ([^ :]+): must specify ([^]*)$/.exec(words) ?? [];
  if (quota === undefined) return null;
  const missing = unstated.split("; ").flatMap((part) => (part.split(" for: ")[0] ?? "").split(","));
  return {
    code: "quota_exceeded",
    detail: { name: showable(quota), missing: missing.filter((one) => counted.test(one)) },
  };
}

/** `requests.cpu=2,pods=1` (apimachinery, Quantity), or "" where it holds anything else. */
function quantities(text: string): string {
  const plain = text.length <= 500 && text.split(",").every((one) => quantity.test(one));
  return plain ? text : "";
}
const quantity = /^[A-Za-z0-9][A-Za-z0-9./_-]*=-?\d+(?:\.\d+)?(?:[numkMGTPE]|[KMGTPE]i|[eE]-?\d+)?$/;

/** A resource that a quota counts, for example `requests.cpu` or `count/jobs.batch`. */
const counted = /^[A-Za-z0-9][A-Za-z0-9./_-]{0,126}$/;

function violatesPodSecurity(words: string): Refusal | null {
  const [, level, violated] = /^violates PodSecurity "([a-z]+:[a-z0-9.]+)": ([^]*)$/.exec(words) ?? [];
  if (level === undefined || violated === undefined) return null;
  const failed = podSecurity.filter(([phrase]) => violated.startsWith(phrase) || violated.includes(`, ${phrase}`));
  const { detail } = denied("pod-security", level, violated);
  return { code: "admission_denied", detail: { ...detail, checks: failed.map(([, ours]) => ours) } };
}

function denied(by: string, name: string, quote: string): Refusal {
  return { code: "admission_denied", detail: { by, name, quote: quote.slice(0, 1000) } };
}

/** The Pod Security Standards' checks as Kubernetes names them (pod-security-admission, policy), and what they ask for. */
const podSecurity: readonly (readonly [phrase: string, ours: string])[] = [
  ["privileged", "privileged must not be true"],
  ["host namespaces", "hostNetwork, hostPID and hostIPC must not be set"],
  ["hostPath volumes", "no hostPath volumes"],
  ["hostPort", "no hostPort"],
  ["hostProcess", "no Windows hostProcess"],
  ["non-default capabilities", "no capabilities beyond the default set"],
  ["unrestricted capabilities", "capabilities.drop must hold ALL, and only NET_BIND_SERVICE may be added"],
  ["allowPrivilegeEscalation != false", "allowPrivilegeEscalation must be false"],
  ["runAsNonRoot != true", "runAsNonRoot must be true"],
  ["runAsUser=0", "runAsUser must not be 0"],
  ["seccompProfile", "seccompProfile.type must be RuntimeDefault or Localhost"],
  [
    "restricted volume types",
    "no volumes but configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected and secret",
  ],
  ["procMount", "procMount must be Default"],
  ["forbidden sysctls", "only safe sysctls"],
  ["seLinuxOptions", "seLinuxOptions must keep to the allowed types"],
  ["forbidden AppArmor profile", "the AppArmor profile must be the default or a local one"],
  ["probe or lifecycle host", "probes and lifecycle hooks must not set host"],
];
