/**
 * Precision and recall of `duplicates` on planted copies: half as many copies as there are photos in a folder, each
 * changed in one way. Photos that are duplicates of each other already count against the precision.
 *
 * `node bench/run.mjs duplicates FOLDER [PHOTOS]`
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { random } from "../stages/shared/compute/random.ts";

const [folder, most = "2000"] = process.argv.slice(2);
if (!folder) throw new Error("node bench/run.mjs duplicates FOLDER [PHOTOS]: name a folder of photos");
/** Smaller photos are enlarged to it, as an image of 32 pixels has no room for a crop. */
const SIDE = 224;
const stream = random(1, "copies");

/** A crop of 80 % to 99 % of both sides, anywhere. */
async function crop(image: Sharp): Promise<Sharp> {
  const { width, height } = await image.metadata();
  const share = 0.8 + 0.19 * stream.float();
  const [w, h] = [Math.round(width * share), Math.round(height * share)];
  const place = { left: stream.int(width - w + 1), top: stream.int(height - h + 1) };
  return image.extract({ ...place, width: w, height: h });
}
const COPIES: Record<string, (image: Sharp) => Sharp | Promise<Sharp>> = {
  "JPEG of quality 60": (image) => image.jpeg({ quality: 60 }),
  "half the size": async (image) => image.resize(Math.round((await image.metadata()).width / 2)),
  mirrored: (image) => image.flop(),
  recoloured: (image) => image.modulate({ saturation: 0.6, brightness: 1.15, hue: 20 }),
  grey: (image) => image.grayscale(),
  cropped: crop,
};

const at = mkdtempSync(join(tmpdir(), "duplicates-"));
try {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(jpe?g|png|webp)$/i.test(file))
    .sort();
  const photos = stream.shuffle(files).slice(0, Number(most));
  const kinds = Object.keys(COPIES);
  const planted = new Map<string, { of: string; kind: string }>();
  for (const [i, photo] of photos.entries()) {
    const name = join(at, `${i}.png`);
    const image = sharp(join(folder, photo)).autoOrient();
    const { width, height } = await image.metadata();
    await image.resize(Math.max(width, height) < SIDE ? { width: SIDE, kernel: "cubic" } : {}).toFile(name);
    if (i % 2) continue;
    const kind = kinds[(i / 2) % kinds.length];
    const copy = join(at, `${i}-copy.${kind.startsWith("JPEG") ? "jpg" : "png"}`);
    await (await COPIES[kind](sharp(name))).toFile(copy);
    planted.set(copy, { of: name, kind });
  }
  const run = spawnSync(process.execPath, ["search/main.mjs", "duplicates", at, "--json"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  const groups = (JSON.parse(run.stdout) as { images: { image: string }[] }[]).map(({ images }) =>
    images.map(({ image }) => image),
  );
  const original = (image: string) => planted.get(image)?.of ?? image;
  const found = new Set<string>();
  let [right, pairs] = [0, 0];
  for (const group of groups)
    for (const [i, a] of group.entries())
      for (const b of group.slice(i + 1)) {
        pairs++;
        if (original(a) !== original(b)) continue;
        right++;
        found.add(planted.has(a) ? a : b);
      }
  console.log(`${photos.length} photos of ${basename(folder)}, ${planted.size} planted copies`);
  console.log(`pairs in one group that are of one photo: ${right} of ${pairs}`);
  for (const kind of kinds) {
    const own = [...planted].filter(([, one]) => one.kind === kind).map(([image]) => image);
    console.log(`${kind}: ${own.filter((image) => found.has(image)).length} of ${own.length}`);
  }
} finally {
  rmSync(at, { recursive: true, force: true });
}
