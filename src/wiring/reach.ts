// One cluster as the gateway holds it: its client, its kinds, its credentials, and the namespaces that a call may mean.

import { setTimeout as pause } from "node:timers/promises";
import type { CredentialMode } from "../credentials/issue.ts";
import { openCredentials, type ClusterCredentials } from "../credentials/open.ts";
import { openSeparated } from "../credentials/separate.ts";
import type { Ids } from "../domain/ids.ts";
import { at, textAt, type JsonObject } from "../domain/json.ts";
import { openClient } from "../kubernetes/client.ts";
import type { Connection, Discovery, KubeClient } from "../kubernetes/contract.ts";
import { rememberDocuments } from "../kubernetes/documents.ts";
import { openDiscovery } from "../kubernetes/discovery.ts";

export interface Reach {
  readonly cluster: string;
  /** What stands before the dot of the audit ids of work that no single call causes. */
  readonly work: string;
  readonly mode: CredentialMode;
  /** Sends no token beside a client certificate, which would speak louder. */
  readonly client: KubeClient;
  readonly discovery: Discovery;
  readonly credentials: ClusterCredentials;
  /** The kubeconfig's own credential, for calls of the configuration `credentials: ambient`. */
  readonly ambientAuthorization: Connection["authorization"];
  /** The namespaces that `*` stands for: the enrolled ones, or before enrolment all that the kubeconfig may list. */
  namespaces(signal: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface ReachOptions {
  readonly connection: Connection;
  readonly version: string;
  readonly mode: CredentialMode;
  readonly gatewayId: string;
  readonly ids: Ids;
  readonly now: () => number;
}

/** Opens nothing yet: the first call that needs the cluster reaches it, so a dead cluster does not keep the gateway from starting. */
export function reachCluster(options: ReachOptions): Reach {
  const { connection, version, mode, gatewayId, ids, now } = options;
  const client = rememberDocuments(openSeparated(connection, (one) => openClient(one, { version })));
  // What no single call causes has audit ids under an id of its own.
  const work = ids.call();
  const nextAuditId = counter(work);
  const credentials = openCredentials({
    connection,
    client,
    mode,
    gatewayId,
    newGrantId: () => ids.grant(),
    nextAuditId,
    now,
    pause,
  });
  return {
    cluster: connection.cluster,
    work,
    mode,
    client,
    discovery: openDiscovery(client, () => credentials.readIdentity(AbortSignal.timeout(30_000)), now),
    credentials,
    ambientAuthorization: connection.authorization,
    async namespaces(signal) {
      const enrolled = await credentials.enrolment(signal);
      if (enrolled !== null) return enrolled.namespaces;
      return await allNamespaces(client, await credentials.readIdentity(signal), nextAuditId(), signal);
    },
    async close() {
      await credentials.close();
      await client.close();
    },
  };
}

/** `<call id>.<n>`, n from 1 (kubernetes.md, "Client"). */
export function counter(call: string): () => string {
  let sent = 0;
  return () => `${call}.${++sent}`;
}

async function allNamespaces(
  client: KubeClient,
  authorization: string | null,
  auditId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { body } = await client.request({
    verb: "list",
    group: "",
    version: "v1",
    resource: "namespaces",
    namespace: "",
    name: "",
    query: { limit: "500" },
    accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json",
    authorization,
    auditId,
    agent: "sallyport",
    signal,
  });
  const items = at(body, "items");
  return (Array.isArray(items) ? items : []).map((item: JsonObject) => textAt(item, "metadata", "name"));
}
