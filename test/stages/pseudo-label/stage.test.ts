/** Labels by the votes of networks, on six images that one can follow by hand. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { packSets } from "../../../stages/shared/artifacts/label-sets.ts";
import { readSplit, writeSplit } from "../../../stages/shared/artifacts/split.ts";
import { readVectors, writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";

const folder = scratch();
const IDS = [10, 11, 12, 13, 14, 15, 16, 17];
const LABELS = [0, 1, 0, 1, 0, 1, 0, 1];
/** Roles by image: two train, one of each class; one validates; one asks; four are in the database without a label. */
const ROLES = "tt" + "v" + "q" + "dddd";

function table(name: string, values: number[], labels = LABELS, sets?: number[][]): string {
  const path = join(folder, `${name}.arrow`);
  writeVectors(
    path,
    {
      ids: Uint32Array.from(IDS.slice(0, labels.length)),
      labels: Uint16Array.from(labels),
      ...(sets && { sets: packSets(sets, 2) }),
      vector: Float32Array.from(values),
      dim: values.length / labels.length,
    },
    { classes: ["cat", "dog"], made: name },
  );
  return path;
}

/** @param searched the letters of the database: under "self", those of the queries too */
function splitOf(roles: string, protocol = "P1", searched = "tvd"): string {
  const path = join(folder, `${roles}-${protocol}.arrow`);
  const has = (...letters: string[]) => Uint8Array.from(roles, (role) => Number(letters.includes(role)));
  writeSplit(
    path,
    {
      ids: Uint32Array.from(IDS),
      labels: Uint16Array.from(LABELS),
      ...{ train: has("t"), validation: has("v"), query: has("q"), database: has(...searched) },
      ...{ protocol, seed: 3 },
    },
    { classes: ["cat", "dog"] },
  );
  return path;
}

const data = table("data", [1, 2, 3, 4, 5, 6, 7, 8]);
const split = splitOf(ROLES);
// The means of the classes are 0 and 10 in the first network, 1 and -1 in the second, which has other lengths of vectors.
const first = table("first", [0, 10, 5, 5, 1, 9, 2, 4]);
const second = table("second", [1, 0, -1, 0, 0, 0, 0, 0, 1, 1, -1, 1, -1, 1, 0.5, 0]);
const run = (vectors: string[], params: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  runStage("pseudo-label", {
    params,
    inputs: { data, split, vectors: vectors.map((path) => ({ path, id: path })), ...more },
  });

test("images on which all networks agree get their label and train", async () => {
  const { outputs, notes } = await run([first, second]);
  // Votes: image 14 cat cat, 15 dog dog, 16 cat dog, 17 cat cat, which the data set calls a dog.
  const made = readSplit(outputs.split);
  expect([...made.train]).toEqual([1, 1, 0, 0, 1, 1, 0, 1]);
  const before = readSplit(split);
  for (const role of ["validation", "query", "database", "labels", "ids"] as const)
    expect(made[role]).toEqual(before[role]);
  expect(made).toMatchObject({ protocol: "P1", seed: 3 });
  const labelled = readVectors(outputs.data);
  expect([...labelled.labels]).toEqual([0, 1, 0, 1, 0, 1, 0, 0]);
  expect([...labelled.values]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(labelled.metadata).toMatchObject({ made: "data", pseudo_labels: { networks: 2, agree: 1 } });
  expect(notes).toMatchObject({ labelled: 3, as_the_data_set: 0.667 });
});

test("a share of the networks is enough where the study says so", async () => {
  const { outputs } = await run([first, second], { agree: 0.5 });
  expect([...readSplit(outputs.split).train]).toEqual([1, 1, 0, 0, 1, 1, 1, 1]);
  expect(readVectors(outputs.data).labels[6]).toBe(0); // of as many votes, the first class
});

test("the labels of images that do not train are not looked at", async () => {
  const unknown = [0, 1, 0, 0, 0, 0, 0, 0];
  const [one, two] = [
    table("one", [0, 10, 5, 5, 1, 9, 2, 4], unknown),
    table("two", [...readVectors(second).values], unknown),
  ];
  const [blind, seeing] = [
    await run([one, two], {}, { data: table("none", [1, 2, 3, 4, 5, 6, 7, 8], unknown) }),
    await run([first, second]),
  ];
  const accepted = [4, 5, 7];
  const labels = [blind, seeing].map(({ outputs }) => readVectors(outputs.data).labels);
  for (const row of accepted) expect(labels[0][row]).toBe(labels[1][row]);
  expect(readSplit(blind.outputs.split).train).toEqual(readSplit(seeing.outputs.split).train);
});

test("a query never trains, also where the queries search each other", async () => {
  const { outputs } = await run([first, second], {}, { split: splitOf(ROLES, "self", "tvqd") });
  expect([...readSplit(outputs.split).train]).toEqual([1, 1, 0, 0, 1, 1, 0, 1]);
});

test("vectors keep their precision", async () => {
  const fine = table("fine", [1.0001, 2, 3, 4, 5, 6, 7, 8]);
  const { outputs } = await run([first], {}, { data: fine });
  expect(readVectors(outputs.data).values).toEqual(readVectors(fine).values);
});

test("what cannot be labelled is refused in one line", async () => {
  await expect(run([first, table("short", [1, 2, 3], [0, 1, 0])])).rejects.toThrow(
    /^pseudo-label: row 3 of .*short\.arrow is image none, that of data 13\. Let every model embed the images of data\.$/,
  );
  await expect(run([first], {}, { split: splitOf("ttvqtttt") })).rejects.toThrow(
    /every image of the database trains, validates or asks already/,
  );
  const sets = LABELS.map((label, row) => (row ? [label] : [0, 1]));
  const several = table("several", [1, 2, 3, 4, 5, 6, 7, 8], LABELS, sets);
  await expect(run([first], {}, { data: several })).rejects.toThrow(/several labels each/);
});
