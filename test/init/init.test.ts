/** `init`: numbers that fit a folder's images, a pipeline that the runner takes, one line on what cannot be. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { init } from "../../init/init.ts";
import { plan } from "../../init/plan.ts";
import { expand } from "../../runner/expand.ts";
import { load } from "../../runner/load.ts";
import { UserError } from "../../runner/stage.ts";
import { scratch } from "../stages/shared/scratch.ts";

const folder = scratch();
const root = resolve(".");
const counts = (each: Record<string, number>) => new Map(Object.entries(each));
const none = new Map<string, number>();

/** Empty files by the names of images: init counts them, and reads none. */
function files(name: string, each: Record<string, number>): string {
  for (const [below, count] of Object.entries(each))
    for (let i = 0; i < count; i++) {
      const path = join(folder, name, below, `${i}.jpg`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "");
    }
  return join(folder, name);
}
const options = (name: string) => ({
  name,
  out: join(folder, `${name}.yaml`),
  backbone: "resnet18",
  bits: 16,
});

describe("the numbers", () => {
  test("a fifth of the smallest class queries, as many validate, the rest trains", () => {
    expect(plan({ train: counts({ cat: 12, dog: 15 }), test: none }, "f")).toEqual({
      classes: 2,
      images: 27,
      smallest: ["cat", 12],
      protocol: "own",
      queries: 4,
      validation: 4,
      train: 19,
    });
  });
  test("published test images query, whatever their number", () => {
    expect(
      plan({ train: counts({ cat: 10, dog: 10 }), test: counts({ cat: 30, dog: 9 }) }, "f"),
    ).toMatchObject({
      protocol: "official",
      queries: 39,
      validation: 4,
      train: 16,
      perplexity: 13,
    });
  });
  test("always leave every class a query, a validation image and a pair to train on, and add up", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 4, max: 3000 }), { minLength: 2, maxLength: 9 }), (sizes) => {
        const train = new Map(sizes.map((size, label) => [`c${label}`, size]));
        const {
          classes,
          images,
          queries,
          validation,
          train: left,
          perplexity,
        } = plan({ train, test: none }, "f");
        expect(queries + validation + left).toBe(images);
        for (const count of [queries, validation]) expect(count % classes).toBe(0);
        expect(queries / classes).toBeGreaterThan(0);
        expect(Math.min(...sizes) - (queries + validation) / classes).toBeGreaterThanOrEqual(2);
        if (perplexity !== undefined) expect(3 * perplexity).toBeLessThanOrEqual(queries);
      }),
    );
  });
});

test("writes a pipeline that the runner takes, with the folder as its input", () => {
  const photos = files("photos", { cat: 9, dog: 8, "sea horse": 20 });
  const said = init(photos, options("pets"), root, folder);
  expect(said.slice(0, 2)).toEqual([
    "37 images in 3 classes, the smallest dog with 8.",
    "3 will query, 3 validate, 31 train; the last two are searched.",
  ]);
  const study = expand(load(join(folder, "pets.yaml"), root), undefined);
  const stage = (id: string) => study.instances.find((instance) => instance.id === id)!;
  expect(study.profile).toBe("pets");
  expect(stage("download").inputs.files).toEqual([{ file: photos }]);
  expect(stage("split").with).toEqual({ protocol: { use: "own", queries: 1 }, validation: 3 });
  expect(stage("train-codes[loss=dtsh,seed=2]").with).toMatchObject({ dim: 16, seed: 2 });
  expect(stage("report").publish).toBe("reports/pets");
  expect(stage("report").inputs.neighbours).toEqual([{ id: "browse", output: "neighbours" }]);
  expect(stage("index").publish).toBe("indexes/pets");
  expect(stage("map-raw")).toBeUndefined(); // three queries make no map
  expect(said.join("\n")).toContain(`npm run pipeline -- --pipeline ${join(folder, "pets.yaml")}`);
});

test("train and test folders stay what they are, and enough queries make maps", () => {
  files("two", { "train/cat": 10, "train/dog": 10, "test/cat": 10, "test/dog": 10 });
  init("two", options("two"), root, folder);
  const study = expand(load(join(folder, "two.yaml"), root), undefined);
  const stage = (id: string) => study.instances.find((instance) => instance.id === id)!;
  expect(stage("split").with).toEqual({ protocol: "official", validation: 4 });
  expect(stage("map-trained").with).toEqual({ perplexity: 6 });
  expect(stage("plot").inputs.maps.map((one) => "id" in one && one.id)).toEqual(["map-raw", "map-trained"]);
});

test("says in one line what cannot be, and writes nothing", () => {
  const faults: [string, Record<string, number>, object, RegExp][] = [
    ["nowhere", {}, {}, /nowhere: no such folder/],
    ["photos/cat/0.jpg", {}, {}, /0\.jpg: a file\. Name a folder/],
    ["empty", { "": 1 }, {}, /empty: no images in it\. There must be one folder a class/],
    ["one", { cat: 9 }, {}, /one class \(cat\), but two are the least/],
    ["few", { cat: 9, dog: 3 }, {}, /the class "dog" has 3 images, but 4 are the least/],
    [
      "odd",
      { "train/cat": 9, "train/dog": 9, "test/cow": 1 },
      {},
      /the class "cow" has test images, but none/,
    ],
    ["photos", {}, { backbone: "resnt18" }, /no backbone "resnt18"\. There are .*resnet18/],
    ["photos", {}, { name: "a b" }, /"a b" cannot be a study's name/],
    ["photos", {}, { name: "sample" }, /reports\/sample\/ is there already\. Give .* --name/],
    ["photos", {}, { out: "taken.yaml" }, /taken\.yaml is there already\. Name another file with --out/],
  ];
  files("photos", { cat: 9, dog: 8 });
  writeFileSync(join(folder, "taken.yaml"), "mine");
  for (const [name, each, given, message] of faults) {
    files(name, each);
    const run = () => init(name, { ...options("none"), ...given }, root, folder);
    expect(run, name).toThrow(UserError);
    expect(run, name).toThrow(message);
  }
  expect(existsSync(join(folder, "none.yaml"))).toBe(false);
  expect(readFileSync(join(folder, "taken.yaml"), "utf8")).toBe("mine");
});
