/** A person's own images, from `init` to the search: on small pictures, with a small network for the backbone. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { random } from "../../stages/shared/random.ts";
import { drawPhotos } from "../init/photos.ts";
import { copyProject } from "../project-copy.ts";
import { tinyNetwork } from "../stages/extract/onnx-model.ts";
import { put, scratch } from "../stages/shared/scratch.ts";

const FILTERS = 16;
const CLASSES = ["amber", "birch", "clay", "dune", "elm", "fern", "grass", "hazel"];

test("a folder of images becomes an index, a report and a working search", async () => {
  const root = copyProject();
  const mirror = scratch();
  const photos = join(scratch(), "leaves");
  await drawPhotos(photos, CLASSES, 12);
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
    return stdout;
  };
  expect(run("runner/main.mjs", "init", photos, "--bits", "12")).toContain(
    "96 images in 8 classes, the smallest amber with 12.",
  );
  const sets = [
    ["backbone.backbone.file", "tiny.onnx"],
    ["backbone.backbone.sha256", sha256],
    ["download.dataset.size", "32"],
    ["extract.size", "32"],
    ["extract.device", "cpu"],
    ["vars.seeds", "[1]"],
    ["train.steps", "40"],
    ["train-codes.steps", "40"],
  ].flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const said = run("runner/main.mjs", "--pipeline", "leaves.pipeline.yaml", "--mirror", mirror, ...sets);
  expect(said).toContain("Published to reports/leaves/.");
  expect(said).toContain("Published to indexes/leaves/.");
  expect(readFileSync(join(root, "reports/leaves/report.md"), "utf8")).toContain("The images of leaves");
  expect(readFileSync(join(root, "reports/leaves/with-images/index.html"), "utf8")).toContain("data:image/");
  const found = run("search/main.mjs", "search", join(photos, "fern/3.png"), "--json", "--top", "5");
  const [{ nearest }] = JSON.parse(found) as { nearest: { class: string; distance: number }[] }[];
  expect(nearest[0].distance).toBe(0);
  expect(nearest.filter((one) => one.class === "fern").length).toBeGreaterThan(2);
});
