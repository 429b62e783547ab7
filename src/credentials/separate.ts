// Keeps a connection's client certificate and bearer tokens apart: Kubernetes asks the certificate first, so a grant sent beside an admin's certificate would act as the admin.

import type { ClientCertificate, Connection, KubeClient } from "../kubernetes/contract.ts";

type Open = (connection: Connection) => KubeClient;

/** A client of the connection that shows its certificate only on requests without a token; every request with one goes over connections that have none. */
export function openSeparated(connection: Connection, open: Open): KubeClient {
  const { cert: _cert, key: _key, ...tls } = connection.tls;
  const bare = open({ ...connection, tls });
  const own = ownClient(connection, open, bare);
  if (own === null) return bare;
  const through = <T>(request: { readonly authorization: string | null }, send: (client: KubeClient) => Promise<T>) =>
    request.authorization === null ? own.through(send) : send(bare);
  return {
    cluster: connection.cluster,
    request: (request) => through(request, (client) => client.request(request)),
    text: (request) => through(request, (client) => client.text(request)),
    watch: (request, take) => through(request, (client) => client.watch(request, take)),
    exec: (request) => through(request, (client) => client.exec(request)),
    path: (path, options) => through(options, (client) => client.path(path, options)),
    async close() {
      await Promise.all([own.close(), bare.close()]);
    },
  };
}

/** Sends what bears no token, with the connection's own certificate. */
interface OwnClient {
  through<T>(send: (client: KubeClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** null where the connection has no certificate and can get none. */
function ownClient(connection: Connection, open: Open, bare: KubeClient): OwnClient | null {
  const { cert, key } = connection.tls;
  if (cert === undefined && key === undefined)
    return connection.certificate === undefined ? null : renewed(connection, connection.certificate, open, bare);
  const own = open(connection);
  return {
    async through(send) {
      // A plugin beside it may give another: that it does so is said, and neither is chosen for the person.
      await connection.certificate?.();
      return await send(own);
    },
    close: () => own.close(),
  };
}

/** A plugin's certificate ends and comes anew: each has connections of its own, closed once the next one has come and nothing is on its way on them. */
function renewed(
  connection: Connection,
  certificate: NonNullable<Connection["certificate"]>,
  open: Open,
  bare: KubeClient,
): OwnClient {
  interface Dressed {
    readonly shown: ClientCertificate;
    readonly client: KubeClient;
    onTheWay: number;
  }
  const all = new Set<Dressed>();
  let newest: Dressed | null = null;

  function dressedIn(shown: ClientCertificate): Dressed {
    if (newest !== null && newest.shown.cert === shown.cert && newest.shown.key === shown.key) return newest;
    const before = newest;
    newest = { shown, client: open({ ...connection, tls: { ...connection.tls, ...shown } }), onTheWay: 0 };
    all.add(newest);
    if (before !== null) letGo(before);
    return newest;
  }
  function letGo(one: Dressed): void {
    if (one === newest || one.onTheWay > 0 || !all.delete(one)) return;
    void one.client.close().catch(() => undefined);
  }
  return {
    async through(send) {
      const shown = await certificate();
      if (shown === null) return await send(bare);
      const dressed = dressedIn(shown);
      dressed.onTheWay += 1;
      try {
        return await send(dressed.client);
      } finally {
        dressed.onTheWay -= 1;
        letGo(dressed);
      }
    },
    async close() {
      await Promise.all([...all].map((one) => one.client.close()));
    },
  };
}
