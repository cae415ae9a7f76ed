import { afterAll, describe, expect, it } from "vitest";
import {
  readHistories,
  readTimings,
  timedHistories,
  usesTriplets,
} from "../../../../stages/shared/artifacts/history.ts";
import { type Made, makeStudy } from "../../report/study.ts";

const point = { loss: "facenet", selector: "all", seed: 1 };
const run: Made = { point, map: 0.8, knn: 0.8 };
const runs = [
  ...["P1", "P2"].map((protocol) => ({ ...run, protocol, point: { ...point, protocol } })),
  run,
  { ...run, settings: { steps: 900 } },
];
const study = makeStudy(20, runs);
afterAll(() => study.remove());
const histories = readHistories(study.histories);

describe("readHistories", () => {
  it("groups trainings by protocol, and by what one name hides", () => {
    expect(histories.map(({ label }) => label)).toEqual([
      "facenet · all · P1",
      "facenet · all · P2",
      "facenet · all (steps 300)",
      "facenet · all (steps 900)",
    ]);
    expect(histories.map(({ protocol }) => protocol)).toEqual(["P1", "P2", "official", "official"]);
  });
});

describe("timedHistories", () => {
  it("joins the two outputs of one instance, with any points", () => {
    const files = study.timings.slice(2).map((file, at) => ({ ...file, id: `train-${at}`, point }));
    const own = histories.slice(2).map((history, at) => ({ ...history, id: `train-${1 - at}` }));
    expect(timedHistories(own, files.map(readTimings)).map(([{ id }, timed]) => [id, timed.id])).toEqual([
      ["train-1", "train-1"],
      ["train-0", "train-0"],
    ]);
    expect(timedHistories(own, [])).toEqual([]);
  });
});

describe("usesTriplets", () => {
  it("counts a selector that takes one triplet for each image", () => {
    const [history] = histories;
    const { images } = history;
    expect(usesTriplets({ ...history, triplets: images })).toBe(true);
    expect(usesTriplets({ ...history, triplets: images, metadata: { selector: null } })).toBe(false);
    expect(usesTriplets({ ...history, metadata: { selector: null } })).toBe(true); // pairs without a selector
  });
});
