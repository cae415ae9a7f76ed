/** The comparison of an index with its folders: which images need to be encoded. */
import { UserError } from "../../runner/stage.ts";
import type { Root } from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import { Contents } from "../contents.ts";
import { type Change, holds, type Photo, pathOf, photosOf } from "./roots.ts";
import { HASH_BYTES, type Rows } from "./rows.ts";
import { type Stamp, sizeAndTime, stampOf } from "./stamp.ts";

/** An image that an index is to have. */
interface Wanted {
  photo: Photo;
  /** Its place among the rows of the index; none for an image that is to be encoded. */
  row?: number;
  /** A newer one than that of the row. */
  stamp?: Stamp;
}

/** How many images were and are there. */
export interface Counts {
  /** Files whose name was not there, copies too. */
  new: number;
  changed: number;
  /** Files whose content was there under another name, which is gone or has another content. */
  moved: number;
  gone: number;
}

/** The changes of an index. */
export interface Comparison {
  /** In order; without a row, the image is to be encoded. */
  images: Wanted[];
  counts: Counts;
  /** Whether the index is as its folders are. */
  isSame: boolean;
  /** Images that wait for the next round. */
  waiting: number;
}

/** The rows of an index by root and name, and by the content of their files. */
class Known {
  private readonly rows: Rows;
  /** By path of the root: the places of its rows. */
  private readonly byRoot: Map<string, number[]>;
  private readonly byHash: Contents;

  /** @param before the roots of the rows */
  constructor(rows: Rows, before: Root[]) {
    this.rows = rows;
    const { photos, sha256 } = rows.columns;
    this.byRoot = new Map(before.map(({ path }) => [path, []]));
    const places = before.map(({ path }) => this.byRoot.get(path)!);
    for (const [row, { root }] of photos.entries()) places[root].push(row);
    this.byHash = new Contents(sha256.subarray(0, rows.length * HASH_BYTES), HASH_BYTES);
  }

  /** The rows of a root, in order. */
  of({ path }: Root): number[] {
    return this.byRoot.get(path) ?? [];
  }

  /** Whether size and time of a file are those of a row; false for a file that is gone meanwhile. */
  isUnchanged(row: number, path: string): boolean {
    const { columns } = this.rows;
    try {
      const { bytes, modified } = sizeAndTime(path);
      return modified !== 0 && columns.bytes[row] === bytes && columns.modified[row] === modified;
    } catch {
      return false;
    }
  }

  /** The row with the content of a file, first its own; none for a file that cannot be read. */
  withContent(own: number | undefined, path: string): { row?: number; stamp?: Stamp } {
    try {
      const stamp = stampOf(path);
      return { row: this.byHash.row(Buffer.from(stamp.sha256, "hex"), own), stamp };
    } catch {
      return {}; // its encoding fails, and says so
    }
  }
}

/**
 * The images of a root that is looked at, each with the row of its name.
 * @throws UserError when the root is not there, or has no image left: its disk may not be mounted
 */
function imagesOf(roots: Root[], at: number, rows: Rows, known: Known): Wanted[] {
  const root = roots[at];
  const own = known.of(root);
  const found = photosOf(roots, at);
  if (found.length === 0 && own.length > 0)
    throw new UserError(
      `index: ${shown(root.path)}: none of its ${own.length} images is there. Is its disk mounted? If they are to leave the index: npx deephash index remove ${JSON.stringify(root.path)}`,
    );
  const { photos } = rows.columns;
  const byName = new Map(own.map((row) => [photos[row].name, row]));
  return found.map((photo) => ({ photo, row: byName.get(photo.name) }));
}

/**
 * Compares an index with its folders. Size and time tell that a file is unchanged, else its hash does.
 * @param rows of the roots `before`, at the paths where these are now; no root is within another
 * @param most images to encode; others wait, with their old row where they have one
 * @param failed paths that could not be read
 */
export function compare(
  rows: Rows,
  before: Root[],
  { roots, scan }: Change,
  most: number,
  failed: Set<string>,
): Comparison {
  const known = new Known(rows, before);
  const { photos } = rows.columns;
  const counts = { new: 0, changed: 0, moved: 0, gone: rows.length };
  const images: Wanted[] = [];
  let [encoded, waiting, restamped] = [0, 0, 0];
  const stayed = new Set<number>(); // rows whose file is there under its name
  const renamed: { row: number; named: boolean }[] = []; // files with the content of the row of another name
  const keep = (row: number, photo: Photo, stamp?: Stamp) => {
    if (stamp || photos[row].class !== photo.class) restamped++;
    images.push({ photo, row, stamp });
  };
  const look = ({ photo, row: own }: Wanted) => {
    const path = pathOf(roots, photo);
    if (failed.has(path)) return;
    counts.gone -= Number(own !== undefined);
    if (own !== undefined && known.isUnchanged(own, path)) {
      stayed.add(own);
      keep(own, photo);
    } else if (encoded === most) {
      waiting++;
      if (own === undefined) return;
      stayed.add(own);
      keep(own, photo);
    } else {
      const { row: same, stamp } = known.withContent(own, path);
      if (same !== undefined) {
        if (same === own) stayed.add(same);
        else renamed.push({ row: same, named: own !== undefined });
        keep(same, photo, stamp);
        return;
      }
      counts[own === undefined ? "new" : "changed"]++;
      images.push({ photo });
      encoded++;
    }
  };
  for (const [at, root] of roots.entries())
    if (scan.has(at)) for (const image of imagesOf(roots, at, rows, known)) look(image);
    else
      for (const row of known.of(root))
        if (holds(root, photos[row].name)) {
          counts.gone--;
          stayed.add(row);
          keep(row, { ...photos[row], root: at });
        }
  for (const { row, named } of renamed)
    if (!stayed.has(row)) counts.moved++;
    else counts[named ? "changed" : "new"]++; // a copy
  const isSame = Object.values(counts).every((count) => count === 0) && restamped === 0;
  return { images, counts, isSame, waiting };
}
