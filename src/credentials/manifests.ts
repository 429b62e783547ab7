// The enrolment as data: every object that it consists of, in the order in which it is made. Long: it is one table.

import { textAt, type JsonObject } from "../domain/json.ts";
import { rulesAnnotation, rulesDigest } from "./compare.ts";
import { ceilingKindRules, readerKindRules, type CustomKinds } from "./custom-kinds.ts";
import { enrolmentText, manifestVersion, sortedNames, type Reach } from "./enrolment.ts";
import { fences, fenceSpec, nodeFences } from "./fences.ts";
import type { PolicyRule } from "./grant-objects.ts";
import * as names from "./names.ts";
import * as rights from "./roles.ts";
import type { Located } from "./send.ts";

export interface Manifest extends Located {
  readonly object: JsonObject;
  /** Its rules are the admin's to edit: enrolment overwrites them only while they are as it wrote them. */
  readonly editable: boolean;
}

export interface Manifests {
  /** Namespaces, fences, accounts and roles: they give nobody a right over an application. */
  readonly ground: readonly Manifest[];
  /** The enrolment's own record, and the roles that list what it lists. It comes before the bindings, so that nothing is bound that it does not tell of. */
  readonly record: readonly Manifest[];
  /** The bindings that do give rights; made only once the preview fence is seen to bite. */
  readonly reach: readonly Manifest[];
}

export const versionLabel = "sallyport.dev/enrolment";

const rbac = "rbac.authorization.k8s.io";
const { systemNamespace, sessionsNamespace, gatewayAccountName, readerAccountName, previewAccountName } = names;

export const readerRole = "sallyport-reader";
export const ceilingRole = "sallyport-ceiling";
export const secretsCeilingRole = "sallyport-ceiling-secrets";
export const execCeilingRole = "sallyport-ceiling-exec";
export const nodesCeilingRole = "sallyport-ceiling-nodes";
export const clusterGrantMakerRole = "sallyport-cluster-grant-maker";
export const grantMakerRole = "sallyport-grant-maker";
export const namespacesRole = "sallyport-namespaces";
export const clusterReadRole = "sallyport-cluster-reader";
export const readerKindsRole = "sallyport-reader-kinds";
export const ceilingKindsRole = "sallyport-ceiling-kinds";
export const clusterKindsRole = "sallyport-cluster-reader-kinds";

/** All objects of an enrolment with this reach; the same reach in any order gives the same objects. */
export function enrolmentManifests(asked: Reach): Manifests {
  const reach = {
    ...asked,
    namespaces: sortedNames(asked.namespaces),
    kinds: sortedNames(asked.kinds),
    clusterKinds: sortedNames(asked.clusterKinds),
  };
  return {
    ground: [
      ...[systemNamespace, sessionsNamespace].map(namespace),
      ...[...fences, ...(reach.nodes ? nodeFences : [])].flatMap((fence) => [
        cluster(names.admissionPolicies, "ValidatingAdmissionPolicy", fence.name, { spec: fenceSpec(fence) }),
        cluster(names.admissionPolicyBindings, "ValidatingAdmissionPolicyBinding", fence.name, {
          spec: { policyName: fence.name, validationActions: ["Deny"] },
        }),
      ]),
      placed(names.resourceQuotas, "ResourceQuota", sessionsNamespace, "no-pods", { spec: { hard: { pods: "0" } } }),
      placed(names.configMaps, "ConfigMap", systemNamespace, names.probeName, {}),
      ...[gatewayAccountName, readerAccountName, previewAccountName].map((name) =>
        placed(names.serviceAccounts, "ServiceAccount", systemNamespace, name, { automountServiceAccountToken: false }),
      ),
      clusterRole(readerRole, rights.readerRules, true),
      clusterRole(ceilingRole, rights.ceilingRules, true),
      clusterRole(grantMakerRole, rights.grantMakerRules),
      ...(reach.secrets ? [clusterRole(secretsCeilingRole, rights.secretsCeilingRules)] : []),
      ...(reach.exec ? [clusterRole(execCeilingRole, rights.execCeilingRules)] : []),
      ...(reach.clusterRead ? [clusterRole(clusterReadRole, rights.clusterReadRules)] : []),
      ...(reach.nodes
        ? [
            clusterRole(nodesCeilingRole, rights.nodesCeilingRules, true),
            clusterRole(clusterGrantMakerRole, rights.clusterGrantMakerRules),
          ]
        : []),
      ...roleFor(gatewayAccountName, systemNamespace, "sallyport-gateway", rights.systemRules),
      ...roleFor(gatewayAccountName, sessionsNamespace, "sallyport-gateway", rights.sessionsRules),
      ...roleFor(previewAccountName, systemNamespace, "sallyport-preview-probe", rights.probeRules),
    ],
    record: [
      placed(names.configMaps, "ConfigMap", systemNamespace, names.enrolmentName, { data: enrolmentText(reach) }),
      clusterRole(namespacesRole, rights.namespaceRules(reach.namespaces)),
      ...kindRoles(reach),
    ],
    reach: [
      clusterBinding(namespacesRole, [gatewayAccountName, readerAccountName]),
      ...(reach.clusterRead ? [clusterBinding(clusterReadRole, [gatewayAccountName, readerAccountName])] : []),
      ...(hasAny(reach.clusterKinds)
        ? [clusterBinding(clusterKindsRole, [gatewayAccountName, readerAccountName])]
        : []),
      ...(reach.nodes
        ? [
            clusterBinding(nodesCeilingRole, [gatewayAccountName, previewAccountName]),
            clusterBinding(clusterGrantMakerRole, [gatewayAccountName]),
          ]
        : []),
      ...reach.namespaces.flatMap((name) => namespaceManifests(name, { ...reach, kinds: hasAny(reach.kinds) })),
    ],
  };
}

