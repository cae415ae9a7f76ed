/** A trained head on disk: a folder with the model in the layers format of tfjs and head.json. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { UserError } from "../../runner/stage.ts";
import { checkJson, readJson } from "./artifacts.ts";

/** What made a head, and how it is used. */
export interface Head {
  network: string;
  loss: string;
  selector: string | null;
  /** Shape of one input. */
  input: number[];
  /** Length of an embedding. */
  dim: number;
  /** Whether embeddings are brought to length 1. */
  normalise: boolean;
  /** The step whose weights were kept, and its validation mAP. */
  step: number;
  validation_map: number;
  classes: string[];
}

/** Writes `model.json`, `weights.bin` and `head.json` into a folder. */
export async function saveHead(folder: string, model: layers.LayersModel, head: Head): Promise<void> {
  checkJson(head, "head", join(folder, "head.json"));
  await model.save({
    async save({ modelTopology, weightSpecs, weightData }) {
      const weights = { paths: ["weights.bin"], weights: weightSpecs! };
      writeFileSync(
        join(folder, "model.json"),
        JSON.stringify({
          format: "layers-model",
          generatedBy: "DeepHash",
          convertedBy: null,
          modelTopology,
          weightsManifest: [weights],
        }),
      );
      writeFileSync(join(folder, "weights.bin"), Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
  writeFileSync(join(folder, "head.json"), `${JSON.stringify(head, null, 2)}\n`);
}

/** Reads a head. @throws UserError when a file is missing or broken off */
export async function loadHead(folder: string): Promise<{ model: layers.LayersModel; head: Head }> {
  const head = readJson<Head>(join(folder, "head.json"), "head");
  try {
    const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
    const bytes = readFileSync(join(folder, "weights.bin"));
    const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const model = await layers.loadLayersModel({
      load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
    });
    return { model, head };
  } catch (error) {
    throw new UserError(`${folder}: not a whole model (${(error as Error).message}). Train it again.`);
  }
}

/** Every row of x at length 1; a row of zeros stays. */
export function normaliseRows(x: tf.Tensor2D): tf.Tensor2D {
  const lengths = tf.sqrt(tf.sum(tf.square(x), 1, true));
  return tf.div(x, tf.maximum(lengths, 1e-12)) as tf.Tensor2D;
}

/**
 * Embeds rows of `values` in blocks.
 * @param values `[rows, ...input]`
 * @returns `[rows, dim]`
 */
export function embedRows(
  model: layers.LayersModel,
  head: Pick<Head, "input" | "dim" | "normalise">,
  values: Float32Array,
  rows: ArrayLike<number>,
  onProgress: (done: number) => void = () => {},
): Float32Array {
  const BLOCK = 500;
  const width = head.input.reduce((product, side) => product * side, 1);
  const out = new Float32Array(rows.length * head.dim);
  for (let start = 0; start < rows.length; start += BLOCK) {
    const count = Math.min(BLOCK, rows.length - start);
    const block = new Float32Array(count * width);
    for (let i = 0; i < count; i++) {
      const row = rows[start + i];
      block.set(values.subarray(row * width, (row + 1) * width), i * width);
    }
    const result = tf.tidy(() => {
      const y = model.predict(tf.tensor(block, [count, ...head.input])) as tf.Tensor2D;
      return head.normalise ? normaliseRows(y) : y;
    });
    out.set(result.dataSync() as Float32Array, start * head.dim);
    result.dispose();
    onProgress(start + count);
  }
  return out;
}
