/**
 * Search: indexes of images on disk, made and changed as by `deephash index`, and searched; features of a pretrained backbone; the encoder of an
 * index as an ONNX model.
 *
 * @example
 * await buildIndex(["photos"], { out: "indexes/photos", backbone: "mobilenetv2-zoo" });
 * await addToIndex("indexes/photos", ["scans"]);
 * console.log(await updateIndex("indexes/photos")); // { new: 3, changed: 0, moved: 0, gone: 1, images: 1200, failed: 0 }
 *
 * @example
 * const index = await openIndex("indexes/photos");
 * const encoder = await Encoder.open(index.files, index.recipe, 4);
 * const pixels = await readImage("one.jpg", index.recipe.image);
 * const outputs = await encoder.outputs(pixels, 1);
 * const hits = new Nearest(index).find(outputs, contentOf(pixels), { top: 10 });
 * console.log(hits.map(({ row, distance }) => [fileOf(index, row), distance]));
 *
 * @example
 * const { mean, std, size } = resnet18;
 * const recipe = { backbone: { name: "resnet18", mean, std }, image: { height: size, width: size, channels: 3 }, views: [{ size, flip: false }] };
 * const features = await Features.open(recipe, "resnet18-v1-7.onnx", 4);
 * const vectors = await features.of(await readImage("one.jpg", recipe.image), 1);
 * @module
 */

export { BATCH, type Encoded, Encoder, Features } from "../search/encoder.ts";
export { type Exported, exportEncoder } from "../search/export/onnx/export.ts";
export { type Hit, Nearest, type Order, type Wanted } from "../search/nearest.ts";
export { fileOf, type Index, openIndex } from "../search/opened.ts";
export { readImage } from "../search/photos.ts";
export type { Backbone } from "../stages/shared/backbone.ts";
export { default as mobilenetv2 } from "../stages/shared/backbones/mobilenetv2.ts";
export { default as mobilenetv2Zoo } from "../stages/shared/backbones/mobilenetv2-zoo.ts";
export { default as resnet18 } from "../stages/shared/backbones/resnet18.ts";
export { default as resnet34 } from "../stages/shared/backbones/resnet34.ts";
export { default as resnet50 } from "../stages/shared/backbones/resnet50.ts";
export { default as resnet101 } from "../stages/shared/backbones/resnet101.ts";
export { default as vgg16 } from "../stages/shared/backbones/vgg16.ts";
export { default as vgg19 } from "../stages/shared/backbones/vgg19.ts";
export { contentOf, type Recipe, readRecipe, type View } from "../stages/shared/search-index.ts";
export {
  addToIndex,
  type BuildOptions,
  type Built,
  buildIndex,
  type Changed,
  removeFromIndex,
  updateIndex,
} from "./indexes.ts";
