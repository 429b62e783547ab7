// Reads kube-apiserver audit logs (audit.k8s.io/v1, JSON lines), rotated and compressed ones too, and takes from each event what reconciling needs.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { at, isJsonObject, textAt, type Json } from "../../domain/json.ts";

/** One request as the API server's log tells it. */
export interface AuditEvent {
  readonly auditId: string;
  readonly stage: string;
  readonly verb: string;
  readonly user: string;
  /** Who it acted as, where the request impersonated; "" where it did not. */
  readonly as: string;
  /** The token's `credential-id` without `JTI=`; "" where there was no token of an account. */
  readonly jti: string;
  readonly address: string;
  readonly program: string;
  readonly group: string;
  /** "" for a path that is no resource. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status; 0 where the event says none. */
  readonly code: number;
  readonly dryRun: boolean;
  /** Milliseconds since 1970 at which the request came in. */
  readonly at: number;
  /** The same for every event of one request, and for copies of them: a call's audit ids are used once. */
  readonly request: string;
}

export interface LogRead {
  readonly files: number;
  /** Events that tell of a request's end, or of the start of one that goes on. */
  readonly events: number;
  /** Lines in the middle of a file that are no audit events. */
  readonly unreadable: number;
  /** Milliseconds since 1970; 0 where there are no events. */
  readonly from: number;
  readonly to: number;
  /** SHA-256 of the files' bytes, one after the other, hex. */
  readonly digest: string;
}

/**
 * Hands out the end of every request in a log file or in a folder of rotated ones (`.gz` too), in the order of the
 * files' names. Rejects with the operating system's error where one can't be read.
 */
export async function readAuditLog(path: string, take: (event: AuditEvent) => void): Promise<LogRead> {
  const files = (await stat(path)).isDirectory() ? await filesIn(path) : [path];
  const digest = createHash("sha256");
  const read = { events: 0, unreadable: 0, from: 0, to: 0 };
  for (const file of files) {
    let wrong = false;
    for await (const line of linesOf(file, (bytes) => digest.update(bytes))) {
      if (wrong) read.unreadable++;
      const event = eventIn(line);
      wrong = event === null && line !== "";
      if (event === null || !isEnd(event)) continue;
      read.events++;
      if (read.from === 0 || event.at < read.from) read.from = event.at;
      read.to = Math.max(read.to, event.at);
      take(event);
    }
    // The last line of a file that is being written may be half of one.
  }
  return { files: files.length, ...read, digest: digest.digest("hex") };
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { withFileTypes: true });
  return found
    .filter((one) => one.isFile() && /\.(log|json|jsonl|ndjson)(\.gz)?$/.test(one.name))
    .map((one) => join(folder, one.name))
    .toSorted();
}

async function* linesOf(path: string, note: (bytes: Buffer) => void): AsyncGenerator<string> {
  const raw = createReadStream(path);
  raw.on("data", (bytes) => note(bytes as Buffer));
  const input = path.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
  // A pipe does not carry errors on.
  raw.on("error", (thrown) => input.destroy(thrown));
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

/** A connection does what it does from its start on; of everything else only the end is known to have happened. */
function isEnd({ stage, subresource }: AuditEvent): boolean {
  if (stage === "ResponseStarted") return connecting.has(subresource);
  return stage === "ResponseComplete" || stage === "Panic";
}

function eventIn(line: string): AuditEvent | null {
  if (line === "") return null;
  let event: Json;
  try {
    event = JSON.parse(line) as Json;
  } catch {
    return null;
  }
  if (!isJsonObject(event) || textAt(event, "auditID") === "" || textAt(event, "verb") === "") return null;
  const time = Date.parse(textAt(event, "requestReceivedTimestamp"));
  const code = at(event, "responseStatus", "code");
  return {
    auditId: textAt(event, "auditID"),
    stage: textAt(event, "stage"),
    verb: textAt(event, "verb"),
    user: textAt(event, "user", "username"),
    as: textAt(event, "impersonatedUser", "username"),
    jti: textAt(event, "user", "extra", "authentication.kubernetes.io/credential-id", 0).replace(/^JTI=/, ""),
    address: textAt(event, "sourceIPs", 0),
    program: textAt(event, "userAgent"),
    group: textAt(event, "objectRef", "apiGroup"),
    resource: textAt(event, "objectRef", "resource"),
    subresource: textAt(event, "objectRef", "subresource"),
    namespace: textAt(event, "objectRef", "namespace"),
    name: textAt(event, "objectRef", "name"),
    code: typeof code === "number" ? code : 0,
    dryRun: isDryRun(textAt(event, "requestURI")),
    at: Number.isNaN(time) ? 0 : time,
    request: ["auditID", "requestReceivedTimestamp", "verb", "requestURI"].map((key) => textAt(event, key)).join(" "),
  };
}

function isDryRun(uri: string): boolean {
  const query = uri.indexOf("?");
  return query >= 0 && new URLSearchParams(uri.slice(query + 1)).has("dryRun");
}

const writing: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** A connection into a pod or through a node or a service does whatever is said over it, whatever its verb. */
const connecting: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "proxy"]);
/** These answer a question; nothing is stored. */
const questions: ReadonlySet<string> = new Set(["authentication.k8s.io", "authorization.k8s.io"]);

/** Does the request only ask who somebody is or what they may? */
export function asking({ group }: AuditEvent): boolean {
  return questions.has(group);
}

/** Was it let through? A status below 400; a connection that switched protocols says 101. */
export function succeeded({ code }: AuditEvent): boolean {
  return code > 0 && code < 400;
}

/** Did the request leave, or could it have left, something in the cluster? */
export function hasEffect(event: AuditEvent): boolean {
  if (!succeeded(event) || event.dryRun || asking(event)) return false;
  return writing.has(event.verb) || connecting.has(event.subresource);
}

/** The call that the request belongs to: what stands before the dot of its audit id; "" where that is no call's. */
export function callOf({ auditId }: AuditEvent): string {
  return auditId.startsWith("call_") ? auditId.slice(0, Math.max(0, auditId.lastIndexOf("."))) : "";
}

/** `patch apps/deployments/scale prod/api`, as entries write an access. */
export function describeEvent(
  event: Pick<AuditEvent, "verb" | "group" | "resource" | "subresource" | "namespace" | "name">,
): string {
  const { verb, group, resource, subresource, namespace, name } = event;
  const path = [group, resource, subresource].filter((part) => part !== "").join("/");
  const place = [namespace, name === "" ? "*" : name].filter((part) => part !== "").join("/");
  return `${verb} ${path} ${place}`;
}
