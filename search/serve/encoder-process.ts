/**
 * The process that decodes and encodes for the server. An image from outside may be made to crash a decoder or to use up
 * its memory: then this process ends, and the server starts another.
 */
import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import sharp from "sharp";
import { UserError } from "../../runner/stage.ts";
import { contentOf, IndexFiles, type Recipe, readRecipe } from "../../stages/shared/search-index.ts";
import { onlyPhotos } from "../decoders.ts";
import { BATCH, Encoder } from "../encoder.ts";
import { readImage } from "../photos.ts";
import { LIMITS } from "./limits.ts";

/** A request of the server: encode the image in a file. */
export interface Question {
  id: number;
  path: string;
}

/** A message to the server; the first one reports that the encoder is open. */
export type Answer =
  | { kind: "ready"; encoder: string }
  | { kind: "failed"; fault: string }
  | { kind: "encoded"; id: number; outputs: Float32Array; content: Uint8Array }
  | { kind: "refused"; id: number; status: number; fault: string };

/** Images that are decoded at the same time: each may take 4 bytes a pixel. */
const DECODED_AT_ONCE = 2;

/** Tells the server; that it is gone is noticed elsewhere. */
const send = (answer: Answer) => process.send?.(answer, undefined, {}, () => {});

/** @throws UserError with the reason */
async function checkSize(path: string): Promise<void> {
  const { width, height } = await sharp(path, { limitInputPixels: false }).metadata();
  if (width * height > LIMITS.imagePixels)
    throw new UserError(
      `${width} x ${height} pixels: an image may have ${LIMITS.imagePixels / 1e6} million pixels.`,
    );
}

/** Takes questions until the server is gone. @param folder of the index @returns the exit code */
export async function runEncoder(folder: string): Promise<number> {
  if (!process.send) throw new UserError("encode-for-server: a part of npx deephash serve. Start that.");
  const gone = new Promise<void>((resolve) => process.once("disconnect", resolve));
  // Ctrl-C reaches this process, too: it is the server that ends it, when its requests are answered.
  process.on("SIGINT", () => {});
  onlyPhotos();
  sharp.cache(false);
  let recipe: Recipe;
  let encoder: Encoder;
  try {
    recipe = readRecipe(folder);
    encoder = await Encoder.open(new IndexFiles(folder, recipe), recipe, availableParallelism());
  } catch (error) {
    send({ kind: "failed", fault: (error as Error).message });
    return 2;
  }
  const bytes = recipe.image.height * recipe.image.width * recipe.image.channels;
  const decoded: { id: number; pixels: Uint8Array }[] = [];
  let isEncoding = false;

  const encodeAll = async () => {
    if (isEncoding) return;
    isEncoding = true;
    for (let group = decoded.splice(0, BATCH); group.length > 0; group = decoded.splice(0, BATCH)) {
      const pixels = new Uint8Array(group.length * bytes);
      for (const [i, one] of group.entries()) pixels.set(one.pixels, i * bytes);
      const outputs = await encoder.outputs(pixels, group.length);
      for (const [i, { id, pixels }] of group.entries()) {
        const own = outputs.slice(i * recipe.bits, (i + 1) * recipe.bits);
        send({ kind: "encoded", id, outputs: own, content: contentOf(pixels) });
      }
    }
    isEncoding = false;
  };
  const limit = pLimit(DECODED_AT_ONCE);
  process.on("message", ({ id, path }: Question) =>
    limit(async () => {
      try {
        await checkSize(path).catch((error: Error) => {
          if (error instanceof UserError) throw error; // else readImage says what it is
        });
        decoded.push({ id, pixels: await readImage(path, recipe.image, "the body") });
      } catch (error) {
        send({ kind: "refused", id, status: 422, fault: (error as Error).message });
        return;
      }
      void encodeAll();
    }),
  );
  send({ kind: "ready", encoder: recipe.encoder });
  await gone;
  return 0;
}
