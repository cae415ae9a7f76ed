/** Names of classes and labels that a person may give are drawn, whatever is in them. */
import { expect, test } from "vitest";
import type { Figure } from "../../../stages/plot/figure.ts";
import { bars } from "../../../stages/plot/figures/bars.ts";
import { classes } from "../../../stages/plot/figures/classes.ts";
import { planes } from "../../../stages/plot/figures/plane.ts";
import { tsneMaps } from "../../../stages/plot/figures/tsne.ts";
import { toPng, toSvg } from "../../../stages/plot/render.ts";
import { inPanel } from "../../../stages/plot/series.ts";
import type { Evaluation } from "../../../stages/shared/artifacts/metrics.ts";
import type { TsneMap } from "../../../stages/shared/artifacts/tsne-map.ts";
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
/** As the figures of curves: a panel takes its rows by an expression. */
const panels = (names: string[]): Figure => ({
  name: "panels",
  title: "",
  caption: "",
  alt: "",
  spec: {
    data: { values: names.map((panel) => ({ panel, y: 1 })) },
    hconcat: names.map((panel) => ({
      transform: [{ filter: inPanel(panel) }],
      title: panel,
      mark: "point",
      encoding: { x: { field: "panel", type: "nominal" }, y: { field: "y", type: "quantitative" } },
    })),
  },
});

test.each([...NAMES, ...ESCAPED.keys()])("%j", async (name) => {
  const names = [name, "other"];
  const figures = [
    ...classes([evaluation("a", names), evaluation("b", ["other"])]),
    ...tsneMaps([map(names)]),
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
    ),
    ...bars([evaluation(name, ["a"]), evaluation("other", ["a"])], []),
    panels(names),
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
  const [figure] = classes([evaluation("a", ["constructor", "b"]), evaluation("b", ["b"])]);
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
