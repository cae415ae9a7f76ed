/** Git's state of the project; none outside a checkout. */
import { execFileSync } from "node:child_process";

/** The commit that a result was made from, and whether files differed from it. */
export interface Revision {
  commit: string;
  changed: boolean;
}

/** The answer of git; undefined when it refuses, or there is no git. */
function git(root: string, ...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { cwd: root, stdio: "pipe", maxBuffer: 1 << 28 }).toString();
  } catch {
    return undefined;
  }
}

/** The whole hash of a revision; undefined when git knows none of that name. */
export const commitOf = (root: string, revision: string): string | undefined =>
  git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`)?.trim();

/** The commit that is checked out, and whether files it tracks were changed since. */
export function revisionOf(root: string): Revision | undefined {
  const commit = commitOf(root, "HEAD");
  if (!commit) return undefined;
  return { commit, changed: git(root, "status", "--porcelain", "--untracked-files=no")?.trim() !== "" };
}

/** A file of the project as a revision holds it; undefined when it holds none. */
export const fileAt = (root: string, revision: string, file: string): string | undefined =>
  git(root, "show", `${revision}:./${file}`);

/** Whether the commit that is checked out holds a file of the project as it is now: then a checkout brings it back. */
export function isCommitted(root: string, file: string): boolean {
  const committed = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", `HEAD:./${file}`);
  return committed !== undefined && committed === git(root, "hash-object", "--", file);
}
