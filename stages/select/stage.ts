/** select: the value of a param with the best validation score. Its inputs are histories only, never query results. */
import { defineStage, type Scalar, UserError } from "../../runner/stage.ts";
import { numbers, readTable } from "../shared/artifacts/arrow.ts";
import { writeChoice } from "../shared/artifacts/choice.ts";

interface Params {
  param: string;
  axis: string;
  metric: "validation_map" | "validation_accuracy";
}

export default defineStage<Params>({
  params: "select",
  inputs: { runs: { artifact: "history", many: true } },
  outputs: { choice: "choice.json" },
  reusable: true,
  async run({ params, sources, outputs, log, warn }) {
    const { param, axis, metric } = params;
    const candidates = sources.runs.map(({ path, id, point }) => {
      const value: Scalar | undefined = point[axis];
      if (value === undefined)
        throw new UserError(`select: ${id} has no axis "${axis}", so its value of ${param} is not known.`);
      // The weights of the best evaluation are the ones that were kept.
      const score = Math.max(...numbers<Float32Array>(readTable(path, "history"), metric));
      return { value, score: Math.round(score * 1e6) / 1e6, id };
    });
    const best = candidates.reduce((best, candidate) => (candidate.score > best.score ? candidate : best));
    log(`${param} = ${best.value}: ${candidates.map(({ value, score }) => `${value}: ${score}`).join(", ")}`);
    const values = candidates.map(({ value }) => value);
    if (values.length > 2 && values.every((value) => typeof value === "number")) {
      const ends = [Math.min(...(values as number[])), Math.max(...(values as number[]))];
      if (ends.includes(best.value as number))
        warn(
          `${param} = ${best.value} is at the end of the grid (${ends.join(" to ")}): a wider one may hold a better value.`,
        );
    }
    writeChoice(outputs.choice, { param, value: best.value, metric, candidates });
  },
});
