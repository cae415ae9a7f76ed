/** Gzipped files, unpacked up to the size that their format allows: a small file may unpack to any size. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { UserError } from "../../runner/stage.ts";

/**
 * The content of a gzipped file, chunk by chunk.
 * @param kind of the file, as `.tar.gz`
 * @param most bytes that may come; asked again after each chunk
 * @throws UserError when it is truncated, no gzip, or unpacks to more
 */
export async function* unpacked(path: string, kind: string, most: () => number): AsyncGenerator<Buffer> {
  const chunks: AsyncIterable<Buffer> = pipeline(createReadStream(path), createGunzip(), () => {});
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      yield chunk;
      bytes += chunk.length;
      if (bytes > most())
        throw new UserError(`${path}: unpacks to more than ${most()} bytes, the size of its content.`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: truncated or no ${kind} (${(error as Error).message}). Fetch it again.`);
  }
}
