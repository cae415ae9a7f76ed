/** Losses with a cross-batch memory: their slopes, which rows the memory holds, and rejected params. */
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import type { Loss } from "../../../../stages/train/loss.ts";
import contrastive from "../../../../stages/train/losses/contrastive.ts";
import facenet from "../../../../stages/train/losses/facenet.ts";
import { resolveSchedules } from "../../../../stages/train/schedules.ts";
import type { Batch } from "../../../../stages/train/scoring/batch.ts";
import { memoryBank } from "../../../../stages/train/scoring/memory.ts";
import type { PairSelector, TripletSelector } from "../../../../stages/train/selector.ts";
import { pairSelector } from "../../../../stages/train/selector.ts";
import all from "../../../../stages/train/selectors/all.ts";
import allPositive from "../../../../stages/train/selectors/all-positive.ts";
import angularTriplets from "../../../../stages/train/selectors/angular-triplets.ts";
import { lossOf, type Rows, randomRows, type Setup, start } from "../helpers.ts";

beforeAll(async () => {
  await startBackend("wasm");
});

type Part = TripletSelector | PairSelector;
const load = async <T>(folder: string, name: string): Promise<T> =>
  (await import(`../../../../stages/train/${folder}/${name}.ts`)).default;
const namesOf = (folder: string) =>
  readdirSync(`stages/train/${folder}`).map((file) => file.replace(/\.ts$/, ""));

const DIM = 5;
const LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 1];
/** Params at which no exponential is out of float32's reach, and every kind of pair has a loss. */
const MILD: Record<string, Record<string, unknown>> = {
  circle: { gamma: 4 },
  facenet: { margin: 3 },
  "fast-ap": { bins: 3 }, // few kinks
  "generalised-lifted-structure": { margin: 2 },
  "multi-similarity": { beta: 5, epsilon: 2 },
  "nt-xent": { temperature: 0.5 },
  "ranked-list": { temperature: 2 },
  supcon: { temperature: 0.5 },
  "tuplet-margin": { scale: 4 },
};
/** Its weights have no gradient, so that its slope is not that of its value. */
const DETACHED = ["circle"];

/** One image against a memory: its copy is no partner, so that the slope is that of the value. */
async function slopesOf(loss: Loss, setup: Setup) {
  const run = start(loss, DIM, setup);
  const rows = randomRows(random(4, "rows"), LABELS.length, DIM, loss.normalise);
  // One step fills the memory. Its copies stay: each further one takes the place of one of these.
  const fresh = () => {
    const again = start(loss, DIM, setup);
    for (const [index, variable] of again.variables.entries()) variable.assign(run.variables[index]);
    lossOf(loss, rows, LABELS, { ...setup, given: { share: 0 } }, again);
    return again;
  };
  const [one] = randomRows(random(5, "one"), 1, DIM, loss.normalise);
  const at = (row: number[]) => lossOf(loss, [row], [1], { ...setup, given: { share: 0.1 } }, fresh());
  const { gradient } = at(one);
  const length = Math.hypot(...gradient[0]);
  const H = 2e-3;
  const moved = (step: number) => at(one.map((value, k) => value + (step * gradient[0][k]) / length)).loss;
  return { length, slope: (moved(H) - moved(-H)) / (2 * H) };
}

const memory = { size: 100 };
const losses = namesOf("losses");
describe("one image against a memory descends along its gradient", () => {
  test.each(losses)("%s", async (name) => {
    const loss = await load<Loss>("losses", name);
    if (!loss.params?.memory || DETACHED.includes(name)) return;
    const selector = { triplets: all, pairs: allPositive, nothing: undefined }[loss.selects] as
      | Part
      | undefined;
    const { length, slope } = await slopesOf(loss, { selector, params: { ...MILD[name], memory } });
    expect(length).toBeGreaterThan(1e-4);
    expect(Math.abs(slope - length) / length).toBeLessThan(0.03);
  });

  test.each(
    namesOf("selectors").filter((name) => name !== "angular-triplets"),
  )("under the selector %s", async (name) => {
    const selector = await load<Part>("selectors", name);
    const loss = selector.selects === "triplets" ? facenet : contrastive;
    const params = { margin: 4, memory };
    const wide: Record<string, unknown> = { epsilon: 4, near: 0, far: 4, margin: 4, negative: "hard" };
    const selectorParams = Object.fromEntries(
      Object.entries(wide).filter(([param]) => selector.params && param in selector.params),
    );
    const { length, slope } = await slopesOf(loss as Loss, { selector, params, selectorParams });
    expect(length).toBeGreaterThan(1e-4);
    expect(Math.abs(slope - length) / length).toBeLessThan(0.03);
  });
});

