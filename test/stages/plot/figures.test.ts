import { describe, expect, it } from "vitest";
import type { Point } from "../../../runner/stage.ts";
import { bars } from "../../../stages/plot/figures/bars.ts";
import { curves } from "../../../stages/plot/figures/curves.ts";
import { lengths } from "../../../stages/plot/figures/lengths.ts";
import { triplets } from "../../../stages/plot/figures/triplets.ts";
import { drawn, linedPanels } from "../../../stages/plot/lines.ts";
import type { History } from "../../../stages/shared/artifacts/history.ts";
import type { Evaluation } from "../../../stages/shared/artifacts/metrics.ts";
import { placeNames } from "../../../stages/shared/charts/names.ts";
import { METHODS } from "../../../stages/shared/runs/colours.ts";
import { labelOf } from "../../../stages/shared/runs/groups.ts";
import { appearancesOf } from "../../../stages/shared/runs/looks.ts";
import { meanSeries } from "../../../stages/shared/statistics/means.ts";
import { recipeFor } from "../report/study.ts";

/** An evaluation whose every metric has one value. */
function evaluation(protocol: string, point: Evaluation["point"], value: number): Evaluation {
  const estimate = { value, low: value - 0.01, high: value + 0.01 };
  return {
    id: "evaluate",
    label: labelOf(point, "raw features"),
    hash: "",
    point,
    protocol,
    representation: "embedding",
    distance: "euclidean",
    dim: 64,
    k: 10,
    queries: 100,
    database: 500,
    metrics: { map: estimate, knn_accuracy: estimate },
    classes: {},
    recipe: recipeFor({ point, protocol }),
    trained: point.loss !== undefined,
  };
}

interface Row {
  label: string;
  mean: number;
  low: number;
  high: number;
  values: number[];
}

describe("bars", () => {
  const evaluations = [
    evaluation("official", {}, 0.4),
    evaluation("official", { loss: "facenet", seed: 1 }, 0.88),
    evaluation("official", { loss: "facenet", seed: 2 }, 0.9),
    evaluation("P1", { loss: "facenet", seed: 1 }, 0.7),
  ];
  const figures = bars(evaluations, [], appearancesOf(evaluations));
  const rowsOf = (name: string) =>
    (figures.find((figure) => figure.name === name)!.spec.data as { values: Row[] }).values;

  it("draws no two protocols in one figure", () => {
    expect(figures.map(({ name }) => name)).toEqual(["map-official", "knn-official", "map-P1", "knn-P1"]);
    expect(rowsOf("map-P1").map(({ mean }) => mean)).toEqual([0.7]);
  });

  it("shows the mean over seeds, best first, with the interval over seeds or, of one run, over queries", () => {
    const [facenet, raw] = rowsOf("map-official");
    expect(facenet).toMatchObject({ label: "FaceNet", colour: METHODS[0], values: [0.88, 0.9] });
    expect(facenet.mean).toBeCloseTo(0.89, 12);
    expect(facenet.low).toBeCloseTo(0.89 - 12.7062 * 0.01, 4); // t(1) * s / sqrt(2)
    expect(facenet.high).toBe(1); // kept inside what an mAP can be
    expect(raw).toMatchObject({ label: "pretrained features", colour: "#777777", mean: 0.4 });
    expect(raw.low).toBeCloseTo(0.39, 12);
    expect(raw.high).toBeCloseTo(0.41, 12);
  });
});

describe("bars of what went wrong, or was never trained", () => {
  const point = { loss: "facenet", seed: 1 };
  const history = {
    recipe: recipeFor({ point }),
    metadata: { collapse: "stuck" },
    spread: Float32Array.of(0.9, 0.01),
    active: Float32Array.of(1, 1),
  } as unknown as History;
  const code = { ...evaluation("official", { binariser: "itq" }, 0.5), representation: "code" as const };
  const evaluations = [evaluation("official", point, 0.6), code];
  const [{ spec }] = bars(evaluations, [history], appearancesOf(evaluations));
  const { values } = spec.data as { values: { label: string; colour: string }[] };

  it("names a collapsed training, and marks a code that used no labels like raw features", () => {
    expect(values.map(({ label, colour }) => [label, colour])).toEqual([
      ["FaceNet (1 of 1 collapsed)", METHODS[0]],
      ["ITQ", "#777777"],
    ]);
  });
});

