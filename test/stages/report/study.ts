/** A made-up study: the files that plot and report read, as the stages before them would write them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Float32, Float64, Uint16, Uint32 } from "apache-arrow";
import type { InputFile, Point } from "../../../runner/stage.ts";
import { writeTable } from "../../../stages/shared/artifacts/arrow.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import type { Recipe, Settings } from "../../../stages/shared/runs/recipe.ts";

export const CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

/** How good a run is, and how it trains. */
export interface Made {
  point: Point;
  map: number;
  knn: number;
  /** Its embeddings fall together, and its loss stays at the margin. */
  collapses?: boolean;
  selectSeconds?: number;
  /** Params of the training that are not the study's. */
  settings?: Settings;
  protocol?: string;
  /** Codes of these vectors, made so. */
  code?: Settings;
  /** Cores that others kept busy while it trained; left out: nobody measured it. */
  others?: number;
}

/** Vectors that all runs begin with. */
export const FEATURES = { backbone: "mobilenetv2", size: 160 };

/** The recipe of a run. */
export function recipeFor({
  point,
  settings,
  protocol = "official",
  code,
}: Omit<Made, "map" | "knn">): Recipe {
  const { loss, selector, seed } = point;
  if (loss === undefined) return { features: FEATURES, ...(code && { code }) };
  const training = {
    ...{ dim: 64, steps: 300, learning_rate: 0.003, seed, protocol },
    network: { use: "mlp", hidden: [512] },
    sampler: { use: "balanced" },
    loss: { use: loss, ...(loss === "facenet" && { margin: 0.2 }) },
    ...(selector !== undefined && { selector: { use: selector } }),
    ...settings,
  };
  return {
    features: FEATURES,
    training,
    ...(loss === "facenet" && { chosen: ["loss.margin"] }),
    ...(code && { code }),
  };
}

const SELECTORS: [string, number, number][] = [
  ["all", 0.86, 2],
  ["hardest-negative", 0.2, 0.5],
  ["random-negative", 0.875, 0.7],
  ["semihard-negative", 0.89, 0.8],
];

/** The numbers of a study of two losses, four selectors and three seeds. */
export function plannedRuns(seeds = [1, 2, 3]): Made[] {
  const runs: Made[] = [{ point: {}, map: 0.416, knn: 0.858 }];
  for (const [loss, worse] of [
    ["facenet", 0],
    ["hoffer-ailon", 0.03],
  ] as const)
    for (const [selector, map, selectSeconds] of SELECTORS)
      for (const seed of seeds)
        runs.push({
          point: { loss, selector, seed },
          map: map - worse + 0.004 * (seed - 2),
          knn: selector === "hardest-negative" ? 0.3 : 0.885 - worse / 3 + 0.001 * seed,
          collapses: selector === "hardest-negative",
          selectSeconds,
        });
  return runs;
}

/** Everything of a study, by the name of the report's and the plot's inputs. */
export interface MadeStudy {
  folder: string;
  metrics: InputFile[];
  queries: InputFile[];
  histories: InputFile[];
  timings: InputFile[];
  choices: InputFile[];
  maps: InputFile[];
  remove(): void;
}

export const idOf = (stage: string, point: Point): string =>
  Object.keys(point).length
    ? `${stage}[${Object.entries(point)
        .map(([axis, value]) => `${axis}=${value}`)
        .join(",")}]`
    : stage;

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/**
 * Writes the study.
 * @param queries of each run, the same ids for all
 * @param runs as `plannedRuns()` gives them
 */
