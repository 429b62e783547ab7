// The conformance suite: what the practice cluster and a real kube-apiserver both do. Every line of it must hold on both.

import { afterAll, beforeAll, describe, test } from "vitest";
import { accessTests, auditTests } from "./suite/access.ts";
import { Client, type Target } from "./suite/client.ts";
import { listTests } from "./suite/lists.ts";
import { objectTests } from "./suite/objects.ts";
import { controllerTests, logOptionTests, logTests } from "./suite/running.ts";

export type { Target } from "./suite/client.ts";

/** What an API server has beside its API; what it has not is skipped, and says so. */
export interface Features {
  /** Deployments make pods, owners are followed. */
  readonly controllers: boolean;
  /** `Target.auditLogPath` is there. */
  readonly audit: boolean;
  /** `Target.logs` is there. */
  readonly logs: boolean;
}

/** Runs the suite against one API server. */
export function clusterSuite(name: string, connect: () => Promise<Target>, has: Features): void {
  describe(name, () => {
    let client: Client | undefined;
    const connected = (): Client => {
      if (client === undefined) throw new TypeError("the suite is not connected");
      return client;
    };
    beforeAll(async () => {
      client = new Client(await connect());
      await client.make("/api/v1/namespaces", { metadata: { name: client.namespace, labels: { suite: "yes" } } });
      // Pods name this account, so that they can be made where no controller makes the default one.
      await client.make(client.core("serviceaccounts"), { metadata: { name: "runner" } });
    });
    afterAll(async () => client?.close());
    objectTests(connected);
    listTests(connected);
    accessTests(connected);
    logOptionTests(connected);
    if (has.audit) auditTests(connected);
    else test.skip("the audit log: this API server's can not be read here", () => undefined);
    if (has.logs) logTests(connected);
    else test.skip("pod logs: no pod logs on this API server", () => undefined);
    if (has.controllers) controllerTests(connected);
    else test.skip("controllers: none run beside this API server", () => undefined);
  });
}
