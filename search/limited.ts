/** A stream that ends when it gets too long. */
import { Transform } from "node:stream";
import { size } from "../runner/text/index.ts";

/** Lets so many bytes through. @throws Error `WORDS 32.0 MB` beyond them */
export function limited(most: number, words: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes <= most) done(null, chunk);
      else done(new Error(`${words} ${size(most)}`));
    },
  });
}
