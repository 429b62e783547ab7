// A control plane of one test file's own, for suites that change what others rely on.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";

/** Starts one from the programs that npm test found or built; `stop` removes all of it. */
export async function ownControlPlane(): Promise<ControlPlane> {
  const binaries = process.env["SALLYPORT_TEST_BINARIES"] ?? "";
  const folder = await mkdtemp(join(tmpdir(), "sallyport-control-plane-"));
  const cluster = await startControlPlane({ binaries, folder });
  return {
    ...cluster,
    async stop() {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
