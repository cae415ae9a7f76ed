/** A stage's code: bundled, tree-shaken, hashed; and the key of a stage instance. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { replaceFile, sha256, stampOf, sweep } from "../files/index.ts";
import { type PartDefinition, type StageDefinition, UserError } from "../stage.ts";
import { browserScripts, bundledFiles, projectFiles } from "./browser.ts";
import { configsOf } from "./configs.ts";
import type { EnvValue } from "./environment.ts";
import { type Outline, outlineOf } from "./outline.ts";
import { externalPackages, isOfPackage, lockedVersions } from "./packages.ts";

/** A stage's or a part's code. */
export interface Code {
  /** sha256 of the bundle and of the locked versions of the packages it reaches. */
  hash: string;
  /** The bundle: the hashed code is the code that runs. */
  bundle: string;
  /** `name@version` of every package it reaches. */
  packages: string[];
  /** Its imports of packages, as they are written there. */
  imports: string[];
  /** The project's files it was bundled from. */
  files: string[];
  /** Its outline, to report later what changed; no part of the hash. */
  outline: Outline;
  /** The default export, without its functions. */
  definition: StageDefinition | PartDefinition;
}

interface Memo extends Code {
  /** "" for a file that is not there. */
  stamps: Record<string, string>;
}

/** Prints the default exports of the bundles named on the command line. A child, since stages import heavy packages. */
const DESCRIBE = `
import { pathToFileURL } from "node:url";
const found = {};
for (const file of process.argv.slice(1))
  try { found[file] = { definition: (await import(pathToFileURL(file).href)).default }; }
  catch (error) { found[file] = { error: String(error.message).split("\\n")[0] }; }
// An import may leave a timer or a worker behind, which must not keep this process.
process.stdout.write("\\n===" + JSON.stringify(found), () => process.exit(0));
`;

/** Canonical JSON: the keys of every map in order, so that equal values give equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    // JSON would write null: a key for two values. pipeline.yaml cannot hold one, see values.ts.
    if (typeof inner === "number" && !Number.isFinite(inner)) throw new Error(`${inner} cannot be in a key`);
    return inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}

/** The ingredients of a key: see docs/architecture.md. */
export interface KeyParts {
  code: string;
  parts: Record<string, { name: string; code: string; params: Record<string, unknown> }>;
  params: Record<string, unknown>;
  /** Content hashes; with the maker's id where the stage sees it. */
  inputs: Record<string, { hash: string; id?: string }[]>;
  /** The environment that a shell stage declares; of a variable that it passes on, the name. */
  env?: Record<string, EnvValue>;
}

/** key = sha256(code, parts, params, inputs, env). */
export const keyOf = (parts: KeyParts): string => sha256(canonical(parts));

/** The key that a record's own ingredients have. */
export const keyOfRecord = ({ code, parts, params, inputs, env }: KeyParts): string =>
  keyOf({ code, parts, params, inputs, env });

/** The files that list the packages: the lock file, and the one that npm writes when it installs. */
const INSTALLED = ["package-lock.json", "node_modules/.package-lock.json"];

/** Where bundles are: inside node_modules, so that they find the project's packages; a cache by custom. */
export const cacheFolder = (root: string): string => join(root, "node_modules/.cache/deephash");

/** Bundles and hashes code, and remembers what it found while no file of it changes. */
export class CodeBook {
  private readonly root: string;
  private readonly folder: string;
  private readonly memoFile: string;
  private readonly memo: Record<string, Memo>;

  constructor(root: string) {
    this.root = root;
    this.folder = cacheFolder(root);
    this.memoFile = join(this.folder, "code.json");
    try {
      this.memo = JSON.parse(readFileSync(this.memoFile, "utf8"));
    } catch {
      this.memo = {};
    }
  }

  private fresh(memo: Memo | undefined): memo is Memo {
    return (
      memo?.imports !== undefined && // what an older runner remembers has none
      Object.entries(memo.stamps).every(
        ([file, stamp]) => (stampOf(join(this.root, file)) ?? "") === stamp,
      ) &&
      existsSync(memo.bundle)
    );
  }

