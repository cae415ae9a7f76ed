import { describe, expect, it } from "vitest";
import { bars } from "../../../stages/plot/figures/bars.ts";
import { curves } from "../../../stages/plot/figures/curves.ts";
import { lengths } from "../../../stages/plot/figures/lengths.ts";
import { triplets } from "../../../stages/plot/figures/triplets.ts";
import { inPanel, linesOf } from "../../../stages/plot/series.ts";
import type { History } from "../../../stages/shared/artifacts/history.ts";
import type { Evaluation } from "../../../stages/shared/artifacts/metrics.ts";
import { placeNames } from "../../../stages/shared/charts/names.ts";
import { labelOf } from "../../../stages/shared/runs/groups.ts";
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
  const figures = bars(
    [
      evaluation("official", {}, 0.4),
      evaluation("official", { loss: "facenet", seed: 1 }, 0.88),
      evaluation("official", { loss: "facenet", seed: 2 }, 0.9),
      evaluation("P1", { loss: "facenet", seed: 1 }, 0.7),
    ],
    [],
  );
  const rowsOf = (name: string) =>
    (figures.find((figure) => figure.name === name)!.spec.data as { values: Row[] }).values;

  it("draws no two protocols in one figure", () => {
    expect(figures.map(({ name }) => name)).toEqual(["map-official", "knn-official", "map-P1", "knn-P1"]);
    expect(rowsOf("map-P1").map(({ mean }) => mean)).toEqual([0.7]);
  });

  it("shows the mean over seeds, best first, with the interval over seeds or, of one run, over queries", () => {
    const [facenet, raw] = rowsOf("map-official");
    expect(facenet).toMatchObject({ label: "facenet", values: [0.88, 0.9] });
    expect(facenet.mean).toBeCloseTo(0.89, 12);
    expect(facenet.low).toBeCloseTo(0.89 - 12.7062 * 0.01, 4); // t(1) * s / sqrt(2)
    expect(facenet.high).toBe(1); // kept inside what an mAP can be
    expect(raw).toMatchObject({ label: "raw features", mean: 0.4 });
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
  const [{ spec }] = bars([evaluation("official", point, 0.6), code], [history]);
  const { values } = spec.data as { values: { label: string; trained: boolean }[] };

  it("names a collapsed training, and marks a code that used no labels like raw features", () => {
    expect(values.map(({ label, trained }) => [label, trained])).toEqual([
      ["facenet (1 of 1 collapsed)", true],
      ["itq", false],
    ]);
    expect(JSON.stringify(spec)).toContain("!datum.trained");
  });
});

describe("linesOf", () => {
  it("gives the colour to the selector and the panels to the rest", () => {
    const points: Evaluation["point"][] = [
      { loss: "a", selector: "x", bits: 12, seed: 1 },
      { loss: "a", selector: "y", bits: 12, seed: 1 },
      { network: "mlp", loss: "b" },
    ];
    const runs = points.map((point) => ({ point, protocol: "P1", label: labelOf(point, "train") }));
    expect(linesOf(runs).map(({ panel, line }) => [panel, line])).toEqual([
      ["a · bits 12", "x"],
      ["a · bits 12", "y"],
      ["mlp", "b"],
    ]);
  });

  it("names the panel of what has nothing but its line", () => {
    const points: Evaluation["point"][] = [
      { loss: "a", selector: "x" },
      { loss: "a", selector: "y" },
      { loss: "b" },
      { loss: "c" },
    ];
    const lines = linesOf(points.map((point) => ({ point, protocol: "P1", label: labelOf(point, "train") })));
    expect(lines.map(({ panel, line }) => [panel, line])).toEqual([
      ["a", "x"],
      ["a", "y"],
      ["others", "b"],
      ["others", "c"],
    ]);
    expect(inPanel("")).toBe('datum.panel === ""');
  });
});

describe("linesOf of several protocols", () => {
  const runs = ["P1", "P2"].flatMap((protocol) =>
    [12, 48].map((bits) => {
      const point = { protocol, loss: "dtsh", bits, seed: 1 };
      return { point, protocol, label: `${labelOf(point, "train")} · ${protocol}` };
    }),
  );

  it("gives each protocol its panel: the lines of two are never joined", () => {
    expect(linesOf(runs).map(({ panel, line }) => [panel, line])).toEqual([
      ["dtsh · P1", "bits 12"],
      ["dtsh · P1", "bits 48"],
      ["dtsh · P2", "bits 12"],
      ["dtsh · P2", "bits 48"],
    ]);
  });

  it("keeps lines apart that one panel and one name stand for", () => {
    const alike = [300, 2000].map((steps) => ({ ...runs[0], label: `dtsh (steps ${steps})` }));
    const places = linesOf([...alike, ...runs]).map(({ panel, line }) => `${panel}, ${line}`);
    expect(new Set(places).size).toBe(6);
    expect(places[0]).toBe("dtsh · P1, dtsh (steps 300)");
  });
});

