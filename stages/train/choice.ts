/** The choice of `select`, applied to the params of a training. */
import { type Part, UserError } from "../../runner/stage.ts";
import type { Choice } from "../shared/artifacts/choice.ts";

/** The params of the stage and its parts. */
interface Settings<Params> {
  params: Params;
  parts: Record<string, Part>;
}

/**
 * The settings with the chosen value in the place of the param that it names; the same without a choice.
 * @throws UserError when there is no such param
 */
export function withChoice<Params extends object>(
  { params, parts }: Settings<Params>,
  choice: Pick<Choice, "param" | "value"> | undefined,
): Settings<Params> {
  if (!choice) return { params, parts };
  const { param, value } = choice;
  const [head, name] = param.split(".");
  const owner = name === undefined ? params : (parts[head]?.params ?? {});
  if (!((name ?? head) in owner))
    throw new UserError(
      `train: the input "choice" sets ${param}, but there is no such param here. Leave the input out for this loss.`,
    );
  if (name === undefined) return { params: { ...params, [head]: value }, parts };
  const part = parts[head];
  return { params, parts: { ...parts, [head]: { ...part, params: { ...part.params, [name]: value } } } };
}
