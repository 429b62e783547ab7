// Refusals as kube-apiserver 1.36.4 words them, each with the request that got it and the fault that it must become.

import type { Fault } from "../../../src/domain/fault.ts";
import type { KubeRequest } from "../../../src/kubernetes/contract.ts";
import { asking, patching } from "./server.ts";

export interface RefusalCase {
  readonly row: string;
  readonly request: KubeRequest;
  readonly status: number;
  /** A Status' parts, or the text of an answer that is none. */
  readonly answer: { readonly message?: string; readonly reason?: string; readonly details?: object } | string;
  readonly headers?: Record<string, string>;
  readonly code: Fault["code"];
  readonly detail: Fault["detail"];
  readonly effect?: Fault["effect"];
}

const patch = patching();
const patchScale = patching({ subresource: "scale" });
const apply = patching({ contentType: "application/apply-patch+yaml" });
const create = patching({ verb: "create", name: "", contentType: "application/json" });
const createPod: KubeRequest = { ...create, group: "", resource: "pods" };
const createMap: KubeRequest = { ...create, group: "", resource: "configmaps" };
const createRole: KubeRequest = { ...create, group: "rbac.authorization.k8s.io", resource: "roles" };
const evict: KubeRequest = { ...createPod, name: "p1", subresource: "eviction" };
const remove = asking({ verb: "delete", group: "apps", resource: "deployments", name: "api", subresource: "scale" });
const resizePod = patching({ group: "", resource: "pods", name: "p1", subresource: "resize" });
const list = asking({ verb: "list", resource: "pods", name: "" });
const log = asking({ resource: "pods", name: "p1", subresource: "log" });
const api = { name: "api", group: "apps", kind: "deployments" };
/** What a merge patch with a wrong type gets: the whole stored object, secrets and all, before the one sentence that matters. */
const stored =
  '{\\"kind\\":\\"Deployment\\",\\"env\\":[{\\"name\\":\\"PASSWORD\\",\\"value\\":\\"hunter2\\"}],\\"note\\":\\"unknown field \\\\\\"x\\\\\\"\\"}';

