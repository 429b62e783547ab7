// Keeps the few large documents of a cluster's own description that were read last; their address holds a hash of their content.

import type { JsonObject } from "../domain/json.ts";
import type { KubeClient } from "./contract.ts";

/** A group's OpenAPI document is up to some megabytes when parsed. */
const kept = 4;

/** The client with a memory: `/openapi/v3/…?hash=…` names its content, so what was read once stays true (Kubernetes API concepts, "OpenAPI V3"). */
export function rememberDocuments(client: KubeClient): KubeClient {
  const documents = new Map<string, JsonObject>();
  return {
    ...client,
    async path(path, options) {
      if (!/^\/openapi\/v3\/[^?]+\?hash=[A-Za-z0-9]+$/.test(path)) return await client.path(path, options);
      const known = documents.get(path);
      const document = known ?? (await client.path(path, options));
      documents.delete(path);
      documents.set(path, document);
      for (const oldest of documents.keys()) {
        if (documents.size <= kept) break;
        documents.delete(oldest);
      }
      return document;
    },
  };
}
