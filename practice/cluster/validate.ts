// What Kubernetes refuses in an object: wrong JSON types (400), bad names and values (422), changes of what may not change (422).

import { isDeepStrictEqual } from "node:util";
import {
  at,
  isJsonObject,
  labelsOf,
  listAt,
  mapAt,
  textAt,
  textOf,
  textsAt,
  type Json,
  type JsonObject,
} from "./json.ts";
import type { Kind } from "./kinds.ts";
import { matchesSelector } from "./selectors.ts";
import { invalid, invalidValue, requiredValue, unserved, unsupportedValue, type Cause } from "./status.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${label}(\\.${label})*$`);
const keyPattern = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

function nameFault(kind: Kind, name: string): string | null {
  if (kind.names === "segment") {
    if (name === "." || name === "..") return `may not be '${name}'`;
    const bad = /[/%]/.exec(name)?.[0];
    return bad === undefined ? null : `may not contain '${bad}'`;
  }
  const ends = "and must start and end with an alphanumeric character";
  if (kind.names === "label") {
    if (name.length <= 63 && labelPattern.test(name)) return null;
    return `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${ends} (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
  }
  if (name.length <= 253 && subdomainPattern.test(name)) return null;
  return `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${ends} (e.g. 'example.com', regex used for validation is '${label}(\\.${label})*')`;
}

const goName = (value: Json): string => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

/** The first value of a wrong JSON type, worded as Go's decoder does; null when the shape holds. Only well-known fields are looked at. */
export function typeFault(kind: string, object: JsonObject): string | null {
  const wrong = (value: Json, field: string, type: string): string =>
    `json: cannot unmarshal ${goName(value)} into Go struct field ${field} of type ${type}`;
  const replicas = at(object, "spec", "replicas");
  if (replicas !== undefined && replicas !== null && !(typeof replicas === "number" && Number.isInteger(replicas))) {
    return wrong(replicas, `${kind}Spec.spec.replicas`, "int32");
  }
  for (const field of ["metadata", "spec"]) {
    const value = at(object, field);
    if (value !== undefined && value !== null && !isJsonObject(value)) return wrong(value, `${kind}.${field}`, field);
  }
  const texts = {
    "ObjectMeta.metadata.labels": labelsOf(object),
    "ObjectMeta.metadata.annotations": mapAt(object, "metadata", "annotations"),
  };
  const own = ["ConfigMap", "Secret"].includes(kind)
    ? { [`${kind}.data`]: mapAt(object, "data"), [`${kind}.stringData`]: mapAt(object, "stringData") }
    : {};
  for (const [field, map] of Object.entries({ ...texts, ...own })) {
    const value = Object.values(map).find((one) => typeof one !== "string");
    if (value !== undefined) return wrong(value, field, "string");
  }
  const encoded = kind === "Secret" ? Object.values(mapAt(object, "data")) : [];
  const broken = encoded.find(
    (value) => !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(textOf(value)),
  );
  return broken === undefined ? null : "illegal base64 data at input byte 0";
}

/** Throws 422 with every cause. `old` is the stored object on an update. */
export function validate(kind: Kind, object: JsonObject, old?: JsonObject): void {
  const name = textAt(object, "metadata", "name");
  const fault = name === "" ? null : nameFault(kind, name);
  const causes = [
    ...(name === "" ? [requiredValue("metadata.name", "name or generateName is required")] : []),
    ...(fault === null ? [] : [invalidValue("metadata.name", name, fault)]),
    ...labelCauses(object),
    ...kindCauses(kind, object),
    ...(old === undefined ? [] : changeCauses(kind, object, old)),
  ];
  if (causes.length > 0) throw invalid(kind.kind, kind.group, name, causes);
}

const keyRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function labelCauses(object: JsonObject): readonly Cause[] {
  return Object.entries(labelsOf(object)).flatMap(([key, value]) => [
    ...(keyPattern.test(key) ? [] : [invalidValue("metadata.labels", key, keyRule)]),
    ...(valuePattern.test(textOf(value)) ? [] : [invalidValue("metadata.labels", value, valueRule)]),
  ]);
}

function kindCauses(kind: Kind, object: JsonObject): readonly Cause[] {
  switch (kind.kind) {
    case "ConfigMap":
    case "Secret":
      return Object.keys(mapAt(object, "data")).flatMap((key) =>
        /^[-._a-zA-Z0-9]+$/.test(key)
          ? []
          : [
              invalidValue(
                `data[${key}]`,
                key,
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
              ),
            ],
      );
    case "Pod":
      return containerCauses(object, ["spec"]);
    case "Deployment":
    case "ReplicaSet":
    case "StatefulSet":
    case "DaemonSet":
      return workloadCauses(object);
    case "Role":
    case "ClusterRole":
      return roleCauses(object);
    case "RoleBinding":
    case "ClusterRoleBinding":
      return bindingCauses(object);
    default:
      return [];
  }
}

/** `spec.replicas`, also of a Scale. */
export function replicaCauses(object: JsonObject): readonly Cause[] {
  const replicas = at(object, "spec", "replicas");
  if (typeof replicas !== "number" || replicas >= 0) return [];
  return [invalidValue("spec.replicas", replicas, "must be greater than or equal to 0")];
}

function workloadCauses(object: JsonObject): readonly Cause[] {
  const selector = at(object, "spec", "selector");
  const labels = at(object, "spec", "template", "metadata", "labels") ?? null;
  const chosen = isJsonObject(selector) && isJsonObject(labels) && matchesSelector(selector, labels);
  return [
    ...replicaCauses(object),
    ...(isJsonObject(selector) ? [] : [requiredValue("spec.selector")]),
    ...(chosen
      ? []
      : [invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")]),
    ...containerCauses(object, ["spec", "template", "spec"]),
  ];
}

function containerCauses(object: JsonObject, path: readonly string[]): readonly Cause[] {
  const containers = listAt(object, ...path, "containers");
  const field = [...path, "containers"].join(".");
  if (containers.length === 0) return [requiredValue(field)];
  return containers.flatMap((container, index) =>
    ["name", "image"]
      .filter((one) => textAt(container, one) === "")
      .map((one) => requiredValue(`${field}[${index}].${one}`)),
  );
}

function roleCauses(object: JsonObject): readonly Cause[] {
  if (at(object, "aggregationRule") !== undefined) throw unserved("aggregate ClusterRoles", 422);
  return listAt(object, "rules").flatMap((rule, index) => {
    const field = `rules[${index}]`;
    const urls = textsAt(rule, "nonResourceURLs").length > 0;
    const empty = (name: string): boolean => textsAt(rule, name).length === 0;
    return [
      ...(empty("verbs") ? [requiredValue(`${field}.verbs`, "verbs must contain at least one value")] : []),
      ...(!urls && empty("apiGroups")
        ? [requiredValue(`${field}.apiGroups`, "resource rules must supply at least one api group")]
        : []),
      ...(!urls && empty("resources")
        ? [requiredValue(`${field}.resources`, "resource rules must supply at least one resource")]
        : []),
    ];
  });
}

function bindingCauses(object: JsonObject): readonly Cause[] {
  const subjectKinds = ["ServiceAccount", "User", "Group"];
  const roleKinds = ["Role", "ClusterRole"];
  return [
    ...(roleKinds.includes(textAt(object, "roleRef", "kind"))
      ? []
      : [unsupportedValue("roleRef.kind", at(object, "roleRef", "kind") ?? "", roleKinds)]),
    ...(textAt(object, "roleRef", "name") === "" ? [requiredValue("roleRef.name")] : []),
    ...listAt(object, "subjects").flatMap((subject, index) =>
      subjectKinds.includes(textAt(subject, "kind"))
        ? []
        : [unsupportedValue(`subjects[${index}].kind`, at(subject, "kind") ?? "", subjectKinds)],
    ),
  ];
}

/** The fields that stay as they were created, by kind. */
const fixed: { readonly [kind: string]: readonly (readonly string[])[] } = {
  Deployment: [["spec", "selector"]],
  ReplicaSet: [["spec", "selector"]],
  DaemonSet: [["spec", "selector"]],
  StatefulSet: [
    ["spec", "selector"],
    ["spec", "serviceName"],
  ],
  Job: [
    ["spec", "selector"],
    ["spec", "template"],
  ],
  Secret: [["type"]],
  RoleBinding: [["roleRef"]],
  ClusterRoleBinding: [["roleRef"]],
};

/** The causes print the new value, environment and all, as Kubernetes' do: callers beware. */
function changeCauses(kind: Kind, object: JsonObject, old: JsonObject): readonly Cause[] {
  const forbidden = (field: string, why: string): Cause => ({
    reason: "FieldValueForbidden",
    message: `Forbidden: ${why}`,
    field,
  });
  const held = at(old, "immutable") === true ? ["immutable", "data", "binaryData"] : [];
  const podSpec = (pod: JsonObject): Json =>
    listAt(pod, "spec", "containers").map((one) => ({ ...mapAt(one), image: "" }));
  const others = (pod: JsonObject): Json => ({ ...mapAt(pod, "spec"), containers: podSpec(pod), tolerations: null });
  const pod = "pod updates may not change fields other than `spec.containers[*].image` and `spec.tolerations`";
  return [
    ...[["metadata", "uid"], ...(fixed[kind.kind] ?? [])].flatMap((path) => {
      const [now, before] = [at(object, ...path), at(old, ...path)];
      const why = path[0] === "roleRef" ? "cannot change roleRef" : "field is immutable";
      return isDeepStrictEqual(now, before) ? [] : [invalidValue(path.join("."), now ?? null, why)];
    }),
    ...held
      .filter((field) => !isDeepStrictEqual(at(object, field), at(old, field)))
      .map((field) => forbidden(field, "field is immutable when `immutable` is set")),
    ...(kind.kind === "Pod" && !isDeepStrictEqual(others(object), others(old)) ? [forbidden("spec", pod)] : []),
  ];
}
