// One run for all tests; globalSetup starts the real control plane where npm test found or built its programs.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/cluster/global-setup.ts"],
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
