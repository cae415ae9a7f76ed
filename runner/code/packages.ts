/** The packages that code reaches: which are left to Node, and what of them is part of the code's key. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, sep } from "node:path";
import type { Plugin } from "esbuild";
import { UserError } from "../stage.ts";
import { oneLine } from "../text/index.ts";
import { BROWSER } from "./browser.ts";

interface LockedPackage {
  /** Of an alias, the name of the package that it stands for. */
  name?: string;
  version?: string;
  /** A link to the folder `resolved`. */
  link?: boolean;
  /** Where it came from. */
  resolved?: string;
  integrity?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  /** Signs of native code: a script builds or fetches it, or it is for some machines only. */
  hasInstallScript?: boolean;
  os?: string[];
  cpu?: string[];
}

/** The package an import names: `a/b.js` → `a`, `@s/a/b` → `@s/a`; undefined for what Node itself holds. */
export function packageOf(specifier: string): string | undefined {
  if (isBuiltin(specifier) || specifier.startsWith(".") || specifier.startsWith("/")) return undefined;
  const [first, second] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** The folder of the package that holds a file: `node_modules/a`; "" for none. node_modules may be a link elsewhere. */
export function packageFolder(path: string): string {
  const within = `node_modules${sep}`;
  const file = path.slice(Math.max(0, path.indexOf(within)));
  const from = file.lastIndexOf(within);
  if (from < 0) return "";
  const [first, second] = file.slice(from + within.length).split(sep);
  return file.slice(0, from + within.length) + (first.startsWith("@") ? join(first, second) : first);
}

/** Whether an import names a package, or a file of one. */
export const isOfPackage = (specifier: string): boolean => packageOf(specifier) !== undefined;

const IN_PACKAGES = `${sep}node_modules${sep}`;

/** The real folder of a package that Node finds for the project's code; undefined when there is none. */
function folderOf(root: string, name: string): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    const path = join(folder, "node_modules", name);
    if (existsSync(path)) return realpathSync(path);
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * Leaves packages to Node, but for those that no version stands for: a link to a folder (`npm install ./package`), and
 * what such a package finds where the project's code would not. They are bundled, as the project's own files are.
 */
export function externalPackages(root: string): Plugin {
  const asked = {}; // marks this plugin's own questions
  return {
    name: "external-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./#]/ }, async ({ path, pluginData, kind, importer, resolveDir }) => {
        const name = packageOf(path);
        if (pluginData === asked || kind === "entry-point" || name === undefined || BROWSER.test(path))
          return undefined;
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: asked });
        const folder = folderOf(root, name);
        if (found.errors.length) return { path, external: true }; // Node says so, if it is ever asked
        if (folder?.includes(IN_PACKAGES) && found.path.startsWith(folder + sep))
          return { path, external: true };
        return { path: found.path, namespace: found.namespace, sideEffects: found.sideEffects };
      });
    },
  };
}

