/** The files of a person's own folder: links followed, no folder twice, and nothing that ends the walk. */
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { shown } from "../text.ts";

/** Files that systems, cameras and servers write beside a person's; names that begin with a dot are hidden ones. */
const CLUTTER = [
  "__macosx",
  "@eadir",
  "#recycle",
  "$recycle.bin",
  "system volume information",
  "lost+found",
  "thumbs.db",
  "ehthumbs.db",
  "desktop.ini",
];
const isClutter = (name: string): boolean => name.startsWith(".") || CLUTTER.includes(name.toLowerCase());

/** The files of a folder: paths from it, with "/", in an order that does not depend on the machine. */
export interface Found {
  files: string[];
  folders: string[];
  /** The entries that could not be read or were skipped, each with the reason, in one line. */
  problems: string[];
}

/** In the order of their composed letters: a name means the same however a disk spells its accents. */
export function sorted(names: string[]): string[] {
  const keyed = names.map((name) => ({ name, key: name.normalize("NFC") }));
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return keyed.sort((a, b) => compare(a.key, b.key) || compare(a.name, b.name)).map(({ name }) => name);
}

/** A walk, folder by folder; links to folders wait until all real folders are known. */
class Walk {
  private readonly files: string[] = [];
  private readonly problems: string[] = [];
  private links: string[] = [];
  /** Real path of each folder that was read → the path it was read under. */
  private readonly seen = new Map<string, string>();
  private readonly root: string;
  private realRoot: string | undefined;

  constructor(root: string) {
    this.root = root;
  }

  run(): Found {
    this.visit("");
    while (this.links.length > 0) {
      const [link, ...others] = sorted(this.links);
      this.links = others;
      this.visit(link);
    }
    const folders = [...this.seen.values()].filter(Boolean);
    return { files: sorted(this.files), folders: sorted(folders), problems: sorted(this.problems) };
  }

  private problem(path: string, reason: string): void {
    this.problems.push(shown(`${path || this.root} (${reason})`));
  }

  /** Runs `look` on a path; what it throws becomes a problem. */
  private look<T>(path: string, look: (absolute: string) => T): T | undefined {
    try {
      return look(join(this.root, path));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.problem(path, REASONS[code ?? ""] ?? code ?? message);
      return undefined;
    }
  }

  /** Reads a folder and, without recursion, all real folders below it. */
  private visit(start: string): void {
    const waiting = [start];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const real = this.look(folder, (path) => realpathSync(path));
      if (real === undefined) continue;
      this.realRoot ??= real;
      if (this.realRoot.startsWith(join(real, "/"))) {
        this.problem(folder, "a link to a folder that holds the one given");
        continue;
      }
      const before = this.seen.get(real);
      if (before !== undefined) {
        this.problem(folder, `the same folder as ${before || "the one given"}`);
        continue;
      }
      this.seen.set(real, folder);
      const entries = this.look(folder, (path) => readdirSync(path, { withFileTypes: true }));
      if (!entries) continue;
      for (const entry of entries) if (!isClutter(entry.name)) this.take(folder, entry, waiting);
    }
  }

  private take(folder: string, entry: Dirent, waiting: string[]): void {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    const kind = entry.isSymbolicLink() ? this.look(path, (at) => statSync(at)) : entry;
    if (!kind) return;
    if (kind.isDirectory()) (entry.isSymbolicLink() ? this.links : waiting).push(path);
    else if (!kind.isFile()) this.problem(path, "not a file");
    // A name that is no text in UTF-8 comes with this sign in it, and can then not be opened.
    else if (!entry.name.includes("\ufffd") || this.look(path, (at) => statSync(at))) this.files.push(path);
  }
}

const REASONS: Record<string, string> = {
  EACCES: "no permission to read it",
  EPERM: "no permission to read it",
  ENOENT: "a link to nothing, or a name that is no UTF-8",
  ELOOP: "a link to itself",
  ENAMETOOLONG: "its path is too long",
};

/**
 * Walks a folder. Hidden files and folders, and what systems leave in folders, do not count. A link to a folder is
 * followed unless that folder was read already: each is read once, real ones first, so that no cycle of links is
 * followed and no image comes twice.
 */
export const walk = (root: string): Found => new Walk(root).run();
