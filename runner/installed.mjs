// Names the package that a launcher lacks: missing, or of another version than the lock file names.
import { readFileSync } from "node:fs";
import { join } from "node:path";

function jsonIn(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** The messages of Node and esbuild about a package that they cannot find, or that is not as its importer expects. */
const NAMING = [
  /Cannot find (?:package|module) '([^']+)'/,
  /Could not resolve "([^"]+)"/,
  /The package "([^"]+)" could not be found/,
  /[Tt]he requested module '([^']+)' (?:does not provide an export|is a CommonJS module)/,
  /No matching export in "([^"]+)"/,
  /is not defined by "exports" in (\S+)/,
  /No "exports" main defined in (\S+)/,
];

/** Every text of an error: esbuild keeps those of its parts in a list. */
const textsOf = (error) => [
  String(error?.message),
  ...(Array.isArray(error?.errors) ? error.errors.map(({ text }) => String(text)) : []),
];

/** The package that an import, or a path of one of its files, names; undefined for another path. */
function packageOf(named) {
  const name = named.split("node_modules/").at(-1);
  return /^(?:@[^/]+\/)?[^@./#:][^/:]*(?=\/|$)/.exec(name)?.[0];
}

/** How a package differs from the lock file of a project; undefined where it does not, or is none of that file. */
function differenceOf(name, home) {
  const top = `node_modules/${name}`;
  const { packages } = jsonIn(join(home, "package-lock.json")) ?? { packages: { [top]: {} } };
  for (const [path, { version }] of Object.entries(packages)) {
    if (!`/${path}`.endsWith(`/${top}`)) continue;
    const found = jsonIn(join(home, path, "package.json"));
    if (found === undefined) return `the package "${name}" is not installed`;
    if (version !== undefined && found.version !== version)
      // of a linked package the file names none
      return `the package "${name}" is installed as ${found.version}, but package-lock.json names ${version}`;
  }
  return undefined;
}

/**
 * The line for an error that names a missing or old package; undefined for any other error.
 * @param home the project's folder
 */
export function packageFault(error, home) {
  for (const text of textsOf(error))
    for (const pattern of NAMING) {
      const [, named] = pattern.exec(text) ?? [];
      const name = named && packageOf(named);
      const difference = name && differenceOf(name, home);
      if (difference) return `${difference}. Run: npm ci`;
    }
  return undefined;
}

/** Does what needs the packages. Where one is missing or old, prints that line and ends the process with exit code 2. */
export async function withPackages(home, work) {
  try {
    return await work();
  } catch (error) {
    const fault = packageFault(error, home);
    if (fault === undefined) throw error;
    console.error(fault);
    process.exit(2);
  }
}
