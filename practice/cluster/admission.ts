// ValidatingAdmissionPolicy: stored, checked against the small set of cel.ts, and enforced on every write.

import { at, isJsonObject, labelsOf, listAt, mapAt, textAt, textsAt, type Json, type JsonObject } from "./json.ts";
import { describeUser, type User } from "./authn.ts";
import { compile, EvaluationFailed, OutsideSubset } from "./cel.ts";
import { kindFor, type Kind } from "./kinds.ts";
import { matchesSelector } from "./selectors.ts";
import { forbidden, invalid, invalidValue, Refused, requiredValue, type Cause } from "./status.ts";
import type { Storage } from "./storage.ts";

export interface Admission {
  readonly user: User;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly kind: Kind;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  /** Null on DELETE. */
  readonly object: JsonObject | null;
  /** Null on CREATE. */
  readonly old: JsonObject | null;
}

/** Reviews and admission's own objects are never up to a policy, or one policy could lock every door. */
const exempt = (kind: Kind): boolean => kind.review || kind.group === "admissionregistration.k8s.io";

/** Throws the first policy's denial (422, or the validation's own reason); returns the warnings of those bound with Warn. */
export function admit(storage: Storage, admission: Admission): readonly string[] {
  if (exempt(admission.kind)) return [];
  return storage.list(kindFor("validatingadmissionpolicybindings")).flatMap((binding) => {
    const policy = storage.get(kindFor("validatingadmissionpolicies"), "", textAt(binding, "spec", "policyName"));
    if (policy === undefined || !applies(storage, admission, at(policy, "spec", "matchConstraints"))) return [];
    if (at(binding, "spec", "matchResources") && !applies(storage, admission, at(binding, "spec", "matchResources")))
      return [];
    return enforce(admission, policy, binding);
  });
}

function enforce(admission: Admission, policy: JsonObject, binding: JsonObject): readonly string[] {
  const scope = scopeOf(admission, policy);
  const failing = textAt(policy, "spec", "failurePolicy") !== "Ignore";
  const answer = (expression: string): boolean | string => {
    try {
      const held = compile(expression)(scope);
      if (typeof held !== "boolean") throw new EvaluationFailed("cel expression does not evaluate to bool");
      return held;
    } catch (error) {
      if (!(error instanceof EvaluationFailed)) throw error;
      return `expression '${expression}' resulted in error: ${error.message}`;
    }
  };
  const conditions = listAt(policy, "spec", "matchConditions").map((one) => answer(textAt(one, "expression")));
  if (conditions.includes(false)) return [];
  const broken = conditions.find((one) => typeof one === "string");
  const denials =
    broken !== undefined
      ? [{ message: broken, reason: "", failed: true }]
      : listAt(policy, "spec", "validations").flatMap((validation) => {
          const expression = textAt(validation, "expression");
          const held = answer(expression);
          if (held === true) return [];
          const message =
            typeof held === "string" ? held : textAt(validation, "message") || `failed expression: ${expression}`;
          return [
            {
              message,
              reason: typeof held === "string" ? "" : textAt(validation, "reason"),
              failed: typeof held === "string",
            },
          ];
        });
  const denial = denials.find((one) => failing || !one.failed);
  if (denial === undefined) return [];
  const [policyName, bindingName] = [textAt(policy, "metadata", "name"), textAt(binding, "metadata", "name")];
  const message = `ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}' denied request: ${denial.message}`;
  if (textsAt(binding, "spec", "validationActions").includes("Deny")) throw denied(admission, message, denial.reason);
  return [`Validation failed for ${message}`];
}

const denialCodes: { readonly [reason: string]: number } = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
};

function denied(admission: Admission, message: string, reason: string): Refused {
  const told = forbidden(admission.kind, admission.name, message, { causes: [{ message }] });
  const known = Object.hasOwn(denialCodes, reason) ? reason : "Invalid";
  return new Refused(denialCodes[known] ?? 422, known, told.message, mapAt(told.status, "details"));
}

function scopeOf(admission: Admission, policy: JsonObject): { readonly [name: string]: Json } {
  const { kind, subresource, namespace, name } = admission;
  const sent = kind.subresources.find((one) => one.name === subresource) ?? kind;
  const request: JsonObject = {
    operation: admission.operation,
    ...(name === "" ? {} : { name }),
    ...(namespace === "" ? {} : { namespace }),
    ...(subresource === "" ? {} : { subResource: subresource }),
    resource: { group: kind.group, version: kind.version, resource: kind.resource },
    kind: { group: sent.group, version: sent.version, kind: sent.kind },
    userInfo: describeUser(admission.user),
    dryRun: admission.dryRun,
  };
  const scope = { request, object: admission.object, oldObject: admission.old };
  const variables: { [name: string]: Json } = {};
  for (const variable of listAt(policy, "spec", "variables")) {
    try {
      variables[textAt(variable, "name")] = compile(textAt(variable, "expression"))({ ...scope, variables });
    } catch (error) {
      // Left unset: an expression that asks for it fails then, as in Kubernetes, where variables are lazy.
      if (!(error instanceof EvaluationFailed)) throw error;
    }
  }
  return { ...scope, variables };
}

