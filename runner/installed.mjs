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

/** The messages of Node and esbuild about a package that they cannot find. */
const ABSENT = [
  /Cannot find (?:package|module) '((?:@[^/']+\/)?[^./'][^/']*)/,
  /Could not resolve "((?:@[^/"]+\/)?[^./"][^/"]*)/,
  /The package "([^"]+)" could not be found/,
];

/** Every text of an error: esbuild keeps those of its parts in a list. */
const textsOf = (error) => [
  String(error?.message),
  ...(Array.isArray(error?.errors) ? error.errors.map(({ text }) => String(text)) : []),
];

/** The first package that is not as the lock file of a project names it; undefined where all are, or without the file. */
function otherThanLocked(home) {
  const { packages = {} } = jsonIn(join(home, "package-lock.json")) ?? {};
  for (const [path, { version, optional, dev }] of Object.entries(packages)) {
    if (!path.startsWith("node_modules/") || optional || dev) continue;
    const found = jsonIn(join(home, path, "package.json"))?.version;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (found === undefined) return `the package "${name}" is not installed`;
    if (found !== version)
      return `the package "${name}" is installed as ${found}, but package-lock.json names ${version}`;
  }
  return undefined;
}

/**
 * The line for an error that missing or old packages caused; undefined for any other error.
 * @param home the project's folder
 */
export function packageFault(error, home) {
  for (const text of textsOf(error))
    for (const pattern of ABSENT) {
      const [, name] = pattern.exec(text) ?? [];
      if (name) return `the package "${name}" is not installed. Run: npm ci`;
    }
  const other = otherThanLocked(home);
  return other && `${other}. Run: npm ci`;
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
