/** The tasks of shell stages. */
import { normalize } from "node:path";
import { sha256 } from "../files/index.ts";
import { filesNamed, fillCommand, nothingCalled, type StageInstance } from "../study/index.ts";
import { suggest } from "../text/index.ts";
import { checkOutputs, fault, outputsOf } from "./outputs.ts";
import { type Task, taskOf } from "./task.ts";

/** The input of a shell stage that its command itself names; no input of pipeline.yaml can be called so. */
export const COMMAND_INPUT = "its command";

/** The task of a shell stage. The files that its command names are inputs, too: a script that changes runs again. */
export function shellTask(
  instance: StageInstance,
  run: string,
  root: string,
  isFile: (path: string) => boolean,
): Task {
  const inputs = { ...instance.inputs };
  for (const [name, references] of Object.entries(inputs))
    if (references.length === 0)
      fault(instance, ["inputs", name], `the input "${name}" of ${instance.id} has no file.`);
  const outputs = outputsOf(instance.outputs);
  checkOutputs(instance, outputs, "outputs");
  const known = {
    in: Object.fromEntries(Object.entries(inputs).map(([name, list]) => [name, list.map(() => "")])),
    out: Object.fromEntries(Object.keys(outputs).map((name) => [name, ""])),
    with: instance.with,
  };
  fillCommand(run, known, (expression, why) => {
    if (why !== nothingCalled(expression)) return fault(instance, ["run"], why);
    const names = Object.entries(known).flatMap(([head, map]) =>
      Object.keys(map).map((name) => `${head}.${name}`),
    );
    return fault(instance, ["run"], why + (suggest(expression, names) || ` Known are ${names.join(", ")}.`));
  });
  const declared = Object.values(inputs)
    .flat()
    .flatMap((one) => ("file" in one ? [normalize(`${one.file}/`)] : []));
  const files = filesNamed(run, { with: instance.with }, root, isFile)
    .filter((path) => !declared.some((one) => `${path}/`.startsWith(one)))
    .map((file) => ({ file }));
  return taskOf(instance, {
    inputs: files.length ? { ...inputs, [COMMAND_INPUT]: files } : inputs,
    codeHash: sha256(JSON.stringify([run, outputs])),
    params: instance.with,
    parts: {},
    many: [],
    named: [],
    tolerant: [],
    outputs,
    cpus: instance.cpus ?? 1,
  });
}
