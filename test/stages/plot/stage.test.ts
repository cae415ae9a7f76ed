import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bars } from "../../../stages/plot/figures/bars.ts";
import { classes } from "../../../stages/plot/figures/classes.ts";
import { toPng, toSvg } from "../../../stages/plot/render.ts";
import { readEvaluations } from "../../../stages/shared/artifacts/metrics.ts";
import { appearancesOf } from "../../../stages/shared/runs/looks.ts";
import { runStage } from "../../run-stage.ts";
import { makeStudy, plannedRuns } from "../report/study.ts";

const study = makeStudy(
  40,
  plannedRuns([1, 2]).filter(({ point }) => point.selector === undefined || point.loss === "facenet"),
);
afterAll(() => study.remove());
const { metrics, histories, timings, maps } = study;

describe("plot", () => {
  it("draws every figure as SVG and PNG, and keeps the clock in a folder of its own", async () => {
    const first = await runStage("plot", { inputs: { metrics, histories, timings, maps } });
    const { figures, timing_figures } = first.outputs;
    const both = (names: string[]) => names.flatMap((name) => [`${name}.png`, `${name}.svg`]);
    expect(readdirSync(figures)).toEqual(
      [
        ...both(["classes-official", "curves", "knn-official", "map-official", "triplets", "tsne"]),
        "figures.json",
      ].sort(),
    );
    expect(readdirSync(timing_figures)).toEqual(["figures.json", ...both(["race", "seconds"])].sort());

    const listed = JSON.parse(readFileSync(join(figures, "figures.json"), "utf8"));
    for (const figure of listed) {
      expect(Object.keys(figure)).toEqual(["name", "title", "caption", "alt"]);
      const svg = readFileSync(join(figures, `${figure.name}.svg`), "utf8");
      expect(svg).toMatch(/^<svg/);
      expect(svg).not.toContain("NaN");
      expect(svg).not.toContain("undefined");
      expect(
        readFileSync(join(figures, `${figure.name}.png`))
          .subarray(1, 4)
          .toString(),
      ).toBe("PNG");
    }
    const tsne = readFileSync(join(figures, "tsne.svg"), "utf8");
    expect(tsne).toContain("perplexity 30, trustworthiness (k = 5) 0.971");
    expect(tsne).toContain("automobile");
    expect(tsne).toContain(">pretrained features<");
    expect(tsne).toContain(">FaceNet, semi-hard, seed 1<");
    const map = readFileSync(join(figures, "map-official.svg"), "utf8");
    expect(map).toContain("FaceNet, semi-hard");
    expect(map).toContain("FaceNet, hardest negatives (2 of 2 collapsed)<"); // whole
  });

  it("draws the same bytes again, after any other drawing", async () => {
    const evaluations = readEvaluations(metrics.slice(0, 2));
    const groups = appearancesOf(evaluations);
    const shades = classes(evaluations, groups)[0];
    const first = await toSvg(shades);
    await toSvg(bars(evaluations, [], groups)[0]);
    expect(await toSvg(shades)).toBe(first);
    expect(Buffer.from(toPng(first)).equals(toPng(first))).toBe(true);
  });

  it("draws what there is where trainings and maps are left out", async () => {
    const { outputs } = await runStage("plot", { inputs: { metrics: metrics.slice(0, 1) } });
    expect(readdirSync(outputs.figures).filter((file) => file.endsWith(".svg"))).toEqual([
      "classes-official.svg",
      "knn-official.svg",
      "map-official.svg",
    ]);
    expect(readdirSync(outputs.timing_figures)).toEqual(["figures.json"]);
  });
});
