// The audit log: one Event (audit.k8s.io/v1, level Metadata) a line, on disk before the answer leaves.

import { closeSync, openSync, writeSync } from "node:fs";
import { describeUser, type User } from "./authn.ts";
import { at, textAt, type JsonObject } from "./json.ts";
import type { Attributes, Verdict } from "./rbac.ts";

export interface Audited {
  readonly auditId: string;
  readonly uri: string;
  readonly attributes: Attributes;
  readonly version: string;
  /** Undefined for a stranger (401). */
  readonly user: User | undefined;
  readonly verdict: Verdict | null;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly code: number;
  /** The answer's body, when it is an object. */
  readonly body: JsonObject | null;
  /** `JTI=…` of the token that this request made, or "". */
  readonly issued: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly answeredAt: number;
}

/** Microseconds, as Kubernetes writes audit times. */
const precise = (now: number): string => new Date(now).toISOString().replace("Z", "000Z");

export function auditEvent(audited: Audited): JsonObject {
  const { verdict, user } = audited;
  const annotations = {
    ...(audited.issued === "" ? {} : { "authentication.kubernetes.io/issued-credential-id": audited.issued }),
    ...(verdict === null ? {} : { "authorization.k8s.io/decision": verdict.allowed ? "allow" : "forbid" }),
    ...(verdict === null ? {} : { "authorization.k8s.io/reason": verdict.allowed ? verdict.reason : "" }),
  };
  const objectRef = objectRefOf(audited);
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: audited.auditId,
    stage: "ResponseComplete",
    requestURI: audited.uri,
    verb: audited.attributes.verb,
    user: user === undefined ? {} : describeUser(user),
    sourceIPs: [audited.sourceIp],
    userAgent: audited.userAgent,
    ...(objectRef === null ? {} : { objectRef }),
    responseStatus: responseStatusOf(audited),
    requestReceivedTimestamp: precise(audited.receivedAt),
    stageTimestamp: precise(audited.answeredAt),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function objectRefOf({ attributes, version, body }: Audited): JsonObject | null {
  if ("path" in attributes) return null;
  const { group, resource, subresource, namespace } = attributes;
  const name =
    attributes.name ||
    (attributes.verb === "create" ? textAt(body, "metadata", "name") || textAt(body, "details", "name") : "");
  return {
    resource,
    ...(namespace === "" ? {} : { namespace }),
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === "" ? {} : { subresource }),
  };
}

function responseStatusOf({ body, code }: Audited): JsonObject {
  if (textAt(body, "kind") !== "Status") return { metadata: {}, code };
  const { kind: _, apiVersion: __, ...status } = body ?? {};
  return { ...status, code: at(status, "code") ?? code };
}

/** Opens the file for appending, readable by its owner only. */
export function openAuditLog(path: string): {
  readonly write: (event: JsonObject) => void;
  readonly close: () => void;
} {
  const file = openSync(path, "a", 0o600);
  return { write: (event) => writeSync(file, `${JSON.stringify(event)}\n`), close: () => closeSync(file) };
}