describe("linesOf where every panel would hold one line", () => {
  it("draws all of them in one panel, by their whole names", () => {
    const points: Evaluation["point"][] = [
      { loss: "contrastive", sampler: "random-pairs" },
      { loss: "contrastive", sampler: "balanced", selector: "hard-negative" },
    ];
    const lines = linesOf(points.map((point) => ({ point, protocol: "P1", label: labelOf(point, "train") })));
    expect(lines.map(({ panel, line }) => [panel, line])).toEqual([
      ["", "contrastive · random-pairs"],
      ["", "contrastive · balanced · hard-negative"],
    ]);
  });
});

describe("triplets", () => {
  it("leaves out a classifier, which counts its images", () => {
    const history = (loss: string, share: number) =>
      ({
        point: { loss },
        label: loss,
        protocol: "P1",
        metadata: { loss, selector: null },
        images: Float64Array.of(250, 500),
        triplets: Float64Array.of(250 * share, 500 * share),
        validationMap: Float32Array.of(0.3, 0.4),
      }) as unknown as History;
    const [figure] = triplets([history("softmax", 1), history("contrastive", 0.5)]);
    const { values } = figure.spec.data as { values: { line: string; cost: number }[] };
    expect(values.map(({ line, cost }) => [line, cost])).toEqual([
      ["contrastive", 125],
      ["contrastive", 250],
    ]);
    expect(triplets([history("softmax", 1)])).toEqual([]);
  });
});

describe("curves", () => {
  const history = (loss: string, selector?: string) =>
    ({
      point: { loss, ...(selector && { selector }) },
      label: loss,
      protocol: "P1",
      metadata: { loss, selector },
      triplets: Float64Array.of(250, 500),
      images: Float64Array.of(250, 500),
      loss: Float32Array.of(4, 1),
      active: Float32Array.of(1, 0.5),
      validationMap: Float32Array.of(0.3, 0.4),
    }) as unknown as History;
  interface Panel {
    encoding: { y: { field: string } };
  }
  const lossFields = (histories: History[]) => {
    const { concat, data } = curves(histories)[0].spec as { concat: Panel[]; data: { values: unknown[] } };
    return { fields: concat.map(({ encoding }) => encoding.y.field).slice(0, 1), rows: data.values };
  };

  it("draws losses that share a panel as shares of their first values: they have no common scale", () => {
    const { fields, rows } = lossFields([history("softmax"), history("supcon")]);
    expect(fields).toEqual(["relativeLoss"]);
    expect(rows).toContainEqual(expect.objectContaining({ line: "supcon", loss: 1, relativeLoss: 0.25 }));
  });

  it("draws no active share of a loss without triplets", () => {
    const shares = (one: History) =>
      (lossFields([one]).rows as { active: number | null }[]).map((row) => row.active);
    expect(shares(history("softmax"))).toEqual([null, null]);
    expect(shares(history("facenet", "all"))).toEqual([1, 0.5]);
  });

  it("draws a loss by itself as it is", () => {
    expect(lossFields([history("facenet", "all")]).fields).toEqual(["loss"]);
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
  const dotsOf = (evaluations: Evaluation[]) =>
    lengths(evaluations).map(
      ({ name, spec }) => [name, (spec.data as { values: Record<string, unknown>[] }).values] as const,
    );

  it("draws a method over its lengths, means over seeds, beside what is published of the protocol", () => {
    const [[name, dots]] = dotsOf([
      code({ loss: "dtsh", bits: 12, seed: 1 }, 0.7),
      code({ loss: "dtsh", bits: 12, seed: 2 }, 0.74),
      code({ loss: "dtsh", bits: 48, seed: 1 }, 0.8),
      code({ loss: "csq", bits: 48, seed: 1 }, 0.8), // one length is no line
      evaluation("P1", { loss: "facenet" }, 0.9), // no code
    ]);
    expect(name).toBe("lengths-P1");
    const measured = dots.filter(({ published }) => !published);
    expect(measured.map(({ method, bits }) => [method, bits])).toEqual([
      ["dtsh", 12],
      ["dtsh", 48],
    ]);
    expect(measured[0].map).toBeCloseTo(0.72, 12);
    expect(dots).toContainEqual(
      expect.objectContaining({ method: "DTSH, published (VGG-F)", bits: 48, map: 0.774, published: true }),
    );
  });

  it("draws no measured line in the grey of the published ones", () => {
    const methods = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const codes = methods.flatMap((loss) => [12, 48].map((bits) => code({ loss, bits, seed: 1 }, 0.7)));
    const { encoding } = lengths(codes)[0].spec as {
      encoding: { color: { scale: { domain: string[]; range: string[] } } };
    };
    const { domain, range } = encoding.color.scale;
    for (const [at, name] of domain.entries()) expect(range[at] === "#777777").toBe(!methods.includes(name));
  });

  it("draws nothing of one length", () => {
    expect(dotsOf([code({ loss: "dtsh", bits: 12 }, 0.7)])).toEqual([]);
  });
});
