/** Small pictures for tests: a folder a class, a hue a class. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { random } from "../../stages/shared/compute/random.ts";

const SIDE = 32;

/** Writes `each` pictures of every class below `folder`; the classes differ by colour and grain. */
export async function drawPhotos(folder: string, classes: string[], each: number): Promise<void> {
  const draw = random(1, folder.split("/").at(-1)!);
  for (const [label, name] of classes.entries())
    for (let i = 0; i < each; i++) {
      const path = join(folder, name, `${i}.png`);
      mkdirSync(dirname(path), { recursive: true });
      const pixels = Buffer.from(
        Array.from({ length: SIDE * SIDE * 3 }, (_, at) => {
          const channel = at % 3;
          const on = (label >> channel) & 1 ? 190 : 40;
          return on + draw.int(40);
        }),
      );
      await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }).toFile(path);
    }
}