function applies(storage: Storage, admission: Admission, match: Json | undefined): boolean {
  const rules = at(match, "resourceRules");
  const listed =
    Array.isArray(rules) && rules.length > 0 ? rules.some((rule: Json) => isRuleFor(admission, rule)) : true;
  if (!listed || listAt(match, "excludeResourceRules").some((rule) => isRuleFor(admission, rule))) return false;
  const objects = [admission.object, admission.old].filter((object) => object !== null);
  if (!objects.some((object) => matchesSelector(at(match, "objectSelector"), labelsOf(object)))) return false;
  const space =
    admission.kind.kind === "Namespace"
      ? (objects[0] ?? {})
      : storage.get(kindFor("namespaces"), "", admission.namespace);
  return space === undefined || matchesSelector(at(match, "namespaceSelector"), labelsOf(space));
}

function isRuleFor({ kind, subresource, operation, name }: Admission, rule: Json): boolean {
  const has = (field: string, one: string): boolean => {
    const list = textsAt(rule, field);
    return list.includes("*") || list.includes(one);
  };
  const names = textsAt(rule, "resourceNames");
  const scope = textAt(rule, "scope") || "*";
  return (
    has("apiGroups", kind.group) &&
    has("apiVersions", kind.version) &&
    has("operations", operation) &&
    (scope === "*" || (scope === "Namespaced") === kind.namespaced) &&
    (names.length === 0 || names.includes(name)) &&
    textsAt(rule, "resources").some((text) => {
      // "*" alone means every resource but no subresource; only "*/*" means both.
      const [resource, sub = ""] = text.split("/");
      return (resource === "*" || resource === kind.resource) && (sub === "*" || sub === subresource);
    })
  );
}

/** Refuses (422) a policy or binding that could not be enforced as it is written: nothing is ignored in silence. */
export function checkAdmissionObject(kind: Kind, object: JsonObject): void {
  if (kind.group !== "admissionregistration.k8s.io") return;
  const causes = kind.kind === "ValidatingAdmissionPolicy" ? policyCauses(object) : bindingCauses(object);
  if (causes.length > 0) throw invalid(kind.kind, kind.group, textAt(object, "metadata", "name"), causes);
}

const beyond = (field: string, value: Json, what: string): Cause =>
  invalidValue(field, value, `the practice cluster does not know ${what}; it is not Kubernetes`);

function policyCauses(object: JsonObject): readonly Cause[] {
  const spec = mapAt(object, "spec");
  const unknown = ["paramKind", "auditAnnotations"].filter((field) => at(spec, field) !== undefined);
  const expressions = ["matchConditions", "validations", "variables"].flatMap((list) =>
    listAt(spec, list).map((one, index) => ({ one, field: `spec.${list}[${index}]` })),
  );
  return [
    ...unknown.map((field) => beyond(`spec.${field}`, at(spec, field) ?? null, field)),
    ...(listAt(spec, "validations").length === 0
      ? [requiredValue("spec.validations", "validations or auditAnnotations must contain at least one item")]
      : []),
    ...(listAt(spec, "matchConstraints", "resourceRules").length === 0
      ? [requiredValue("spec.matchConstraints.resourceRules")]
      : []),
    ...ruleCauses(listAt(spec, "matchConstraints", "resourceRules")),
    ...expressions.flatMap(({ one, field }) => expressionCauses(one, field)),
  ];
}

function ruleCauses(rules: readonly Json[]): readonly Cause[] {
  return rules.flatMap((rule, index) => {
    const resources = textsAt(rule, "resources");
    if (!resources.includes("*/*") || resources.length === 1) return [];
    const field = `spec.matchConstraints.resourceRules[${index}].resources`;
    return [invalidValue(field, resources, "if '*/*' is present, must not specify other resources")];
  });
}

function expressionCauses(one: Json, field: string): readonly Cause[] {
  const expression = textAt(one, "expression");
  if (isJsonObject(one) && "messageExpression" in one)
    return [beyond(`${field}.messageExpression`, "", "messageExpression")];
  if (expression === "") return [requiredValue(`${field}.expression`, "expression is not specified")];
  try {
    compile(expression);
    return [];
  } catch (error) {
    if (!(error instanceof OutsideSubset)) throw error;
    return [beyond(`${field}.expression`, expression, `all of CEL: ${error.message}`)];
  }
}

function bindingCauses(object: JsonObject): readonly Cause[] {
  const actions = textsAt(object, "spec", "validationActions");
  const unknown = actions.filter((action) => action !== "Deny" && action !== "Warn");
  return [
    ...(textAt(object, "spec", "policyName") === "" ? [requiredValue("spec.policyName")] : []),
    ...(actions.length === 0
      ? [requiredValue("spec.validationActions", "at least one validation action is required")]
      : []),
    ...unknown.map((action) => beyond("spec.validationActions", action, `the action ${action}`)),
    ...(at(object, "spec", "paramRef") === undefined ? [] : [beyond("spec.paramRef", null, "paramRef")]),
  ];
}
