import { defineConfig, type Plugin } from "vitest/config";
import { BROWSER, browserScript } from "./runner/code/browser.ts";

/** Scripts for a browser, as the runner bundles them. */
export const browserScripts: Plugin = {
  name: "browser-scripts",
  enforce: "pre",
  async load(id) {
    if (!BROWSER.test(id)) return undefined;
    const { text } = await browserScript(id.replace(BROWSER, ""), import.meta.dirname);
    return `export default ${JSON.stringify(text)}`;
  },
};

export default defineConfig({
  plugins: [browserScripts],
  // As a program sees the library once it is built.
  resolve: {
    alias: [{ find: /^deephash\/(\w+)$/, replacement: `${import.meta.dirname}/library/$1.ts` }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/extra/**", "node_modules/**"],
    globalSetup: ["test/temporary.ts"],
    pool: "forks",
    testTimeout: 60_000,
    // Two workers: the suite must fit a machine with two cores.
    maxWorkers: 2,
  },
});
