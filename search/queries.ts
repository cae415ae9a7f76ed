/** The queries of a search: images, folders of images, or an image on the standard input. */
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "../runner/stage.ts";
import { shownAddress } from "../stages/shared/download/addresses.ts";
import { addressOf, fetchImage } from "./address.ts";
import { onlyPhotos } from "./decoders.ts";
import { limited } from "./limited.ts";
import { imageFiles } from "./photos.ts";

/** The word for the standard input. */
export const STANDARD_INPUT = "-";
/** No photo on the standard input is larger. */
const MOST_BYTES = 256 << 20;

/** An image to search by. */
export interface Query {
  /** Its name: its path, or {@link STANDARD_INPUT}. */
  name: string;
  path: string;
  /** Puts the image there. @throws UserError when it cannot be had */
  fetch?: () => Promise<void>;
}

/** Where queries come from. */
export interface Sources {
  /** Images, folders, or {@link STANDARD_INPUT}. */
  paths: string[];
  /** Addresses of images on the web. */
  urls?: string[];
  /** Whether these may be in private networks. */
  allowPrivate?: boolean;
}

/** Queries at addresses; each is read when it is its turn. @throws UserError for a text that is no address */
function queriesAt(urls: string[], folder: string, allowPrivate: boolean | undefined): Query[] {
  return urls.map(addressOf).map((url, at) => {
    const path = join(folder, `url-${at}`);
    return {
      name: shownAddress(url),
      path,
      fetch: () => fetchImage(url, path, allowPrivate ? { allows: () => true } : {}),
    };
  });
}

/**
 * Runs `work` on the queries that a person names; copies of the standard input and of images on the web are there
 * meanwhile.
 * @param input the standard input
 * @throws UserError for a path that names no image, an invalid address, or a standard input that is empty or too large
 */
export async function withQueries<T>(
  { paths, urls = [], allowPrivate }: Sources,
  from: string,
  input: NodeJS.ReadableStream,
  work: (queries: Query[]) => Promise<T>,
): Promise<T> {
  if (paths.length + urls.length === 0)
    throw new UserError(
      "search: name an image, a folder of images, - for the standard input, or --url ADDRESS.",
    );
  const address = paths.find((path) => /^https?:\/\//.test(path));
  if (address !== undefined)
    throw new UserError(
      `search: ${shownAddress(address)}: an image on the web is read only when asked for: --url ADDRESS.`,
    );
  const folder = mkdtempSync(join(tmpdir(), "deephash-"));
  try {
    if (paths.includes(STANDARD_INPUT))
      await pipeline(
        input,
        limited(MOST_BYTES, "search: the standard input is larger than"),
        createWriteStream(join(folder, "image")),
      ).catch((error: Error) => {
        throw new UserError(`${error.message}. Name a file.`);
      });
    const own = paths.flatMap((path): Query[] =>
      path === STANDARD_INPUT
        ? [{ name: path, path: join(folder, "image") }]
        : imageFiles(resolve(from, path)).map((file) => ({ name: file, path: file })),
    );
    if (urls.length > 0) onlyPhotos();
    return await work([...own, ...queriesAt(urls, folder, allowPrivate)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
