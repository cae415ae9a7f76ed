/**
 * The start of a stage's process: the packages that the stages of a run import, bundled once into one file with
 * its compiled code beside it; and each stage's bundle, which takes them from there. Node would find, parse and compile
 * hundreds of files in every process, which takes longer than many a stage.
 *
 * No key depends on it: the bundle that is hashed names the packages, and the lock file their versions.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { contentStampOf, removeTree, replaceFile, scratchName, sha256 } from "../files/index.ts";
import { type Code, cacheFolder, canonical } from "./bundle.ts";
import { loaderOf } from "./loader.ts";
import { bundleable, packageFolder, packageOf } from "./packages.ts";
import { LIST, removeUnused, use } from "./unused.ts";

/** Changes with what this file makes of the same packages. */
const FORMAT = 3;

const ENTRY = "packages-entry.cjs";

/**
 * A `require` whose argument, behind comments, only the run knows, or that asks for a place: no bundler can tell what it
 * means.
 */
const UNKNOWN_REQUIRE =
  /(?<![.\w$])require\s*(?:\(\s*(?!(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)*\\?["'`)]|\s)|\.\s*(?:resolve|main|cache|extensions)\b)/;

/** A module that looks whether it is one: in the bundle it would find a `require`. */
const MODULE_ASKS = /^\s*(?:import|export)\b[\s\S]*typeof\s+require\b/m;

/** The packages of a run, bundled. */
interface Packages {
  folder: string;
  /** The specifiers that it holds. */
  names: string[];
  stamps: Record<string, string>;
}

/** Gives the files of packages the places that they would know as modules, and refuses those that cannot be bundled. */
function asModules(root: string, refused: Set<string>): Plugin {
  const asked = {};
  return {
    name: "packages",
    setup(build) {
      // Node takes what a package offers to imports; the entry requires them, so that each loads only when asked for.
      build.onResolve({ filter: /./ }, ({ path, kind, importer, resolveDir, pluginData }) =>
        pluginData !== asked && kind === "require-call" && importer.endsWith(ENTRY)
          ? build.resolve(path, { kind: "import-statement", importer, resolveDir, pluginData: asked })
          : undefined,
      );
      build.onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        if (UNKNOWN_REQUIRE.test(text) || MODULE_ASKS.test(text))
          refused.add(packageFolder(relative(root, path)));
        const strict = /^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*["']use strict["']/.test(text) ? '"use strict";' : "";
        const names = `${strict}var __filename=${JSON.stringify(path)},__dirname=${JSON.stringify(dirname(path))};`;
        const url = JSON.stringify(pathToFileURL(path).href);
        return {
          contents:
            (/__dirname|__filename/.test(text) ? names : "") + text.replaceAll("import.meta.url", url),
          loader: "js",
        };
      });
    },
  };
}

/** Bundles packages. @returns undefined where one of `refused`, to which it adds, cannot be bundled */
async function bundlePackages(
  root: string,
  names: string[],
  refused: Set<string>,
): Promise<{ text: string; commonjs: string[]; files: string[] } | undefined> {
  const esbuild = await import("esbuild");
  const before = refused.size;
  try {
    const { outputFiles, metafile } = await esbuild.build({
      stdin: {
        contents: names
          .map((name) => `exports[${JSON.stringify(name)}]=()=>require(${JSON.stringify(name)});`)
          .join("\n"),
        resolveDir: root,
        sourcefile: ENTRY,
      },
      absWorkingDir: root,
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      target: "node20",
      format: "cjs",
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "silent",
      plugins: [asModules(root, refused)],
    });
    if (refused.size > before) return undefined;
    const entry = metafile.inputs[ENTRY].imports;
    const commonjs = entry.flatMap(({ path, original }) =>
      original !== undefined && metafile.inputs[path]?.format !== "esm" ? [original] : [],
    );
    return {
      text: outputFiles[0].text,
      commonjs,
      files: Object.keys(metafile.inputs).filter((file) => existsSync(join(root, file))),
    };
  } catch (error) {
    const { errors } = error as { errors?: { location?: { file: string; line: number } }[] };
    for (const { location } of errors ?? [])
      if (location)
        refused.add(
          location.file.endsWith(ENTRY)
            ? `node_modules/${packageOf(names[location.line - 1])}`
            : packageFolder(location.file),
        );
    if (refused.size === before) throw error;
    return undefined;
  }
}

/** The contents of such a folder; undefined if its list cannot be read. */
function bundledIn(folder: string): Omit<Packages, "folder"> | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, LIST), "utf8"));
  } catch {
    return undefined;
  }
}

