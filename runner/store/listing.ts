/** The listing of a folder in the store, `[path, hash]` of each file: which ones can be restored as they are. */

/** Bytes of one name, and of a path from its folder, that every file system takes. */
const NAME_BYTES = 255;
const PATH_BYTES = 2048;

/** The fault of one path; "" for none. */
function pathFault(path: string): string {
  const shown = JSON.stringify(path.slice(0, 80));
  if (path.includes("\0")) return `holds a NUL in ${shown}`;
  if (Buffer.from(path).toString() !== path) return `holds half a character in ${shown}`;
  const names = path.split("/");
  if (names.some((name) => name === "" || name === "." || name === ".."))
    return `holds ${shown}, which is no path below a folder`;
  if (Buffer.byteLength(path) > PATH_BYTES || names.some((name) => Buffer.byteLength(name) > NAME_BYTES))
    return `holds a name that is too long: ${shown}…`;
  return "";
}

/** Whether paths are each there once, in order. */
const inOrder = (paths: string[]): boolean =>
  paths.every((path, index) => index === 0 || paths[index - 1] < path);

/**
 * The reason why a listing cannot be restored: a path that is absolute, leads out of the folder or is too long, one that
 * is there twice or out of order, one below a file. "" for nothing.
 * @param folders those that hold nothing
 */
export function listingFault(files: string[], folders: string[] = []): string {
  const all = [...files, ...folders];
  for (const path of all) {
    const fault = pathFault(path);
    if (fault) return fault;
  }
  if (!inOrder(files) || !inOrder(folders)) return "holds a path twice or out of order";
  const ends = new Set(all);
  if (ends.size < all.length) return "holds a path as a file and as a folder";
  for (const path of all)
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      if (ends.has(path.slice(0, at))) return `holds ${JSON.stringify(path.slice(0, 80))} below a file`;
  return "";
}

/**
 * The paths of a listing that are one file on a disk that ignores case or the composition of letters, as on macOS: such
 * a listing is not shared between machines. "" for nothing.
 */
export function mergeFault(paths: string[]): string {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const names = path.split("/");
    for (let depth = 1; depth <= names.length; depth++) {
      const one = names.slice(0, depth).join("/");
      const folded = one.normalize("NFC").toLowerCase();
      const other = seen.get(folded);
      if (other !== undefined && other !== one)
        return `holds ${JSON.stringify(other)} and ${JSON.stringify(one)}, which some disks take for one`;
      seen.set(folded, one);
    }
  }
  return "";
}
