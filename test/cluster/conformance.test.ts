// The real kube-apiserver under the same suites that the practice cluster and the credentials are held to.

import { afterAll, describe, inject } from "vitest";
import { openClient } from "../../src/kubernetes/client.ts";
import type { Connection } from "../../src/kubernetes/contract.ts";
import { loadConnections } from "../../src/kubernetes/kubeconfig.ts";
import { readFile } from "node:fs/promises";
import { nodesSuite } from "../contracts/credentials/nodes-suite.ts";
import { credentialsSuite } from "../contracts/credentials/real-suite.ts";
import { clusterSuite } from "../contracts/practice/suite.ts";
import { ownControlPlane } from "./own.ts";
import type { ControlPlane } from "./control-plane.ts";

const provided = inject("cluster");
const why = "skip" in provided ? ` (skipped: ${provided.skip})` : "";
let own: Promise<ControlPlane> | undefined;
const started = (): Promise<ControlPlane> => (own ??= ownControlPlane());

describe.skipIf("skip" in provided)(`a real kube-apiserver${why}`, () => {
  afterAll(async () => await (await own)?.stop());

  // Logs need a kubelet; the rest is the API server's and the controllers' own.
  clusterSuite(
    "is what the practice cluster is held to",
    async () => ({ ...(await started()), stop: async () => undefined }),
    {
      controllers: true,
      audit: true,
      logs: false,
    },
  );

  describe("issues and takes back credentials", () => {
    const connect = async () => {
      const { kubeconfigPath } = await started();
      const { connections } = await loadConnections({
        kubeconfig: [kubeconfigPath],
        env: {},
        readFile: (path) => readFile(path, "utf8"),
        now: Date.now,
      });
      const [connection] = connections;
      if (connection === undefined) throw new Error("the kubeconfig has no context");
      return { connection, open: (one: Connection) => openClient(one, { version: "0.0.0-test" }) };
    };
    credentialsSuite(connect);
    nodesSuite(connect);
  });
});