/** @returns undefined where there is nothing to bundle */
async function packagesOf(root: string, codes: Code[]): Promise<Packages | undefined> {
  const imports = [...new Set(codes.flatMap((code) => code.imports ?? []))].sort();
  if (imports.length === 0) return undefined;
  const locked = [...new Set(codes.flatMap(({ packages }) => packages))].sort();
  const cache = cacheFolder(root);
  const place = realpathSync(root); // a bundle names the places of its files
  const base = join(cache, `packages-${sha256(canonical({ FORMAT, place, imports, locked })).slice(0, 16)}`);
  // Where a package changed in place, its bundle gets another folder: a run beside this one starts stages from the old one.
  let folder = base;
  for (let count = 1; existsSync(folder); count++) {
    const known = bundledIn(folder);
    const isCurrent = ([file, stamp]: [string, string]) => contentStampOf(join(root, file)) === stamp;
    if (known && Object.entries(known.stamps).every(isCurrent)) {
      use(folder);
      return { ...known, folder };
    }
    folder = `${base}-${count}`;
  }
  const refused = new Set<string>();
  for (;;) {
    const names = bundleable(root, imports, refused);
    const made = names.length
      ? await bundlePackages(root, names, refused)
      : { text: "", commonjs: [], files: [] };
    if (!made) continue;
    const stamps = Object.fromEntries(
      made.files.map((file) => [file, contentStampOf(join(root, file)) ?? ""]),
    );
    const scratch = join(cache, scratchName("packages"));
    mkdirSync(scratch, { recursive: true });
    replaceFile(join(scratch, "packages.cjs"), made.text);
    replaceFile(join(scratch, "load.cjs"), loaderOf(made.commonjs));
    replaceFile(join(scratch, LIST), JSON.stringify({ names, stamps }));
    try {
      renameSync(scratch, folder);
    } catch (error) {
      removeTree(scratch);
      if (!bundledIn(folder)) throw error; // else another process made the same just now
    }
    removeUnused(cache);
    return { folder, names, stamps };
  }
}

/** esbuild's function for `import` of a required module, without its spaces. */
const TO_MODULE = "var __toESM=(mod,isNodeMode,target)=>(";

/** Lets a bundle take a package's module as it is: esbuild copies the exports, of tfjs a thousand for each bundle. */
const withoutCopies = (text: string) =>
  text.replace(TO_MODULE, "var __toESM=(mod,isNodeMode,target)=>!isNodeMode&&mod?.__esModule?mod:(");

/** A stage's bundle with the packages taken from where they are bundled. */
async function startable(root: string, { bundle, hash }: Code, { folder, names }: Packages): Promise<string> {
  const path = join(folder, `${hash}.mjs`);
  if (existsSync(path)) return path;
  const esbuild = await import("esbuild");
  const held = new Set(names);
  const { outputFiles } = await esbuild.build({
    entryPoints: ["stage"],
    absWorkingDir: root,
    bundle: true,
    write: false,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
    outdir: "out",
    banner: {
      js: `import{createRequire as $require}from"node:module";const $package=$require(import.meta.url)("./load.cjs")("${hash.slice(0, 16)}");`,
    },
    plugins: [
      {
        name: "startable",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /./ }, ({ path, kind }) =>
            kind === "entry-point"
              ? { path, namespace: "stage" }
              : held.has(path)
                ? { path, namespace: "package" }
                : { path, external: true },
          );
          // In a namespace of its own, so that esbuild does as a bundler, not as Node: `default` is what the loader says.
          onLoad({ filter: /./, namespace: "stage" }, () => ({ contents: readFileSync(bundle, "utf8") }));
          onLoad({ filter: /./, namespace: "package" }, ({ path }) => ({
            contents: `module.exports=$package(${JSON.stringify(path)})`,
          }));
        },
      },
    ],
  });
  replaceFile(path, withoutCopies(outputFiles[0].text));
  return path;
}

/**
 * Prepares the code of a run's stages and parts to start fast.
 * @returns where each bundle's own form is, by the bundle; a bundle that is not in it starts as it is
 */
export async function prepareStart(root: string, codes: Code[]): Promise<Map<string, string>> {
  const packages = await packagesOf(root, codes);
  if (!packages?.names.length) return new Map();
  const each = new Map(codes.map((code) => [code.bundle, code]));
  const made = [...each.values()].map(
    async (code): Promise<[string, string]> => [code.bundle, await startable(root, code, packages)],
  );
  return new Map(await Promise.all(made));
}
