/** t-SNE maps side by side. */

import type { TsneMap } from "../../shared/artifacts/tsne-map.ts";
import { placeNames } from "../../shared/charts/names.ts";
import { MUTED } from "../../shared/runs/colours.ts";
import { type Appearances, titleOf } from "../../shared/runs/looks.ts";
import type { Figure, Spec } from "../figure.ts";

import { coloured } from "../theme.ts";

/** Side of a map in pixels, and maps side by side. */
const SIDE = 440;
const COLUMNS = 2;
/** Free space around the points, as a share of the side. */
const MARGIN = 0.02;
/** More names than this would hide the map. */
const MOST_NAMES = 20;
const NAME_SIZE = 13;

/** A map's extent along both axes. */
function extents({ x, y }: TsneMap) {
  const range = (values: Float32Array) => {
    let [low, high] = [values[0], values[0]];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return { middle: (low + high) / 2, size: high - low };
  };
  return { h: range(x), v: range(y) };
}

/** How tall a map is when it is 1 wide; a map taller than wide is made narrower, so that none is above 1. */
function tallness(map: TsneMap): number {
  const { h, v } = extents(map);
  return v.size / (Math.max(h.size, v.size) || 1);
}

/** Coordinates scaled by one factor, so that the map keeps its shape: x inside [0, 1], y inside [0, tall]. */
function scaled(map: TsneMap, tall: number): { x: number[]; y: number[] } {
  const { h, v } = extents(map);
  const side = Math.max(h.size, v.size) || 1;
  // Four decimals are finer than a pixel, and keep the file small.
  const to = (values: Float32Array, middle: number, centre: number) =>
    Array.from(values, (value) => Math.round((centre + (value - middle) / side) * 1e4) / 1e4);
  return { x: to(map.x, h.middle, 0.5), y: to(map.y, v.middle, tall / 2) };
}

/** The caption of a map: how it was made, and how far to trust it. */
const facts = (map: TsneMap) =>
  `perplexity ${map.perplexity}, trustworthiness (k = ${map.neighbours}) ${map.trustworthiness.toFixed(3)}`;

/** One figure with all maps. None without maps. */
export function tsneMaps(maps: TsneMap[], groups: Appearances): Figure[] {
  if (maps.length === 0) return [];
  const title = (map: TsneMap) => titleOf(map, groups);
  const tall = Math.max(...maps.map(tallness));
  const panels = maps.map((map): Spec => {
    const unit = scaled(map, tall);
    const names =
      map.classes.length > MOST_NAMES
        ? []
        : placeNames(
            { ...unit, labels: map.labels },
            map.classes,
            { width: (NAME_SIZE * 0.68) / SIDE, height: (NAME_SIZE * 1.3) / SIDE },
            tall,
          );
    const axis = (field: string, high: number) => ({
      field,
      type: "quantitative",
      axis: null,
      scale: { domain: [-MARGIN, high + MARGIN] },
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
      height: (SIDE * (tall + 2 * MARGIN)) / (1 + 2 * MARGIN),
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
          encoding: { x: axis("x", 1), y: axis("y", tall), color: colour },
        },
        ...[{ stroke: "white", strokeWidth: 4, strokeJoin: "round" }, {}].map((outline) => ({
          data: { values: names },
          mark: { type: "text", fontSize: NAME_SIZE, fontWeight: "bold", color: "#111111", ...outline },
          encoding: { x: axis("x", 1), y: axis("y", tall), text: { field: "text" } },
        })),
      ],
    };
  });
  return [
    {
      name: "tsne",
      title: "t-SNE of the query images",
      caption: `t-SNE of query images, coloured by class, its name at the median of its points. ${maps
        .map(
          (map) =>
            `${title(map)}: ${facts(map)}, ${map.iterations} iterations, KL ${map.kl.toFixed(3)}, seed ${map.seed}.`,
        )
        .join(" ")} Distances between clusters and their sizes say nothing.`,
      alt: maps.map((map) => `Map of ${map.labels.length} images, ${title(map)}, ${facts(map)}`).join(". "),
      spec: {
        title: { text: "t-SNE of the query images", subtitle: "A name is at the median of its class" },
        concat: panels,
        columns: COLUMNS,
        // The space is counted from map to map: Vega takes texts for wider than they are.
        bounds: "flush",
        spacing: { row: 90, column: 32 },
      },
    },
  ];
}
