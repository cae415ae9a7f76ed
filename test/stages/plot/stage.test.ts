import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runStage } from "../../run-stage.ts";
import { makeStudy, plannedRuns } from "../report/study.ts";

const study = makeStudy(
  60,
  plannedRuns([1, 2]).filter(({ point }) => point.selector !== "random-negative"),
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
    expect(tsne).toContain(">raw features<");
    expect(tsne).toContain(">facenet · semihard-negative · seed 1<");
    expect(readFileSync(join(figures, "map-official.svg"), "utf8")).toContain("facenet · semihard-negative");

    // Slower timings change the clock's figures alone, and the same inputs give the same bytes.
    const again = await runStage("plot", {
      inputs: { metrics, histories, timings: timings.slice(0, 6), maps },
    });
    for (const file of readdirSync(figures))
      expect(
        readFileSync(join(again.outputs.figures, file)).equals(readFileSync(join(figures, file))),
        file,
      ).toBe(true);
    expect(readFileSync(join(again.outputs.timing_figures, "race.svg"), "utf8")).not.toBe(
      readFileSync(join(timing_figures, "race.svg"), "utf8"),
    );
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
