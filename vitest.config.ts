import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/extra/**", "node_modules/**"],
    pool: "forks",
    testTimeout: 60_000,
    // Two workers: the suite must fit a machine with two cores.
    maxWorkers: 2,
  },
});
