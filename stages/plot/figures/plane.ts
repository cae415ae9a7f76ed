/** Embeddings of two dimensions as they are, a panel for each training. */

import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { MUTED } from "../../shared/runs/colours.ts";
import { type Appearances, titleOf } from "../../shared/runs/looks.ts";
import { sameMade } from "../../shared/runs/recipe.ts";
import type { Figure, Spec } from "../figure.ts";
import { type Plane, ROLES, type Role } from "../planes.ts";
import { coloured } from "../theme.ts";

/** Side of a panel in pixels, and panels side by side. */
const SIDE = 300;
const COLUMNS = 3;
/** Free space around the points, as a share of the side. */
const MARGIN = 0.04;

const WORDS: Record<Role, string> = { query: "query images", train: "training images" };

/** Both axes' ends: squares around the points of every role, so that one unit is as long along both axes. */
function domains({ points }: Plane): { x: [number, number]; y: [number, number] } {
  const range = (axis: "x" | "y") => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const role of ROLES)
      for (const value of points[role][axis]) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    return { middle: (low + high) / 2, size: high - low };
  };
  const [h, v] = [range("x"), range("y")];
  const half = (0.5 + MARGIN) * (Math.max(h.size, v.size) || 1);
  return { x: [h.middle - half, h.middle + half], y: [v.middle - half, v.middle + half] };
}

/** How well the queries retrieve with these vectors, where that was evaluated. */
function scoreOf({ recipe }: Plane, evaluations: Evaluation[]): string {
  const found = evaluations.find((one) => sameMade(one.recipe, recipe));
  if (!found) return "";
  const { map, knn_accuracy } = found.metrics;
  return `mAP ${map.value.toFixed(3)}, kNN accuracy ${knn_accuracy.value.toFixed(3)}`;
}

function panel(plane: Plane, title: string, score: string, role: Role): Spec {
  const domain = domains(plane);
  const { labels, x, y } = plane.points[role];
  const axis = (field: "x" | "y") => ({
    field,
    type: "quantitative",
    title: null,
    axis: { tickCount: 5, labelFontSize: 12 },
    scale: { domain: domain[field], nice: false, zero: false },
  });
  const many = plane.classes.length > MUTED.length; // colours come again: a legend would name none
  return {
    title: { text: title, subtitle: score, fontSize: 13, offset: 6, frame: "group" },
    width: SIDE,
    height: SIDE,
    data: {
      values: Array.from(labels, (label, row) => ({ x: x[row], y: y[row], name: plane.classes[label] })),
    },
    mark: { type: "circle", size: 12, opacity: 0.7 },
    encoding: {
      x: axis("x"),
      y: axis("y"),
      color: {
        field: "name",
        type: "nominal",
        title: null,
        scale: coloured(plane.classes, MUTED),
        legend: many ? null : { orient: "right", symbolSize: 90, rowPadding: 6 },
      },
    },
  };
}

/**
 * One figure of the query images and one of the training images, with the same axes in both. None without planes.
 * @param evaluations of which those of the planes are written above the panels of the queries
 */
export function planes(given: Plane[], evaluations: Evaluation[], groups: Appearances): Figure[] {
  if (given.length === 0) return [];
  const titles = given.map((plane) => titleOf(plane, groups));
  return ROLES.map((role): Figure => {
    const what = WORDS[role];
    const scores = given.map((plane) => (role === "query" ? scoreOf(plane, evaluations) : ""));
    const drawn = given[0].points[role].labels.length;
    return {
      name: `plane-${role}`,
      title: `Embeddings of ${what}`,
      caption: `The two dimensions of the embeddings themselves, of ${drawn} ${what} drawn at random, the same in every panel, coloured by class. One unit is as long along both axes; each panel has its own scale, which is the same for query and training images.${scores.some(Boolean) ? " Above a panel: how well all queries retrieve with these embeddings." : ""}`,
      alt: `Points of ${drawn} ${what} in ${given.length} panels: ${titles
        .map((title, at) => (scores[at] ? `${title} (${scores[at]})` : title))
        .join("; ")}`,
      spec: {
        title: {
          text: `Embeddings of ${what}`,
          subtitle: `The two dimensions as they are, ${drawn} images drawn at random; each panel has its own scale`,
        },
        concat: given.map((plane, at) => panel(plane, titles[at], scores[at], role)),
        columns: COLUMNS,
        bounds: "flush",
        spacing: { row: 90, column: 50 },
        resolve: { scale: { color: "shared" } },
      },
    };
  });
}
