import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import { packSets } from "../../../stages/shared/artifacts/label-sets.ts";
import { readSplit } from "../../../stages/shared/artifacts/split.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import official from "../../../stages/split/protocols/official.ts";
import { runStage } from "../../run-stage.ts";
import { type TestImage, writeImages } from "../shared/artifacts/image-table.ts";
import { scratch } from "../shared/scratch.ts";

const folder = scratch();
const CLASSES = ["cat", "dog", "ship", "truck"];

/** Images of each class, `train` and `test` of each as published, in an order that is mixed but fixed. */
function imagesOf(train: number[], test: number[]): TestImage[] {
  const images: Omit<TestImage, "id">[] = [];
  for (const [label, count] of train.entries())
    for (let i = 0; i < count; i++) images.push({ split: "train", label, pixels: [0] });
  for (const [label, count] of test.entries())
    for (let i = 0; i < count; i++) images.push({ split: "test", label, pixels: [0] });
  return images
    .map((image, i) => ({ ...image, id: ((i * 7919) % 100_003) + 1 }))
    .toSorted((a, b) => a.id - b.id);
}
const EVEN = imagesOf([20, 20, 20, 20], [8, 8, 8, 8]);

async function run(
  images: TestImage[],
  protocol: unknown,
  params: { validation?: number; seed?: number } = {},
  classes = CLASSES,
) {
  const path = writeImages(join(folder, "images.arrow"), images, { classes });
  const stage = await runStage("split", {
    params: { protocol, validation: 8, ...params },
    inputs: { images: path },
  });
  return { ...stage, split: readSplit(stage.outputs.split), images };
}
type Run = Awaited<ReturnType<typeof run>>;
const fault = async (...given: Parameters<typeof run>): Promise<string> => {
  const error = await run(...given).then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).not.toContain("\n");
  return error.message;
};

const ROLES = ["train", "validation", "query", "database"] as const;
type Role = (typeof ROLES)[number];
/** How many images of each class have a role. */
const count = ({ split }: Run, role: Role) =>
  CLASSES.map((_, label) => split.labels.filter((own, row) => own === label && split[role][row]).length);
/** The roles of an image, as "train+database". */
const places = ({ split }: Run) =>
  [...split.ids].map((_, row) => ROLES.filter((role) => split[role][row]).join("+"));
const tally = (words: string[]) => {
  const found: Record<string, number> = {};
  for (const word of words) found[word] = (found[word] ?? 0) + 1;
  return found;
};
const SMALL = {
  P1: { use: "P1", queries: 12, train: 16 },
  P1b: { use: "P1b", queries: 12, train: 16 },
  P2: { use: "P2", queries: 12 },
  own: { use: "own", queries: 3 },
  unseen: { use: "unseen", held_out: ["ship", "truck"] },
};

