/** `npm ci` runs no package's install script. `npm run test:node` tries it on every version of Node. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Packages with an install script that they work without: it checks its binary, fetches an optional one, or only warns. */
const WORKS_WITHOUT = "esbuild onnxruntime-node protobufjs".split(" ");

test("the packages with an install script are ones that work without it", () => {
  expect(readFileSync(".npmrc", "utf8")).toBe("ignore-scripts=true\n"); // an unknown name would be a warning
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean; os?: string[] }>;
  };
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript, os }]) => hasInstallScript && (os ?? ["linux"]).includes("linux"))
    .map(([path]) => path.replace(/.*node_modules\//, ""));
  expect([...new Set(scripted)].sort()).toEqual(WORKS_WITHOUT);
});