/** A training of two evaluations. */
const training = (point: Point, map: number, more: Partial<History> = {}): History =>
  ({
    id: "train",
    hash: "",
    point,
    label: labelOf(point, "train"),
    protocol: "P1",
    recipe: recipeFor({ point, protocol: "P1" }),
    metadata: { loss: point.loss, selector: point.selector ?? null },
    images: Float64Array.of(250, 500),
    triplets: Float64Array.of(125, 250),
    loss: Float32Array.of(4, 1),
    active: Float32Array.of(1, 0.5),
    spread: Float32Array.of(0.9, 0.8),
    validationMap: Float32Array.of(map / 2, map),
    ...more,
  }) as unknown as History;
interface Chart {
  data: { values: { line: string; x: number; y: number; low: number; high: number }[] };
  encoding: {
    x: { title: string | null };
    y?: { title: string };
  };
  layer: { encoding: { color: { legend: object | null } } }[];
}

describe("linedPanels", () => {
  const linesOf = (histories: History[]) =>
    linedPanels(histories.map(drawn), appearancesOf(histories)).map(({ title, lines }) => ({
      title,
      names: lines.map(({ name }) => name),
      lines,
    }));

  it("names panels and lines in words, and gives a selector one colour with every loss", () => {
    const panels = linesOf(
      ["facenet", "hoffer-ailon"].flatMap((loss) => [
        training({ loss, selector: "all", seed: 1 }, 0.7),
        training({ loss, selector: "semihard-negative", seed: 1 }, 0.8),
      ]),
    );
    expect(panels.map(({ title, names }) => [title, names])).toEqual([
      ["FaceNet", ["semi-hard", "all triplets"]],
      ["Hoffer & Ailon", ["semi-hard", "all triplets"]],
    ]);
    const colours = panels.map(({ lines }) => lines.map(({ colour }) => colour));
    expect(colours[0]).toEqual(colours[1]);
    expect(new Set(colours[0]).size).toBe(2);
  });

  it("draws at most eight lines a panel, each training in some panel, and no two lines alike", () => {
    const many = Array.from({ length: 19 }, (_, at) => training({ loss: `l${at}`, seed: 1 }, at / 20));
    const panels = linesOf(many);
    expect(panels.map(({ lines }) => lines.length)).toEqual([8, 8, 3]);
    expect(panels.flatMap(({ names }) => names)).toHaveLength(19);
    const looks = panels.flatMap(({ lines }) => lines.map(({ colour, dash }) => `${colour} ${dash}`));
    expect(new Set(looks).size).toBe(19);
  });

  it("draws no two protocols in one panel", () => {
    const panels = linesOf(
      ["P1", "P2"].map((protocol) => ({
        ...training({ loss: "dtsh", bits: 12, seed: 1 }, 0.7),
        protocol,
        label: `dtsh · bits 12 · ${protocol}`,
      })),
    );
    expect(panels.map(({ title }) => title)).toEqual(["Codes, P1", "Codes, P2"]);
  });

  it("names a collapsed training, and dots its line", () => {
    const stuck = training({ loss: "facenet", selector: "all", seed: 1 }, 0.2, {
      spread: Float32Array.of(0.9, 0.001),
    });
    const [{ lines }] = linesOf([stuck, training({ loss: "facenet", selector: "x", seed: 1 }, 0.8)]);
    expect(lines.map(({ name, dash }) => [name, dash])).toEqual([
      ["x", [1, 0]],
      ["all triplets (1 of 1 collapsed)", [1.5, 3]],
    ]);
  });
});

describe("triplets", () => {
  it("leaves out a classifier, which counts its images", () => {
    const classifier = training({ loss: "softmax" }, 0.4, { triplets: Float64Array.of(250, 500) });
    const pairs = training({ loss: "contrastive" }, 0.4);
    const groups = appearancesOf([classifier, pairs]);
    const { concat } = triplets([classifier, pairs], groups)[0].spec as unknown as { concat: Chart[] };
    expect(concat).toHaveLength(1);
    expect(concat[0].data.values.map(({ line, x }) => [line, x])).toEqual([
      ["contrastive", 125],
      ["contrastive", 250],
    ]);
    expect(triplets([classifier], groups)).toEqual([]);
  });
});

