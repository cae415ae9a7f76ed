/** The outputs of a task, as its stage or the study declares them. */
import { isAbsolute } from "node:path";
import type { OutputDeclaration } from "../stage.ts";
import { UserError } from "../stage.ts";
import type { StageInstance } from "../study/index.ts";
import { brief, dotted, nameFault, oneLine, type Path } from "../text/index.ts";
import { twins } from "./places.ts";
import type { Task } from "./task.ts";

/** Throws an error of the study, at its place in pipeline.yaml. @throws UserError */
export const fault = (instance: StageInstance, path: Path, message: string): never => {
  throw new UserError(oneLine(`${instance.at(...path)} ${dotted([instance.stage, ...path])}: ${message}`));
};

/** Outputs as they are declared, in the long form. */
export const outputsOf = (declared: Record<string, OutputDeclaration>): Task["outputs"] =>
  Object.fromEntries(
    Object.entries(declared).map(([name, one]) => [
      name,
      typeof one === "string"
        ? { path: one, measured: false }
        : { path: one.path, measured: one.measured === true },
    ]),
  );

/** Refuses outputs that no stage can write, or two that take one place. @param at where they are declared */
export function checkOutputs(
  instance: StageInstance,
  outputs: Task["outputs"],
  at: "outputs" | "uses",
): void {
  for (const [name, { path }] of Object.entries(outputs)) {
    if (isAbsolute(path) || path.split("/").includes("..") || /^[./]*$/.test(path))
      fault(
        instance,
        [at, name],
        `must be a path below the stage's own folder, as figure.svg, not ${JSON.stringify(path)}.`,
      );
    const wrong = nameFault(path);
    if (wrong) fault(instance, [at, name], `${wrong}: ${brief(path)}.`);
  }
  const found = twins(outputs);
  if (found)
    fault(
      instance,
      at === "uses" ? [at] : [at, found[1]],
      `the outputs ${found.map((name) => `"${name}" (${outputs[name].path})`).join(" and ")} take one place. Give each its own path.`,
    );
}
