/** Collects the data of the page's script from the study's files. */
import type { InputFile } from "../../../runner/stage.ts";
import { readCurve } from "../../shared/artifacts/curve.ts";
import { type History, type Timings, usesTriplets } from "../../shared/artifacts/history.ts";
import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import type { Neighbours } from "../../shared/artifacts/neighbours.ts";
import type { Queries } from "../../shared/artifacts/per-query.ts";
import { readSheet } from "../../shared/artifacts/thumbnails.ts";
import type { TsneMap } from "../../shared/artifacts/tsne-map.ts";
import { signsOf } from "../../shared/runs/collapse.ts";
import { byName, groupRuns, labelOf } from "../../shared/runs/groups.ts";
import { type Appearances, titleOf } from "../../shared/runs/looks.ts";
import type { Confusion, MapData, RadiusCurve, RunData, Thumbnails } from "./data.ts";

/** With more classes than this a table of confusions is too wide to be read. */
const MOST_CLASSES = 20;

/** Four digits are finer than a pixel. */
const DIGITS = 4;
const rounded = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value) => Number(value.toPrecision(DIGITS)));

/** A map, scaled by one factor, so that it keeps its shape. */
export function mapData(map: TsneMap, neighbours: Neighbours | undefined, groups: Appearances): MapData {
  const range = (values: Float32Array) => {
    let [low, high] = [values[0], values[0]];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return { low, size: high - low };
  };
  const [h, v] = [range(map.x), range(map.y)];
  const side = Math.max(h.size, v.size) || 1;
  const scaled = (values: Float32Array, low: number) =>
    Array.from(values, (value) => Number(((value - low) / side).toFixed(DIGITS)));
  return {
    title: titleOf(map, groups),
    facts: `${map.labels.length} query images, ${map.dim} dimensions; trustworthiness (k = ${map.neighbours}) ${map.trustworthiness.toFixed(3)}; perplexity ${map.perplexity}, ${map.iterations} iterations, KL ${map.kl.toFixed(3)}, seed ${map.seed}. Distances between clusters and their sizes say nothing.`,
    x: scaled(map.x, h.low),
    y: scaled(map.y, v.low),
    labels: [...map.labels],
    ids: [...map.ids],
    representation: neighbours?.representations.findIndex(({ id }) => id === map.of) ?? -1,
  };
}

/** A training's curves. @param timings its seconds, for a page that shows measured time */
export function runData(history: History, timings?: Timings): RunData {
  return {
    label: history.label,
    point: history.point,
    protocol: history.protocol,
    loss_name: String(history.metadata.loss),
    steps: [...history.step],
    images: [...history.images],
    ...(usesTriplets(history) && { triplets: [...history.triplets] }),
    ...(timings && { seconds: rounded(timings.select.map((seconds, at) => seconds + timings.gradient[at])) }),
    loss: rounded(history.loss),
    active: rounded(history.active),
    map: rounded(history.validationMap),
    collapsed: signsOf(history).collapsed,
  };
}

/** The confusion matrices of kNN, one for each protocol with few enough classes. */
export function confusions(evaluations: Evaluation[], queries: Queries[]): Confusion[] {
  return [...byName(evaluations, ({ protocol }) => protocol)].flatMap(([protocol, own]): Confusion[] => {
    const groups = groupRuns(own)
      .map(({ label, members }) => ({
        label,
        map: members.reduce((sum, { metrics }) => sum + metrics.map.value, 0) / members.length,
        runs: members.flatMap(({ id }) => queries.filter((run) => run.id === id)),
      }))
      .filter(({ runs }) => runs.length > 0);
    if (groups.length === 0) return [];
    const { classes, labels } = groups[0].runs[0];
    if (classes.length > MOST_CLASSES) return [];
    const asked = classes.map((_, label) => labels.reduce((sum, one) => sum + (one === label ? 1 : 0), 0));
    const sharesOf = (runs: Queries[]) => {
      const counts = classes.map(() => new Array<number>(classes.length).fill(0));
      for (const run of runs)
        for (const [query, label] of run.labels.entries()) counts[label][run.predictions[query]]++;
      return counts.map((row, label) =>
        rounded(row.map((count) => count / (runs.length * asked[label] || 1))),
      );
    };
    return [
      {
        protocol,
        classes,
        queries: asked,
        groups: groups
          .sort((a, b) => b.map - a.map)
          .map(({ label, runs }) => ({ label, shares: sharesOf(runs) })),
      },
    ];
  });
}

/** The precision and recall of a `curve`. @throws UserError when the file is another artifact */
export function readRadii({ path, id, point }: InputFile): RadiusCurve {
  const { protocol, bits, precision, recall } = readCurve(path);
  return {
    protocol,
    label: labelOf(point, id),
    bits,
    precision: rounded(precision),
    recall: rounded(recall),
  };
}

/** The thumbnails of a folder that browse made; none where it is empty. */
export function readThumbnails(folder: string | undefined): Thumbnails | undefined {
  const found = folder ? readSheet(folder) : undefined;
  if (!found) return undefined;
  const { webp, side, columns } = found;
  return { sheet: `data:image/webp;base64,${webp.toString("base64")}`, side, columns };
}
