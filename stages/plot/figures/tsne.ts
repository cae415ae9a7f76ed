/** t-SNE maps side by side. */
import { labelOf } from "../../shared/groups.ts";
import type { Figure, Spec } from "../figure.ts";
import { placeNames, type TsneMap } from "../maps.ts";
import { coloured, MUTED } from "../theme.ts";

/** Side of a map in pixels, and how many stand side by side. */
const SIDE = 440;
const COLUMNS = 2;
/** More names than this would hide the map. */
const MOST_NAMES = 20;
const NAME_SIZE = 13;

/** Coordinates scaled to [0, 1] on both axes by one factor, so that the map keeps its shape. */
function scaled({ x, y }: TsneMap): { x: number[]; y: number[] } {
  const range = (values: Float32Array) => {
    let [low, high] = [values[0], values[0]];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return { low, high };
  };
  const [h, v] = [range(x), range(y)];
  const side = Math.max(h.high - h.low, v.high - v.low) || 1;
  // Four decimals are finer than a pixel, and keep the file small.
  const to = (values: Float32Array, { low, high }: { low: number; high: number }) =>
    Array.from(values, (value) => Math.round((0.5 + (value - (low + high) / 2) / side) * 1e4) / 1e4);
  return { x: to(x, h), y: to(y, v) };
}

/** What is said of a map: how it was made, and how far to trust it. */
const facts = (map: TsneMap) =>
  `perplexity ${map.perplexity}, trustworthiness (k = ${map.neighbours}) ${map.trustworthiness.toFixed(3)}`;

/** One figure with all maps. None without maps. */
export function tsneMaps(maps: TsneMap[]): Figure[] {
  if (maps.length === 0) return [];
  const title = (map: TsneMap) =>
    map.point.seed === undefined ? labelOf(map.point) : `${labelOf(map.point)} · seed ${map.point.seed}`;
  const panels = maps.map((map): Spec => {
    const unit = scaled(map);
    const names =
      map.classes.length > MOST_NAMES
        ? []
        : placeNames(
            { ...unit, labels: map.labels },
            map.classes,
            (NAME_SIZE * 0.68) / SIDE,
            (NAME_SIZE * 1.3) / SIDE,
          );
    const axis = (field: string) => ({
      field,
      type: "quantitative",
      axis: null,
      scale: { domain: [-0.02, 1.02] },
    });
    const colour = { field: "name", type: "nominal", legend: null, scale: coloured(map.classes, MUTED) };
    return {
      title: {
        text: title(map),
        subtitle: [`${map.labels.length} images, ${map.dim} dimensions`, facts(map)],
        fontSize: 14,
        offset: 6,
      },
      width: SIDE,
      height: SIDE,
      layer: [
        {
          data: {
            values: Array.from(map.labels, (label, row) => ({
              x: unit.x[row],
              y: unit.y[row],
              name: map.classes[label],
            })),
          },
          mark: { type: "circle", size: 9, opacity: 0.75 },
          encoding: { x: axis("x"), y: axis("y"), color: colour },
        },
        ...[{ stroke: "white", strokeWidth: 4, strokeJoin: "round" }, {}].map((outline) => ({
          data: { values: names },
          mark: { type: "text", fontSize: NAME_SIZE, fontWeight: "bold", color: "#111111", ...outline },
          encoding: { x: axis("x"), y: axis("y"), text: { field: "text" } },
        })),
      ],
    };
  });
  return [
    {
      name: "tsne",
      title: "t-SNE of the query images",
      caption: `t-SNE (Barnes-Hut) of query images, coloured by class, its name at the median of its points. ${maps
        .map(
          (map) =>
            `${title(map)}: ${facts(map)}, ${map.iterations} iterations, KL ${map.kl.toFixed(3)}, seed ${map.seed}.`,
        )
        .join(" ")} Distances between clusters and their sizes say nothing.`,
      alt: maps.map((map) => `Map of ${map.labels.length} images, ${title(map)}, ${facts(map)}`).join(". "),
      spec: {
        title: { text: "t-SNE of the query images", subtitle: "A name stands at the median of its class" },
        concat: panels,
        columns: COLUMNS,
        // The space is counted from map to map: Vega takes texts for wider than they are.
        bounds: "flush",
        spacing: { row: 90, column: 32 },
      },
    },
  ];
}