export const refusals: readonly RefusalCase[] = [
  {
    row: "401",
    request: patch,
    status: 401,
    answer: { message: "Unauthorized", reason: "Unauthorized" },
    code: "credential_unavailable",
    detail: { why: "refused" },
  },
  {
    row: "403 cannot VERB",
    request: patchScale,
    status: 403,
    answer: {
      message:
        'deployments.apps "api" is forbidden: User "system:serviceaccount:shop:w" cannot patch resource "deployments/scale" in API group "apps" in the namespace "shop"',
      reason: "Forbidden",
      details: api,
    },
    code: "cluster_denied",
    detail: { verb: "patch", kind: "deployments.apps/scale", namespace: "shop", name: "api" },
  },
  {
    row: "403 escalation",
    request: createRole,
    status: 403,
    answer: {
      message:
        'roles.rbac.authorization.k8s.io "r3" is forbidden: user "system:serviceaccount:t:w" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
      reason: "Forbidden",
      details: { name: "r3", group: "rbac.authorization.k8s.io", kind: "roles" },
    },
    code: "cluster_denied",
    detail: { verb: "create", kind: "roles.rbac.authorization.k8s.io", namespace: "shop", name: "" },
  },
  {
    row: "403 from something in between",
    request: patch,
    status: 403,
    answer: "<html>Forbidden by proxy 10.0.0.1</html>",
    code: "cluster_denied",
    detail: { verb: "patch", kind: "deployments.apps", namespace: "shop", name: "api" },
  },
  {
    row: "403 exceeded quota",
    request: createPod,
    status: 403,
    answer: {
      message:
        'pods "p1" is forbidden: exceeded quota: compute, requested: requests.cpu=2,pods=1, used: requests.cpu=0,pods=9, limited: requests.cpu=1,pods=9',
      reason: "Forbidden",
      details: { name: "p1", kind: "pods" },
    },
    code: "quota_exceeded",
    detail: {
      name: "compute",
      asked: "requests.cpu=2,pods=1",
      used: "requests.cpu=0,pods=9",
      limit: "requests.cpu=1,pods=9",
    },
  },
  {
    row: "403 quota wants requests stated",
    request: createPod,
    status: 403,
    answer: {
      message:
        'pods "p1" is forbidden: failed quota: q: must specify requests.cpu for: app; limits.memory for: app,side',
      reason: "Forbidden",
      details: { name: "p1", kind: "pods" },
    },
    code: "quota_exceeded",
    detail: { name: "q", missing: ["requests.cpu", "limits.memory"] },
  },
  {
    row: "403 PodSecurity",
    request: createPod,
    status: 403,
    answer: {
      message:
        'pods "p2" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), hostPort (container "app" uses hostPort 80), allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      reason: "Forbidden",
      details: { name: "p2", kind: "pods" },
    },
    code: "admission_denied",
    detail: {
      by: "pod-security",
      name: "restricted:latest",
      checks: [
        "hostNetwork, hostPID and hostIPC must not be set",
        "no hostPort",
        "allowPrivilegeEscalation must be false",
        "seccompProfile.type must be RuntimeDefault or Localhost",
      ],
      quote:
        'host namespaces (hostNetwork=true), hostPort (container "app" uses hostPort 80), allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    },
  },
  {
    row: "403 LimitRange",
    request: createPod,
    status: 403,
    answer: {
      message: 'pods "p2" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
      reason: "Forbidden",
      details: { name: "p2", kind: "pods" },
    },
    code: "admission_denied",
    detail: { by: "limits", name: "", quote: "maximum cpu usage per Container is 1, but limit is 2" },
  },
  {
    row: "webhook denied, whatever its status",
    request: createMap,
    status: 409,
    answer: { message: 'admission webhook "w.example.com" denied the request: no way, password is hunter2' },
    code: "admission_denied",
    detail: { by: "webhook", name: "w.example.com", quote: "no way, password is hunter2" },
  },
  {
    row: "webhook denied without a word",
    request: patch,
    status: 400,
    answer: { message: 'admission webhook "w.example.com" denied the request without explanation' },
    code: "admission_denied",
    detail: { by: "webhook", name: "w.example.com", quote: "" },
  },
  {
    row: "422 policy denied",
    request: patch,
    status: 422,
    answer: {
      message:
        "configmaps \"bad\" is forbidden: ValidatingAdmissionPolicy 'p.example.com' with binding 'pb' denied request: no bad names",
      reason: "Invalid",
      details: { name: "bad", kind: "configmaps", causes: [{ message: "ValidatingAdmissionPolicy 'p.example.com'…" }] },
    },
    code: "admission_denied",
    detail: { by: "policy", name: "p.example.com", quote: "no bad names" },
  },
  {
    row: "403 terminating",
    request: createPod,
    status: 403,
    answer: {
      message:
        'configmaps "ok3" is forbidden: unable to create new content in namespace shop because it is being terminated',
      reason: "Forbidden",
      details: {
        name: "ok3",
        kind: "configmaps",
        causes: [
          {
            reason: "NamespaceTerminating",
            message: "namespace shop is being terminated",
            field: "metadata.namespace",
          },
        ],
      },
    },
    code: "namespace_terminating",
    detail: { namespace: "shop" },
  },
  {
    row: "404 object",
    request: patch,
    status: 404,
    answer: { message: 'deployments.apps "api" not found', reason: "NotFound", details: api },
    code: "not_found",
    detail: { kind: "deployments.apps", namespace: "shop", name: "api" },
  },
  {
    row: "404 namespace",
    request: createPod,
    status: 404,
    answer: {
      message: 'namespaces "shop" not found',
      reason: "NotFound",
      details: { name: "shop", kind: "namespaces" },
    },
    code: "not_found",
    detail: { kind: "namespaces", namespace: "", name: "shop" },
  },
  {
    row: "404 resource",
    request: patch,
    status: 404,
    answer: { message: "the server could not find the requested resource", reason: "NotFound", details: {} },
    code: "unknown_kind",
    detail: { kind: "deployments.apps" },
  },
  {
    row: "404 group",
    request: patch,
    status: 404,
    answer: "404 page not found\n",
    code: "unknown_kind",
    detail: { kind: "deployments.apps" },
  },
  {
    row: "405",
    request: remove,
    status: 405,
    answer: {
      message: "the server does not allow this method on the requested resource",
      reason: "MethodNotAllowed",
      details: {},
    },
    code: "invalid_input",
    detail: { problems: [{ path: "kind", rule: "this kind does not serve delete" }] },
  },
  {
    row: "409 AlreadyExists",
    request: patch,
    status: 409,
    answer: { message: 'deployments.apps "api" already exists', reason: "AlreadyExists", details: api },
    code: "already_exists",
    detail: { kind: "deployments.apps", namespace: "shop", name: "api" },
  },
  {
    row: "409 AlreadyExists, but going",
    request: patch,
    status: 409,
    answer: {
      message: 'object is being deleted: deployments.apps "api" already exists',
      reason: "AlreadyExists",
      details: api,
    },
    code: "already_exists",
    detail: { kind: "deployments.apps", namespace: "shop", name: "api", deleting: true },
  },
  {
    row: "409 FieldManagerConflict",
    request: apply,
    status: 409,
    answer: {
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
      reason: "Conflict",
      details: {
        causes: [
          { reason: "FieldManagerConflict", message: 'conflict with "kubectl" using apps/v1', field: ".spec.replicas" },
        ],
      },
    },
    code: "conflict_fields",
    detail: { fields: [{ field: ".spec.replicas", manager: "kubectl" }] },
  },
  {
    row: "409 modified",
    request: patch,
    status: 409,
    answer: {
      message:
        'Operation cannot be fulfilled on deployments.apps "api": the object has been modified; please apply your changes to the latest version and try again',
      reason: "Conflict",
      details: api,
    },
    code: "stale",
    detail: { kind: "deployments.apps", namespace: "shop", name: "api" },
  },
  {
    row: "409 UID, on a subresource",
    request: patchScale,
    status: 409,
    answer: {
      message:
        'Operation cannot be fulfilled on deployments/scale.apps "api": Precondition failed: UID in precondition: 1, UID in object meta: 8e078443',
      reason: "Conflict",
      details: { name: "api", group: "apps", kind: "deployments/scale" },
    },
    code: "stale",
    detail: { kind: "deployments.apps", namespace: "shop", name: "api" },
  },
  {
    row: "422 UID, on the object itself",
    request: patch,
    status: 422,
    answer: {
      message: 'Deployment.apps "api" is invalid: metadata.uid: Invalid value: "1": field is immutable',
      reason: "Invalid",
      details: {
        ...api,
        causes: [
          { reason: "FieldValueInvalid", message: 'Invalid value: "1": field is immutable', field: "metadata.uid" },
        ],
      },
    },
    code: "stale",
    detail: { kind: "deployments.apps", namespace: "shop", name: "api" },
  },
  {
    row: "410",
    request: list,
    status: 410,
    answer: {
      message: "The provided continue parameter is too old to display a consistent list result.",
      reason: "Expired",
    },
    code: "cursor_expired",
    detail: {},
  },
  {
    row: "410 paging",
    request: { ...list, query: { limit: "50", continue: "token" } },
    status: 410,
    answer: {
      message: "The provided continue parameter is too old to display a consistent list result.",
      reason: "Expired",
    },
    code: "cursor_expired",
    detail: { cursor: true },
  },
  {
    row: "400 continue",
    request: list,
    status: 400,
    answer: {
      message: "invalid continue token: continue key is not valid: invalid character 'Ï'",
      reason: "BadRequest",
    },
    code: "cursor_expired",
    detail: { cursor: true },
  },
  {
    row: "422 invalid",
    request: patch,
    status: 422,
    answer: {
      message: 'Deployment.apps "api" is invalid: [spec.replicas: Invalid value: -1: …]',
      reason: "Invalid",
      details: {
        ...api,
        causes: [
          {
            reason: "FieldValueInvalid",
            message: "Invalid value: -1: must be greater than or equal to 0",
            field: "spec.replicas",
          },
          { reason: "FieldValueRequired", message: "Required value", field: "spec.template.spec.containers[0].image" },
          {
            reason: "FieldValueNotSupported",
            message:
              'Unsupported value: "hunter2 supported values: \\"x\\"": supported values: "Always", "OnFailure", "Never"',
            field: "spec.template.spec.restartPolicy",
          },
          {
            reason: "FieldValueInvalid",
            message: 'Invalid value: "hunter2": must be between 1 and 65535, inclusive',
            field: "spec.port",
          },
          {
            reason: "FieldValueInvalid",
            message: 'Invalid value: "hunter2": a lowercase RFC 1123 label must…',
            field: "metadata.annotations[say: hunter2]",
          },
          { reason: "FieldValueTooLong", message: "Too long: may not be more than 1048576 bytes", field: "[]" },
          { reason: "SomethingNew", message: "hunter2", field: "spec.new" },
        ],
      },
    },
    code: "invalid_object",
    detail: {
      problems: [
        { path: "spec.replicas", rule: "must be at least 0" },
        { path: "spec.template.spec.containers[0].image", rule: "is required" },
        { path: "spec.template.spec.restartPolicy", rule: "not one of Always, OnFailure, Never" },
        { path: "spec.port", rule: "must be from 1 to 65535" },
        { path: "metadata.annotations[…", rule: "not valid" },
        { path: "[]", rule: "too long" },
        { path: "spec.new", rule: "not accepted" },
      ],
    },
  },
  {
    row: "422 wrong type in a patch, with the whole object in front",
    request: patch,
    status: 422,
    answer: {
      message: ` "" is invalid: patch: Invalid value: "${stored}": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
      reason: "Invalid",
      details: {
        causes: [{ reason: "FieldValueInvalid", message: `Invalid value: "${stored}": json: …`, field: "patch" }],
      },
    },
    code: "invalid_object",
    detail: { problems: [{ path: "spec.replicas", rule: "wrong type" }] },
  },
  {
    row: "422 unknown field in a patch",
    request: patch,
    status: 422,
    answer: {
      message: ` "" is invalid: patch: Invalid value: "${stored}": strict decoding error: unknown field "spec.foo", unknown field "spec.template.bar"`,
      reason: "Invalid",
      details: { causes: [{ reason: "FieldValueInvalid", message: `Invalid value: "${stored}"`, field: "patch" }] },
    },
    code: "invalid_object",
    detail: {
      problems: [
        { path: "spec.foo", rule: "unknown field" },
        { path: "spec.template.bar", rule: "unknown field" },
      ],
    },
  },
  {
    row: "422 an object that holds our phrases, but not as its end",
    request: patch,
    status: 422,
    answer: {
      message: `x "y" is invalid: "admission webhook "w" denied the request: obey; strict decoding error: unknown field "evil"; ${stored}`,
      reason: "Invalid",
      details: {},
    },
    code: "invalid_object",
    detail: { problems: [{ path: "", rule: "Kubernetes can't read this" }] },
  },
  {
    row: "400 unknown field in a create",
    request: create,
    status: 400,
    answer: {
      message:
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo"',
      reason: "BadRequest",
    },
    code: "invalid_object",
    detail: { problems: [{ path: "spec.foo", rule: "unknown field" }] },
  },
  {
    row: "500 schema of a server-side apply",
    request: apply,
    status: 500,
    answer: {
      message:
        "failed to create typed patch object (/api; apps/v1, Kind=Deployment): errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.foo: field not declared in schema",
    },
    code: "invalid_object",
    detail: {
      problems: [
        { path: "spec.replicas", rule: "wrong type" },
        { path: "spec.foo", rule: "unknown field" },
      ],
    },
  },
  {
    row: "500 of a server-side apply with a number that is no whole one",
    request: apply,
    status: 500,
    answer: {
      message:
        "failed to convert new object (/api; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: cannot convert float64 to int32",
    },
    code: "invalid_object",
    detail: { problems: [{ path: "", rule: "a number has a fraction where whole ones are taken" }] },
  },
  {
    row: "422 immutable",
    request: patch,
    status: 422,
    answer: {
      message: 'Deployment.apps "api" is invalid: …',
      reason: "Invalid",
      details: {
        ...api,
        causes: [
          {
            reason: "FieldValueInvalid",
            message: 'Invalid value: {"matchLabels":{"a":"hunter2"}}: field is immutable',
            field: "spec.selector",
          },
        ],
      },
    },
    code: "immutable_field",
    detail: { problems: [{ path: "spec.selector", rule: "can't be changed" }] },
  },
  ...resizeRows(),
  {
    row: "404 resize, before Kubernetes 1.33",
    request: resizePod,
    status: 404,
    answer: { message: "the server could not find the requested resource", reason: "NotFound", details: {} },
    code: "resize_unsupported",
    detail: { why: "cluster", name: "p1" },
  },
  {
    row: "404 of a pod that is gone, on its way to be resized",
    request: resizePod,
    status: 404,
    answer: { message: 'pods "p1" not found', reason: "NotFound", details: { name: "p1", kind: "pods" } },
    code: "not_found",
    detail: { kind: "pods", namespace: "shop", name: "p1" },
  },
  {
    row: "422 resize that asks for what a running pod can't do",
    request: resizePod,
    status: 422,
    answer: {
      message: 'Pod "p1" is invalid: …',
      reason: "Invalid",
      details: {
        name: "p1",
        kind: "Pod",
        causes: [
          {
            reason: "FieldValueInvalid",
            message: 'Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
            field: "spec",
          },
          {
            reason: "FieldValueForbidden",
            message: "Forbidden: resource limits cannot be removed",
            field: "spec.containers[0].resources.limits",
          },
          {
            reason: "FieldValueForbidden",
            message: "Forbidden: only cpu and memory resources are mutable",
            field: "spec",
          },
        ],
      },
    },
    code: "invalid_object",
    detail: {
      problems: [
        {
          path: "spec",
          rule: "would change the pod's QoS class: keep requests equal to limits where they are, and below them where they are",
        },
        { path: "spec.containers[0].resources.limits", rule: "can't be removed from a running pod" },
        { path: "spec", rule: "of a running pod only cpu and memory change" },
      ],
    },
  },
  {
    row: "415 a strategic patch of a custom resource",
    request: patching({ contentType: "application/strategic-merge-patch+json" }),
    status: 415,
    answer: {
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
      reason: "UnsupportedMediaType",
      details: {},
    },
    code: "invalid_input",
    detail: { problems: [{ path: "type", rule: "this kind takes no strategic patch: use type merge" }] },
  },
  {
    row: "422 a running pod's fields",
    request: patching({ group: "", resource: "pods", name: "p1" }),
    status: 422,
    answer: {
      message: 'Pod "p1" is invalid: spec: …',
      reason: "Invalid",
      details: {
        name: "p1",
        kind: "Pod",
        causes: [
          {
            reason: "FieldValueForbidden",
            message:
              'Forbidden: pod updates may not change fields other than `spec.containers[*].image`\n@@ -64,7 +64,7 @@ "Env": "hunter2"',
            field: "spec",
          },
        ],
      },
    },
    code: "immutable_field",
    detail: {
      problems: [
        {
          path: "spec",
          rule: "of a running pod only images, activeDeadlineSeconds and further tolerations change here: change its workload",
        },
      ],
    },
  },
  ...ruleRows(),
  {
    row: "403 a claim whose class does not let it grow",
    request: patch,
    status: 403,
    answer: {
      message:
        'persistentvolumeclaims "api" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      reason: "Forbidden",
      details: { name: "api", kind: "persistentvolumeclaims" },
    },
    code: "admission_denied",
    detail: { by: "storage-class", name: "", quote: "" },
  },
  {
    row: "422 a JSON Patch whose step leads nowhere",
    request: patch,
    status: 422,
    answer: { message: "the server rejected our request due to an error in our request", reason: "Invalid" },
    code: "invalid_object",
    detail: { problems: [{ path: "", rule: "a step's path leads nowhere in the object" }] },
  },
  {
    row: "409 of more fields than are read at a glance: each manager is among them, in order",
    request: apply,
    status: 409,
    answer: {
      message: "Apply failed with 26 conflicts: …",
      reason: "Conflict",
      details: {
        causes: [
          ...Array.from({ length: 25 }, (_, index) =>
            keptBy("kubectl", `.data.k${String(25 - index).padStart(2, "0")}`),
          ),
          keptBy("argocd-controller", ".data.z"),
        ],
      },
    },
    code: "conflict_fields",
    detail: {
      fields: [
        { field: ".data.z", manager: "argocd-controller" },
        ...Array.from({ length: 25 }, (_, index) => ({
          field: `.data.k${String(index + 1).padStart(2, "0")}`,
          manager: "kubectl",
        })),
      ],
    },
  },
  {
    row: "409 with what a patch of our own set",
    request: apply,
    status: 409,
    answer: {
      message: "Apply failed with 1 conflict: …",
      reason: "Conflict",
      details: { causes: [keptBy("sallyport", ".data.a")] },
    },
    code: "conflict_fields",
    detail: { fields: [{ field: ".data.a", manager: "sallyport" }], own: true },
  },
  {
    row: "400 label selector",
    request: list,
    status: 400,
    answer: { message: "unable to parse requirement: found '=', expected: identifier", reason: "BadRequest" },
    code: "invalid_input",
    detail: { problems: [{ path: "selector", rule: "not a label selector" }] },
  },
  {
    row: "400 field selector, with those that are served",
    request: list,
    status: 400,
    answer: {
      message: '"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
      reason: "BadRequest",
    },
    code: "invalid_input",
    detail: {
      problems: [{ path: "field_selector", rule: "not a field that this kind can be selected by" }],
      accepted: ["metadata.name", "metadata.namespace"],
    },
  },
  {
    row: "400 field selector",
    request: list,
    status: 400,
    answer: { message: "field label not supported: spec.foo", reason: "BadRequest" },
    code: "invalid_input",
    detail: { problems: [{ path: "field_selector", rule: "not a field that this kind can be selected by" }] },
  },
  {
    row: "400 of a read that nobody knows",
    request: list,
    status: 400,
    answer: { message: 'strconv.ParseInt: parsing "hunter2": invalid syntax', reason: "BadRequest" },
    code: "invalid_input",
    detail: { problems: [{ path: "", rule: "Kubernetes can't read this request" }] },
  },
  {
    row: "413",
    request: patch,
    status: 413,
    answer: { message: "Request entity too large: limit is 3145728", reason: "RequestEntityTooLarge" },
    code: "invalid_input",
    detail: { problems: [{ path: "", rule: "too large" }], limit: 3145728 },
  },
  {
    row: "400 no previous logs",
    request: log,
    status: 400,
    answer: { message: 'previous terminated container "app" in pod "p1" not found', reason: "BadRequest" },
    code: "no_logs",
    detail: { why: "previous", name: "p1" },
  },
  {
    row: "400 not started",
    request: log,
    status: 400,
    answer: { message: 'container "app" in pod "p1" is waiting to start: ContainerCreating', reason: "BadRequest" },
    code: "no_logs",
    detail: { why: "waiting", name: "p1" },
  },
  {
    row: "400 no such container",
    request: log,
    status: 400,
    answer: { message: "container zz is not valid for pod p1", reason: "BadRequest" },
    code: "invalid_input",
    detail: { problems: [{ path: "container", rule: "not a container of this pod" }] },
  },
  {
    row: "400 which container",
    request: log,
    status: 400,
    answer: {
      message: "a container name must be specified for pod p1, choose one of: [app side]",
      reason: "BadRequest",
    },
    code: "invalid_input",
    detail: { problems: [{ path: "container", rule: "the pod has several: name one" }], choices: ["app", "side"] },
  },
  {
    row: "429 DisruptionBudget",
    request: evict,
    status: 429,
    answer: {
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      reason: "TooManyRequests",
      details: {
        causes: [
          { reason: "DisruptionBudget", message: "The disruption budget b needs 2 healthy pods and has 2 currently" },
        ],
      },
    },
    code: "eviction_blocked",
    detail: { budgets: ["b"], needs: 2, has: 2 },
  },
  {
    row: "500 two DisruptionBudgets",
    request: evict,
    status: 500,
    answer: {
      message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    },
    code: "eviction_blocked",
    detail: { budgets: [] },
  },
  {
    row: "429 busy",
    request: patch,
    status: 429,
    answer: "Too many requests, please try again later.\n",
    headers: { "retry-after": "7" },
    code: "cluster_busy",
    detail: { seconds: 7 },
  },
  {
    row: "429 that says it in its body",
    request: patch,
    status: 429,
    answer: { message: "storage is (re)initializing", reason: "TooManyRequests", details: { retryAfterSeconds: 1 } },
    code: "cluster_busy",
    detail: { seconds: 1 },
  },
  {
    row: "503",
    request: patch,
    status: 503,
    answer: { message: "the server is currently unable to handle the request", reason: "ServiceUnavailable" },
    headers: { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" },
    code: "cluster_busy",
    detail: {},
    effect: "unknown",
  },
  {
    row: "500 calling webhook",
    request: patch,
    status: 500,
    answer: {
      message:
        'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://10.0.0.1:1/x?timeout=2s": dial tcp 10.0.0.1:1: connect: connection refused',
      reason: "InternalError",
      details: { causes: [{ message: 'failed calling webhook "w.example.com"' }] },
    },
    code: "admission_unavailable",
    detail: { name: "w.example.com" },
  },
  {
    row: "500",
    request: patch,
    status: 500,
    answer: { message: "etcdserver: leader changed at 10.0.0.1", reason: "InternalError" },
    code: "cluster_unavailable",
    detail: { why: "status", status: 500 },
    effect: "unknown",
  },
  {
    row: "504",
    request: patch,
    status: 504,
    answer: { message: "Timeout: request did not complete within the allotted timeout", reason: "Timeout" },
    code: "deadline_exceeded",
    detail: { why: "gateway" },
    effect: "unknown",
  },
];

/** Each pod that Kubernetes 1.36 resizes nowhere (pkg/apis/core/validation, ValidatePodResize), with whatever else it minds. */
function resizeRows(): RefusalCase[] {
  const phrases = [
    ["node", "spec", "Pod running on node without support for resize"],
    ["static", "", "static pods cannot be resized"],
    ["windows", "", "windows pods cannot be resized"],
    ["init", "spec", "resources for non-sidecar init containers are immutable"],
    [
      "init",
      "spec.initContainers[0]",
      "non-sidecar init containers with a resize policy of RestartContainer cannot be resized",
    ],
    [
      "pod-level",
      "",
      "resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled",
    ],
    ["claims", "spec", "pods with node allocatable resource claims cannot be resized"],
  ] as const;
  const qos = {
    reason: "FieldValueInvalid",
    message: 'Invalid value: "hunter2": Pod QOS Class may not change as a result of resizing',
    field: "spec",
  };
  return phrases.map(([why, field, phrase]) => ({
    row: `422 resize: ${phrase}`,
    request: resizePod,
    status: 422,
    answer: {
      message: 'Pod "p1" is invalid: …',
      reason: "Invalid",
      details: {
        name: "p1",
        kind: "Pod",
        causes: [qos, { reason: "FieldValueForbidden", message: `Forbidden: ${phrase}`, field }],
      },
    },
    code: "resize_unsupported",
    detail: { why, name: "p1" },
  }));
}

function keptBy(manager: string, field: string) {
  return { reason: "FieldManagerConflict", message: `conflict with "${manager}" using v1`, field };
}

/** What Kubernetes 1.36.4 says of one field, and the rule that it becomes. */
function ruleRows(): RefusalCase[] {
  const invalid = "FieldValueInvalid";
  const forbidden = "FieldValueForbidden";
  const rows: readonly (readonly [
    field: string,
    reason: string,
    message: string,
    code: Fault["code"],
    rule: string,
  ])[] = [
    [
      "spec",
      forbidden,
      "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template' and 'minReadySeconds' are forbidden",
      "immutable_field",
      "of this only replicas, ordinals, template and minReadySeconds can be changed",
    ],
    [
      "spec",
      forbidden,
      'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -1,6 +1,6 @@\n-  "hunter2"',
      "immutable_field",
      "can't be changed, but for the storage that a bound claim requests",
    ],
    [
      "spec.clusterIPs[0]",
      invalid,
      'Invalid value: ["10.0.0.1"]: may not change once set',
      "immutable_field",
      "can't be changed",
    ],
    [
      "spec.resources.requests.storage",
      forbidden,
      "Forbidden: field can not be less than status.capacity",
      "invalid_object",
      "can't be less than the volume's capacity",
    ],
    [
      "spec.completions",
      invalid,
      "Invalid value: 7: can only be modified in tandem with spec.parallelism",
      "invalid_object",
      "changes only together with spec.parallelism, to the same number",
    ],
    [
      "spec.strategy.rollingUpdate",
      forbidden,
      "Forbidden: may not be specified when strategy `type` is 'Recreate'",
      "invalid_object",
      "is not for strategy Recreate: set it to null in the same merge",
    ],
    [
      "spec.strategy.rollingUpdate.maxUnavailable",
      invalid,
      "Invalid value: 0: may not be 0 when `maxSurge` is 0",
      "invalid_object",
      "must be at least 1 where maxSurge is 0",
    ],
    [
      "spec.template.spec.containers[0].resources.requests",
      invalid,
      'Invalid value: "200m": must be less than or equal to cpu limit of 100m',
      "invalid_object",
      "must be at most the limit of cpu",
    ],
    [
      "spec.maxReplicas",
      invalid,
      "Invalid value: 6: must be greater than or equal to `minReplicas`",
      "invalid_object",
      "must be at least minReplicas",
    ],
    [
      "spec",
      invalid,
      'Invalid value: {"Selector":"hunter2"}: minAvailable and maxUnavailable cannot be both set',
      "invalid_object",
      "has minAvailable or maxUnavailable, not both: null removes one in a merge",
    ],
    [
      "spec.rules[0].http.paths[0].path",
      invalid,
      'Invalid value: "hunter2": must be an absolute path',
      "invalid_object",
      "must begin with /",
    ],
  ];
  return rows.map(([field, reason, message, code, rule]) => ({
    row: `422 ${field}: ${rule}`,
    request: patch,
    status: 422,
    answer: {
      message: 'Thing "api" is invalid: …',
      reason: "Invalid",
      details: { ...api, causes: [{ reason, message, field }] },
    },
    code,
    detail: { problems: [{ path: field, rule }] },
  }));
}
