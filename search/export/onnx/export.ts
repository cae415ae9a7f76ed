/** The encoder of an index as the bytes of an ONNX file, held against the encoder itself. */
import { availableParallelism } from "node:os";
import { encodeModel, readModel } from "../../../stages/shared/onnx/model.ts";
import { FILES } from "../../../stages/shared/search-index.ts";
import { Encoder } from "../../encoder.ts";
import type { Index } from "../../opened.ts";
import { compare, type Difference } from "./compare.ts";
import { encoderModel, type InputForm } from "./encoder.ts";

/**
 * The most that a value of an embedding at length 1 may differ: a step of float16, to which features are rounded. Where
 * one is near the middle of two steps, another order of additions takes the other.
 */
const TOLERANCE = 2 ** -10;

export interface Exported {
  bytes: Uint8Array;
  difference: Difference;
}

/**
 * Makes the file.
 * @param count of images that it is compared on
 * @throws UserError for a backbone or head that cannot be written; Error when the file gives other embeddings
 */
export async function exportEncoder(index: Index, form: InputForm, count: number): Promise<Exported> {
  const { files, recipe } = index;
  const encoder = await Encoder.open(files, recipe, availableParallelism());
  try {
    const path = await files.path(FILES.backbone);
    const { head, projection } = encoder;
    const bytes = encodeModel(
      await encoderModel({ recipe, backbone: readModel(path), path, head, projection }, form),
    );
    const difference = await compare(bytes, form, index, encoder, count);
    if (!(difference.embedding <= TOLERANCE))
      throw new Error(
        `export: the ONNX model gives embeddings that differ by ${difference.embedding.toPrecision(2)}, more than a step of float16. It was not written.`,
      );
    return { bytes, difference };
  } finally {
    await encoder.close();
  }
}
