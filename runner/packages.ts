/** Locked versions of npm packages and of all they depend on. */
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";

interface LockedPackage {
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** The package an import names: `a/b.js` → `a`, `@s/a/b` → `@s/a`; undefined for what Node itself holds. */
function packageOf(specifier: string): string | undefined {
  if (isBuiltin(specifier) || specifier.startsWith(".") || specifier.startsWith("/")) return undefined;
  const [first, second] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/**
 * `name@version` of every package that the import specifiers reach, as package-lock.json pins them, sorted.
 * Without a lock file, the versions of the directly named packages that are installed.
 */
export function lockedVersions(root: string, specifiers: string[]): string[] {
  const names = [...new Set(specifiers.map(packageOf).filter((name) => name !== undefined))];
  const lock = join(root, "package-lock.json");
  if (!existsSync(lock))
    return names
      .map((name) => {
        const manifest = join(root, "node_modules", name, "package.json");
        return `${name}@${existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : "missing"}`;
      })
      .sort();
  const packages = JSON.parse(readFileSync(lock, "utf8")).packages as Record<string, LockedPackage>;
  const found = new Set<string>();
  const visited = new Set<string>();
  const visit = (name: string, from: string): void => {
    // Node's own search: the nearest node_modules upwards.
    for (let folder = from; ; ) {
      const path = `${folder ? `${folder}/` : ""}node_modules/${name}`;
      if (packages[path]) {
        if (visited.has(path)) return;
        visited.add(path);
        found.add(`${name}@${packages[path].version}`);
        const { dependencies, optionalDependencies } = packages[path];
        for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(next, path);
        return;
      }
      if (!folder) return;
      const cut = folder.lastIndexOf("/node_modules/");
      folder = cut < 0 ? "" : folder.slice(0, cut);
    }
  };
  for (const name of names) visit(name, "");
  return [...found].sort();
}
