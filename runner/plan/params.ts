/** The params of a task: those of the study, with the defaults of the stage's schema. */
import type { StageDefinition } from "../stage.ts";
import type { Schemas, StageInstance } from "../study/index.ts";
import { copied, explain } from "../text/index.ts";
import { fault } from "./outputs.ts";
import { readPart } from "./parts.ts";

/**
 * The complete params of a task, without its parts.
 * @param isExact whether the profile compares its results to the last digit, which decides a param that is "auto"
 * @throws UserError for params that the schema rejects
 */
export function paramsOf(
  instance: StageInstance,
  definition: StageDefinition,
  schemas: Schemas,
  isExact: boolean,
): Record<string, unknown> {
  const validate = schemas.params(definition.params);
  const whole = copied(instance.with);
  // A part is in the place of its word during validation: the schema describes the word, not the params of the part.
  const partParams = Object.keys(definition.parts ?? {}).filter((param) => param in whole);
  for (const param of partParams) {
    const given = whole[param];
    whole[param] = Array.isArray(given) ? given.map((one) => readPart(one).use) : readPart(given).use;
  }
  if (!validate(whole)) {
    const { path, message } = explain(validate.errors!);
    fault(instance, ["with", ...path], message);
  }
  for (const param of Object.keys(definition.parts ?? {})) delete whole[param];
  for (const [param, { exact, tolerance }] of Object.entries(definition.auto ?? {}))
    if (whole[param] === "auto") whole[param] = isExact ? exact : tolerance;
  return whole;
}
