/** The files of a page that searches by itself: the command writes them, and the browser reads them. */
import type { Shape } from "../../stages/shared/download/decode.ts";

/** Files of the folder, by their paths below it. */
export const FILES = {
  page: "index.html",
  style: "page.css",
  icon: "icon.svg",
  script: "page.js",
  worker: "worker.js",
  /** Of onnxruntime-web. */
  runtime: "ort-wasm-simd-threaded.wasm",
  encoder: "encoder.onnx",
  about: "data/about.json",
  /** `[rows, bytesOf(bits)]` */
  codes: "data/codes.bin",
  /** `[rows, bits]` float16 */
  outputs: "data/outputs.bin",
  /** `[rows, CONTENT_BYTES]` */
  contents: "data/contents.bin",
  /** `[rows]` uint16 */
  labels: "data/labels.bin",
};

/** about.json. */
export interface About {
  /** The name of the index. */
  index: string;
  bits: number;
  classes: string[];
  /** The shape of images before they are encoded. */
  image: Shape;
  /** The names of the images, in the order of the index. */
  names: string[];
}

/** Thumbnails of one folder: a folder of a million files is slow to list and to copy. */
const IN_A_FOLDER = 1000;

/** Path of the thumbnail of a row. */
export const thumbnailOf = (row: number): string => `thumbnails/${Math.floor(row / IN_A_FOLDER)}/${row}.webp`;
