import { expect, test } from "vitest";
import { readHistory, readTimings } from "../../../stages/shared/histories.ts";
import { makeStudy } from "../report/study.ts";

test("trainings under two protocols are two groups", () => {
  const runs = ["P1", "P2"].map((protocol) => ({
    point: { loss: "facenet", selector: "all", seed: 1, protocol },
    map: 0.8,
    knn: 0.8,
  }));
  const study = makeStudy(20, [
    ...runs,
    { point: { loss: "facenet", selector: "all", seed: 1 }, map: 0.8, knn: 0.8 },
  ]);
  const labels = ["facenet · all · P1", "facenet · all · P2", "facenet · all"];
  expect(study.histories.map(readHistory).map(({ label }) => label)).toEqual(labels);
  expect(study.timings.map(readTimings).map(({ label }) => label)).toEqual(labels);
  study.remove();
});
