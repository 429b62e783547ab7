// Refusals as Kubernetes words them: a Status (meta/v1) with reason, code and details.

import type { Json, JsonObject } from "./json.ts";

/** Answers the request with this Status. Thrown anywhere below the door, caught at the door alone. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: number;
  readonly status: JsonObject;
  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.code = code;
    const status: { [key: string]: Json } = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
    };
    if (reason !== "") status["reason"] = reason;
    if (details !== undefined) status["details"] = details;
    this.status = { ...status, code };
  }
}

/** One field that does not hold: `reason` is a cause type of meta/v1, for example FieldValueInvalid. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface Place {
  readonly group: string;
  readonly resource: string;
}

/** `deployments.apps`, `pods`. */
export const qualified = (place: Place): string =>
  place.group === "" ? place.resource : `${place.resource}.${place.group}`;

const detailsOf = (place: Place, name: string): JsonObject => ({
  ...(name === "" ? {} : { name }),
  ...(place.group === "" ? {} : { group: place.group }),
  kind: place.resource,
});

export const badRequest = (message: string): Refused => new Refused(400, "BadRequest", message);

/** What Kubernetes has and the practice cluster has not: said so, never left out in silence. */
export const unserved = (what: string, code: 404 | 405 | 415 | 422 | 501 = 501): Refused =>
  new Refused(
    code,
    { 404: "NotFound", 405: "MethodNotAllowed", 415: "UnsupportedMediaType", 422: "Invalid", 501: "NotImplemented" }[
      code
    ],
    `the practice cluster does not ${what}; it is not Kubernetes`,
    {},
  );

export const notFound = (place: Place, name: string): Refused =>
  new Refused(404, "NotFound", `${qualified(place)} "${name}" not found`, detailsOf(place, name));

export const alreadyExists = (place: Place, name: string): Refused =>
  new Refused(409, "AlreadyExists", `${qualified(place)} "${name}" already exists`, detailsOf(place, name));

export const conflict = (place: Place, name: string, why: string): Refused =>
  new Refused(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(place)} "${name}": ${why}`,
    detailsOf(place, name),
  );

export const modified = "the object has been modified; please apply your changes to the latest version and try again";

export const forbidden = (place: Place, name: string, why: string, details: JsonObject = {}): Refused =>
  new Refused(403, "Forbidden", `${qualified(place)}${name === "" ? "" : ` "${name}"`} is forbidden: ${why}`, {
    ...detailsOf(place, name),
    ...details,
  });

/** 422 for an object of a kind; the kind is qualified by its group, as `Deployment.apps`. */
export function invalid(kind: string, group: string, name: string, causes: readonly Cause[]): Refused {
  const told = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const message = told.length === 1 ? told[0] : `[${told.join(", ")}]`;
  return new Refused(422, "Invalid", `${group === "" ? kind : `${kind}.${group}`} "${name}" is invalid: ${message}`, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    causes: causes.map((cause) => ({ ...cause })),
  });
}

export const invalidValue = (field: string, value: Json, why: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});

export const requiredValue = (field: string, why = ""): Cause => ({
  reason: "FieldValueRequired",
  message: why === "" ? "Required value" : `Required value: ${why}`,
  field,
});

export const unsupportedValue = (field: string, value: Json, supported: readonly string[]): Cause => ({
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((one) => `"${one}"`).join(", ")}`,
  field,
});
