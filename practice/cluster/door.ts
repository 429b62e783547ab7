// One request from its bytes to its answer: who, may they, what, and the line in the audit log.

import { randomUUID } from "node:crypto";
import { auditEvent } from "./audit.ts";
import type { User } from "./authn.ts";
import type { JsonObject } from "./json.ts";
import { replyToPath } from "./paths.ts";
import { authorize, cannot, type Attributes, type Verdict } from "./rbac.ts";
import type { Reply, Request } from "./replies.ts";
import { replyToResource, type Served } from "./resources.ts";
import { route, type Route } from "./routes.ts";
import { badRequest, forbidden, Refused, unserved } from "./status.ts";
import type { Watch } from "./watches.ts";

/** What answers are made from. */
export interface Cluster extends Served {
  readonly audit: (event: JsonObject) => void;
}

export interface Answer {
  readonly code: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly watch?: Watch;
}

/** Answers one request and writes it to the audit log first. */
export function answer(cluster: Cluster, request: Request): Answer {
  const receivedAt = cluster.now();
  const [path = "", ...search] = request.url.split("?");
  const query = new URLSearchParams(search.join("?"));
  const found = route(request.method, path, query);
  const asked = found ?? { attributes: { verb: request.method.toLowerCase(), path }, version: "" };
  const user = cluster.authenticate(request.headers["authorization"]);
  const verdict = user === undefined ? null : authorize(cluster.storage, user, asked.attributes);
  const reply = replyTo(cluster, request, asked, query, user, verdict, found === null);
  const auditId = request.headers["audit-id"] || randomUUID();
  const body = typeof reply.body === "string" ? null : reply.body;
  const { sourceIp, url: uri, headers } = request;
  const who = { user, verdict, sourceIp, userAgent: headers["user-agent"] ?? "" };
  const outcome = { code: reply.code, body, issued: reply.issued ?? "", receivedAt, answeredAt: cluster.now() };
  cluster.audit(auditEvent({ auditId, uri, ...asked, ...who, ...outcome }));
  return {
    code: reply.code,
    headers: {
      "audit-id": auditId,
      "cache-control": "no-cache, private",
      "content-type":
        reply.contentType ??
        (body === null && reply.watch === undefined ? "text/plain; charset=utf-8" : "application/json"),
      server: "sallyport-practice (not Kubernetes)",
      ...(reply.warnings?.length
        ? { warning: reply.warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(", ") }
        : {}),
    },
    body: typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body),
    ...(reply.watch === undefined ? {} : { watch: reply.watch }),
  };
}

const told = (refused: Refused): Reply => ({ code: refused.code, body: refused.status });

function replyTo(
  cluster: Cluster,
  request: Request,
  { attributes, version }: Route,
  query: URLSearchParams,
  user: User | undefined,
  verdict: Verdict | null,
  malformed: boolean,
): Reply {
  if (user === undefined || verdict === null) return told(new Refused(401, "Unauthorized", "Unauthorized"));
  if (malformed) return told(badRequest("the path is not well encoded"));
  // Taken for the caller's own request, an impersonated one would run with the wrong rights.
  const impersonates = Object.keys(request.headers).some((name) => name.startsWith("impersonate-"));
  if (impersonates) return told(unserved("serve impersonation"));
  if (!verdict.allowed) return told(refusal(user, attributes));
  try {
    if ("path" in attributes) return replyToPath(request, attributes.path);
    return replyToResource(cluster, request, { attributes, version }, query, user);
  } catch (error) {
    if (error instanceof Refused) return told(error);
    return told(new Refused(500, "InternalError", `Internal error occurred: ${String(error)}`));
  }
}

function refusal(user: User, attributes: Attributes): Refused {
  if ("path" in attributes) return new Refused(403, "Forbidden", `forbidden: ${cannot(user, attributes)}`, {});
  return forbidden(attributes, attributes.name, cannot(user, attributes));
}
