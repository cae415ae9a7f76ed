/** plot: the figures of a study, each as SVG and PNG; those that show seconds in a folder of their own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage, type InputFile, UserError } from "../../runner/stage.ts";
import { readHistories, readTimings } from "../shared/artifacts/history.ts";
import { readEvaluations } from "../shared/artifacts/metrics.ts";
import { readSplit } from "../shared/artifacts/split.ts";
import { readMap } from "../shared/artifacts/tsne-map.ts";
import { appearancesOf } from "../shared/runs/looks.ts";
import { shown } from "../shared/text.ts";
import type { Figure } from "./figure.ts";
import { bars } from "./figures/bars.ts";
import { classes } from "./figures/classes.ts";
import { curves } from "./figures/curves.ts";
import { lengths } from "./figures/lengths.ts";
import { planes } from "./figures/plane.ts";
import { seconds } from "./figures/seconds.ts";
import { triplets } from "./figures/triplets.ts";
import { tsneMaps } from "./figures/tsne.ts";
import { type Plane, readPlane } from "./planes.ts";
import { toPng, toSvg } from "./render.ts";

/** @throws UserError where planes are given without the split, which has the roles of the images */
function readPlanes(files: InputFile[], split: string | undefined): Plane[] {
  if (files.length === 0) return [];
  if (!split)
    throw new UserError('plot: the input "planes" needs the input "split": it has the roles of the images.');
  const roles = readSplit(split);
  return files.map((file) => readPlane(file, roles));
}

export default defineStage({
  params: "plot",
  inputs: {
    metrics: { artifact: "metrics", many: true },
    histories: { artifact: "history", many: true, optional: true },
    timings: { artifact: "timings", many: true, optional: true },
    maps: { artifact: "tsne", many: true, optional: true },
    planes: { artifact: "vectors", many: true, optional: true }, // of two dimensions
    split: { artifact: "split", optional: true },
  },
  outputs: { figures: "figures/", timing_figures: { path: "timings/", measured: true } },
  async run({ inputs, sources, outputs, progress, signal }) {
    const evaluations = readEvaluations(sources.metrics);
    const histories = readHistories(sources.histories);
    const groups = appearancesOf([...evaluations, ...histories]);
    const figures = [
      ...bars(evaluations, histories, groups),
      ...lengths(evaluations, groups),
      ...classes(evaluations, groups),
      ...curves(histories, groups),
      ...triplets(histories, groups),
      ...tsneMaps(sources.maps.map(readMap), groups),
      ...planes(readPlanes(sources.planes, inputs.split), evaluations, groups),
    ];
    const timed = seconds(histories, sources.timings.map(readTimings), groups);
    let done = 0;
    const draw = async (folder: string, drawn: Figure[]) => {
      for (const figure of drawn) {
        signal.throwIfAborted();
        const svg = await toSvg(figure);
        writeFileSync(join(folder, `${figure.name}.svg`), svg);
        writeFileSync(join(folder, `${figure.name}.png`), toPng(svg));
        progress(++done, figures.length + timed.length, "figures");
      }
      const list = drawn.map(({ name, title, caption, alt }) => ({
        name,
        title: shown(title),
        caption: shown(caption),
        alt: shown(alt),
      }));
      writeFileSync(join(folder, "figures.json"), `${JSON.stringify(list, null, 2)}\n`);
    };
    await draw(outputs.figures, figures);
    await draw(outputs.timing_figures, timed);
  },
});
