// Bundles TypeScript for the launchers, since the oldest Node that is supported runs none, and starting from one plain
// file takes a fraction of the time that reading many typed ones does.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { withPackages } from "./installed.mjs";

/** Age of a bundle that no process uses any more: none runs for a month. */
const OLD_MILLISECONDS = 30 * 24 * 3600 * 1000;

/** The project's folder. */
export const home = dirname(dirname(fileURLToPath(import.meta.url)));

/** Options of esbuild for a program whose packages stay outside its bundle. */
export const PROGRAM = { packages: "external", format: "esm", outExtension: { ".js": ".mjs" } };

/** Changes with each file of code in these folders, and with the installed packages. */
function stateOf(folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(join(home, folder), { recursive: true })
      .filter((file) => /\.(ts|mjs)$/.test(file))
      .map((file) => join(home, folder, file)),
  );
  const stamps = [...files, join(home, "package-lock.json")].map((file) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    return `${file}:${stats?.size}:${stats?.mtimeMs}`;
  });
  return createHash("sha256").update(stamps.join("\n")).digest("hex").slice(0, 16);
}

/** Removes the bundles of old states. */
function removeOld(bundles) {
  const old = Date.now() - OLD_MILLISECONDS;
  for (const name of readdirSync(bundles)) {
    const path = join(bundles, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && stats.mtimeMs < old) rmSync(path, { recursive: true, force: true });
  }
}

/** Bundles code into a folder. */
async function bundleTo(folder, builds) {
  const { build } = await import("esbuild");
  for (const options of builds)
    await build({
      absWorkingDir: home,
      outdir: folder,
      bundle: true,
      platform: "node",
      target: "node20",
      logLevel: "silent", // the error that it throws says it all
      ...options,
    });
}

/** Imports a bundle. Ends the process where a package is missing. */
export const imported = (folder, file) =>
  withPackages(home, () => import(pathToFileURL(join(folder, file)).href));

/**
 * Bundles code, unless a bundle of the same state exists. Ends the process where a package is missing.
 * @param name of the program: its folder in node_modules/.cache/deephash, from where it finds the packages
 * @param folders of the project, with all code that the program imports
 * @param builds options of esbuild, one set for each build
 * @returns the folder with the bundles: one for each state of the code, so that a running program keeps its own
 */
export async function bundled(name, folders, builds) {
  const bundles = join(home, "node_modules/.cache/deephash", name);
  const folder = join(bundles, stateOf(folders));
  if (existsSync(folder)) return folder;
  const scratch = `${folder}.${process.pid}`;
  await withPackages(home, () => bundleTo(scratch, builds));
  try {
    renameSync(scratch, folder);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another process bundled the same state just now
  }
  removeOld(bundles);
  return folder;
}
