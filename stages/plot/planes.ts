/** Opens embeddings of two dimensions, and draws a sample of the images. */
import { type InputFile, type Point, UserError } from "../../runner/stage.ts";
import { rowsOf, type Split } from "../shared/artifacts/split.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { random } from "../shared/compute/random.ts";
import { labelOf, rawLabel } from "../shared/runs/groups.ts";
import { type Recipe, recipeOf } from "../shared/runs/recipe.ts";

/** Images of a role that are drawn: enough to see the place of a class, few enough to tell points apart. */
const DRAWN = 1000;
const SEED = 1;

/** The images of a figure. */
export const ROLES = ["query", "train"] as const;
export type Role = (typeof ROLES)[number];

/** Points `[images]`, in the order in which they are laid over each other. */
export interface Points {
  labels: Uint16Array;
  x: Float32Array;
  y: Float32Array;
}

/** Embeddings in the plane, as the network gave them. */
export interface Plane {
  id: string;
  /** Of its group. */
  label: string;
  point: Point;
  recipe: Recipe;
  classes: string[];
  points: Record<Role, Points>;
}

/**
 * Reads `vectors` of two dimensions. The same split gives the same images in the same order, whosever vectors
 * they are: a random draw, so that no class covers all others.
 * @throws UserError when the vectors have another number of dimensions, or lack an image of the split
 */
export function readPlane({ path, id, point }: InputFile, split: Split): Plane {
  const { ids, labels, values, dim, classes, metadata } = readVectors(path);
  if (dim !== 2)
    throw new UserError(
      `plot: the vectors of ${id} have ${dim} dimension${dim === 1 ? "" : "s"}, but a plane has 2. Take them out of the input "planes", or train with dim: 2.`,
    );
  const pointsOf = (role: Role): Points => {
    const rows = random(SEED, `plane ${role}`)
      .shuffle(rowsOf(split, role, ids, path))
      .subarray(0, DRAWN);
    const column = (axis: number) => Float32Array.from(rows, (row) => values[2 * row + axis]);
    return { labels: Uint16Array.from(rows, (row) => labels[row]), x: column(0), y: column(1) };
  };
  return {
    id,
    label: metadata.loss === undefined ? rawLabel(point) : labelOf(point, id),
    point,
    recipe: recipeOf(metadata),
    classes,
    points: { query: pointsOf("query"), train: pointsOf("train") },
  };
}
