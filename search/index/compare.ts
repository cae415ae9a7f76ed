/** The comparison of an index with its folders: which images need to be encoded. */
import { UserError } from "../../runner/stage.ts";
import type { Root } from "../../stages/shared/search-index.ts";
import { shown } from "../../stages/shared/text.ts";
import { type Stamp, sizeAndTime, stampOf } from "./encode.ts";
import { type Change, holds, type Photo, photosOf } from "./roots.ts";
import type { Row } from "./rows.ts";

/** An image that an index is to have, with its row where its root is not looked at. */
interface Wanted {
  photo: Photo;
  row?: Row;
}

/** How many images were and are there. */
export interface Counts {
  new: number;
  changed: number;
  /** Files whose content was there under another name. */
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

/**
 * The images that the roots have.
 * @param before the roots of the rows
 * @throws UserError when a root is not there, or has no image left: its disk may not be mounted
 */
function wantedOf(rows: Row[], before: Root[], { roots, scan }: Change): Wanted[] {
  const byRoot = new Map(before.map(({ path }): [string, Row[]] => [path, []]));
  for (const row of rows) byRoot.get(before[row.photo.root].path)!.push(row);
  return roots.flatMap((root, at): Wanted[] => {
    const own = byRoot.get(root.path) ?? [];
    if (!scan.has(at))
      return own
        .filter(({ photo }) => holds(root, photo.name))
        .map((row) => ({ photo: { ...row.photo, root: at }, row }));
    const photos = photosOf(roots, at);
    if (photos.length === 0 && own.length > 0)
      throw new UserError(
        `index: ${shown(root.path)}: none of its ${own.length} images is there. Is its disk mounted? If they are to leave the index: npx deephash index remove ${JSON.stringify(root.path)}`,
      );
    return photos.map((photo) => ({ photo }));
  });
}

/** Rows by path and by content. */
class Known {
  private readonly byPath: Map<string, Row>;
  private readonly byHash: Map<string, Row>;

  constructor(rows: Row[]) {
    this.byPath = new Map(rows.map((row) => [row.photo.path, row]));
    this.byHash = new Map(rows.map((row) => [row.sha256, row]));
  }

  at(path: string): Row | undefined {
    return this.byPath.get(path);
  }

  /** Whether size and time of a file are those of its row; false for a file that is gone meanwhile. */
  isUnchanged(path: string): boolean {
    const row = this.byPath.get(path);
    try {
      const { bytes, modified } = sizeAndTime(path);
      return row !== undefined && modified !== 0 && row.bytes === bytes && row.modified === modified;
    } catch {
      return false;
    }
  }

  /** The row with the content of a file, first its own; none for a file that cannot be read. */
  withContent(path: string): { row?: Row; stamp?: Stamp } {
    try {
      const stamp = stampOf(path);
      const own = this.byPath.get(path);
      return { row: own?.sha256 === stamp.sha256 ? own : this.byHash.get(stamp.sha256), stamp };
    } catch {
      return {}; // its encoding fails, and says so
    }
  }
}

/**
 * Compares an index with its folders. Size and time tell that a file is unchanged, else its hash does.
 * @param rows with the paths that their files have now, of the roots `before`
 * @param most images to encode; others wait, with their old row where they have one
 * @param failed paths that could not be read
 */
export function compare(
  rows: Row[],
  before: Root[],
  change: Change,
  most: number,
  failed: Set<string>,
): Comparison {
  const known = new Known(rows);
  const wanted = wantedOf(rows, before, change);
  const paths = new Set(wanted.map(({ photo }) => photo.path));
  const counts = { new: 0, changed: 0, moved: 0, gone: 0 };
  counts.gone = rows.filter(({ photo }) => !paths.has(photo.path)).length;
  const images: Wanted[] = [];
  let [encoded, waiting, restamped] = [0, 0, 0];
  const keep = (row: Row, photo: Photo, stamp?: Stamp) => {
    if (stamp || row.photo.class !== photo.class) restamped++;
    images.push({ photo, row: { ...row, ...stamp, photo } });
  };
  for (const { photo, row } of wanted) {
    const own = known.at(photo.path);
    if (row) keep(row, photo);
    else if (failed.has(photo.path)) counts.gone += Number(own !== undefined);
    else if (known.isUnchanged(photo.path)) keep(own!, photo);
    else if (encoded === most) {
      waiting++;
      if (own) keep(own, photo);
    } else {
      const { row: same, stamp } = known.withContent(photo.path);
      if (same) {
        counts.moved += Number(same !== own);
        keep(same, photo, stamp);
        continue;
      }
      counts[own ? "changed" : "new"]++;
      images.push({ photo });
      encoded++;
    }
  }
  const isSame = Object.values(counts).every((count) => count === 0) && restamped === 0;
  return { images, counts, isSame, waiting };
}
