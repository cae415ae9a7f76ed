/** The instances that a person names on the command line. */
import { UserError } from "../stage.ts";
import { pointOf } from "../study/index.ts";
import { suggest } from "../text/index.ts";
import type { Task } from "./task.ts";

type Instance = Pick<Task, "id" | "stage">;

/** "train[loss=facenet|ratio,seed=1|2]": the axes of a stage's instances, with their values. */
function axesText(stage: string, tasks: Instance[]): string {
  const axes = new Map<string, Set<string>>();
  for (const { id } of tasks)
    for (const [axis, value] of Object.entries(pointOf(id)))
      axes.set(axis, (axes.get(axis) ?? new Set()).add(String(value)));
  const texts = [...axes].map(([axis, values]) => `${axis}=${[...values].slice(0, 8).join("|")}`);
  return texts.length ? ` Its instances are ${stage}[${texts.join(",")}].` : ` ${stage} has one instance.`;
}

/**
 * The tasks that a name means: a stage, one instance, or the instances of a stage that agree with the axes written,
 * as `train[seed=1]`.
 * @param unknown the message when there is none, without the next step
 * @throws UserError when there is none
 */
export function named<Named extends Instance>(name: string, tasks: Named[], unknown: string): Named[] {
  const stage = name.replace(/\[.*/s, "");
  const own = tasks.filter((task) => task.stage === stage);
  const exact = own.filter(({ id }) => name === stage || id === name);
  if (exact.length) return exact;
  const wanted = Object.entries(pointOf(name));
  const agreeing = own.filter(({ id }) => {
    const point = pointOf(id);
    return wanted.every(([axis, value]) => point[axis] === value);
  });
  if (wanted.length && agreeing.length) return agreeing;
  if (own.length) throw new UserError(`${unknown}${axesText(stage, own)}`);
  const stages = [...new Set(tasks.map((task) => task.stage))];
  const near = stages.filter((one) => one.startsWith(stage)).slice(0, 3);
  const hint = suggest(name, stages) || (near.length ? ` Did you mean "${near.join('" or "')}"?` : "");
  throw new UserError(`${unknown}${hint || " The command status lists the stages."}`);
}
