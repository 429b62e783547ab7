// Keeps a connection's client certificate and bearer tokens apart: Kubernetes asks the certificate first, so a grant sent beside an admin's certificate would act as the admin.

import type { Connection, KubeClient } from "../kubernetes/contract.ts";

/** A client of the connection that shows its certificate only on requests without a token; every request with one goes over connections that have none. */
export function openSeparated(connection: Connection, open: (connection: Connection) => KubeClient): KubeClient {
  const { cert, key, ...tls } = connection.tls;
  const own = open(connection);
  if (cert === undefined && key === undefined) return own;
  const bare = open({ ...connection, tls });
  const clientOf = (request: { readonly authorization: string | null }): KubeClient =>
    request.authorization === null ? own : bare;
  return {
    cluster: own.cluster,
    request: (request) => clientOf(request).request(request),
    text: (request) => clientOf(request).text(request),
    path: (path, options) => clientOf(options).path(path, options),
    async close() {
      await Promise.all([own.close(), bare.close()]);
    },
  };
}
