/** The command `diff`: the numbers of a revision's report and now, with the certainty of each difference. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../files/index.ts";
import { commitOf, fileAt } from "../git/index.ts";
import type { Plan, Task } from "../plan/index.ts";
import { UserError } from "../stage.ts";
import type { StageRecord, Store } from "../store/index.ts";
import { columns, counted, SIGNIFICANT } from "../text/index.ts";
import { compareStates, effectRows, MOST_ROWS, shownValue } from "./numbers.ts";
import { makerOf, readingOf } from "./reading.ts";

/** The published JSON files of a task, without the measured ones. */
function filesOf(task: Task): { name: string; file: string }[] {
  return Object.entries(task.outputs).flatMap(([name, { path, measured }]) =>
    !measured && path.endsWith(".json") ? [{ name, file: join(task.publish!, path) }] : [],
  );
}

/** One file as it is now: of the run that is up to date, else as it was published last. */
function nowOf(
  plan: Plan,
  store: Store,
  root: string,
  task: Task,
  name: string,
  file: string,
): { text: string; record?: StageRecord; where: string } | undefined {
  const state = plan.states.get(task.id)!;
  if (state.kind === "hit") {
    const object = store.pathOf(state.record.outputs[name].hash);
    if (object)
      return {
        text: readFileSync(object, "utf8"),
        record: state.record,
        where: "the run that is up to date",
      };
  }
  if (!existsSync(join(root, file))) return undefined;
  const text = readFileSync(join(root, file), "utf8");
  return {
    text,
    record: makerOf(store, task.stage, sha256(text)),
    where: "the published file (the run is not up to date)",
  };
}

/**
 * Every number of the profile's published JSON files, at a revision and now.
 * @throws UserError when git knows no such revision, or it holds none of the files
 */
export async function diff(plan: Plan, store: Store, root: string, revision: string): Promise<string> {
  const commit = commitOf(root, revision);
  if (!commit)
    throw new UserError(
      `diff ${revision}: git knows no such revision here. Give a commit, a branch or a tag.`,
    );
  const published = plan.tasks.filter(({ publish }) => publish !== undefined);
  const lines: string[] = [];
  let found = 0;
  for (const task of published) {
    const reading = await readingOf(root, task.uses);
    for (const { name, file } of filesOf(task)) {
      const text = fileAt(root, commit, file);
      const now = nowOf(plan, store, root, task, name, file);
      if (text === undefined || !now) {
        lines.push(
          `${file}: ${text === undefined ? `is not in ${revision}` : "was not published yet: run the profile"}.`,
        );
        continue;
      }
      found++;
      const own = reading?.output === name ? reading : undefined;
      const before = { numbers: JSON.parse(text), record: own && makerOf(store, task.stage, sha256(text)) };
      const after = { numbers: JSON.parse(now.text), record: now.record };
      const { effects, leaves } = compareStates(before, after, "exact", store, own);
      const changed = effects.filter(({ difference }) => difference !== 0);
      const sure = changed.filter(({ p }) => p !== undefined && p < SIGNIFICANT);
      const up = sure.filter(({ difference }) => difference > 0).length;
      lines.push(`${file}: ${revision} (${commit.slice(0, 8)}) against ${now.where}`);
      if (changed.length) lines.push(...columns(effectRows(changed, revision)));
      if (effects.length)
        lines.push(
          `${changed.length} of ${counted(effects.length, "measurement")} changed, ${sure.length} significantly (${up} up, ${sure.length - up} down).`,
        );
      const rows = leaves
        .slice(0, MOST_ROWS)
        .map(({ path, before, now }) => [path, shownValue(before), shownValue(now)]);
      if (rows.length) lines.push(...columns([["number", revision, "now"], ...rows]));
      if (leaves.length > MOST_ROWS) lines.push(`… and ${leaves.length - MOST_ROWS} more`);
      if (changed.length + leaves.length === 0) lines.push("No number changed.");
    }
  }
  if (found === 0)
    throw new UserError(
      lines[0] ?? `diff ${revision}: the profile publishes no JSON file, so there are no numbers to compare.`,
    );
  return lines.join("\n");
}
