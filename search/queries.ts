/** The queries of a search: images, folders of images, or an image on the standard input. */
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../runner/stage.ts";
import { size } from "../runner/text/index.ts";
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
}

/** Lets bytes through. @throws UserError beyond {@link MOST_BYTES} */
function limited(): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) done(null, chunk);
      else done(new UserError(`search: more than ${size(MOST_BYTES)} on the standard input. Name a file.`));
    },
  });
}

/**
 * Runs `work` on the queries that paths name; a copy of the standard input is there meanwhile.
 * @param input the standard input
 * @throws UserError for a path that names no image, or a standard input that is empty or too large
 */
export async function withQueries<T>(
  paths: string[],
  from: string,
  input: NodeJS.ReadableStream,
  work: (queries: Query[]) => Promise<T>,
): Promise<T> {
  const folder = paths.includes(STANDARD_INPUT) ? mkdtempSync(join(tmpdir(), "deephash-")) : undefined;
  try {
    if (folder) await pipeline(input, limited(), createWriteStream(join(folder, "image")));
    return await work(
      paths.flatMap((path) =>
        path === STANDARD_INPUT
          ? { name: path, path: join(folder!, "image") }
          : imageFiles(resolve(from, path)).map((file) => ({ name: file, path: file })),
      ),
    );
  } finally {
    if (folder) rmSync(folder, { recursive: true, force: true });
  }
}