test("each loss of pairs, triplets or distances that can takes a memory, and the others do not", async () => {
  const taking: string[] = [];
  for (const name of losses) if ((await load<Loss>("losses", name)).params?.memory) taking.push(name);
  expect(taking).toEqual([
    "circle",
    "contrastive",
    "dbdh",
    "dch",
    "dfh",
    "dhn",
    "dpsh",
    "dsdh",
    "dsh",
    "dshsd",
    "dtsh",
    "facenet",
    "fast-ap",
    "generalised-lifted-structure",
    "hashnet",
    "hoffer-ailon",
    "identification-verification",
    "idhn",
    "lcdsh",
    "margin",
    "multi-similarity",
    "nca",
    "nt-xent",
    "qsmih",
    "ranked-list",
    "soft-margin",
    "supcon",
    "tuplet-margin",
  ]);
});

describe("the memory", () => {
  /** The labels of all rows, batch by batch; each image has a label of its own. */
  function seen(sizes: number[], params: Record<string, unknown>, shares = sizes.map((_, k) => k / 10)) {
    const batches: number[][] = [];
    const spy = pairSelector({
      select(batch: Batch) {
        batches.push([...batch.labels]);
        return {
          positive: { first: new Int32Array(0), second: new Int32Array(0), count: 0 },
          negative: { first: new Int32Array(0), second: new Int32Array(0), count: 0 },
        };
      },
    });
    const run = start(contrastive as Loss, 2, { params, selector: spy as Part });
    let next = 0;
    for (const [index, size] of sizes.entries()) {
      const rows: Rows = Array.from({ length: size }, (_, i) => [i, index]);
      const labels = rows.map(() => next++);
      const given = { share: shares[index] };
      lossOf(contrastive as Loss, rows, labels, { params, selector: spy as Part, given }, run);
    }
    return batches;
  }

  test("holds the batch and the last of those before it", () => {
    expect(seen([2, 3, 2], { memory: { size: 6 } })).toEqual([
      [0, 1],
      [2, 3, 4, 0, 1],
      [5, 6, 1, 2, 3, 4],
    ]);
  });

  test("begins at a share of the steps", () => {
    const batches = seen([2, 2, 2, 2], { memory: { size: 9, from: 0.2 } });
    expect(batches.map((labels) => labels.length)).toEqual([2, 2, 2, 4]);
    expect(batches[3]).toEqual([6, 7, 4, 5]);
  });

  test("is not used where a loss is only measured", () => {
    const run = start(facenet as Loss, 2, { params: { memory: { size: 9 } }, selector: all });
    const setup = { params: { memory: { size: 9 } }, selector: all };
    const rows = randomRows(random(1, "rows"), 4, 2, true);
    for (let step = 0; step < 2; step++) lossOf(facenet as Loss, rows, [0, 0, 1, 1], setup, run);
    expect(run.counters.selected).toBe(2 * 4); // of the batch alone, both times
  });

  test("is refused where it has no room, where a sampler gives the pairs, and by a selector that cannot use it", () => {
    expect(() => seen([4], { memory: { size: 4 } })).toThrow(
      "train: memory.size is 4, but the batch of 4 images is in the memory too. Take more than 4.",
    );
    const none = { first: new Int32Array(0), second: new Int32Array(0), count: 0 };
    const given = { share: 0, pairs: { positive: none, negative: none } };
    const params = { memory };
    expect(() => lossOf(contrastive as Loss, [[1], [2]], [0, 1], { params, given })).toThrow(
      "Leave out memory, or take the sampler balanced.",
    );
    const setup = { params, selector: angularTriplets as Part, given: { share: 0 } };
    const rows = randomRows(random(1, "rows"), 4, 2, true);
    expect(() => lossOf(facenet as Loss, rows, [0, 0, 1, 1], setup)).toThrow(
      "the distances of positives and negatives, which a memory has not",
    );
  });

  test("keeps the sets of labels", () => {
    const bank = memoryBank({});
    const sets = (...values: number[]) => Uint8Array.from(values);
    const enter = (labelSets: Uint8Array) =>
      bank.enter({ size: 5 }, Float32Array.of(1, 2), Int32Array.of(0, 1), { share: 0, labelSets });
    expect(enter(sets(1, 1, 0, 0, 1, 1))!.count).toBe(0);
    expect([...enter(sets(1, 0, 0, 0, 1, 0))!.labelSets!]).toEqual([1, 1, 0, 0, 1, 1]);
    expect([...enter(sets(1, 0, 0, 0, 1, 0))!.labelSets!]).toEqual([0, 1, 1, 1, 0, 0, 0, 1, 0]);
  });

  test("is no schedule, although it has a from", () => {
    expect(resolveSchedules({ memory: { size: 9, from: 0.2 } }, 0.5)).toEqual({
      memory: { size: 9, from: 0.2 },
    });
  });
});