/** A tarball of a registry: its version stands for it. */
const REGISTRY = /^https?:\/\/[^#]*\/-\/[^/#]+\.tgz$/;

/** `name@version`; of what comes from elsewhere also the commit, or the hash of the tarball. */
function identity(name: string, { name: real = name, version, resolved, integrity }: LockedPackage): string {
  const plain = `${real}@${version}`;
  if (resolved === undefined || REGISTRY.test(resolved)) return plain;
  return `${plain}#${resolved.split("#")[1] ?? integrity ?? resolved}`;
}

/** The packages of package-lock.json by their folders; undefined without one, or in one of npm 6. */
function readLock(root: string): Record<string, LockedPackage> | undefined {
  const path = join(root, "package-lock.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch (error) {
    throw new UserError(oneLine(`package-lock.json: ${(error as Error).message}. Run npm install.`));
  }
}

function installedVersion(root: string, path: string): string | undefined {
  const manifest = join(root, path, "package.json");
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}

/** The version that an import in a folder finds: in the nearest node_modules upwards, as Node searches. */
function nearestVersion(folder: string, name: string): string | undefined {
  const version = installedVersion(folder, `node_modules/${name}`);
  const above = dirname(folder);
  return version ?? (above === folder ? undefined : nearestVersion(above, name));
}

/**
 * `name@version` of every package that the import specifiers reach, as package-lock.json pins them, sorted.
 * Without a lock file, the versions of the directly named packages that are installed.
 * @throws UserError where another version is installed than is locked: the code that runs would not be that of the key
 */
export function lockedVersions(root: string, specifiers: string[]): string[] {
  const names = [...new Set(specifiers.map(packageOf).filter((name) => name !== undefined))];
  const packages = readLock(root);
  if (!packages) return names.map((name) => `${name}@${nearestVersion(root, name) ?? "missing"}`).sort();
  const found = new Set<string>();
  for (const [path, { name, locked }] of reached(packages, names)) {
    if (locked.link) continue;
    const installed = installedVersion(root, path);
    if (locked.version && installed && installed !== locked.version)
      throw new UserError(
        `node_modules holds ${name} ${installed}, but package-lock.json says ${locked.version}. Run npm ci.`,
      );
    found.add(identity(name, locked));
  }
  return [...found].sort();
}

/** Every package that the named ones reach, by its folder. */
function reached(
  packages: Record<string, LockedPackage>,
  names: string[],
): Map<string, { name: string; locked: LockedPackage }> {
  const found = new Map<string, { name: string; locked: LockedPackage }>();
  const visit = (name: string, from: string): void => {
    // Node's own search: the nearest node_modules upwards.
    for (let folder = from; ; ) {
      const path = `${folder ? `${folder}/` : ""}node_modules/${name}`;
      const locked = packages[path];
      if (locked) {
        if (found.has(path)) return;
        found.set(path, { name, locked });
        const { dependencies, optionalDependencies, peerDependencies } = locked.link
          ? (packages[locked.resolved ?? ""] ?? {})
          : locked;
        for (const next of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
          visit(next, locked.link ? (locked.resolved ?? "") : path);
        return;
      }
      if (!folder) return;
      const cut = folder.lastIndexOf("/node_modules/");
      folder = cut < 0 ? "" : folder.slice(0, cut);
    }
  };
  for (const name of names) visit(name, "");
  return found;
}

/**
 * The import specifiers whose packages can be bundled: they are plain JavaScript, as is all that they reach. No package
 * that the specifiers name is at once bundled and left to Node: a stage would have two of it, each with a state of its
 * own. None without a lock file.
 * @param refused folders of packages that are to be left to Node
 */
export function bundleable(root: string, specifiers: string[], refused: Set<string>): string[] {
  const packages = readLock(root);
  if (!packages) return [];
  const isThere = (path: string) => existsSync(join(root, path));
  const closures = new Map(
    specifiers.map((one) => [one, [...reached(packages, [packageOf(one)!]).keys()].filter(isThere)]),
  );
  const isNative = (path: string) => {
    const { hasInstallScript, os, cpu, link } = packages[path];
    return hasInstallScript || os || cpu || link || refused.has(path);
  };
  // An optional package may be imported by a name that no bundler sees.
  const optional = Object.keys(packages[""]?.optionalDependencies ?? {}).filter((name) =>
    isThere(`node_modules/${name}`),
  );
  const left = new Set([...reached(packages, optional).keys()].filter(isThere));
  const direct = new Set(specifiers.map((one) => `node_modules/${packageOf(one)}`));
  const isLeft = (closure: string[]) =>
    closure.length === 0 || closure.some((path) => isNative(path) || (direct.has(path) && left.has(path)));
  for (let before = -1; left.size > before; ) {
    before = left.size;
    for (const closure of closures.values()) if (isLeft(closure)) for (const path of closure) left.add(path);
  }
  return specifiers.filter((one) => !isLeft(closures.get(one)!));
}
