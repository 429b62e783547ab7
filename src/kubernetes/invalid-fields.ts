// Which fields of an object Kubernetes refused, and by which rule: its messages echo values and whole objects, so the words are ours.

import type { Problem } from "./names.ts";
import type { Cause, Status } from "./status.ts";

/** At most this many fields are told. */
const most = 10;

/** The refused fields of a Status (400, 422, or server-side apply's 500). At least one; path "" where none could be read. */
export function invalidFields({ message, causes }: Pick<Status, "message" | "causes">): Problem[] {
  const schema = schemaProblems(message);
  if (schema.length > 0) return schema;
  const problems = new Map(
    causes.map((cause) => [`${cause.field} ${ruleOf(cause)}`, { path: fieldPath(cause.field), rule: ruleOf(cause) }]),
  );
  return problems.size === 0
    ? [
        {
          path: "",
          rule: message === noSuchStep ? "a step's path leads nowhere in the object" : "Kubernetes can't read this",
        },
      ]
    : [...problems.values()].slice(0, most);
}

/** All that Kubernetes says of a JSON Patch that it can't carry out; of a merge it never says this. */
const noSuchStep = "the server rejected our request due to an error in our request";

/**
 * Fields that the schema does not know or knows with another type. Each phrase stands at the message's end:
 * what comes before it may be the whole stored object, whose text must not be read as an error.
 */
export function schemaProblems(message: string): Problem[] {
  const [, strict] = /strict decoding error: ((?:(?:unknown|duplicate) field "[^"]*"(?:, )?)+)$/.exec(message) ?? [];
  if (strict !== undefined)
    return Array.from(strict.matchAll(/(unknown|duplicate) field "([^"]*)"/g), ([, what, path]) => ({
      path: fieldPath(path ?? ""),
      rule: what === "unknown" ? "unknown field" : "stands twice",
    }));
  const [, goField] =
    /json: cannot unmarshal [a-z]+ into Go struct field ([A-Za-z0-9_.]+) of type [^ ]+$/.exec(message) ?? [];
  // Go names the struct first: `DeploymentSpec.spec.replicas`.
  if (goField !== undefined) return [{ path: fieldPath(goField.slice(goField.indexOf(".") + 1)), rule: "wrong type" }];
  // Server-side apply of a number with a fraction; which field it was, it does not say.
  const converted =
    /^failed to convert new object \([^)]*\) to proper version: unable to convert unstructured object to [^:]+: cannot convert float64 to u?int[0-9]*$/;
  if (converted.test(message)) return [{ path: "", rule: "a number has a fraction where whole ones are taken" }];
  const [, applied] = /^failed to create typed patch object \([^)]*\): ([^]*)$/.exec(message) ?? [];
  if (applied === undefined) return [];
  return Array.from(
    applied.matchAll(/(?:^|\n)\s*(\.[^ ]+): (field not declared in schema|expected [a-z]+)/g),
    ([, path, what]) => ({
      path: fieldPath((path ?? "").slice(1)),
      rule: what === "field not declared in schema" ? "unknown field" : "wrong type",
    }),
  );
}

/** Does the cause say that the field can't change once the object is there? */
export function isFixed({ message }: Cause): boolean {
  return unchangeable.test(message);
}
const unchangeable =
  /field is immutable$|^Forbidden: (?:pod updates may not change fields other than|updates to [a-z]+ spec for fields other than|spec is immutable after creation except|is immutable)|may not (?:be changed|change)(?: once set)?$|cannot be changed$/;

/** Where a rule names what may change all the same, so do we. */
function fixedRule(message: string): string {
  if (message.startsWith("Forbidden: spec is immutable after creation except resources.requests"))
    return "can't be changed, but for the storage that a bound claim requests";
  if (message.startsWith("Forbidden: pod updates may not change fields other than"))
    return "of a running pod only images, activeDeadlineSeconds and further tolerations change here: change its workload";
  const [, only] =
    /^Forbidden: updates to [a-z]+ spec for fields other than ((?:'[A-Za-z]{1,60}'(?:, | and )?)+) are forbidden$/.exec(
      message,
    ) ?? [];
  return only === undefined ? "can't be changed" : `of this only ${only.replaceAll("'", "")} can be changed`;
}

/**
 * A field path as far as it is plain: keys in brackets come from the object and could say anything. A step that is not
 * plain to its end is left out whole: half of a secret is no longer known as one.
 */
