// Your own images: from a folder to a pipeline that trains on them. Without a folder, some squares are drawn:
//   node examples/own-images.mjs [FOLDER]
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";

/** Eight folders of twelve squares, a colour a class. */
async function drawSquares() {
  const folder = join(mkdtempSync(join(tmpdir(), "deephash-squares-")), "squares");
  for (let label = 0; label < 8; label++) {
    mkdirSync(join(folder, `colour-${label}`), { recursive: true });
    for (let i = 0; i < 12; i++) {
      const [r, g, b] = [1, 2, 4].map((bit) => (label & bit ? 180 : 40) + 5 * i);
      const square = sharp({ create: { width: 64, height: 64, channels: 3, background: { r, g, b } } });
      await square.png().toFile(join(folder, `colour-${label}`, `${i}.png`));
    }
  }
  return folder;
}

const folder = process.argv[2] ?? (await drawSquares());
const file = join(mkdtempSync(join(tmpdir(), "deephash-own-")), "own.pipeline.yaml");
const options = ["--name", "own-images", "--out", file];
const said = execFileSync(process.execPath, ["runner/main.mjs", "init", folder, ...options], {
  encoding: "utf8",
});
console.log(said.trimEnd());
