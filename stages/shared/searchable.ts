/** An index on disk: a folder with all that it takes to encode one more image and to find those like it. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { checkJson, readJson } from "./artifacts.ts";
import type { Backbone } from "./backbone.ts";
import type { Shape } from "./decode.ts";

/** One way to show an image to the backbone. */
export interface View {
  /** Side in pixels. */
  size: number;
  /** Features are the mean over the image and its mirror image. */
  flip: boolean;
}

/** index.json. */
export interface Recipe {
  backbone: { name: string } & Pick<Backbone, "mean" | "std" | "features">;
  /** The features of an image are the mean over these. */
  views: View[];
  /** What an image is brought to before its views are made. */
  image: Shape;
  /** Whether a trained head stands before the projection. */
  head: boolean;
  bits: number;
  classes: string[];
  images: number;
  /** See {@link encoderHash}. */
  encoder: string;
}

/** Files of an index. */
export const FILES = {
  recipe: "index.json",
  backbone: "backbone.onnx",
  head: "model",
  projection: "projection.arrow",
  codes: "codes.arrow",
  /** Where the images are files: their paths, in the order of the codes. */
  paths: "paths.json",
  /** Where they are a table. */
  pixels: "images.arrow",
  /** What that table calls them, in the order of the codes; none where it calls them nothing. */
  names: "names.json",
};

/** Hash of all that makes a code of an image: two indexes with the same one have comparable codes. */
export function encoderHash(folder: string, recipe: Omit<Recipe, "encoder" | "images" | "classes">): string {
  const hash = createHash("sha256").update(JSON.stringify([recipe.backbone, recipe.views, recipe.image]));
  const files = [FILES.backbone, FILES.projection];
  if (recipe.head)
    for (const file of ["head.json", "model.json", "weights.bin"]) files.push(join(FILES.head, file));
  for (const file of files) hash.update(readFileSync(join(folder, file)));
  return hash.digest("hex");
}

/** Writes index.json beside the other files, which must be there. */
export function writeRecipe(folder: string, recipe: Omit<Recipe, "encoder">): void {
  const whole = { ...recipe, encoder: encoderHash(folder, recipe) };
  const path = join(folder, FILES.recipe);
  checkJson(whole, "index", path);
  writeFileSync(path, `${JSON.stringify(whole, null, 2)}\n`);
}

/** Reads index.json. @throws UserError when the folder is no index */
export function readRecipe(folder: string): Recipe {
  const path = join(folder, FILES.recipe);
  if (!existsSync(path))
    throw new UserError(
      `${folder}: no index (index.json is missing). Make one: npm run index -- FOLDER, or a pipeline with the stage "index".`,
    );
  return readJson<Recipe>(path, "index");
}
