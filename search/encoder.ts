/** Images to codes, as the pipeline made those of the index: views, backbone, head, projection, signs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as layers from "@tensorflow/tfjs-layers";
import { UserError } from "../runner/stage.ts";
import { narrow, widen } from "../stages/shared/artifacts/half.ts";
import { embedRows, type Head, loadHead } from "../stages/shared/artifacts/head.ts";
import { type Projection, project, readProjection } from "../stages/shared/artifacts/projection.ts";
import { startBackend } from "../stages/shared/compute/backend.ts";
import { type Network, openNetwork, prepareModel } from "../stages/shared/inference/network.ts";
import { Resizer } from "../stages/shared/pixels/resize.ts";
import { FILES, type IndexFiles, type Recipe } from "../stages/shared/search-index.ts";

/** Images that go through the backbone at once. */
export const BATCH = 16;

/** Features of images: the mean over a recipe's views. */
export class Features {
  private readonly recipe: Pick<Recipe, "image" | "views">;
  private readonly network: Network;
  private readonly resizers: Resizer[];

  private constructor(recipe: Pick<Recipe, "backbone" | "image" | "views">, network: Network) {
    this.recipe = recipe;
    this.network = network;
    this.resizers = recipe.views.map(
      ({ size }) => new Resizer(recipe.image, size, recipe.backbone, BATCH, 2),
    );
  }

  /** @param model the backbone's file; @param threads of the CPU */
  static async open(
    recipe: Pick<Recipe, "backbone" | "image" | "views">,
    model: string,
    threads: number,
  ): Promise<Features> {
    const { name, features, pooling } = recipe.backbone;
    const scratch = mkdtempSync(join(tmpdir(), "deephash-"));
    try {
      const prepared = prepareModel(model, name, features, scratch);
      return new Features(recipe, await openNetwork(prepared, "cpu", threads, pooling));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  /**
   * Rounded to float16 after each view and after their mean, as the stages extract and join keep them: else a value
   * near 0 could give another bit.
   * @param pixels `[count, height, width, channels]`, at most {@link BATCH} images
   * @returns `[count, dim]`
   */
  async of(pixels: Uint8Array, count: number): Promise<Float32Array> {
    let sum: Float32Array | undefined;
    for (const [index, { size, flip }] of this.recipe.views.entries()) {
      const seen: Float32Array[] = [];
      for (const mirrored of flip ? [false, true] : [false]) {
        const images = this.resizers[index].fill(Number(mirrored), pixels, count, mirrored);
        seen.push(await this.network.infer(images, count, size));
      }
      const view = seen.length > 1 ? seen[0].map((value, i) => (value + seen[1][i]) / 2) : seen[0];
      const rounded = widen(narrow(view));
      sum = sum ? sum.map((value, i) => value + rounded[i]) : rounded;
    }
    const { views } = this.recipe;
    return views.length > 1 ? widen(narrow(sum!.map((value) => value / views.length))) : sum!;
  }

  close(): Promise<void> {
    return this.network.close();
  }
}

/** The output of an encoder. */
export interface Encoded {
  /** `[count, dim]`, what the head makes of the features; without a head, these. */
  embeddings: Float32Array;
  /** `[count, bits]`, the real values whose signs are the codes. */
  outputs: Float32Array;
}

/** Encodes images as those of an index were. */
export class Encoder {
  private readonly features: Features;
  readonly head?: { model: layers.LayersModel; head: Head };
  readonly projection: Projection;

  private constructor(
    features: Features,
    projection: Projection,
    head?: { model: layers.LayersModel; head: Head },
  ) {
    this.features = features;
    this.projection = projection;
    this.head = head;
  }

  /** @param files of the index. @throws UserError when one is not what it was, or they do not belong together */
  static async open(files: IndexFiles, recipe: Recipe, threads: number): Promise<Encoder> {
    await startBackend("wasm");
    const path = await files.path(FILES.projection);
    const projection = readProjection(path);
    const { bits, dim, weights, offset } = projection;
    if (weights.length !== bits * dim || !weights.every(Number.isFinite) || !offset.every(Number.isFinite))
      throw new UserError(`${path}: weights are missing or not finite. Make the index again.`);
    const head = recipe.head ? await loadHead(await files.head()) : undefined;
    if (bits !== recipe.bits || (head && head.head.dim !== dim))
      throw new UserError(
        `${path}: its head, projection and codes are of different models. Make the index again.`,
      );
    const features = await Features.open(recipe, await files.path(FILES.backbone), threads);
    return new Encoder(features, projection, head);
  }

  /**
   * Encodes images.
   * @param pixels `[count, height, width, channels]`, at most {@link BATCH} images
   * @throws UserError when the backbone's features do not fit the head
   */
  async encode(pixels: Uint8Array, count: number): Promise<Encoded> {
    const { head, projection } = this;
    const features = await this.features.of(pixels, count);
    const dim = features.length / count;
    const wanted = head ? head.head.input[0] : projection.dim;
    if (dim !== wanted)
      throw new UserError(
        `the backbone gives ${dim} values an image, but the index was made of ${wanted}. Make the index again.`,
      );
    const rows = Uint32Array.from({ length: count }, (_, row) => row);
    const embeddings = head
      ? await embedRows(head.model, head.head, { shape: [dim], take: () => features }, rows)
      : features;
    return { embeddings, outputs: project(projection, embeddings) };
  }

  /** The real values whose signs are the codes, `[count, bits]`; see {@link encode}. */
  async outputs(pixels: Uint8Array, count: number): Promise<Float32Array> {
    return (await this.encode(pixels, count)).outputs;
  }

  close(): Promise<void> {
    return this.features.close();
  }
}
