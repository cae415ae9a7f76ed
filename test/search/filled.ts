/** The files of an index without a network: enough for who moves and checks them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seal, UNSEALED } from "../../stages/shared/search-index.ts";

/** @param images said to be in it, by which one index is told from another */
export async function fillIndex(folder: string, root: string, images: number): Promise<void> {
  const data = join(folder, UNSEALED);
  mkdirSync(join(data, "model"), { recursive: true });
  for (const file of [
    "projection.arrow",
    "codes.arrow",
    "outputs.arrow",
    "contents.bin",
    "names.json",
    "photos.arrow",
  ])
    writeFileSync(join(data, file), `${file} of ${images}`);
  writeFileSync(join(data, "backbone.onnx"), "the same in each");
  for (const file of ["head.json", "model.json", "weights.bin"])
    writeFileSync(join(data, "model", file), file);
  await seal(folder, {
    backbone: { name: "tiny", mean: [0, 0, 0], std: [1, 1, 1] },
    views: [{ size: 32, flip: false }],
    image: { height: 32, width: 32, channels: 3 },
    head: true,
    bits: 8,
    classes: ["a"],
    images,
    roots: [{ path: root }],
  });
}
