import { describe, expect, it } from "vitest";
import type { UpstreamRun } from "../../../../runner/stage.ts";
import { dagBlocks, dagDrawing, duration, stageNodes } from "../../../../stages/report/sections/dag.ts";

const run = (stage: string, seed: number, from: string[], hit = false): UpstreamRun => ({
  id: `${stage}[seed=${seed}]`,
  stage,
  from,
  hit,
  seconds: 2 * seed,
  peakMegabytes: 100 * seed,
});
const upstream = [
  run("extract", 1, [], true),
  run("train", 1, ["extract[seed=1]"], true),
  run("train", 2, ["extract[seed=1]"]),
  run("embed", 1, ["extract[seed=1]", "train[seed=1]"]),
  run("embed", 2, ["extract[seed=1]", "train[seed=2]"]),
  run("raw", 1, ["extract[seed=1]"]),
];

describe("stageNodes", () => {
  it("adds the runs of a stage up, and sets it one column behind all that it takes from", () => {
    expect(stageNodes(upstream)).toEqual([
      { stage: "extract", from: [], instances: 1, hits: 1, seconds: 2, peakMegabytes: 100, layer: 0 },
      { stage: "train", from: ["extract"], instances: 2, hits: 1, seconds: 6, peakMegabytes: 200, layer: 1 },
      {
        stage: "embed",
        from: ["extract", "train"],
        instances: 2,
        hits: 0,
        seconds: 6,
        peakMegabytes: 200,
        layer: 2,
      },
      { stage: "raw", from: ["extract"], instances: 1, hits: 0, seconds: 2, peakMegabytes: 100, layer: 1 },
    ]);
  });
});

describe("dagDrawing", () => {
  const svg = dagDrawing(stageNodes(upstream));
  const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)"/g)].map(
    (match) => match.slice(1).map(Number),
  );

  it("draws a box for each stage, none over another, and an arrow for each use", () => {
    expect(boxes).toHaveLength(4);
    for (const [index, [x, y, width, height]] of boxes.entries())
      for (const [a, b] of boxes.slice(index + 1))
        expect(Math.abs(x - a) >= width || Math.abs(y - b) >= height).toBe(true);
    expect(svg.match(/marker-end=/g)).toHaveLength(4);
  });

  it("names the stages that ran, and dashes the boxes of the others", () => {
    expect(svg).toContain(">2 runs, 1 there already<");
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(1);
  });
});

describe("dagBlocks", () => {
  it("is empty where nothing came before", () => {
    expect(dagBlocks([])).toEqual([]);
  });

  it("tells the whole in words", () => {
    const words = dagBlocks(upstream).flatMap((block) => (block.kind === "text" ? [block.text] : []));
    expect(words[0]).toMatch(/^6 runs of 4 stages, 2 of them in the store already .* took 16 s /);
  });
});

describe("duration", () => {
  it.each([
    [0.44, "0.4 s"],
    [12.4, "12 s"],
    [59.6, "1 min 0 s"],
    [200, "3 min 20 s"],
  ])("%d seconds are %s", (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});

it("stages whose instances rest on one another are drawn, each after what it first rests on", () => {
  const run = (id: string, from: string[]) => ({
    ...{ id, stage: id.split("[")[0], from, hit: false, seconds: 1, peakMegabytes: 1 },
  });
  const nodes = stageNodes([
    run("extract", []),
    run("train[step=a]", ["extract"]),
    run("embed[step=a]", ["train[step=a]"]),
    run("label", ["embed[step=a]"]),
    run("train[step=b]", ["label"]),
    run("embed[step=b]", ["train[step=b]"]),
    run("report", ["embed[step=a]", "embed[step=b]"]),
  ] as never);
  expect(Object.fromEntries(nodes.map(({ stage, layer }) => [stage, layer]))).toEqual({
    ...{ extract: 0, train: 1, embed: 2, label: 3, report: 3 },
  });
  expect(dagDrawing(nodes)).toContain(">label<");
});