export function fieldPath(path: string): string {
  const plain = /^[A-Za-z0-9_.\-/[\]"=:~{},*$]{0,200}/.exec(path)?.[0] ?? "";
  if (plain.length === path.length) return plain;
  const open = plain.lastIndexOf("[");
  const end = open > plain.lastIndexOf("]") ? open + 1 : plain.lastIndexOf(".") + 1;
  return `${plain.slice(0, end)}…`;
}

/** Our words for a cause (apimachinery, field error types). */
function ruleOf(cause: Cause): string {
  const { reason, message } = cause;
  if (isFixed(cause)) return fixedRule(message);
  if (reason === "FieldValueNotSupported") {
    // The list stands last; the value before it may hold the same words.
    const list = message.slice(message.lastIndexOf("supported values: ") + "supported values: ".length);
    return /^"[A-Za-z0-9._/-]*"(?:, "[A-Za-z0-9._/-]*")*$/.test(list)
      ? `not one of ${list.replaceAll('"', "")}`
      : "not a supported value";
  }
  if (reason === "FieldValueInvalid") return boundOf(message);
  if (reason === "FieldValueForbidden" && forbidden[message] !== undefined) return forbidden[message];
  if (reason === "FieldValueForbidden" && /^Forbidden: resource (requests|limits) cannot be removed$/.test(message))
    return "can't be removed from a running pod";
  if (reason === "FieldValueForbidden" && /^Forbidden: only cpu and memory resources .*are mutable$/.test(message))
    return "of a running pod only cpu and memory change";
  return rules[reason] ?? "not accepted";
}
const rules: { readonly [reason: string]: string } = {
  FieldValueNotFound: "names something that does not exist",
  FieldValueRequired: "is required",
  FieldValueDuplicate: "stands twice",
  FieldValueForbidden: "may not be set here",
  FieldValueTooLong: "too long",
  FieldValueTooMany: "too many",
  FieldValueTypeInvalid: "wrong type",
  InternalError: "could not be checked",
};

const forbidden: { readonly [message: string]: string } = {
  "Forbidden: field can not be less than status.capacity": "can't be less than the volume's capacity",
  "Forbidden: may not be used when `type` is 'ClusterIP'": "is not for a Service of type ClusterIP",
  "Forbidden: may not be specified when strategy `type` is 'Recreate'":
    "is not for strategy Recreate: set it to null in the same merge",
};

/** Kubernetes' fixed phrases for what else is wrong with a value: they stand at the end, after the value. */
const endings: readonly (readonly [ending: string, rule: string])[] = [
  [
    ": can only be modified in tandem with spec.parallelism",
    "changes only together with spec.parallelism, to the same number",
  ],
  [": may not be 0 when `maxSurge` is 0", "must be at least 1 where maxSurge is 0"],
  [": must be greater than or equal to `minReplicas`", "must be at least minReplicas"],
  [
    ": minAvailable and maxUnavailable cannot be both set",
    "has minAvailable or maxUnavailable, not both: null removes one in a merge",
  ],
  [": must be an absolute path", "must begin with /"],
  ["`selector` does not match template `labels`", "the selector does not match the template's labels"],
  [
    ": Pod QOS Class may not change as a result of resizing",
    "would change the pod's QoS class: keep requests equal to limits where they are, and below them where they are",
  ],
];

/** Kubernetes' fixed phrases for a bound, said again in ours; they stand at the end, after the value. */
function boundOf(message: string): string {
  const [, way, bound] =
    /: must be (greater than or equal to|less than or equal to|greater than|less than) (-?\d+)$/.exec(message) ?? [];
  if (way !== undefined && bound !== undefined) return `must be ${ways[way] ?? way} ${bound}`;
  const [, from, to] = /: must be between (-?\d+) and (-?\d+)(?:, inclusive)?$/.exec(message) ?? [];
  if (from !== undefined && to !== undefined) return `must be from ${from} to ${to}`;
  const [, resource] =
    /: must be less than or equal to (cpu|memory|ephemeral-storage) limit(?: of \d[0-9.a-zA-Z]{0,20})?$/.exec(
      message,
    ) ?? [];
  if (resource !== undefined) return `must be at most the limit of ${resource}`;
  return endings.find(([ending]) => message.endsWith(ending))?.[1] ?? "not valid";
}
const ways: { readonly [way: string]: string } = {
  "greater than or equal to": "at least",
  "less than or equal to": "at most",
  "greater than": "more than",
  "less than": "less than",
};
