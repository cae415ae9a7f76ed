/** A trained head on disk: a folder with the model in the layers format of tfjs and head.json. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { UserError } from "../../../runner/stage.ts";
import { encodeModel, type Model } from "../onnx/model.ts";
import type { Resampling } from "../pixels/shape.ts";
import type { Recipe } from "../runs/recipe.ts";
import type { Examples } from "./examples.ts";
import { renumbered } from "./layer-names.ts";
import { checkJson, readJson } from "./schema.ts";

/** The recipe of a head, and how it is used. */
export interface Head {
  network: string;
  loss: string;
  selector: string | null;
  /** All params of the training; an older head has none. */
  made?: Recipe;
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
  /** Where a backbone trained: the model is then `model.onnx`, from the images to the embedding. */
  backbone?: TunedBackbone;
}

/** A backbone that trained, and how images enter it. */
export interface TunedBackbone {
  name: string;
  /** The tensor that training started from; `input`: the images. */
  from: string;
  /** Side of the square images; each channel enters as (byte / 255 - mean) / std. */
  size: number;
  mean: [number, number, number];
  std: [number, number, number];
  /** Default bilinear. */
  resampling?: Resampling;
}

/** The ONNX file of a trained backbone with its head, in the folder of a head. */
export const TUNED = "model.onnx";

/** Writes `model.onnx` and `head.json` into a folder. */
export function saveTuned(folder: string, model: Model, head: Head): void {
  checkJson(head, "head", join(folder, "head.json"));
  writeFileSync(join(folder, TUNED), encodeModel(model));
  writeFileSync(join(folder, "head.json"), `${JSON.stringify(head, null, 2)}\n`);
}

/** Reads what made a head. */
export const readHead = (folder: string): Head => readJson<Head>(join(folder, "head.json"), "head");

/** Writes `model.json`, `weights.bin` and `head.json` into a folder. */
export async function saveHead(folder: string, model: layers.LayersModel, head: Head): Promise<void> {
  checkJson(head, "head", join(folder, "head.json"));
  await model.save({
    async save({ modelTopology, weightSpecs, weightData }) {
      const names = renumbered(
        modelTopology as object,
        weightSpecs!.map(({ name }) => name),
      );
      const specs = weightSpecs!.map((spec, index) => ({ ...spec, name: names.weights[index] }));
      const weights = { paths: ["weights.bin"], weights: specs };
      writeFileSync(
        join(folder, "model.json"),
        JSON.stringify({
          format: "layers-model",
          generatedBy: "DeepHash",
          convertedBy: null,
          modelTopology: names.topology,
          weightsManifest: [weights],
        }),
      );
      writeFileSync(join(folder, "weights.bin"), Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
  writeFileSync(join(folder, "head.json"), `${JSON.stringify(head, null, 2)}\n`);
}

/** Reads a head. @throws UserError when a file is missing or truncated */
export async function loadHead(folder: string): Promise<{ model: layers.LayersModel; head: Head }> {
  const head = readHead(folder);
  if (head.backbone)
    throw new UserError(
      `${folder}: holds the whole network ${head.backbone.name}, which trained, where a head on its features is expected.`,
    );
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
  // Under the root, so that the gradient of a row of zeros is 0 and no NaN.
  return tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-12))) as tf.Tensor2D;
}

/** Rows that are tensors at once. */
const BLOCK = 500;

/** Of them, images that go through the network at once: convolutions take much memory. */
const IMAGES = 32;

/**
 * Embeds rows of examples, block by block.
 * @returns `[rows, dim]`
 */
export async function embedRows(
  model: layers.LayersModel,
  head: Pick<Head, "dim" | "normalise">,
  examples: Pick<Examples, "shape" | "take">,
  rows: Uint32Array,
  onProgress: (done: number) => void = () => {},
): Promise<Float32Array> {
  const out = new Float32Array(rows.length * head.dim);
  // For each batch of less than a block, tfjs copies the whole block out of the WebAssembly heap.
  const batchSize = examples.shape.length === 1 ? BLOCK : IMAGES;
  for (let start = 0; start < rows.length; start += BLOCK) {
    const block = rows.subarray(start, start + BLOCK);
    const embeddings = tf.tidy(() => {
      const y = model.predict(tf.tensor(examples.take(block), [block.length, ...examples.shape]), {
        batchSize,
      }) as tf.Tensor2D;
      return head.normalise ? normaliseRows(y) : y;
    });
    out.set((await embeddings.data()) as Float32Array, start * head.dim);
    embeddings.dispose();
    onProgress(start + block.length);
  }
  return out;
}
