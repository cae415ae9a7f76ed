/** The artifact `choice`: the value of a param that `select` chose. */
import { writeFileSync } from "node:fs";
import type { Scalar } from "../../../runner/stage.ts";
import { checkJson, readJson } from "./schema.ts";

/** The choice of one param. */
export interface Choice {
  /** `loss.margin`, or the name of a param of the stage. */
  param: string;
  value: Scalar;
  /** The metric of the validation images that decided. */
  metric: string;
  candidates: { value: Scalar; score: number; id: string }[];
}

/** Writes `choice`. */
export function writeChoice(path: string, choice: Choice): void {
  checkJson(choice, "choice", path);
  writeFileSync(path, `${JSON.stringify(choice, null, 2)}\n`);
}

/** Reads `choice`. @throws UserError when the file is another artifact */
export const readChoice = (path: string): Choice => readJson<Choice>(path, "choice");
