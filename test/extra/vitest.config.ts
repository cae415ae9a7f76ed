/** The checks that take longer, or need more, than `npm test` may: each has an npm command of its own. */
import { defineConfig } from "vitest/config";
import { browserScripts } from "../../vitest.config.ts";

export default defineConfig({
  plugins: [browserScripts],
  test: {
    include: ["test/extra/**/*.test.ts"],
    globalSetup: ["test/temporary.ts"],
    pool: "forks",
    testTimeout: 3600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});
