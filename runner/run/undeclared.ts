/** The files that a stage read or wrote without declaring them: its key does not cover them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve as absolute, join, relative, sep } from "node:path";
import { changedBetween, type Stamps, stampOf } from "../files/index.ts";
import type { Task } from "../plan/index.ts";
import type { DownloadFolders } from "../stage.ts";
import { listed } from "../text/index.ts";

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** One line of a trace; undefined where the disk took but a part of it. */
function noted(line: string): string | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Where a task ran. All paths are absolute. */
export interface Place {
  root: string;
  /** The store. */
  cache: string;
  downloads: DownloadFolders;
  scratch: string;
  log: string;
  /** The folder of its checkpoint. */
  checkpoint?: string;
}

/**
 * The undeclared files in the trace of a process (local/trace.ts), in one line; "" for
 * nothing. Free to all are packages, the stage's own folder, the objects of the store, downloads and their
 * mirror, the schemas that check artifacts (they say whether a stage ends well, not what it makes), and
 * temporary files outside the project.
 */
export function beyondDeclared(task: Task, trace: string, place: Place): string {
  if (!existsSync(trace)) return "";
  const { root, cache, scratch, log, checkpoint } = place;
  const declared = Object.values(task.inputs)
    .flat()
    .flatMap((one) => ("file" in one ? [absolute(root, one.file)] : []));
  const { kept, mirror } = place.downloads;
  const own = [scratch, log, kept, mirror, checkpoint].filter((path) => path !== undefined);
  const isSchema = (path: string) =>
    isBelow(path, join(root, "schemas")) && path.endsWith(".artifact.schema.json");
  const read = new Set<string>();
  const written = new Set<string>();
  for (const line of readFileSync(trace, "utf8").split("\n")) {
    const text = noted(line);
    if (text === undefined) continue;
    const path = text.slice(1);
    if (own.some((folder) => isBelow(path, folder))) continue;
    if (text[0] === "w") {
      const apart =
        !isBelow(path, root) && [tmpdir(), "/dev", "/proc"].some((folder) => isBelow(path, folder));
      if (!apart) written.add(path);
    } else if (
      ![...declared, join(cache, "objects")].some((folder) => isBelow(path, folder)) &&
      !isSchema(path)
    )
      read.add(path);
  }
  for (const path of written) read.delete(path);
  const named = (paths: Set<string>) =>
    listed([...paths].sort().map((path) => (isBelow(path, root) ? relative(root, path) : path)));
  const how = "Declare it as an input (in stage.ts and pipeline.yaml), or import it as code.";
  return [
    read.size
      ? `reads ${named(read)}, which its key does not cover: a change there would go unnoticed. ${how}`
      : "",
    written.size
      ? `writes ${named(written)}, which is none of its outputs: a later hit would not write it.`
      : "",
  ]
    .filter(Boolean)
    .join(" It ");
}

/**
 * The stamps of the project's files, but for those that git ignores and the store's; undefined outside a git
 * repository.
 */
export function projectFiles(root: string, cache: string): Stamps | undefined {
  let list: string;
  try {
    list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 1 << 28,
    });
  } catch {
    return undefined;
  }
  return new Map(
    list
      .split("\0")
      .filter((file) => file && !isBelow(join(root, file), cache))
      .map((file) => [file, stampOf(join(root, file)) ?? ""]),
  );
}

/** The changes between two listings of the project's files, in one line; "" for none. */
export function changedMeanwhile(before: Stamps, after: Stamps): string {
  const changed = changedBetween(before, after);
  if (changed.length === 0) return "";
  return `while it ran, ${listed(changed)} of the project changed: it wrote that beside its outputs, or somebody else did.`;
}