export function makeStudy(queries = 200, runs = plannedRuns()): MadeStudy {
  const folder = mkdtempSync(join(tmpdir(), "deephash-study-"));
  const study: MadeStudy = {
    folder,
    metrics: [],
    queries: [],
    histories: [],
    timings: [],
    choices: [],
    maps: [],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  let files = 0;
  const file = (name: string, stage: string, point: Point): InputFile => {
    const path = join(folder, String(files++), name);
    mkdirSync(join(path, ".."));
    return { path, id: idOf(stage, point), point, hash: String(files).padStart(8, "0").repeat(8) };
  };
  const ids = Uint32Array.from({ length: queries }, (_, i) => 50_000 + i);
  const labels = Uint16Array.from({ length: queries }, (_, i) => i % CLASSES.length);
  // A query is equally hard for all runs: pairing removes this.
  const hard = random(1, "queries");
  const hardness = Float64Array.from({ length: queries }, () => 0.1 * hard.normal());

  for (const run of runs) {
    const { point, map, knn, collapses, selectSeconds = 0, protocol = "official", code, others } = run;
    const made = recipeFor(run);
    const draws = random(Number(point.seed ?? 0), `${point.loss}${point.selector}`);
    const trained = point.loss !== undefined;
    const precision = Float32Array.from(hardness, (hardnessOf) =>
      clamp(map + hardnessOf + 0.03 * draws.normal()),
    );
    const right = Array.from(labels, () => draws.float() < knn);
    const prediction = Uint16Array.from(labels, (label, i) =>
      right[i] ? label : (label + 1) % CLASSES.length,
    );
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / queries;
    const estimate = (value: number) => ({ value, low: clamp(value - 0.01), high: clamp(value + 0.01) });
    const stage = trained ? "evaluate" : code ? "evaluate-untrained" : "evaluate-raw";
    const metricsFile = file("metrics.json", stage, point);
    const found = mean(precision);
    writeFileSync(
      metricsFile.path,
      JSON.stringify({
        protocol,
        representation: code ? "code" : trained ? "embedding" : "features",
        made,
        distance: code ? "hamming" : "cosine",
        dim: code ? Number(code.bits) : trained ? 64 : 1280,
        k: 10,
        queries,
        database: 5500,
        metrics: {
          map: estimate(found),
          knn_accuracy: estimate(mean(right.map(Number))),
          ...Object.fromEntries([1, 10, 100].map((k) => [`precision@${k}`, estimate(clamp(found + 0.02))])),
          ...Object.fromEntries([1, 10, 100].map((k) => [`recall@${k}`, estimate(clamp(found + 0.1))])),
          r_precision: estimate(clamp(found - 0.02)),
          map_at_r: estimate(clamp(found - 0.04)),
        },
        classes: Object.fromEntries(
          CLASSES.map((name, label) => [
            name,
            { map: clamp(found + 0.01 * (label - 5)), knn_accuracy: clamp(knn + 0.005 * (label - 5)) },
          ]),
        ),
      }),
    );
    study.metrics.push(metricsFile);

    const perQuery = file("per-query.arrow", stage, point);
    const float = new Float32();
    writeTable(
      perQuery.path,
      "per-query",
      {
        id: new Uint32(),
        label: new Uint16(),
        prediction: new Uint16(),
        map: float,
        "precision@10": float,
        r_precision: float,
        map_at_r: float,
      },
      queries,
      {
        id: ids,
        label: labels,
        prediction,
        map: precision,
        "precision@10": precision,
        r_precision: precision,
        map_at_r: precision,
      },
      { protocol, classes: CLASSES },
    );
    study.queries.push(perQuery);
    if (!trained) continue;

    const rows = 30;
    const along = <T>(make: (share: number) => T) =>
      Array.from({ length: rows }, (_, i) => make((i + 1) / rows));
    const step = Uint32Array.from({ length: rows }, (_, i) => 10 * (i + 1));
    const quality = Float32Array.from(
      along((share) =>
        collapses
          ? 0.1 + 0.3 * Math.exp(-8 * share)
          : map - 0.4 * Math.exp(-7 * share) + 0.003 * draws.normal(),
      ),
    );
    const history = file("history.arrow", "train", point);
    writeTable(
      history.path,
      "history",
      {
        step: new Uint32(),
        epoch: float,
        images: new Float64(),
        loss: float,
        active: float,
        triplets: new Float64(),
        spread: float,
        validation_map: float,
        validation_accuracy: float,
      },
      rows,
      {
        step,
        epoch: Float32Array.from(along((share) => 15 * share)),
        images: Float64Array.from(step, (at) => 250 * at),
        loss: Float32Array.from(
          along((share) => (collapses ? 0.2 : 0.05 + 0.15 * Math.exp(-5 * share) + 0.004 * draws.normal())),
        ),
        active: Float32Array.from(
          along((share) => (collapses ? 1 : clamp(0.1 + 0.6 * Math.exp(-6 * share)))),
        ),
        triplets: Float64Array.from(step, (at) => (point.selector === "all" ? 675_000 : 3000) * at),
        spread: Float32Array.from(along((share) => (collapses ? 0.9 * Math.exp(-14 * share) : 0.9))),
        validation_map: quality,
        validation_accuracy: quality,
      },
      {
        network: "mlp",
        loss: point.loss,
        selector: point.selector ?? "",
        seed: point.seed,
        made,
        best_step: 10 * (1 + quality.indexOf(Math.max(...quality))),
        collapse: collapses ? "all embeddings are nearly one" : "",
      },
    );
    study.histories.push(history);

    const timings = file("timings.arrow", "train", point);
    const seconds = new Float64();
    writeTable(
      timings.path,
      "timings",
      { step: new Uint32(), select_seconds: seconds, gradient_seconds: seconds, total_seconds: seconds },
      rows,
      {
        step,
        select_seconds: Float64Array.from(along((share) => selectSeconds * share)),
        gradient_seconds: Float64Array.from(along((share) => 9 * share)),
        total_seconds: Float64Array.from(
          along((share) => (9.6 + selectSeconds + 0.1 * draws.float()) * share),
        ),
      },
      others === undefined ? {} : { cores: 2, others_busy: others },
    );
    study.timings.push(timings);
  }

  for (const selector of [...new Set(runs.flatMap(({ point }) => point.selector ?? []))]) {
    const point = { loss: "facenet", selector };
    const choice = file("choice.json", "select", point);
    writeFileSync(
      choice.path,
      JSON.stringify({
        param: "loss.margin",
        value: 0.2,
        metric: "validation_map",
        candidates: [0.1, 0.2, 0.5].map((value, i) => ({
          value,
          score: [0.84, 0.88, 0.87][i],
          id: idOf("tune", { ...point, margin: value }),
        })),
      }),
    );
    study.choices.push(choice);
  }

  for (const point of [{}, { loss: "facenet", selector: "semihard-negative", seed: 1 }] as Point[]) {
    const map = file("map.arrow", "tsne", point);
    const draws = random(3, idOf("map", point));
    const tight = "loss" in point ? 5 : 16;
    const place = (turn: (angle: number) => number) =>
      Float32Array.from(labels, (label) => 40 * turn((label * Math.PI) / 5) + tight * draws.normal());
    writeTable(
      map.path,
      "tsne",
      { id: new Uint32(), label: new Uint16(), x: float32, y: float32 },
      queries,
      { id: ids, label: labels, x: place(Math.cos), y: place(Math.sin) },
      {
        classes: CLASSES,
        of: "loss" in point ? "embed[seed=1]" : "features.arrow",
        point,
        made_from: "loss" in point ? { loss: point.loss } : { backbone: "mobilenetv2" },
        points: queries,
        dim: "loss" in point ? 64 : 1280,
        distance: "euclidean",
        perplexity: 30,
        seed: 1,
        iterations: 1000,
        kl: 1.234,
        trustworthiness: "loss" in point ? 0.943 : 0.971,
        neighbours: 5,
      },
    );
    study.maps.push(map);
  }
  return study;
}

const float32 = new Float32();
