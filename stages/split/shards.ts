/** The shards of a data set, tables of images, as one. */
import { type InputFile, UserError } from "../../runner/stage.ts";
import { type Categories, imageCategories } from "../shared/artifacts/categories.ts";
import { type ImageList, joined, readImageList, readPixels } from "../shared/artifacts/images.ts";
import { setsOf } from "../shared/artifacts/label-sets.ts";
import { distinctIds, sameClasses } from "../shared/shards.ts";
import { type PublishedRoles, publishedRoles } from "./published.ts";

/** A data set without its pixels; these come piece by piece. */
export interface Shards {
  images: ImageList;
  published: PublishedRoles;
  categories: Categories;
  /** The pixels of all images in order, of at most so many at a time. */
  pixels(images: number): AsyncGenerator<{ count: number; pixels: Uint8Array }>;
}

/** @throws UserError when a shard is of other images than the first, by their size, classes or categories */
function checkAlike([first, ...others]: (ImageList & Categories & { id: string })[]): void {
  const sizeOf = ({ height, width, channels }: ImageList) => `${height} x ${width} x ${channels}`;
  for (const other of others) {
    if (sizeOf(other) !== sizeOf(first))
      throw new UserError(
        `split: images of ${other.id} have ${sizeOf(other)} values, those of the first input ${sizeOf(first)}. Give every shard one size.`,
      );
    sameClasses("split", first.classes, other.classes, other.id);
    const groupsOf = ({ categories, no_categories }: Categories) =>
      JSON.stringify([categories, no_categories === undefined]);
    if (groupsOf(other) !== groupsOf(first))
      throw new UserError(
        `split: ${other.id} groups its classes otherwise than the first input. Give every class one category, in all shards.`,
      );
  }
}

/** Reads shards. @throws UserError when they are no shards of one data set, or one image is in two of them */
export async function readShards(files: Pick<InputFile, "path" | "id">[]): Promise<Shards> {
  const paths = files.map(({ path }) => path);
  const lists: (ImageList & Categories & { id: string })[] = [];
  for (const { path, id } of files)
    lists.push({ ...(await readImageList(path)), ...(await imageCategories(path)), id });
  checkAlike(lists);
  if (lists.length > 1) {
    const checkIds = distinctIds("split");
    for (const { ids, id } of lists) checkIds(ids, id);
  }
  const [first] = lists;
  const classes = first.classes.length;
  const { categories, no_categories, id: _, ...about } = first;
  return {
    images: {
      ...about,
      ids: joined(
        lists.map(({ ids }) => ids),
        Uint32Array,
      ),
      labels: joined(
        lists.map(({ labels }) => labels),
        Uint16Array,
      ),
      test: joined(
        lists.map(({ test }) => test),
        Uint8Array,
      ),
      ...(lists.some(({ sets }) => sets) && {
        sets: joined(
          lists.map((list) => setsOf(list, classes)),
          Uint8Array,
        ),
      }),
    },
    published: await publishedRoles(paths),
    categories: { ...(categories && { categories }), ...(no_categories !== undefined && { no_categories }) },
    async *pixels(images) {
      for (const path of paths) yield* readPixels(path, images);
    },
  };
}