describe("the protocols", () => {
  it("official: test images query the training images, from which validation is taken", async () => {
    const made = await run(EVEN, "official");
    expect(tally(places(made))).toEqual({ "train+database": 72, "validation+database": 8, query: 32 });
    expect(count(made, "validation")).toEqual([2, 2, 2, 2]);
    for (const [row, { split }] of EVEN.entries())
      expect(made.split.query[row]).toBe(split === "test" ? 1 : 0);
    expect(made.notes).toEqual({ train: 72, validation: 8, query: 32, database: 80 });
  });

  it("P1: few training images and queries from all; all but the queries are searched", async () => {
    const made = await run(EVEN, SMALL.P1);
    expect(tally(places(made))).toEqual({
      query: 12,
      "train+database": 16,
      "validation+database": 8,
      database: 76,
    });
    expect([count(made, "query"), count(made, "train")]).toEqual([
      [3, 3, 3, 3],
      [4, 4, 4, 4],
    ]);
  });

  it("P1b: as P1, without the training images in the database", async () => {
    const [p1, p1b] = [await run(EVEN, SMALL.P1), await run(EVEN, SMALL.P1b)];
    expect(tally(places(p1b))).toEqual({ query: 12, train: 16, "validation+database": 8, database: 76 });
    expect([p1b.split.train, p1b.split.query]).toEqual([p1.split.train, p1.split.query]);
  });

  it("P2: queries from all; all others are searched, and train or validate", async () => {
    const made = await run(EVEN, SMALL.P2);
    expect(tally(places(made))).toEqual({ query: 12, "train+database": 92, "validation+database": 8 });
    expect(count(made, "query")).toEqual([3, 3, 3, 3]);
  });

  it("own: as P2, with the queries counted by class", async () => {
    const made = await run(EVEN, SMALL.own);
    expect(tally(places(made))).toEqual({ query: 12, "train+database": 92, "validation+database": 8 });
    expect(made.split.query).toEqual((await run(EVEN, SMALL.P2)).split.query);
  });

  it("unseen: held-out classes are searched and queried, the others train", async () => {
    const made = await run(EVEN, SMALL.unseen);
    expect(tally(places(made))).toEqual({ train: 32, validation: 8, query: 16, database: 40, "": 16 });
    expect([
      count(made, "train"),
      count(made, "validation"),
      count(made, "query"),
      count(made, "database"),
    ]).toEqual([
      [16, 16, 0, 0],
      [4, 4, 0, 0],
      [0, 0, 8, 8],
      [0, 0, 20, 20],
    ]);
  });

  it("lists: the published roles; validation is taken from the training images", async () => {
    const listed: TestImage[] = [
      ...Array.from({ length: 6 }, () => "train" as const),
      ...Array.from({ length: 6 }, () => "train+database" as const),
      ...Array.from({ length: 3 }, () => "database" as const),
      ...Array.from({ length: 4 }, () => "test" as const),
    ].map((split, id) => ({ id, split, label: id % 4, pixels: [id] }));
    const made = await run(listed, "lists", { validation: 5 });
    const found = tally(places(made));
    expect((found.train ?? 0) + (found["train+database"] ?? 0)).toBe(7);
    expect((found.validation ?? 0) + (found["validation+database"] ?? 0)).toBe(5);
    expect([found.database, found.query]).toEqual([3, 4]);
    for (const [row, { split }] of listed.entries()) {
      expect(made.split.query[row]).toBe(split === "test" ? 1 : 0);
      expect(made.split.database[row]).toBe(split.endsWith("database") ? 1 : 0);
      expect(made.split.train[row] + made.split.validation[row]).toBe(split.startsWith("train") ? 1 : 0);
    }
    const own = await run([...listed, { id: 50, split: "validation", label: 0, pixels: [50] }], "lists");
    expect(tally(places(own))).toEqual({
      train: 6,
      "train+database": 6,
      database: 3,
      query: 4,
      validation: 1,
    });
  });

  it("lists: training images are searched where nothing else is listed for that", async () => {
    const made = await run(EVEN, "lists");
    expect(tally(places(made))).toEqual({ "train+database": 72, "validation+database": 8, query: 32 });
  });

  it("of the papers, at their own sizes", async () => {
    // CIFAR-10's counts, a tenth of the images: P1 and P2 with a tenth of their defaults.
    const images = imagesOf(Array(10).fill(500), Array(10).fill(100));
    const classes = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
    const at = async (protocol: unknown, validation = 500) =>
      (await run(images, protocol, { validation }, classes)).notes;
    expect(await at("official")).toEqual({ train: 4500, validation: 500, query: 1000, database: 5000 });
    expect(await at({ use: "P1", queries: 100, train: 500 })).toEqual({
      train: 500,
      validation: 500,
      query: 100,
      database: 5900,
    });
    expect(await at({ use: "P1b", queries: 100, train: 500 })).toEqual({
      train: 500,
      validation: 500,
      query: 100,
      database: 5400,
    });
    expect(await at({ use: "P2", queries: 1000 })).toEqual({
      train: 4500,
      validation: 500,
      query: 1000,
      database: 5000,
    });
    expect(await at("unseen", 400)).toEqual({ train: 3600, validation: 400, query: 200, database: 1000 });
  });
});