  /**
   * The code of the entries, paths from the project's folder.
   * @throws UserError when a file does not compile or cannot be loaded, with file:line:column
   */
  async read(entries: string[]): Promise<Map<string, Code>> {
    const stale = [...new Set(entries)].filter((entry) => !this.fresh(this.memo[entry]));
    if (stale.length) await this.make(stale);
    return new Map(entries.map((entry) => [entry, this.memo[entry]]));
  }

  private async make(entries: string[]): Promise<void> {
    const esbuild = await import("esbuild");
    mkdirSync(this.folder, { recursive: true });
    sweep(this.folder);
    try {
      for (const entry of entries) this.memo[entry] = await this.bundle(esbuild, entry);
    } finally {
      await esbuild.stop();
    }
    const bundles = entries.map((entry) => this.memo[entry].bundle);
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", DESCRIBE, "--", ...bundles], {
      cwd: this.root,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const answer = child.stdout?.split("\n===").at(-1);
    if (child.status !== 0 || !answer)
      throw new Error(`the stages' declarations could not be read: ${child.stderr || child.error}`);
    const found = JSON.parse(answer) as Record<string, { definition?: StageDefinition; error?: string }>;
    for (const entry of entries) {
      const { definition, error } = found[this.memo[entry].bundle];
      if (error) throw new UserError(`${entry}: cannot be loaded: ${error}`);
      if (definition === null || typeof definition !== "object")
        throw new UserError(`${entry}: its default export must be an object (see runner/stage.ts).`);
      this.memo[entry].definition = definition;
    }
    replaceFile(this.memoFile, JSON.stringify(this.memo));
  }

  private async bundle(esbuild: typeof import("esbuild"), entry: string): Promise<Memo> {
    const inScripts = new Set<string>();
    const build = (minifyWhitespace: boolean) =>
      esbuild.build({
        entryPoints: [join(this.root, entry)],
        absWorkingDir: this.root,
        bundle: true,
        write: false,
        metafile: true,
        platform: "node",
        target: "node20",
        format: "esm",
        minifyWhitespace,
        treeShaking: true,
        legalComments: "none",
        logLevel: "silent",
        outdir: "out",
        plugins: [browserScripts(this.root, inScripts), externalPackages(this.root)],
      });
    let built: Awaited<ReturnType<typeof build>>;
    let readable: typeof built;
    try {
      [built, readable] = await Promise.all([build(true), build(false)]);
    } catch (error) {
      const [fault] =
        (error as { errors?: { text: string; location?: { file: string; line: number; column: number } }[] })
          .errors ?? [];
      if (!fault) throw error;
      const place = fault.location
        ? `${fault.location.file}:${fault.location.line}:${fault.location.column + 1}`
        : entry;
      throw new UserError(`${place} ${fault.text}`);
    }
    const text = built.outputFiles[0].text;
    const imports = Object.values(built.metafile.outputs)[0].imports.map(({ path }) => path);
    const packages = lockedVersions(this.root, imports);
    const hash = sha256(canonical({ text, packages }));
    const bundle = join(this.folder, `${hash}.mjs`);
    if (!existsSync(bundle)) replaceFile(bundle, text);
    const files = [...new Set([...projectFiles(built.metafile), ...inScripts])].map((file) =>
      relative(this.root, join(this.root, file)),
    );
    const outline = outlineOf(readable.outputFiles[0].text, Object.keys(readable.metafile.inputs));
    const bundled = [...bundledFiles(built.metafile), ...inScripts].map((file) => join(this.root, file));
    const watched = [...bundled, ...configsOf(bundled), ...INSTALLED.map((file) => join(this.root, file))];
    const stamps = Object.fromEntries(
      watched.map((file) => [relative(this.root, file), stampOf(file) ?? ""]),
    );
    return {
      hash,
      bundle,
      packages,
      imports: [...new Set(imports.filter(isOfPackage))].sort(),
      files,
      outline,
      stamps,
      definition: { params: {} },
    };
  }
}
