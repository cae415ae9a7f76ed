/** Data sets whose images lists name: the benchmarks of metric learning in miniature, and a person's own lists. */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { readMat } from "../../../stages/download/mat.ts";
import { readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { scratch } from "../shared/scratch.ts";
import { download, fault, imagesOf } from "./fakes.ts";
import { cell, matFile, number, structs, text } from "./mat-file.ts";

let jpeg: Buffer;
beforeAll(async () => {
  jpeg = await sharp({ create: { width: 5, height: 5, channels: 3, background: "red" } })
    .jpeg()
    .toBuffer();
});
const save = (root: string, path: string, content: Uint8Array | string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const get = (use: string, files: string | undefined, params: Record<string, unknown> = {}) =>
  download(scratch(), { use, size: 4, ...params }, files ? { files } : {});
type Got = Awaited<ReturnType<typeof get>>;
const rowsOf = ({ outputs }: Got) =>
  imagesOf(outputs.images).map(({ id, label, split }) => [id, label, split]);
const about = ({ outputs }: Got) => readMetadata(readTable(outputs.images, "images"));
const setsOf = ({ outputs }: Got) =>
  [...readTable(outputs.images, "images").getChild("labels")!].map((set) => [...(set as Uint8Array)]);
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

describe("cub200", () => {
  const miniature = () => {
    const root = scratch();
    const at = (path: string, content: string) => save(root, `CUB_200_2011/${path}`, content);
    at("classes.txt", Array.from({ length: 200 }, (_, i) => `${i + 1} ${i + 1}.Bird`).join("\n"));
    at("images.txt", "1 001.Bird/a b.jpg\n2 100.Bird/b.jpg\n3 101.Bird/c.jpg\n4 200.Bird/d.jpg\n");
    at("image_class_labels.txt", "1 1\n2 100\n3 101\n4 200\n");
    at("train_test_split.txt", "1 1\n2 0\n3 1\n4 0\n");
    for (const path of ["001.Bird/a b.jpg", "100.Bird/b.jpg", "101.Bird/c.jpg", "200.Bird/d.jpg"])
      save(root, `CUB_200_2011/images/${path}`, jpeg);
    return root;
  };

  it("trains on the first hundred classes, and warns that there are fewer images than published", async () => {
    const got = await get("cub200", miniature());
    expect(rowsOf(got)).toEqual([
      [0, 0, "train"],
      [1, 99, "train"],
      [2, 100, "test"],
      [3, 199, "test"],
    ]);
    expect(about(got)).toMatchObject({ dataset: "cub200", classes: { length: 200 } });
    expect((about(got).names as string[])[0]).toBe("images/001.Bird/a b.jpg");
    expect(got.log).toContain(
      "cub200: the lists name other images than the makers publish: 2 of 5,864 train, 2 of 5,924 test images. Results are not comparable with published ones.",
    );
  });

  it("takes the split of its makers when asked", async () => {
    const got = await get("cub200", join(miniature(), "CUB_200_2011"), { split: "official" });
    expect(rowsOf(got).map(([, , split]) => split)).toEqual(["train", "test", "train", "test"]);
  });

  it("says nothing of the counts of the whole data set", async () => {
    const root = scratch();
    const classes = Array.from({ length: 200 }, (_, i) => `${i + 1} ${i + 1}.Bird`);
    const labels = [
      ...Array.from({ length: 5864 }, (_, i) => (i % 100) + 1),
      ...Array.from({ length: 5924 }, (_, i) => (i % 100) + 101),
    ];
    save(root, "classes.txt", classes.join("\n"));
    save(root, "images.txt", labels.map((_, i) => `${i + 1} ${i}.jpg`).join("\n"));
    save(root, "image_class_labels.txt", labels.map((label, i) => `${i + 1} ${label}`).join("\n"));
    save(root, "images/0.jpg", jpeg);
    const got = await get("cub200", root);
    expect(rowsOf(got)).toEqual([[0, 0, "train"]]);
    expect(got.notes).toMatchObject({ images: 1, missing_files: 11_787, unreadable_files: 0 });
    expect(got.log.join("\n")).not.toContain("not comparable");
    expect(got.log.at(-1)).toMatch(/^not one image could be read of the classes 2\.Bird, /);
  });

  it("refuses a folder that is another data set's, and an image without a class", async () => {
    const root = scratch();
    expect(await fault(get("cub200", undefined))).toContain("inputs: { files: ./CUB_200_2011 }");
    expect(await fault(get("cub200", root))).toMatch(
      /no image_class_labels\.txt\. Unpack the data set there/,
    );
    const other = miniature();
    save(other, "CUB_200_2011/image_class_labels.txt", "1 1\n2 100\n3 101\n");
    expect(await fault(get("cub200", other))).toMatch(/images\.txt:4: image 4 has no class/);
  });
});

describe("cars196", () => {
  const miniature = (compress = true) => {
    const root = scratch();
    const annotation = (path: string, label: number, test: number) => ({
      relative_im_path: text(path),
      bbox_x1: number(300),
      class: number(label),
      test: number(test),
    });
    save(
      root,
      "cars_annos.mat",
      matFile(
        [
          structs(
            [
              annotation("car_ims/1.jpg", 1, 0),
              annotation("car_ims/2.jpg", 98, 1),
              annotation("car_ims/3.jpg", 99, 0),
            ],
            "annotations",
          ),
          cell(
            Array.from({ length: 196 }, (_, i) => text(`Model ${i + 1}`)),
            "class_names",
          ),
        ],
        { compress },
      ),
    );
    for (const i of [1, 2, 3]) save(root, `car_ims/${i}.jpg`, jpeg);
    return root;
  };

  it("reads the annotations of MATLAB, compressed or not", async () => {
    for (const compress of [true, false]) {
      const got = await get("cars196", miniature(compress));
      expect(rowsOf(got)).toEqual([
        [0, 0, "train"],
        [1, 97, "train"],
        [2, 98, "test"],
      ]);
      expect((about(got).classes as string[])[98]).toBe("Model 99");
      expect(got.log[0]).toContain("2 of 8,054 train, 1 of 8,131 test");
    }
    const official = await get("cars196", miniature(), { split: "official" });
    expect(rowsOf(official).map(([, , split]) => split)).toEqual(["train", "test", "train"]);
  });

  it("rejects a truncated file, cut at any place", async () => {
    const whole = matFile([structs([{ a: number(1) }], "annotations")], { compress: false });
    expect(readMat(whole, "x.mat").get("annotations")).toEqual([{ a: [1] }]);
    for (let end = 129; end < whole.length; end += 8)
      expect(() => readMat(whole.subarray(0, end), "x.mat")).toThrow(
        /x\.mat: cannot be read .*Fetch it again/,
      );
    expect(() => readMat(Buffer.from("text"), "x.mat")).toThrow("is no MATLAB 5 file");
    const root = scratch();
    save(root, "cars_annos.mat", whole);
    expect(await fault(get("cars196", root))).toContain('holds no "annotations" and "class_names"');
  });
});

it("sop: products of the two lists, train and test", async () => {
  const root = scratch();
  const train =
    "image_id class_id super_class_id path\n1 1 1 bicycle_final/111_0.JPG\n2 1 1 bicycle_final/111_1.JPG\n";
  save(root, "Stanford_Online_Products/Ebay_train.txt", train);
  save(
    root,
    "Stanford_Online_Products/Ebay_test.txt",
    "image_id class_id super_class_id path\n59552 11319 2 bicycle_final/222_0.JPG\n",
  );
  for (const name of ["111_0", "111_1", "222_0"])
    save(root, `Stanford_Online_Products/bicycle_final/${name}.JPG`, jpeg);
  const got = await get("sop", root);
  expect(rowsOf(got)).toEqual([
    [0, 0, "train"],
    [1, 0, "train"],
    [2, 1, "test"],
  ]);
  expect(about(got)).toMatchObject({
    classes: ["product 1", "product 11319"],
    categories: ["super-class 1", "super-class 2"],
    lists: { "Ebay_train.txt": sha256(train) },
  });
  expect(got.log[0]).toContain("2 of 59,551 train, 1 of 60,502 test");
  save(root, "Stanford_Online_Products/Ebay_test.txt", "1 1 1 bicycle_final/111_0.JPG\n");
  expect(await fault(get("sop", root))).toMatch(
    /Ebay_test\.txt:1: bicycle_final\/111_0\.JPG is listed already/,
  );
});

it("in-shop: queries search the gallery alone", async () => {
  const root = scratch();
  const lines = [
    "img/WOMEN/Dresses/id_1/01_1_front.jpg id_00000001 train",
    "img/MEN/Denim/id_2/01_1_front.jpg id_00000002 query",
    "img/MEN/Denim/id_2/02_1_side.jpg   id_00000002   gallery",
  ];
  save(
    root,
    "Eval/list_eval_partition.txt",
    `3\nimage_name item_id evaluation_status\n${lines.join("\n")}\n`,
  );
  for (const line of lines) save(root, `Img/${line.split(" ")[0]}`, jpeg);
  const got = await get("in-shop", root);
  expect(rowsOf(got)).toEqual([
    [0, 0, "train"],
    [1, 1, "test"],
    [2, 1, "database"],
  ]);
  expect(about(got).categories).toEqual(["WOMEN/Dresses", "MEN/Denim"]);
  expect(got.log[0]).toContain("1 of 25,882 train, 1 of 14,218 test, 1 of 12,612 database");
  save(root, "Eval/list_eval_partition.txt", "img/a.jpg id_1 shown\n");
  expect(await fault(get("in-shop", root))).toMatch(
    /txt:1: "shown" is no evaluation_status: train, query, gallery/,
  );
});

describe("lists", () => {
  const written = (lists: Record<string, string>) => {
    const root = scratch();
    const all = {
      "train.txt": "a/1.jpg 1 0 0\na/2.jpg 0 1 1\n",
      "test.txt": "b/3.jpg 0 0 1\n",
      "database.txt": "a/2.jpg 0 1 1\nc 4.jpg 1 1 1\n",
      ...lists,
    };
    for (const [name, content] of Object.entries(all)) save(root, name, content);
    for (const path of ["a/1.jpg", "a/2.jpg", "b/3.jpg", "c 4.jpg"]) save(root, path, jpeg);
    return root;
  };

  it("takes HashNet's form: several labels an image, and one that trains may be searched", async () => {
    const got = await get("lists", written({ "labels.txt": "sky\nsea\nsun\n" }));
    expect(rowsOf(got)).toEqual([
      [0, 0, "train"],
      [1, 1, "train+database"],
      [2, 0, "database"],
      [3, 2, "test"],
    ]);
    expect(setsOf(got)).toEqual([[0b001], [0b110], [0b111], [0b100]]);
    expect(about(got)).toMatchObject({
      classes: ["sky", "sea", "sun"],
      lists: { "test.txt": sha256("b/3.jpg 0 0 1\n") },
    });
  });

  it("writes no sets where every image has one label", async () => {
    const got = await get(
      "lists",
      written({ "train.txt": "a/1.jpg 1 0 0\n", "database.txt": "a/2.jpg 0 1 0\n" }),
    );
    expect(readTable(got.outputs.images, "images").getChild("labels")).toBeNull();
    expect(about(got).classes).toEqual(["label 1", "label 2", "label 3"]);
  });

  it("holds more than 64 labels", async () => {
    const flags = (...set: number[]) =>
      Array.from({ length: 81 }, (_, i) => (set.includes(i) ? 1 : 0)).join(" ");
    const got = await get(
      "lists",
      written({
        "train.txt": `a/1.jpg ${flags(0, 80)}\n`,
        "test.txt": `b/3.jpg ${flags(65)}\n`,
        "database.txt": `a/2.jpg ${flags(7, 8)}\n`,
      }),
    );
    const sets = setsOf(got);
    expect(sets.map((set) => set.length)).toEqual([11, 11, 11]);
    expect(sets[0]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(sets[1]).toEqual([128, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(sets[2]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
  });

  it("counts and names images that are missing or unreadable; ends the run when strict", async () => {
    const root = written({ "test.txt": "b/3.jpg 0 0 1\nb/5.jpg 0 0 1\n" });
    rmSync(join(root, "a/1.jpg"));
    save(root, "a/2.jpg", "text");
    const got = await get("lists", root);
    expect(rowsOf(got).map(([id]) => id)).toEqual([2, 3]);
    expect(got.notes).toMatchObject({ images: 2, missing_files: 2, unreadable_files: 1 });
    expect(got.log).toContain("2 of 5 images are missing and left out: a/1.jpg, b/5.jpg.");
    expect(got.log.join("\n")).toMatch(/1 of 5 images are unreadable and left out: a\/2\.jpg \(.+\)\./);
    expect(await fault(get("lists", root, { strict: true }))).toMatch(
      /missing image a\/1\.jpg\. Add it, or set strict to false/,
    );
  });

  it.each([
    [{ "train.txt": "a/1.jpg 0 0 0\n" }, /train\.txt:1: a\/1\.jpg has no label/],
    [
      { "train.txt": "a/1.jpg 1 0 0\n\na/1.jpg 1 0 0\n" },
      /train\.txt:3: a\/1\.jpg is listed already \(.*train\.txt:1\)/,
    ],
    [{ "test.txt": "a/1.jpg 1 0 0\n" }, /test\.txt:1: a\/1\.jpg queries, but .*train\.txt:1 lists it, too/],
    [
      { "database.txt": "b/3.jpg 0 0 1\n" },
      /test\.txt:1: b\/3\.jpg queries, but .*database\.txt:1 lists it, too/,
    ],
    [{ "database.txt": "a/2.jpg 0 1 1\n./a/2.jpg 0 1 1\n" }, /database\.txt:2: a\/2\.jpg is listed already/],
    [
      { "database.txt": "a/1.jpg 0 0 1\n" },
      /database\.txt:1: a\/1\.jpg has other labels than in .*train\.txt:1/,
    ],
    [{ "test.txt": "b/3.jpg 0 1\n" }, /test\.txt:1: there are 2 labels, but .*train\.txt:1 has 3/],
    [{ "test.txt": "b/3.jpg 0 2 1\n" }, /test\.txt:1: "2" is no label: a 0 or 1/],
    [{ "test.txt": "b/3.jpg\n" }, /test\.txt:1: "b\/3\.jpg" is no path with a 0 or 1/],
    [{ "test.txt": "../b/3.jpg 1 0 0\n" }, /test\.txt:1: \.\.\/b\/3\.jpg is outside the folder/],
    [{ "test.txt": "/b/3.jpg 1 0 0\n" }, /test\.txt:1: \/b\/3\.jpg is outside the folder/],
    [{ "test.txt": "\n" }, /test\.txt: lists nothing/],
    [{ "test.txt": "b/3.jpg 0 0 1 1\n" }, /test\.txt:1: there are 4 labels, but .*train\.txt:1 has 3/],
    [{ "labels.txt": "sky\n" }, /labels\.txt: names 1 labels, but the lists have 3/],
  ])("refuses %j in one line", async (lists, message) => {
    expect(await fault(get("lists", written(lists as Record<string, string>)))).toMatch(message);
  });
});

it("refuses several labels where the data set declares one an image", async () => {
  const root = scratch();
  for (const name of ["train", "test", "database"]) save(root, `${name}.txt`, `${name}.jpg 1 0\n`);
  for (const name of ["train", "test", "database"]) save(root, `${name}.jpg`, jpeg);
  expect(rowsOf(await get("lists", root, { several: false }))).toHaveLength(3);
  save(root, "test.txt", "test.jpg 1 1\n");
  const wrong = /test\.jpg has 2 labels, but the data set declares several: false\. Set several to true/;
  expect(await fault(get("lists", root, { several: false }))).toMatch(wrong);
  expect(await fault(get("lists", root, { several: false }))).toContain("test.txt:1: ");
  save(root, "images.csv", "path,labels\ntrain.jpg,sea\ntest.jpg,sea|sky\n");
  expect(await fault(get("csv", root, { several: false }))).toMatch(wrong);
  expect(await fault(get("csv", root, { several: false }))).toContain("images.csv:3: ");
  expect(setsOf(await get("csv", root, { several: true }))).toEqual([[0b01], [0b11]]);
});

describe("csv", () => {
  const written = (content: string) => {
    const root = scratch();
    save(root, "images.csv", content);
    for (const path of ["1.jpg", "2.jpg", "a, b.jpg"]) save(root, path, jpeg);
    return root;
  };

  it("takes paths, labels and splits", async () => {
    const got = await get(
      "csv",
      written(
        '\ufeffpath,labels,split\n1.jpg,sea|sky,train\n"a, b.jpg",sky,train+database\n2.jpg,"sun | sea",test\n',
      ),
    );
    expect(about(got).classes).toEqual(["sea", "sky", "sun"]);
    expect(rowsOf(got)).toEqual([
      [0, 0, "train"],
      [1, 1, "train+database"],
      [2, 0, "test"],
    ]);
    expect(setsOf(got)).toEqual([[0b011], [0b010], [0b101]]);
  });

  it("takes the categories of classes, one for each", async () => {
    const rows = ["1.jpg,cat,pets", "2.jpg,cow,farm"];
    const listing = (...lines: string[]) => get("csv", written(`path,label,category\n${lines.join("\n")}\n`));
    expect(about(await listing(...rows))).toMatchObject({
      classes: ["cat", "cow"],
      categories: ["pets", "farm"],
    });
    expect(about(await get("csv", written("path,label\n1.jpg,cat\n")))).not.toHaveProperty("categories");
  });

  it("takes no categories from a column that is about something else, and keeps the reason", async () => {
    const rows = ["1.jpg,cat,pets", "2.jpg,cow,farm"];
    for (const [lines, why] of [
      [
        [...rows, '"a, b.jpg",cow,pets'],
        'images.csv:4: the class "cow" is in the category "pets", but in "farm" at images.csv:3',
      ],
      [["1.jpg,cat,", rows[1]], "images.csv:2: 1.jpg has no category"],
      [["1.jpg,cat|cow,farm", rows[1]], "images.csv:2: 1.jpg has several labels and a category"],
    ] as const) {
      const got = about(await get("csv", written(`path,label,category\n${lines.join("\n")}\n`)));
      expect(got).toMatchObject({ classes: ["cat", "cow"], no_categories: why });
      expect(got).not.toHaveProperty("categories");
    }
  });

  it("trains on all where no split is given", async () => {
    const got = await get("csv", written("label,path\nsea,1.jpg\nsky,2.jpg\n"));
    expect(rowsOf(got)).toEqual([
      [0, 0, "train"],
      [1, 1, "train"],
    ]);
  });

  it.each([
    ["path,label\n1.jpg,\n", /images\.csv:2: 1\.jpg has no label/],
    ["path,label,split\n1.jpg,a,query\n", /images\.csv:2: "query" is no split: train, validation, test/],
    ["file,label\n1.jpg,a\n", /the columns path and label .* but there are file, label/],
    ["path,label\n1.jpg,a,b\n", /Invalid Record Length/],
    ["path,label\n1.jpg,a\n1.jpg,b\n", /images\.csv:3: 1\.jpg is listed already/],
    ["path,label,split\n1.jpg,a,test\n1.jpg,a,database\n", /images\.csv:3: 1\.jpg is listed already/],
    ["path,label\n", /lists no images/],
  ])("refuses %j in one line", async (content, message) => {
    expect(await fault(get("csv", written(content)))).toMatch(message);
  });
});
