/** The work of a job: plans its tasks from the store, runs the missing ones, and writes its journal. */
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Plan, type Task } from "../../plan/index.ts";
import { Store } from "../../store/index.ts";
import { Events, type Executor, execute } from "../index.ts";
import { Journal } from "./journal.ts";
import { folderOfArray, readManifest, readPlan } from "./manifest.ts";

/** The exit codes of a job, for those who look at it with Slurm's own commands. */
export const EXIT = { well: 0, failed: 1, user: 2, absent: 75, cancelled: 143 };

/** A shared file system may show a result some seconds after the machine that wrote it said so. */
const ABSENT_SECONDS = 30;

/** Where a job runs. */
export interface Place {
  /** The array's job id, and the element's index. */
  job: string;
  index: number;
  cores: number;
  /** How often Slurm has sent it to another machine already. */
  restarts: number;
  executor: Executor;
  signal: AbortSignal;
  absentSeconds?: number;
}

/** Some tasks, and all they build upon. */
function closure(tasks: Task[], own: (task: Task) => boolean): Task[] {
  const wanted = new Set<string>();
  for (const task of [...tasks].reverse())
    if (own(task) || wanted.has(task.id)) {
      wanted.add(task.id);
      for (const reference of Object.values(task.inputs).flat())
        if ("id" in reference) wanted.add(reference.id);
    }
  return tasks.filter(({ id }) => wanted.has(id));
}

/** Does the work of one job. @param name of its array. @returns its exit code */
export async function work(storeFolder: string, name: string, place: Place): Promise<number> {
  const { job, index, cores, restarts, executor, signal, absentSeconds = ABSENT_SECONDS } = place;
  const events = new Events();
  const store = new Store(storeFolder, events.tell);
  const manifest = readManifest(store, name);
  if (!manifest) throw new Error(`${folderOfArray(store, name)}: holds no manifest. Run the pipeline again.`);
  const { root, tasks, recipes } = readPlan(store, manifest.plan);
  const journal = new Journal(folderOfArray(store, name), job, index, recipes);
  events.listen(journal);
  journal.write({ kind: "begin", host: hostname(), restarts });
  store.sweep();

  const wanted = manifest.elements[index];
  const own = (task: Task) => recipes.get(task.id)! in wanted;
  const needed = closure(tasks, own);
  const forced = needed.filter((task) => own(task) && manifest.forced.includes(recipes.get(task.id)!));
  const latest = store.latest(manifest.profile);
  const look = () => {
    const plan = new Plan(needed, store, root, new Set(forced.map(({ id }) => id)), latest, events.tell);
    plan.advance();
    const absent = needed.find((task) => !own(task) && plan.states.get(task.id)!.kind !== "hit");
    return { plan, absent };
  };
  let { plan, absent } = look();
  for (let waited = 0; absent && waited < absentSeconds && !signal.aborted; waited++) {
    await sleep(1000);
    ({ plan, absent } = look());
  }
  if (signal.aborted) return EXIT.cancelled;
  if (absent) {
    console.error(`${absent.id}, which this job builds upon, is not in the store.`);
    journal.write({ kind: "absent", recipe: recipes.get(absent.id)! });
    journal.write({ kind: "end" });
    return EXIT.absent;
  }
  for (const task of needed.filter(own)) {
    const state = plan.states.get(task.id)!;
    if (state.kind !== "hit") continue;
    const fault = Object.values(state.record.outputs)
      .map((output) => store.faultOf(output))
      .find(Boolean);
    if (fault) plan.redo(task.id, fault);
    else journal.write({ kind: "found", recipe: recipes.get(task.id)!, key: state.key });
  }
  const { keepGoing, mirror } = manifest;
  const options = { root, jobs: cores, keepGoing, mirror, executor, signal };
  const summary = await execute(plan, store, options, events);
  store.save();
  if (summary.cancelled) return EXIT.cancelled; // without a last word: Slurm may send it to another machine
  journal.write({ kind: "end" });
  return summary.failed === 0 ? EXIT.well : summary.user ? EXIT.user : EXIT.failed;
}
