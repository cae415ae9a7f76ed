/** `init`: numbers that fit a folder's images, a pipeline that the runner takes, one line on what cannot be. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { init } from "../../init/init.ts";
import { plan } from "../../init/plan.ts";
import { UserError } from "../../runner/stage.ts";
import { expand } from "../../runner/study/expand.ts";
import { load } from "../../runner/study/load.ts";
import { sharesOf } from "../../stages/split/shares.ts";
import { scratch } from "../stages/shared/scratch.ts";

const folder = scratch();
const root = resolve(".");
const counts = (each: Record<string, number>) => new Map(Object.entries(each));
const none = new Map<string, number>();
const trained = (each: Record<string, number>) => ({ train: counts(each), validation: none, test: none });

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

test("a class of several folders is said: one folder per class is at the top", () => {
  const given = files("nested", { "animals/cats": 6, "animals/dogs": 6, cars: 6, "cars/old": 6 });
  expect(init(given, options("nested"), root, root)).toContain(
    "! The class animals takes the images of 2 folders, animals/cats and animals/dogs; likewise cars. If each of them is a class, move them to the top of the folder.",
  );
  const plain = init(files("flat-classes", { cats: 6, dogs: 6 }), options("flat-classes"), root, root);
  expect(plain.filter((line) => line.startsWith("!"))).toEqual([]);
});

describe("the numbers", () => {
  test("a fifth of each class queries, as many validate, the rest trains", () => {
    expect(plan(trained({ cat: 12, dog: 15 }), "f")).toEqual({
      classes: 2,
      images: 27,
      smallest: ["cat", 12],
      protocol: "own",
      each: 3,
      validated: false,
      queries: 5,
      validation: 5,
      train: 17,
      remarks: [],
    });
  });
  test("one small class takes nothing from the others", () => {
    const big = { cat: 100, dog: 100 };
    expect(plan(trained({ ...big, owl: 4 }), "f")).toMatchObject({ each: 20, queries: 41, validation: 41 });
    const { queries, train, remarks } = plan(trained({ ...big, cow: 3, yak: 1 }), "f");
    expect([queries, train]).toEqual([40, 120 + 3]); // one image alone is searched, and does not train
    expect(remarks).toEqual([
      "2 classes have fewer than 4 images, which are searched, but do not query: cow, yak.",
    ]);
  });
  test("published test images query, published validation images validate, at any number", () => {
    const test = counts({ cat: 30, dog: 9 });
    const train = counts({ cat: 10, dog: 10 });
    expect(plan({ train, validation: none, test }, "f")).toMatchObject({
      protocol: "official",
      queries: 39,
      validation: 4,
      train: 16,
      perplexity: 6,
    });
    const validation = counts({ cat: 5, dog: 1 });
    expect(plan({ train, validation, test }, "f")).toMatchObject({
      protocol: "official",
      validated: true,
      validation: 6,
      train: 20,
    });
    expect(plan({ train, validation, test: none }, "f")).toMatchObject({
      protocol: "own",
      queries: 4,
      validation: 6,
      train: 16,
    });
    expect(
      plan({ train: counts({ cat: 100, dog: 100, owl: 5 }), validation: none, test }, "f").remarks,
    ).toEqual([
      "The smallest class, owl with 5 images, leaves 1 of each class to validate: with more of it, or without it, 20 would.",
    ]);
  });
  test("leave every class of four a query, a validation image and a pair to train on, and add up", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 4, max: 3000 }), { minLength: 2, maxLength: 9 }), (sizes) => {
        const given = trained(Object.fromEntries(sizes.map((size, label) => [`c${label}`, size])));
        const { images, queries, validation, train, perplexity, each } = plan(given, "f");
        expect(queries + validation + train).toBe(images);
        for (const { query, validation, train } of sharesOf(sizes, {
          queries: each,
          validation: each,
          share: 0.2,
        })) {
          expect(Math.min(query, validation)).toBeGreaterThan(0);
          expect(train).toBeGreaterThan(1);
        }
        if (perplexity !== undefined) expect(6 * perplexity).toBeLessThanOrEqual(queries);
      }),
    );
  });
});

test("writes a pipeline that the runner takes, with the folder as its input", () => {
  const photos = files("photos", { cat: 9, dog: 8, "sea horse": 20 });
  const said = init(photos, options("pets"), root, folder);
  expect(said.slice(0, 2)).toEqual([
    "37 images in 3 classes, the smallest dog with 8.",
    "6 will query, 6 validate, 25 train; the last two are searched.",
  ]);
  const study = expand(load(join(folder, "pets.yaml"), root), undefined);
  const stage = (id: string) => study.instances.find((instance) => instance.id === id)!;
  expect(study.profile).toBe("pets");
  expect(stage("download").inputs.files).toEqual([{ file: photos }]);
  expect(stage("split").with).toEqual({
    protocol: { use: "own", queries: 4 },
    validation: 12,
    duplicates: "leave-out",
  });
  expect(stage("train-codes[loss=dtsh,seed=2]").with).toMatchObject({ dim: 16, seed: 2 });
  expect(stage("report").publish).toBe("reports/pets");
  expect(stage("report").inputs.neighbours).toEqual([{ id: "browse", output: "neighbours" }]);
  expect(stage("index").publish).toBe("indexes/pets");
  expect(stage("map-raw")).toBeUndefined(); // six queries make no map
  expect(said.join("\n")).toContain(`npm run pipeline -- --pipeline ${join(folder, "pets.yaml")}`);
});

test("train and test folders stay what they are, and enough queries make maps", () => {
  files("two", { "Train/cat": 10, "Train/dog": 10, "TEST/cat": 20, "TEST/dog": 20, "val/dog": 3 });
  init("two", options("two"), root, folder);
  const study = expand(load(join(folder, "two.yaml"), root), undefined);
  const stage = (id: string) => study.instances.find((instance) => instance.id === id)!;
  expect(stage("split").with).toEqual({ protocol: "official", duplicates: "leave-out" });
  expect(stage("map-trained").with).toEqual({ perplexity: 6 });
  expect(stage("plot").inputs.maps.map((one) => "id" in one && one.id)).toEqual(["map-raw", "map-trained"]);
});

test.each([
  ["My Photos: 2024", "My-Photos-2024"],
  ["2024", "2024"],
  ["true", "true"],
  ["- # 'it's\n\u001b[31m\" & {a: b}", "it-s-31m-a-b"],
  ["\u5199\u771f", "images"],
  ["$${a} ${vars.bits} $5", "a-vars-bits-5"],
])("a folder called %j becomes a pipeline that the runner takes, and commands that bash takes", (name, study) => {
  const photos = files(name, { cat: 9, dog: 8 });
  const out = join(photos, "my pipeline.yaml");
  const said = init(photos, { backbone: "resnet18", bits: 16, out }, root, folder);
  expect(said.join("\n")).not.toMatch(/[^\P{Cc}\n]/u);
  const { profile, instances } = expand(load(out, root), undefined);
  expect(profile).toBe(study);
  expect(instances.find(({ id }) => id === "download")!.inputs.files).toEqual([{ file: photos }]);
  const command = said.find((line) => line.startsWith("Run it:"))!.split("--pipeline ")[1];
  expect(execFileSync("bash", ["-c", `printf %s ${command}`], { encoding: "utf8" })).toBe(out);
  expect(instances.find(({ id }) => id === "report")!.with.profile).toBe(`${study} --pipeline ${command}`);
});

test("names and counts all that it leaves out", () => {
  files("mixed", { cat: 9, dog: 8, hollow: 0, "cat/.hidden": 3, __MACOSX: 2 });
  mkdirSync(join(folder, "mixed/hollow"));
  for (const path of ["cat/a.HEIC", "dog/b.heic", "cat/notes.txt", "cat/._0.jpg", "cat/Thumbs.db", "top.jpg"])
    writeFileSync(join(folder, "mixed", path), "");
  symlinkSync("nowhere", join(folder, "mixed/cat/dead.jpg"));
  expect(init("mixed", options("mixed"), root, folder).slice(0, 6)).toEqual([
    "17 images in 2 classes, the smallest dog with 8.",
    "2 will query, 2 validate, 13 train; the last two are searched.",
    "! 3 files are no images by the ending: 2 .heic, 1 .txt. HEIC cannot be decoded here: convert it to JPEG (heif-convert IN.heic OUT.jpg).",
    "! 1 folder holds no image and is no class: hollow.",
    "! 1 entry is passed over: cat/dead.jpg (a link to nothing, or a name that is no UTF-8).",
    "! 1 image is beside the class folders and has no class: top.jpg.",
  ]);
});

test("says in one line what cannot be, and writes nothing", () => {
  const faults: [string, Record<string, number>, object, RegExp][] = [
    ["nowhere", {}, {}, /nowhere: no such folder/],
    ["photos/cat/0.jpg", {}, {}, /0\.jpg: a file\. Name a folder/],
    ["empty", {}, {}, /empty: no images in it\. It must hold one folder per class/],
    [
      "flat",
      { "": 1 },
      {},
      /flat: 1 image is directly in the folder, but the class .*\/flat\/CLASS-A\/1\.jpg.*npm run index -- /,
    ],
    ["one", { cat: 9 }, {}, /one class \(cat\), but two are the least/],
    ["few", { cat: 9, dog: 3 }, {}, /the class "dog" has 3 images, but 4 are the least/],
    [
      "odd",
      { "train/cat": 9, "train/dog": 9, "test/cow": 1 },
      {},
      /the class "cow" has test images, but none/,
    ],
    ["photos", {}, { backbone: "resnt18" }, /no backbone "resnt18"\. Did you mean "resnet18"\?/],
    ["photos", {}, { backbone: "alexnet" }, /no backbone "alexnet"\. There are .*resnet18/],
    ["photos", {}, { name: "a b" }, /"a b" cannot be a study's name/],
    ["photos", {}, { name: "sample" }, /reports\/sample\/ is there already\. Give .* --name/],
    ["photos", {}, { out: "taken.yaml" }, /taken\.yaml is there already\. Name another file with --out/],
  ];
  files("photos", { cat: 9, dog: 8 });
  writeFileSync(join(folder, "taken.yaml"), "mine");
  mkdirSync(join(folder, "empty"));
  for (const [name, each, given, message] of faults) {
    files(name, each);
    const run = () => init(name, { ...options("none"), ...given }, root, folder);
    expect(run, name).toThrow(UserError);
    expect(run, name).toThrow(message);
  }
  expect(existsSync(join(folder, "none.yaml"))).toBe(false);
  expect(readFileSync(join(folder, "taken.yaml"), "utf8")).toBe("mine");
});
