/** Whether the store holds what it says, and whether a stage makes the same again. */
import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { hashFiles, removeTree, settle } from "../files/index.ts";
import { named, type Plan } from "../plan/index.ts";
import { Events, type RunOptions, runIn } from "../run/index.ts";
import { UserError } from "../stage.ts";
import {
  filesBelow,
  hashesOf,
  isFolder,
  machineHere,
  type StageRecord,
  type Store,
  type StoredOutput,
} from "../store/index.ts";
import { counted } from "../text/index.ts";
import { compareFiles } from "./compare.ts";

/** The findings of a check of the whole store. */
export interface Verdict {
  objects: number;
  bytes: number;
  records: number;
  /** One line for each corrupt object and record. */
  corrupt: string[];
}

/**
 * Reads every object and every record, without the stat cache, and quarantines the corrupt ones.
 * @param progress told how many bytes were read, of how many
 */
export async function verifyStore(
  store: Store,
  progress: (done: number, total: number) => void = () => {},
): Promise<Verdict> {
  const corrupt: string[] = [];
  const paths = new Map(store.objects().map((name) => [store.objectPath(name), name]));
  const sizes = new Map(
    [...paths.keys()].map((path) => [path, lstatSync(path, { throwIfNoEntry: false })?.size ?? 0]),
  );
  const bytes = [...sizes.values()].reduce((sum, one) => sum + one, 0);
  let done = 0;
  await hashFiles([...paths.keys()], (path, hashed) => {
    done += sizes.get(path)!;
    progress(done, bytes);
    const name = paths.get(path)!;
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
    if (!isLink && "hash" in hashed && hashed.hash === name) return;
    store.quarantine(path, name);
    corrupt.push(
      `object ${name.slice(0, 8)}… ${"hash" in hashed ? "does not match its hash" : `cannot be read (${hashed.fault})`}. Quarantined.`,
    );
  });
  const keys = store.keys();
  for (const key of keys) {
    const record = store.record(key);
    if (!record) {
      corrupt.push(`record ${key.slice(0, 8)}… is damaged. Quarantined.`);
      continue;
    }
    const outputs = Object.entries(record.outputs);
    const lost = outputs.find(([, output]) =>
      hashesOf(output).some((hash) => !existsSync(store.objectPath(hash))),
    );
    if (!lost) continue;
    store.quarantine(store.recordPath(key), `${key}.json`);
    corrupt.push(
      `record ${key.slice(0, 8)}… of ${record.id}: its output "${lost[0]}" is gone. Quarantined: it runs again when it is needed.`,
    );
  }
  store.forgetRemoved();
  store.save();
  return { objects: paths.size, bytes, records: keys.length, corrupt };
}

/** The comparison of a rerun instance with its result in the store. */
export interface Rerun {
  id: string;
  /** Outputs that were compared, and those that a clock or a meter wrote. */
  compared: number;
  measured: number;
  /** One line for each difference; where there are any, the last one says on what each of the two was made. */
  differences: string[];
}

/**
 * On what a result was made: the machine, and what the stage noted in a word (its device, its backend).
 * @param shown names of the notes to tell
 */
function circumstances({ notes, machine }: Pick<StageRecord, "notes" | "machine">, shown: string[]): string {
  const told = shown.map((name) => `${name} ${notes[name] ?? "unknown"}`);
  return [
    ...told,
    `${machine.host} (${machine.cpu}, ${counted(machine.cores, "core")}, Node ${machine.node})`,
  ].join(", ");
}

/** In one line on what the result in the store was made, and on what now. */
function madeOn(record: StageRecord, notes: StageRecord["notes"]): string {
  const words = [record.notes, notes].flatMap((all) =>
    Object.keys(all).filter((name) => /^\S+$/.test(String(all[name])) && typeof all[name] === "string"),
  );
  const shown = [...new Set(words)].sort();
  return `the store's was made on ${circumstances(record, shown)}; this one on ${circumstances({ notes, machine: machineHere() }, shown)}.`;
}

/** The differences between an output in the store and the same output of a rerun. */
async function compareOutput(output: StoredOutput, path: string, store: Store): Promise<string[]> {
  const before = store.filesOf(output);
  if (!isFolder(output)) return compareFiles(before[0][1], path);
  const after = new Set(filesBelow(path));
  const lines: string[] = [];
  for (const [file, object] of before)
    if (!after.delete(file)) lines.push(`${file} was not made again`);
    else lines.push(...(await compareFiles(object, join(path, file))).map((line) => `${file}: ${line}`));
  return [...lines, ...[...after].map((file) => `${file} is new`)];
}

/**
 * Runs the up-to-date instances of a stage again, each in a scratch folder of its own, and compares what they make
 * with what the store holds. Nothing in the store changes.
 * @param stage a stage, or one instance of it
 * @throws UserError when none of them is up to date; StageError when one fails
 */
export async function rerun(
  stage: string,
  plan: Plan,
  store: Store,
  options: RunOptions,
  warned: (line: string) => void,
): Promise<Rerun[]> {
  const tasks = named(stage, plan.tasks, `verify --rerun ${stage}: no such stage.`);
  const events = new Events();
  events.listen({ warned: ({ task, message }) => warned(task ? `${task.id}: ${message}` : message) });
  const found: Rerun[] = [];
  for (const task of tasks) {
    const state = plan.states.get(task.id)!;
    if (state.kind !== "hit") {
      warned(`${task.id} is not up to date: there is nothing to compare it with. Run it first.`);
      continue;
    }
    const faults = Object.values(task.inputs)
      .flat()
      .flatMap((reference) => {
        const from = "id" in reference ? plan.states.get(reference.id) : undefined;
        return from?.kind === "hit" && "output" in reference
          ? [store.faultOf(from.record.outputs[reference.output])]
          : [];
      });
    const fault = faults.find((one) => one !== "");
    if (fault)
      throw new UserError(
        `${task.id}: of its inputs, ${fault}. Run it first: npm run pipeline -- --only '${task.id}'`,
      );
    const scratch = store.scratch(state.key);
    try {
      const { outputs, outcome } = await runIn(
        scratch,
        join(scratch, "log"),
        task,
        plan,
        store,
        options,
        events,
      );
      for (const path of Object.values(outputs)) settle(path); // as the store had it
      const compared = Object.entries(state.record.outputs).filter(([, { measured }]) => !measured);
      const differences: string[] = [];
      for (const [name, output] of compared)
        differences.push(
          ...(await compareOutput(output, outputs[name], store)).map((line) => `${name}: ${line}`),
        );
      if (differences.length) differences.push(madeOn(state.record, outcome.notes));
      found.push({
        id: task.id,
        compared: compared.length,
        measured: Object.keys(state.record.outputs).length - compared.length,
        differences,
      });
    } finally {
      removeTree(scratch);
    }
  }
  if (found.length === 0)
    throw new UserError(`verify --rerun ${stage}: none of it is up to date. Run it first.`);
  return found;
}