describe("curves", () => {
  const rowsOf = (histories: History[]) => {
    const { concat } = curves(histories, appearancesOf(histories))[0].spec as unknown as { concat: Chart[] };
    return Array.from({ length: concat.length / 3 }, (_, row) => concat.slice(3 * row, 3 * row + 3));
  };
  const titlesOf = (histories: History[]) =>
    rowsOf(histories).map((charts) => charts.map(({ encoding }) => encoding.y?.title));

  it("draws losses that share a panel as shares of their first values: they have no common scale", () => {
    const [[, loss]] = rowsOf([training({ loss: "softmax" }, 0.4), training({ loss: "arcface" }, 0.5)]);
    expect(loss.encoding.y?.title).toBe("loss, share of its first");
    expect(loss.data.values).toContainEqual(expect.objectContaining({ line: "ArcFace", x: 500, y: 0.25 }));
  });

  it("draws no active share of a loss without triplets", () => {
    const classifier = training({ loss: "softmax" }, 0.4, { triplets: Float64Array.of(250, 500) });
    expect(titlesOf([classifier])).toEqual([["validation mAP", "loss", undefined]]);
    expect(titlesOf([training({ loss: "facenet", selector: "all" }, 0.4)])).toEqual([
      ["validation mAP", "loss", "active share"],
    ]);
  });

  it("draws validation mAP first and largest, with the interval over seeds and the only legend", () => {
    const seeds = [1, 2].map((seed) =>
      training({ loss: "facenet", selector: "all", seed }, 0.7 + seed / 100),
    );
    const [[map, ...beside]] = rowsOf(seeds) as (Chart & { width: number })[][];
    expect(map.data.values[1].y).toBeCloseTo(0.715, 6);
    expect(map.data.values[1].high).toBeGreaterThan(0.72);
    const legends = (chart: Chart) => chart.layer.map(({ encoding }) => encoding.color.legend);
    expect(legends(map)).not.toContain(null);
    for (const chart of beside) {
      expect(new Set(legends(chart))).toEqual(new Set([null]));
      expect(2 * chart.width).toBeLessThanOrEqual(map.width);
    }
  });
});

describe("meanSeries", () => {
  it("goes as far as every series does", () => {
    expect(
      meanSeries([
        [1, 2, 3],
        [3, 4],
      ]),
    ).toEqual([2, 3]);
  });
});

describe("placeNames", () => {
  const classes = ["automobile", "truck", "ship"];
  const labels = Uint16Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2);
  const close = {
    x: [0.48, 0.5, 0.9, 0.5, 0.51, 0.9, 0.5, 0.5, 0.1],
    y: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.99],
    labels,
  };

  it("puts a name at the median of its class", () => {
    const [, , ship] = placeNames(
      { ...close, y: close.y.map((y, i) => y + 0.1 * labels[i]) },
      classes,
      { width: 0.01, height: 0.04 },
      1,
    );
    expect(ship).toEqual({ text: "ship", x: 0.5, y: 0.7 });
  });

  it("pushes names apart until none lies over another", () => {
    const names = placeNames(close, classes, { width: 0.02, height: 0.04 }, 1);
    for (const [index, a] of names.entries())
      for (const b of names.slice(index + 1)) expect(Math.abs(a.y - b.y)).toBeGreaterThan(0.039);
  });

  it("leaves out a class without points, and keeps names inside", () => {
    const names = placeNames(
      { x: [1], y: [1], labels: Uint16Array.of(1) },
      classes,
      { width: 0.02, height: 0.04 },
      1,
    );
    expect(names).toHaveLength(1);
    expect(names[0]).toMatchObject({ text: "truck", y: 0.98 });
    expect(names[0].x).toBeCloseTo(0.95, 12);
  });
});

