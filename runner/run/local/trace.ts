/**
 * Notes the files that a stage's process opens below the project's folder, and those it writes anywhere. Loaded
 * with --require before all else, and so in its worker threads as well. It sees node:fs; it cannot see native
 * addons, nor the processes that a stage starts.
 *
 * Node's permission model is no help here: it only refuses, and is as blind to addons.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { trustExtraCertificates } from "./certificates.ts";

type Functions = Record<string, unknown>;
type Look = (args: unknown[]) => void;

/** Names of node:fs by what they do to the path that is their first argument; all come in three forms. */
const READS = ["readFile", "readdir", "opendir"];
const WRITES = ["writeFile", "appendFile", "mkdir", "mkdtemp", "rm", "rmdir", "unlink", "truncate"];
/** From the first path to the second. */
const COPIES = ["copyFile", "cp"];
const MOVES = ["rename"];
/** The second path is made. */
const LINKS = ["link", "symlink"];

/** Whether flags of open() let the file be written. */
function writable(flags: unknown): boolean {
  const { O_WRONLY, O_RDWR } = fs.constants;
  return typeof flags === "number" ? (flags & (O_WRONLY | O_RDWR)) !== 0 : /[wa+]/.test(String(flags ?? "r"));
}

/** Traces into the file that the environment names: the next stage of the process has another, and "" is for none. */
function trace(): void {
  const root = process.cwd();
  const below = root + sep;
  const installed = resolve(root, "node_modules");
  // A link to a folder elsewhere is one name of the packages, and their own place is the other.
  const packages = [installed, fs.existsSync(installed) ? fs.realpathSync(installed) : installed];
  const isOfPackages = (path: string) => packages.some((folder) => path.startsWith(folder + sep));
  let file = "";
  let seen = new Set<string>();
  const { appendFileSync } = fs;
  const note = (kind: "r" | "w", path: unknown): void => {
    if (typeof path !== "string" && !Buffer.isBuffer(path) && !(path instanceof URL)) return; // a file that is open
    const { DEEPHASH_TRACE = file } = process.env;
    if (!DEEPHASH_TRACE) return;
    if (DEEPHASH_TRACE !== file) {
      file = DEEPHASH_TRACE;
      seen = new Set([`w${resolve(file)}`]);
    }
    const absolute = resolve(path instanceof URL ? fileURLToPath(path) : path.toString());
    if ((kind === "r" && !absolute.startsWith(below)) || isOfPackages(absolute)) return;
    const line = kind + absolute;
    if (seen.has(line)) return;
    // A line of its own even after half of another. When the disk takes none, the call it is about fails: a file
    // that is not noted looks like one that was never opened.
    appendFileSync(file, `\n${JSON.stringify(line)}`);
    seen.add(line);
  };
  const wrap = (names: string[], look: Look): void => {
    const places: [Functions, string][] = names.flatMap((name): [Functions, string][] => [
      [fs as unknown as Functions, name],
      [fs as unknown as Functions, `${name}Sync`],
      [fs.promises as unknown as Functions, name],
    ]);
    for (const [holder, name] of places) {
      const original = holder[name] as (...args: unknown[]) => unknown;
      const wrapped = function (this: unknown, ...args: unknown[]): unknown {
        look(args);
        return Reflect.apply(original, this, args);
      };
      Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
      holder[name] = wrapped;
    }
  };
  wrap(READS, ([path]) => note("r", path));
  wrap(WRITES, ([path]) => note("w", path));
  wrap(["open"], ([path, flags]) => note(writable(flags) ? "w" : "r", path)); // streams come by here as well
  wrap(COPIES, ([from, to]) => {
    note("r", from);
    note("w", to);
  });
  wrap(MOVES, ([from, to]) => {
    note("w", from);
    note("w", to);
  });
  wrap(LINKS, ([, path]) => note("w", path));
  syncBuiltinESMExports(); // so that `import { readFileSync } from "node:fs"` gets them too
}

trustExtraCertificates();
if (process.env.DEEPHASH_TRACE) trace();
