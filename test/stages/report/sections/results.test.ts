/** The table of representations where images have one label in some rows, and several in others. */
import { expect, test } from "vitest";
import type { GroupSummary, ProtocolSummary } from "../../../../stages/report/numbers/summary.ts";
import { classBlocks, headline } from "../../../../stages/report/sections/results.ts";

const metric = (mean: number) => ({ mean, values: [mean] });
const group = (metrics: Record<string, number>, classes: GroupSummary["classes"]): GroupSummary =>
  ({
    ...{ ids: ["a"], dim: 4, distance: "euclidean", classes, seeds: [] },
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, mean]) => [name, metric(mean)])),
  }) as unknown as GroupSummary;
const ONE = group({ map: 0.9, knn_accuracy: 0.8 }, { cat: { map: 0.5, knn_accuracy: 0.25 } });
const SEVERAL = group(
  { map: 0.7, knn_accuracy: 0.1, f1_micro: 0.6, wap: 1 },
  { cat: { map: 0.5, knn_accuracy: 0.1, f1: 0.75 } },
);
const protocol = (groups: Record<string, GroupSummary>) =>
  ({ queries: 10, database: 20, groups }) as unknown as ProtocolSummary;

/** The title and the texts of the votes. */
function votes(groups: Record<string, GroupSummary>) {
  const { columns, rows } = headline("P", protocol(groups), Object.entries(groups), new Map());
  return [columns[3].title, ...rows.map((row) => row[3].text)];
}

test("each row has the metric of its images, and the title names both", () => {
  expect(votes({ one: ONE, several: SEVERAL })).toEqual(["kNN accuracy or F1", "0.8000", "0.6000"]);
  expect(votes({ one: ONE })).toEqual(["kNN accuracy", "0.8000"]);
  expect(votes({ several: SEVERAL })).toEqual(["F1 of all labels", "0.6000"]);
});

test("so have the classes", () => {
  const blocks = JSON.stringify(
    classBlocks("P", protocol({ one: ONE, several: SEVERAL }), new Map(), () => []),
  );
  expect(blocks).toContain("kNN accuracy or F1 of each class");
  expect(blocks).toContain('"0.250"');
  expect(blocks).toContain('"0.750"');
});
