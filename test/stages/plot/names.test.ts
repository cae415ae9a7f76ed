/** All names of classes and labels that a person may give are drawn. */
import { expect, test } from "vitest";
import type { Figure } from "../../../stages/plot/figure.ts";
import { bars } from "../../../stages/plot/figures/bars.ts";
import { classes } from "../../../stages/plot/figures/classes.ts";
import { planes } from "../../../stages/plot/figures/plane.ts";
import { tsneMaps } from "../../../stages/plot/figures/tsne.ts";
import { lineEncoding } from "../../../stages/plot/lines.ts";
import { toPng, toSvg } from "../../../stages/plot/render.ts";
import type { Evaluation } from "../../../stages/shared/artifacts/metrics.ts";
import type { TsneMap } from "../../../stages/shared/artifacts/tsne-map.ts";
import { appearancesOf } from "../../../stages/shared/runs/looks.ts";
import { recipeFor } from "../report/study.ts";

const NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "10",
  "null",
  "",
  " ",
  "<b>&\"'",
];
const ESCAPED = new Map(
  Object.entries({
    "a\u001b[31mb": "a\\u001b[31mb",
    "x\ny": "x\\u000ay",
    "\u0000": "\\u0000",
    "\ud800": "\\ud800",
    "\uffff": "\\uffff",
  }),
);

function evaluation(label: string, names: string[]): Evaluation {
  const estimate = { value: 0.5, low: 0.4, high: 0.6 };
  return {
    id: "evaluate",
    label,
    hash: "",
    point: { loss: label },
    protocol: "own",
    representation: "embedding",
    distance: "euclidean",
    dim: 2,
    k: 10,
    queries: 2,
    database: 2,
    metrics: { map: estimate, knn_accuracy: estimate },
    classes: Object.fromEntries(names.map((name, at) => [name, { map: at / 10, knn_accuracy: 0 }])),
    recipe: recipeFor({ point: { loss: label }, protocol: "own" }),
    trained: true,
  };
}
const points = (names: string[]) => ({
  labels: Uint16Array.from(names, (_, at) => at),
  x: Float32Array.from(names, (_, at) => at),
  y: Float32Array.from(names, (_, at) => at),
});
const map = (names: string[]) =>
  ({
    ...points(names),
    label: "m",
    point: {},
    classes: names,
    perplexity: 1,
    trustworthiness: 1,
    neighbours: 1,
    iterations: 1,
    kl: 1,
    seed: 1,
    dim: 2,
  }) as unknown as TsneMap;
/** As the figures of curves: a line takes its colour by its name. */
const lined = (names: string[]): Figure => ({
  name: "lines",
  title: "",
  caption: "",
  alt: "",
  spec: {
    title: names[0],
    data: { values: names.flatMap((line) => [1, 2].map((x) => ({ line, x, y: x }))) },
    mark: "line",
    encoding: {
      x: { field: "x", type: "quantitative" },
      y: { field: "y", type: "quantitative" },
      ...lineEncoding(
        names.map((name) => ({ name, colour: "#4477AA", dash: [1, 0] })),
        400,
      ),
    },
  },
});

test.each([...NAMES, ...ESCAPED.keys()])("%j", async (name) => {
  const names = [name, "other"];
  const evaluations = [
    ...[evaluation("a", names), evaluation("b", ["other"])],
    ...[evaluation(name, ["a"]), evaluation("other", ["a"])],
  ];
  const groups = appearancesOf(evaluations);
  const figures = [
    ...classes(evaluations.slice(0, 2), groups),
    ...tsneMaps([map(names)], groups),
    ...planes(
      [
        {
          id: "p",
          label: name,
          point: {},
          recipe: recipeFor({ point: {} }),
          classes: names,
          points: { query: points(names), train: points(names) },
        },
      ],
      [],
      groups,
    ),
    ...bars(evaluations.slice(2), [], groups),
    lined(names),
  ];
  expect(figures.length).toBeGreaterThan(6);
  for (const figure of figures) {
    const svg = await toSvg(figure);
    expect(toPng(svg).length, figure.name).toBeGreaterThan(1000);
    const told = ESCAPED.get(name);
    if (told) expect(svg, figure.name).toContain(told);
  }
});

test("a class that another group lacks has no score there, be it called constructor", () => {
  const evaluations = [evaluation("a", ["constructor", "b"]), evaluation("b", ["b"])];
  const [figure] = classes(evaluations, appearancesOf(evaluations));
  const { values } = figure.spec.data as { values: { label: string; name: string; map: number }[] };
  expect(values.find(({ label, name }) => label === "b" && name === "constructor")!.map).toBe(0);
});

test("what Vega only logs fails the figure", async () => {
  const spec = {
    data: { values: [{ a: 1 }] },
    mark: "point",
    transform: [{ calculate: "datum.none.deeper", as: "b" }],
  };
  await expect(toSvg({ name: "f", title: "", caption: "", alt: "", spec } as never)).rejects.toThrow();
});
