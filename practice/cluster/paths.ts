// Requests for paths outside the resource tree: health, version, discovery.

import { discovery } from "./discovery.ts";
import { textAt, type JsonObject } from "./json.ts";
import { accepts, methodNotAllowed, type Reply, type Request } from "./replies.ts";
import { Refused } from "./status.ts";

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

export function replyToPath(request: Request, path: string): Reply {
  if (["/healthz", "/readyz", "/livez"].includes(path)) return { code: 200, body: "ok" };
  const aggregated = accepts(request.headers["accept"] ?? "", ["v2 APIGroupDiscoveryList"]);
  const found = path === "/version" ? versionAnswer() : discovery(path.replace(/\/$/, ""), aggregated);
  if (found === undefined)
    throw new Refused(
      404,
      "NotFound",
      `the server could not find the requested resource: the practice cluster does not serve ${path}`,
      {},
    );
  if (request.method !== "GET") throw methodNotAllowed();
  const whole = aggregated && textAt(found, "kind") === "APIGroupDiscoveryList";
  return { code: 200, body: found, ...(whole ? { contentType: aggregatedType } : {}) };
}

/** Says aloud that this is no Kubernetes. */
const versionAnswer = (): JsonObject => ({
  major: "1",
  minor: "36",
  gitVersion: "v1.36.4-sallyport-practice",
  gitCommit: "",
  gitTreeState: "not-kubernetes",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: "sallyport-practice",
});