describe("lengths", () => {
  const code = (point: Evaluation["point"], value: number): Evaluation => ({
    ...evaluation("P1", point, value),
    representation: "code",
    distance: "hamming",
    dim: Number(point.bits),
  });
  interface Layer {
    mark: { type: string };
    data: { values: { line?: string; paper?: string; bits: number; map: number }[] };
    encoding: { color?: { scale: { domain: string[]; range: string[] } } };
  }
  const figuresOf = (evaluations: Evaluation[]) =>
    lengths(evaluations, appearancesOf(evaluations)).map(({ name, spec }) => ({
      name,
      parts: (spec as unknown as { vconcat: { layer: Layer[] }[] }).vconcat.map(({ layer }) => ({
        line: layer.find(({ mark }) => mark.type === "line")!,
        marks: layer.find(({ mark }) => mark.type === "point")!,
      })),
    }));
  const dots = ({ data }: Layer) =>
    data.values.map(({ line, paper, bits, map }) => [line ?? paper, bits, map]);

  it("draws a method over its lengths, means over seeds, and the published numbers as marks", () => {
    const [{ name, parts }] = figuresOf([
      code({ loss: "dtsh", bits: 12, seed: 1 }, 0.7),
      code({ loss: "dtsh", bits: 12, seed: 2 }, 0.74),
      code({ loss: "dtsh", bits: 48, seed: 1 }, 0.8),
      code({ loss: "csq", bits: 48, seed: 1 }, 0.8), // one length is no line
      evaluation("P1", { loss: "facenet" }, 0.9), // no code
    ]);
    expect(name).toBe("lengths-P1");
    expect(parts).toHaveLength(1);
    expect(dots(parts[0].line)).toEqual([
      ["DTSH", 12, expect.closeTo(0.72, 12)],
      ["DTSH", 48, 0.8],
    ]);
    expect(dots(parts[0].marks)).toContainEqual(["DTSH (VGG-F)", 48, 0.774]);
    expect(dots(parts[0].marks)).toContainEqual(["DFH (all of it trained)", 48, 0.844]);
  });

  it("breaks the axis between what learned from labels and what did not", () => {
    const learned = [12, 48].map((bits) => code({ loss: "dtsh", bits, seed: 1 }, 0.8));
    const others = [12, 48].map((bits) => code({ binariser: "itq", bits }, 0.3));
    const [{ parts }] = figuresOf([...learned, ...others]);
    expect(parts.map(({ line }) => dots(line)[0][0])).toEqual(["DTSH", "ITQ"]);
    const published = parts.map(({ marks }) => dots(marks).map(([line]) => line));
    expect(published[0]).not.toContain("ITQ (hand-made features)");
    expect(new Set(published[1])).toEqual(new Set(["ITQ (hand-made features)"]));
  });

  it("draws the eight best of more methods, each in its own colour and none in grey", () => {
    const methods = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    const codes = methods.flatMap((loss, at) =>
      [12, 48].map((bits) => code({ loss, bits, seed: 1 }, 0.5 + at / 100)),
    );
    const { domain, range } = figuresOf(codes)[0].parts[0].line.encoding.color!.scale;
    expect(domain).toEqual(["j", "i", "h", "g", "f", "e", "d", "c"]);
    expect(new Set(range).size).toBe(8);
    expect(range).not.toContain("#777777");
  });

  it("keeps the best that used no labels among them", () => {
    const codes = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].flatMap((loss, at) =>
      [12, 48].map((bits) => code({ loss, bits, seed: 1 }, 0.5 + at / 100)),
    );
    const others = ["itq", "lsh"].flatMap((binariser, at) =>
      [12, 48].map((bits) => code({ binariser, bits }, 0.3 - at / 10)),
    );
    const [{ parts }] = figuresOf([...others, ...codes]);
    const names = parts.map(({ line }) => [...new Set(dots(line).map(([name]) => name))]);
    expect(names).toEqual([["i", "h", "g", "f", "e", "d", "c"], ["ITQ"]]);
  });

  it("draws no two lines alike, although dashes repeat after 32 methods", () => {
    const names = Array.from({ length: 40 }, (_, at) => `m${String(at).padStart(2, "0")}`);
    const codes = names.flatMap((loss, at) =>
      [12, 48].map((bits) => code({ loss, bits, seed: 1 }, at === 0 || at > 31 ? 0.9 : 0.5)),
    );
    const { color, strokeDash } = figuresOf(codes)[0].parts[0].line.encoding as unknown as Record<
      "color" | "strokeDash",
      { scale: { range: unknown[] } }
    >;
    const strokes = color.scale.range.map((colour, at) =>
      JSON.stringify([colour, strokeDash.scale.range[at]]),
    );
    expect(strokes).toHaveLength(8);
    expect(new Set(strokes).size).toBe(8);
  });

  it("draws nothing of one length", () => {
    expect(figuresOf([code({ loss: "dtsh", bits: 12 }, 0.7)])).toEqual([]);
  });
});