describe("every protocol", () => {
  const protocols = ["official", SMALL.P1, SMALL.P1b, SMALL.P2, SMALL.own, SMALL.unseen];

  it("keeps each image's id and label, and says who made the split", async () => {
    for (const protocol of protocols) {
      const { split } = await run(EVEN, protocol, { seed: 5 });
      expect([...split.ids]).toEqual(EVEN.map(({ id }) => id));
      expect([...split.labels]).toEqual(EVEN.map(({ label }) => label));
      expect([split.protocol, split.seed]).toEqual([
        typeof protocol === "string" ? protocol : protocol.use,
        5,
      ]);
    }
  });

  it("gives the same bytes for the same seed, and another draw for another seed", async () => {
    for (const protocol of protocols) {
      const bytes = async (seed: number) => readFileSync((await run(EVEN, protocol, { seed })).outputs.split);
      const [first, second, other] = [await bytes(1), await bytes(1), await bytes(2)];
      expect(first.equals(second)).toBe(true);
      expect(first.equals(other)).toBe(false);
    }
  });

  it("is stratified and keeps its parts apart, for all sizes of classes", async () => {
    const sizes = fc.array(fc.integer({ min: 12, max: 25 }), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        sizes,
        fc.constantFrom(...protocols),
        fc.integer(),
        async (train, test, protocol, seed) => {
          const made = await run(imagesOf(train, test), protocol, { seed });
          const { split } = made;
          for (const row of split.ids.keys()) {
            expect(split.train[row] + split.validation[row] + split.query[row]).toBeLessThanOrEqual(1);
            expect(split.query[row] + split.database[row]).toBeLessThanOrEqual(1);
          }
          const drawn = count(made, "validation").filter((images) => images > 0);
          expect(new Set(drawn).size).toBe(1);
          expect(drawn.reduce((sum, images) => sum + images, 0)).toBe(8);
          if (typeof protocol === "object" && "queries" in protocol)
            expect(count(made, "query")).toEqual([3, 3, 3, 3]);
          if (typeof protocol === "object" && "train" in protocol)
            expect(count(made, "train")).toEqual([4, 4, 4, 4]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("own: a small class takes nothing from the others, and one too small is searched alone", async () => {
    const made = await run(
      imagesOf([20, 4, 3, 1], [0, 0, 0, 0]),
      { use: "own", queries: 4 },
      { validation: 16 },
    );
    expect(count(made, "query")).toEqual([4, 1, 0, 0]);
    expect(count(made, "validation")).toEqual([4, 1, 0, 0]);
    expect(count(made, "train")).toEqual([12, 2, 3, 0]);
    expect(count(made, "database")).toEqual([16, 3, 3, 1]);
    expect(made.log[0]).toBe(
      "2 of 4 classes are too small to query and validate; they are searched: ship, truck.",
    );
    expect(await fault(imagesOf([3, 3, 1, 1], [0, 0, 0, 0]), "own")).toContain("every class is too small");
  });

  it("official and own: published validation images validate, and are searched", async () => {
    const images = imagesOf([20, 20, 20, 20], [4, 4, 4, 4]).map((image, row) =>
      image.split === "train" && row % 5 === 0 ? { ...image, split: "validation" as const } : image,
    );
    for (const protocol of ["official", { use: "own", queries: 2 }]) {
      const { split } = await run(images, protocol, { validation: 3 });
      const published = images.map((image) => Number(image.split === "validation"));
      expect([...split.validation]).toEqual(published);
      for (const [row, flag] of published.entries())
        if (flag) expect([split.database[row], split.train[row], split.query[row]]).toEqual([1, 0, 0]);
    }
  });

  it("draws every image with the same chance", () => {
    const images = imagesOf([10, 10, 10, 10], [1, 1, 1, 1]);
    const times = new Array(images.length).fill(0);
    const runs = 100;
    const labels = Uint16Array.from(images, ({ label }) => label);
    const test = Uint8Array.from(images, ({ split }) => Number(split === "test"));
    for (let seed = 0; seed < runs; seed++) {
      const drawn = official.draw(
        { labels, test, classes: CLASSES },
        12,
        random(seed, "split"),
        {},
        () => {},
      );
      for (const row of times.keys()) times[row] += drawn.validation[row];
    }
    // 3 of 10: mean 30 of 100, deviation 4.6.
    for (const [row, { split }] of images.entries())
      if (split === "test") expect(times[row]).toBe(0);
      else expect(Math.abs(times[row] - 30)).toBeLessThan(5 * 4.6);
  });
});

describe("split refuses", () => {
  it("a class with one image, where one must be drawn and one left", async () => {
    expect(await fault(imagesOf([20, 1, 20, 20], [8, 8, 8, 8]), "official", { validation: 4 })).toBe(
      'split: class "dog" has 1 image, but 1 are wanted for validation and some must be left. Take fewer, or leave the class out.',
    );
    expect(await fault(imagesOf([20, 2, 20, 20], [0, 0, 0, 0]), SMALL.P1)).toContain(
      'class "dog" has 2 images, but 3',
    );
  });

  it("images published to be searched, where the protocol would train on them; too many for validation", async () => {
    const searched: TestImage[] = [...EVEN, { id: 200_000, split: "database", label: 0, pixels: [1] }];
    for (const protocol of ["official", SMALL.P1, SMALL.P2, SMALL.own])
      expect(await fault(searched, protocol)).toMatch(
        /publishes which images are searched.*Take protocol: lists/,
      );
    expect(await fault(EVEN, "lists", { validation: 80 })).toMatch(
      /80 images train, but 80 of them are wanted/,
    );
  });

  it("counts that cannot be shared out, or are too large", async () => {
    expect(await fault(EVEN, "official", { validation: 9 })).toBe(
      "split: 9 validation images cannot be shared out equally among 4 classes.",
    );
    expect(await fault(EVEN, { use: "P1", queries: 10 })).toContain("10 query images cannot be shared out");
    expect(await fault(EVEN, "official", { validation: 80 })).toMatch(
      /class "cat" has 20 images, but 20 are wanted/,
    );
    expect(await fault(EVEN, { use: "P2", queries: 112 })).toMatch(
      /has 28 images, but 28 are wanted for query/,
    );
  });

  it("a data set without test images, or without training images, where the protocol needs them", async () => {
    expect(await fault(imagesOf([20, 20, 20, 20], [0, 0, 0, 0]), "official")).toMatch(
      /no image is in "query"/,
    );
    expect(await fault(imagesOf([0, 0, 0, 0], [8, 8, 8, 8]), "official")).toBe(
      "split: there are no images to draw 8 for validation from.",
    );
  });

  it("held-out classes that are not there, or are all there are", async () => {
    expect(await fault(EVEN, { use: "unseen", held_out: ["ship", "horse"] })).toBe(
      'split: no class "horse". There are cat, dog, ship, truck.',
    );
    expect(await fault(EVEN, { use: "unseen", held_out: CLASSES })).toContain(
      "there are no images to draw 8",
    );
  });

  it("an id that occurs twice", async () => {
    const twice = EVEN.map((image, i) => (i === 9 ? { ...image, id: EVEN[3].id } : image));
    expect(await fault(twice, "official")).toContain(`the id ${EVEN[3].id} occurs twice`);
  });

  it("a label outside the classes", async () => {
    expect(await fault(EVEN, "official", {}, ["cat", "dog"])).toMatch(
      /image \d+ has label [23], but there are 2 classes/,
    );
  });
});

describe("self", () => {
  // Two classes train, three more may validate, the last two are asked about.
  const classes = ["a", "b", "c", "d", "e", "f", "g"];
  const images: TestImage[] = Array.from({ length: 42 }, (_, i) => ({
    id: i + 1,
    split: i % 7 < 5 ? "train" : "test",
    label: i % 7,
    pixels: [i],
  }));

  it("lets the test images search each other, and validates by whole classes", async () => {
    const { split } = await run(images, "self", { validation: 8 }, classes);
    expect(split.query).toEqual(split.database);
    expect(split.query).toEqual(Uint8Array.from(images, ({ split }) => Number(split === "test")));
    const labelsOf = (role: "train" | "validation") =>
      new Set([...split.labels].filter((_, row) => split[role][row]));
    const [trains, validates] = [labelsOf("train"), labelsOf("validation")];
    // Classes have 6 images: two are needed for 8.
    expect([trains.size, validates.size]).toEqual([3, 2]);
    expect([...trains].some((label) => validates.has(label))).toBe(false);
  });

  it("counts no query as a duplicate of itself", async () => {
    const { outputs } = await run(images, "self", { validation: 8 }, classes);
    expect(JSON.parse(readFileSync(outputs.duplicates, "utf8"))).toMatchObject({ exact: 0 });
  });

  it("refuses classes on both sides, and validation that leaves nothing to train on", async () => {
    expect(await fault(EVEN, "self")).toMatch(
      /^split: class ".*" has test images and others\. .* take official, or unseen\.$/,
    );
    expect(await fault(images, "self", { validation: 30 }, classes)).toMatch(
      /5 classes train, but 30 of their images are wanted for validation, whole classes of them, and 2 classes must be left/,
    );
  });
});

describe("images with several labels", () => {
  const lists = Array.from({ length: 40 }, (_, i) => [i % 4, ...(i % 3 ? [] : [4])]);
  const images: TestImage[] = lists.map((labels, i) => ({
    id: i + 1,
    split: i < 30 ? "train" : "test",
    label: labels[0],
    labels,
    pixels: [i],
  }));
  const classes = [...CLASSES, "all over"];

  it.each([
    "official",
    "lists",
    "own",
    { use: "P2", queries: 10 },
  ])("are divided by %s, and keep their labels", async (protocol) => {
    const { split } = await run(images, protocol, { validation: 8 }, classes);
    expect(split.sets).toEqual(packSets(lists, 5));
    const count = (role: "train" | "validation" | "query") => split[role].filter(Boolean).length;
    expect(count("validation")).toBeGreaterThan(0);
    expect(count("train") + count("validation") + count("query")).toBe(40);
  });

  it("are refused by unseen, which keeps classes apart", async () => {
    expect(await fault(images, { use: "unseen", held_out: [CLASSES[0]] }, {}, classes)).toBe(
      "split: images of test have several labels each, but the protocol unseen divides images by class. Take protocol: lists, which draws from all of them, or official.",
    );
  });

  it("must be more than are drawn for validation", async () => {
    expect(await fault(images, "official", { validation: 30 }, classes)).toMatch(
      /there are 30 images to draw 30 for validation from, and some must be left/,
    );
  });
});