/** The same in one list, in the order in which they are made. */
export function everyObjectOf(asked: Reach): readonly Manifest[] {
  const { ground, record, reach } = enrolmentManifests(asked);
  return [...ground, ...record, ...reach];
}

/** The bindings of one enrolled namespace. In Kubernetes' own namespaces nothing may be changed, so nothing there can be granted. */
export function namespaceManifests(
  name: string,
  reach: Pick<Reach, "secrets" | "exec"> & { readonly kinds: boolean },
): readonly Manifest[] {
  const readers = isReadOnly(name) ? [readerAccountName, gatewayAccountName] : [readerAccountName];
  const reading = [
    binding(name, readerRole, readers),
    ...(reach.kinds ? [binding(name, readerKindsRole, readers)] : []),
  ];
  if (isReadOnly(name)) return reading;
  const changers = [gatewayAccountName, previewAccountName];
  return [
    ...reading,
    binding(name, ceilingRole, changers),
    ...(reach.kinds ? [binding(name, ceilingKindsRole, changers)] : []),
    ...(reach.secrets ? [binding(name, secretsCeilingRole, [gatewayAccountName])] : []),
    ...(reach.exec ? [binding(name, execCeilingRole, [gatewayAccountName])] : []),
    binding(name, grantMakerRole, [gatewayAccountName]),
  ];
}

/** `ClusterRole sallyport-ceiling`, `RoleBinding shop/sallyport-reader` */
export function manifestName({ object, namespace, name }: Manifest): string {
  return `${textAt(object, "kind")} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** Every object that some enrolment may have made, in the order in which it is made; taken apart from the end, so that its record goes only after all bindings that it lists. */
export function everyManifest(namespaces: readonly string[]): readonly Manifest[] {
  return everyObjectOf({
    namespaces,
    clusterRead: true,
    secrets: true,
    nodes: true,
    exec: true,
    kinds: anyKind,
    clusterKinds: anyKind,
  });
}

/** Objects are taken away by their names; what stood in them does not matter. */
const anyKind = ["any.of.them"];
const hasAny = (kinds: readonly string[]): boolean => kinds.length > 0;

/** Not the admin's to edit: `sallyport-ceiling` is, and whatever an enrolment without a kind leaves out of these is out. */
function kindRoles({ kinds, clusterKinds }: CustomKinds): readonly Manifest[] {
  return [
    ...(hasAny(kinds)
      ? [clusterRole(readerKindsRole, readerKindRules(kinds)), clusterRole(ceilingKindsRole, ceilingKindRules(kinds))]
      : []),
    ...(hasAny(clusterKinds) ? [clusterRole(clusterKindsRole, readerKindRules(clusterKinds))] : []),
  ];
}

export function isReadOnly(namespaceName: string): boolean {
  return namespaceName.startsWith("kube-");
}

function metadata(name: string, more: JsonObject = {}): JsonObject {
  return { name, ...more, labels: { [names.managedLabel]: "sallyport", [versionLabel]: manifestVersion } };
}

function manifest(address: names.ResourceAddress, object: JsonObject, editable = false): Manifest {
  const place = { namespace: textAt(object, "metadata", "namespace"), name: textAt(object, "metadata", "name") };
  return { address, ...place, object, editable };
}

function headOf(address: names.ResourceAddress, kind: string): JsonObject {
  return { apiVersion: address.group === "" ? address.version : `${address.group}/${address.version}`, kind };
}

function cluster(address: names.ResourceAddress, kind: string, name: string, rest: JsonObject): Manifest {
  return manifest(address, { ...headOf(address, kind), metadata: metadata(name), ...rest });
}

function placed(address: names.ResourceAddress, kind: string, place: string, name: string, rest: JsonObject): Manifest {
  return manifest(address, { ...headOf(address, kind), metadata: metadata(name, { namespace: place }), ...rest });
}

function namespace(name: string): Manifest {
  const { labels } = metadata(name);
  const security = Object.fromEntries(
    ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
  );
  const merged = { ...(labels as JsonObject), ...security };
  return manifest(names.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: merged } });
}

function clusterRole(name: string, rules: readonly PolicyRule[], editable = false): Manifest {
  const annotations = editable ? { annotations: { [rulesAnnotation]: rulesDigest(rules) } } : {};
  return manifest(
    names.clusterRoles,
    { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: metadata(name, annotations), rules },
    editable,
  );
}

const subjects = (accounts: readonly string[]): readonly JsonObject[] =>
  accounts.map((name) => ({ kind: "ServiceAccount", name, namespace: systemNamespace }));

function clusterBinding(role: string, accounts: readonly string[]): Manifest {
  return cluster(names.clusterRoleBindings, "ClusterRoleBinding", role, {
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
    subjects: subjects(accounts),
  });
}

function binding(place: string, role: string, accounts: readonly string[]): Manifest {
  return placed(names.roleBindings, "RoleBinding", place, role, {
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
    subjects: subjects(accounts),
  });
}

function roleFor(account: string, place: string, name: string, rules: readonly PolicyRule[]): readonly Manifest[] {
  return [
    placed(names.roles, "Role", place, name, { rules }),
    placed(names.roleBindings, "RoleBinding", place, name, {
      roleRef: { apiGroup: rbac, kind: "Role", name },
      subjects: subjects([account]),
    }),
  ];
}
