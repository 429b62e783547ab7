// One run for all tests; globalSetup starts the real control plane where npm test found or built its programs.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/cluster/global-setup.ts"],
    setupFiles: ["test/support/awake.ts"],
    include: ["test/**/*.test.ts"],
    // They end what hangs and promise nothing of speed: whole gateways and control planes start in these, on machines that have more to do.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
