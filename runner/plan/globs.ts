/** References with a `*`: of the stages that match, those that have the output. */
import { UserError } from "../stage.ts";
import { inOrder, type Reference, type StageInstance } from "../study/index.ts";
import { oneLine, suggest } from "../text/index.ts";

/** The references of one input, less those of a glob to instances without the output. */
function settle(
  instance: StageInstance,
  input: string,
  references: Reference[],
  outputsOf: (id: string) => string[],
): Reference[] {
  const globs = new Map<string, { ids: string[]; output: string; found: boolean }>();
  const kept = references.flatMap((one): Reference[] => {
    if (!("id" in one) || one.glob === undefined) return [one];
    const { glob, ...reference } = one;
    const known = globs.get(glob.text) ?? { ids: [], output: one.output, found: !glob.strict };
    globs.set(glob.text, known);
    known.ids.push(one.id);
    if (!outputsOf(one.id).includes(one.output)) return [];
    known.found = true;
    return [reference];
  });
  for (const [glob, { ids, output, found }] of globs)
    if (!found) {
      const outputs = [...new Set(ids.flatMap(outputsOf))];
      throw new UserError(
        oneLine(
          `${instance.at("inputs", input)} ${instance.stage}.inputs.${input}: no stage that matches "${glob.replace(/\.[\w-]+$/, "")}" has the output "${output}".${suggest(output, outputs) || ` They have ${outputs.join(", ")}.`}`,
        ),
      );
    }
  return kept;
}

/**
 * The instances with every glob settled, upstream before downstream.
 * @param outputsOf the outputs of an instance, by their names
 * @throws UserError with file:line:column for a glob whose stages all lack the output, and for a circle
 */
export function settleGlobs(
  instances: StageInstance[],
  outputsOf: (instance: StageInstance) => string[],
): StageInstance[] {
  const isGlob = (one: Reference) => "id" in one && one.glob !== undefined;
  if (!instances.some(({ inputs }) => Object.values(inputs).some((list) => list.some(isGlob))))
    return instances;
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  const settled = instances.map((instance) => ({
    ...instance,
    inputs: Object.fromEntries(
      Object.entries(instance.inputs).map(([input, list]) => [
        input,
        settle(instance, input, list, (id) => outputsOf(byId.get(id)!)),
      ]),
    ),
  }));
  return inOrder(settled);
}
