/** A program that trains, saves, loads and measures; and its mistakes. */
import { expect, test } from "vitest";
import { itq, packSigns, project, random } from "../../library/binarisers.ts";
import { own, type Split, splitOf, tableOf } from "../../library/data.ts";
import { evaluate, evaluateCodes } from "../../library/evaluation.ts";
import { facenet, softmax } from "../../library/losses.ts";
import { trustworthiness, tsne } from "../../library/maps.ts";
import { batchHard, hardNegative } from "../../library/selectors.ts";
import { category, embed, type FitOptions, fit, linear, load, mlp, save } from "../../library/training.ts";
import { scratch } from "../stages/shared/scratch.ts";

const DIM = 12;
const CLASSES = ["a", "b", "c"];
const COUNT = 120;

const draw = random(1, "points");
const labels = Array.from({ length: COUNT }, (_, row) => row % 3);
const values = Float32Array.from(
  { length: COUNT * DIM },
  (_, at) => draw.normal() + (at % DIM === labels[Math.floor(at / DIM)] ? 2 : 0),
);
const data = tableOf({ values, shape: [DIM], labels, classes: CLASSES });
const split = splitOf(data, { protocol: { use: own, queries: 8 }, validation: 24, seed: 1 });
const options: FitOptions = {
  data,
  split,
  network: linear,
  loss: { use: facenet, margin: 0.5 },
  selector: batchHard,
  sampler: undefined,
  dim: 8,
  steps: 40,
  evaluateEvery: 20,
};

test("training separates the classes; the same options give the same weights; a saved head embeds alike", async () => {
  const steps: number[] = [];
  const trained = await fit({ ...options, onEvaluation: ({ step }) => steps.push(step) });
  expect(steps).toEqual([20, 40]);
  expect(trained.head).toMatchObject({ loss: "facenet", selector: "batchHard", dim: 8, normalise: true });
  const vectors = await embed(trained, data);
  const again = await embed(await fit(options), data);
  expect(again.values).toEqual(vectors.values);
  const folder = scratch();
  await save(folder, trained);
  expect((await embed(await load(folder), data)).values).toEqual(vectors.values);

  const before = await evaluate({ ...data, values, dim: DIM }, split, { at: [5] });
  const after = await evaluate(vectors, split, { at: [5] });
  expect(after.map).toBeGreaterThan(before.map);
  expect(after.accuracy).toBeGreaterThan(0.5); // of three classes
  expect(after.precisionAt.length).toBe(1);

  const sample = { values: vectors.values, rows: COUNT, dim: 8 };
  const projection = itq.fit(sample, 8, random(1, "binariser"), { iterations: 10 });
  const codes = { ...data, bits: 8, values: packSigns(project(projection, vectors.values), 8) };
  expect(evaluateCodes(codes, split, { at: [5] }).map).toBeGreaterThan(0.5);

  const { map } = tsne(sample, { perplexity: 10, iterations: 300, seed: 1 });
  expect(trustworthiness(sample, Float32Array.from(map))).toBeGreaterThan(0.8);
});

test("evaluation is that of the definition", async () => {
  // One query at 0; relevant items at ranks 1 and 3 of 4: AP (1 + 2/3) / 2.
  const line = tableOf({
    values: Float32Array.of(0, 1, 2, 3, 4, 1.1, 9),
    shape: [1],
    labels: [0, 0, 1, 0, 1, 0, 1],
    classes: ["x", "y"],
  });
  const flags = (...rows: number[]) => Uint8Array.from({ length: 7 }, (_, row) => Number(rows.includes(row)));
  const roles: Split = {
    ids: line.ids,
    labels: line.labels,
    train: flags(6),
    validation: flags(5),
    query: flags(0),
    database: flags(1, 2, 3, 4),
    protocol: "own",
    seed: 1,
  };
  const measured = await evaluate(
    { ...line, values: Float32Array.of(0, 1, 2, 3, 4, 1.1, 9), dim: 1 },
    roles,
    { ks: [1], at: [2] },
  );
  expect(measured.map).toBeCloseTo(5 / 6, 6);
  expect(measured.precisionAt).toEqual([0.5]);
  expect(measured).toMatchObject({ k: 1, accuracy: 1 });
});

test("a sampler draws by the categories of the classes", async () => {
  const sampler = { use: category, categories: 2, classes: 2, images: 4 };
  const { history } = await fit({
    ...options,
    sampler,
    categories: ["x", "y", "x"],
    steps: 2,
    evaluateEvery: 2,
  });
  expect(history.at(-1)?.step).toBe(2);
});

test.each<[string, Partial<FitOptions>, RegExp]>([
  [
    "a param that is unknown",
    { loss: { use: facenet, margn: 1 } },
    /loss: its params must NOT have additional properties \(margn\)\. It has margin/,
  ],
  ["a param of another type", { network: { use: mlp, hidden: "wide" } }, /network: hidden must be array/],
  [
    "a selector of pairs for triplets",
    { selector: hardNegative },
    /learns from triplets, but the selector "hardNegative" chooses pairs/,
  ],
  [
    "a sampler by category without categories",
    { sampler: category },
    /by category: give categories, one for each of the 3 classes/,
  ],
  ["a selector for a loss of batches", { loss: softmax }, /the selector "batchHard" has nothing to choose/],
])("%s is refused in one line", async (_, wrong, message) => {
  await expect(fit({ ...options, ...wrong })).rejects.toThrow(message);
});

test("a table whose parts do not fit is refused", () => {
  expect(() => tableOf({ values, shape: [DIM + 1], labels, classes: CLASSES })).toThrow(
    /1440 values are not 120 examples of \[13\]/,
  );
  expect(() => tableOf({ values, shape: [DIM], labels: labels.map(() => 3), classes: CLASSES })).toThrow(
    /row 0 has the label 3/,
  );
  const wider = tableOf({ values: new Float32Array(13), shape: [13], labels: [0], classes: CLASSES });
  const head = { model: undefined!, head: { input: [12] } as never };
  return expect(embed(head, wider)).rejects.toThrow("the network takes [12], but an example has [13]");
});
