import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { InputFile, Point } from "../../../runner/stage.ts";
import { planes } from "../../../stages/plot/figures/plane.ts";
import { readPlane } from "../../../stages/plot/planes.ts";
import { readEvaluations } from "../../../stages/shared/artifacts/metrics.ts";
import { readSplit } from "../../../stages/shared/artifacts/split.ts";
import { runStage } from "../../run-stage.ts";
import { makeStudy, plannedRuns } from "../report/study.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-planes-"));
const study = makeStudy(40, plannedRuns([1]).slice(0, 1));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  study.remove();
});

const BLOBS = { classes: 3, perClass: 80, dim: 2, noise: 0.1 };
const splitPath = join(folder, "split.arrow");
writeBlobSplit(splitPath, BLOBS);
const split = readSplit(splitPath);

function vectors(name: string, point: Point, blobs = BLOBS): InputFile {
  const path = join(folder, `${name}.arrow`);
  writeBlobs(path, blobs);
  return { path, id: `embed[name=${name}]`, point, hash: "" };
}

interface Panel {
  title: { text: string; subtitle: string };
  data: { values: { x: number; y: number; name: string }[] };
  encoding: Record<"x" | "y", { scale: { domain: [number, number] } }>;
}
const panelsOf = (figure: { spec: Record<string, unknown> }) => figure.spec.concat as Panel[];

describe("readPlane", () => {
  it("takes the query images for one figure and the training images for the other, the same for all vectors", () => {
    const [close, wide] = [
      readPlane(vectors("close", {}), split),
      readPlane(vectors("wide", {}, { ...BLOBS, noise: 0.5 }), split),
    ];
    expect(close.points.query.labels).toHaveLength(60); // a quarter of 240
    expect(close.points.train.labels).toHaveLength(120); // a half
    expect(wide.points.query.labels).toEqual(close.points.query.labels);
    // Not class after class: the last one would lie on top.
    expect([...close.points.query.labels]).not.toEqual([...close.points.query.labels].sort());
  });

  it("draws a thousand where there are more, each image once", () => {
    const many = { ...BLOBS, perClass: 1200 };
    const path = join(folder, "many-split.arrow");
    writeBlobSplit(path, many);
    const { query, train } = readPlane(vectors("many", {}, many), readSplit(path)).points;
    expect([query.labels.length, train.labels.length]).toEqual([900, 1000]);
    expect(new Set(Array.from(train.x, (x, at) => `${x} ${train.y[at]}`)).size).toBe(1000);
  });

  it("rejects tables without a plane", () => {
    const file = vectors("solid", {}, { ...BLOBS, dim: 3 });
    expect(() => readPlane(file, split)).toThrow(
      'plot: the vectors of embed[name=solid] have 3 dimensions, but a plane has 2. Take them out of the input "planes", or train with dim: 2.',
    );
  });
});

describe("planes", () => {
  const plane = readPlane(vectors("one", {}), split);

  it("gives both axes of a panel the same length, around every point of both figures", () => {
    const figures = planes([plane], [], {});
    expect(figures.map(({ name }) => name)).toEqual(["plane-query", "plane-train"]);
    const [query, train] = figures.map((figure) => panelsOf(figure)[0]);
    expect(train.encoding.x.scale).toEqual(query.encoding.x.scale);
    const [x, y] = [query.encoding.x.scale.domain, query.encoding.y.scale.domain];
    expect(x[1] - x[0]).toBeCloseTo(y[1] - y[0], 9);
    for (const { data } of [query, train])
      for (const point of data.values) {
        expect(point.x > x[0] && point.x < x[1]).toBe(true);
        expect(point.y > y[0] && point.y < y[1]).toBe(true);
      }
    expect(query.data.values[0].name).toBe(`class-${plane.points.query.labels[0]}`);
  });

  it("draws nothing without planes", () => {
    expect(planes([], [], {})).toEqual([]);
  });
});

describe("plot", () => {
  it("draws both figures, and says above the queries how well they retrieve", async () => {
    // The blobs say nothing of what made them.
    const { path } = study.metrics[0];
    writeFileSync(
      path,
      JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), made: { features: {} } }),
    );
    const { outputs } = await runStage("plot", {
      inputs: { metrics: study.metrics, planes: [vectors("drawn", {})], split: splitPath },
    });
    const [query, train] = ["query", "train"].map((role) =>
      readFileSync(join(outputs.figures, `plane-${role}.svg`), "utf8"),
    );
    for (const text of ["class-0", "class-2", ">pretrained features<"]) expect(query).toContain(text);
    expect(query).not.toContain("NaN");
    const { map, knn_accuracy } = readEvaluations(study.metrics)[0].metrics;
    const score = `mAP ${map.value.toFixed(3)}, kNN accuracy ${knn_accuracy.value.toFixed(3)}`;
    expect(query).toContain(score);
    expect(train).not.toContain(score);
  });

  it("asks for the split", async () => {
    await expect(
      runStage("plot", { inputs: { metrics: study.metrics, planes: [vectors("alone", {})] } }),
    ).rejects.toThrow('plot: the input "planes" needs the input "split"');
  });
});
