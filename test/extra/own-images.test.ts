/** A person's own images, from `init` to the search: on small pictures, with a small network for the backbone. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { random } from "../../stages/shared/compute/random.ts";
import { drawPhotos } from "../init/photos.ts";
import { copyProject } from "../project-copy.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { put, scratch } from "../stages/shared/scratch.ts";

const FILTERS = 16;
const CLASSES = ["amber", "birch", "clay", "dune", "elm", "fern", "grass", "hazel"];

/** A project with a small network for the backbone, and how its commands are run. */
function project() {
  const root = copyProject();
  const mirror = scratch();
  const draw = random(1, "network");
  const kernel = Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5);
  const { sha256 } = put(
    mirror,
    "tiny.onnx",
    tinyNetwork({ kernel, bias: new Float32Array(FILTERS), filters: FILTERS }),
  );
  const run = (script: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, VITEST: undefined, INIT_CWD: undefined },
    });
    expect(status, `${stdout}\n${stderr}`).toBe(0);
    return `${stdout}${stderr}`;
  };
  const sets = [
    ["backbone.backbone.file", "tiny.onnx"],
    ["backbone.backbone.sha256", sha256],
    ["download.dataset.size", "32"],
    ["extract.size", "32"],
    ["extract.device", "cpu"],
    ["vars.seeds", "[1]"],
    ["train-vectors.steps", "40"],
    ["train-codes.steps", "40"],
  ].flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const pipeline = (file: string) => run("runner/main.mjs", "--pipeline", file, "--mirror", mirror, ...sets);
  return { root, run, pipeline };
}

interface Found {
  nearest: { class: string; distance: number }[];
}

test("a folder of images becomes an index, a report and a working search", async () => {
  const { root, run, pipeline } = project();
  const photos = join(scratch(), "leaves");
  await drawPhotos(photos, CLASSES, 12);
  expect(run("runner/main.mjs", "init", photos, "--bits", "12")).toContain(
    "96 images in 8 classes, the smallest amber with 12.",
  );
  const said = pipeline("leaves.pipeline.yaml");
  expect(said).toContain("Published to reports/leaves/.");
  expect(said).toContain("Published to indexes/leaves/.");
  expect(readFileSync(join(root, "reports/leaves/report.md"), "utf8")).toContain("The images of leaves");
  expect(readFileSync(join(root, "reports/leaves/with-images/index.html"), "utf8")).toContain("data:image/");
  const found = run("search/main.mjs", "search", join(photos, "fern/3.png"), "--json", "--top", "5");
  const [{ nearest }] = JSON.parse(found) as Found[];
  expect(nearest[0].distance).toBe(0);
  expect(nearest.filter((one) => one.class === "fern").length).toBeGreaterThan(2);
  // The README's next line: another folder, by the model that was trained.
  run("search/main.mjs", "index", photos, "--like", "indexes/leaves");
  run("search/main.mjs", "search", join(photos, "fern/3.png"), "--index", "indexes/leaves-like-leaves");
});

test("a folder as people have them becomes the same, and all that is left out is told", async () => {
  const { root, run, pipeline } = project();
  const photos = join(scratch(), "My Photos: 2024 (it's)");
  const names = [
    "constructor",
    "__proto__",
    "a: {b} # <i>|",
    "line\nbreak",
    "-rf",
    "cafe\u0301",
    "\u{1f431}",
    "10",
  ];
  await drawPhotos(photos, names, 12);
  await drawPhotos(photos, ["tiny"], 3);
  await drawPhotos(join(photos, "../elsewhere"), ["z"], 6);
  const at = (path: string) => join(photos, path);
  const picture = readFileSync(at("10/0.png"));
  symlinkSync("../elsewhere/z", at("linked"));
  for (const [path, to] of [
    ["again", "10"],
    ["10/up", ".."],
    ["10/dead.jpg", "nowhere"],
  ])
    symlinkSync(to, at(path));
  for (const folder of ["hollow", "heic", ".hidden", "__MACOSX", "10/deep/er"])
    mkdirSync(at(folder), { recursive: true });
  for (const path of [
    "10/deep/er/1.png",
    ".hidden/1.png",
    "__MACOSX/1.png",
    "10/._1.png",
    "top.png",
    "10/copy.jpg",
  ])
    writeFileSync(at(path), picture);
  for (const path of ["heic/1.HEIC", "10/notes.txt", "10/empty.png", "10/text.jpg"])
    writeFileSync(at(path), path.slice(8));
  const jpeg = await sharp(picture).jpeg().toBuffer();
  writeFileSync(at("10/cut.jpg"), jpeg.subarray(0, jpeg.length - 30));
  writeFileSync(at("10/long.jpg"), Buffer.concat([jpeg, Buffer.from("SEFT of a phone")]));
  await sharp({
    create: { width: 17_000, height: 17_000, channels: 3, background: "red" },
    limitInputPixels: false,
  })
    .png()
    .toFile(at("10/huge.png"));
  await sharp({ create: { width: 1, height: 1, channels: 3, background: "red" } }).toFile(at("10/small.gif"));

  const told = run("runner/main.mjs", "init", photos, "--bits", "12");
  const lines = told.split("\n");
  expect(lines[0]).toBe("113 images in 10 classes, the smallest tiny with 3.");
  expect(lines.filter((line) => line.startsWith("! "))).toEqual([
    "! 1 class has fewer than 4 images, which are searched, but do not query: tiny.",
    "! 2 files are no images by the ending: 1 .heic, 1 .txt. HEIC cannot be decoded here: convert it to JPEG (heif-convert IN.heic OUT.jpg).",
    "! 2 folders hold no image and are no classes: heic, hollow.",
    "! 3 entries are passed over: 10/dead.jpg (a link to nothing, or a name that is no UTF-8), 10/up (the same folder as the one given), again (the same folder as 10).",
    "! 1 image is beside the class folders and has no class: top.png.",
  ]);
  const said = pipeline("My-Photos-2024-it-s.pipeline.yaml");
  expect(said).toContain("4 of 113 images are unreadable and left out: 10/cut.jpg (");
  expect(said).toContain("Published to indexes/My-Photos-2024-it-s/.");
  expect(said).not.toContain("line\nbreak");
  const report = readFileSync(join(root, "reports/My-Photos-2024-it-s/report.md"), "utf8");
  for (const name of ["constructor", "__proto__", "caf\u00e9"]) expect(report).toContain(name);
  const found = run("search/main.mjs", "search", at("-rf/3.png"), "--json", "--top", "3");
  expect((JSON.parse(found) as Found[])[0].nearest[0]).toMatchObject({ class: "-rf", distance: 0 });
});
