/**
 * The networks of the ONNX Model Zoo at full size, with random weights, through the stage extract: which tensor is
 * taken for the features, its dim, images a second, and peak memory (each network in a process of its own).
 *
 *     node bench/run.mjs backbones [--network vgg16|resnet50] [--count 24]
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Backbone } from "../stages/shared/backbone.ts";
import resnet50 from "../stages/shared/backbones/resnet50.ts";
import vgg16 from "../stages/shared/backbones/vgg16.ts";
import { extract, peakMegabytes, scratch, someImages } from "./extraction.ts";
import { writeResNet, writeVgg16 } from "./networks.ts";

const NETWORKS: Record<string, { part: Backbone; dim: number; write(path: string): void }> = {
  vgg16: { part: vgg16, dim: 4096, write: writeVgg16 },
  resnet50: { part: resnet50, dim: 2048, write: (path) => writeResNet(path, [3, 4, 6, 3], true) },
};

const { values: given } = parseArgs({
  options: { network: { type: "string" }, count: { type: "string", default: "24" } },
});
if (given.network === undefined) {
  for (const name of Object.keys(NETWORKS)) {
    const again = [resolve("bench/run.mjs"), "backbones", "--network", name, "--count", given.count];
    const { status } = spawnSync(process.execPath, again, { stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
} else {
  const network = NETWORKS[given.network];
  if (!network) throw new Error(`--network: there are ${Object.keys(NETWORKS).join(", ")}.`);
  const folder = scratch();
  const model = join(folder, "model.onnx");
  network.write(model);
  const images = await someImages(undefined, Number(given.count), join(folder, "images.arrow"));
  const before = peakMegabytes();
  const { part, dim } = network;
  const run = { images, model, backbone: { name: given.network, part }, size: part.size, batch: 8 };
  const made = await extract({ ...run, threads: availableParallelism() }, folder);
  console.log(
    `${given.network.padEnd(9)} ${Math.round(statSync(model).size / 1e6)} MB, ${made.rows} images of ${part.size} px: ` +
      `features "${made.tensor}", dim ${made.dim}${made.dim === dim ? "" : ` (WRONG: ${dim})`}, ` +
      `${made.imagesPerSecond.toFixed(1)} images/s, peak memory ${peakMegabytes()} MB (${before} MB before)`,
  );
  if (made.dim !== dim) process.exitCode = 1;
}
