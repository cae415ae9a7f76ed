/** The output of `explain`: from a number of a report back to the stages, params, parts, data, code and machine behind it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { keyOf } from "../code/index.ts";
import { sha256 } from "../files/index.ts";
import type { Revision } from "../git/index.ts";
import type { Plan, Task } from "../plan/index.ts";
import { UserError } from "../stage.ts";
import type { StageRecord, Store } from "../store/index.ts";
import { pointOf } from "../study/index.ts";
import { redacted, shellWord, suggest } from "../text/index.ts";
import { type Address, findNumber, written } from "./address.ts";
import { makerOf, readingOf } from "./reading.ts";

/** Characters of a hash that are shown; of data all are. */
const SHOWN = 12;
/** Packages that are listed; of more, the count. */
const MOST = 4;
/** Instances of one input that are listed; of more, the count. */
const LISTED = 3;

/** `reports/sample#facenet/all.map`, or with the file's name. @returns the JSON file, and the words after # */
export function parseTarget(target: string): { path: string; words: string } {
  const cut = target.indexOf("#");
  const path = (cut < 0 ? target : target.slice(0, cut)).replace(/^\.\//, "").replace(/(?<!\/)\/+$/, "");
  return { path, words: cut < 0 ? "" : target.slice(cut + 1) };
}

/** The task that publishes a JSON file at `path`, be that the file or its folder. */
export function publisherOf(
  tasks: Task[],
  path: string,
): { task: Task; output: string; file: string } | undefined {
  for (const task of tasks)
    for (const [output, { path: own, measured }] of Object.entries(task.outputs)) {
      if (task.publish === undefined || measured || !own.endsWith(".json")) continue;
      const file = join(task.publish, own);
      if (file === path || dirname(file) === path) return { task, output, file };
    }
  return undefined;
}

const json = (value: unknown) => redacted(JSON.stringify(value));
const revised = (revision: Revision | undefined) =>
  revision
    ? `, git ${revision.commit.slice(0, SHOWN)}${revision.changed ? " with changes not committed" : ""}`
    : "";

/** The number itself; of a group, what it holds. */
function headline({ keys, value }: Address, file: string): string[] {
  if (typeof value === "number") return [`${value}  ${written(keys)} of ${file}`];
  const { mean, value: single, ...rest } = value as Record<string, unknown>;
  const first = mean ?? single;
  return first === undefined
    ? [`${written(keys)} of ${file}`, `  ${json(value)}`]
    : [
        `${first}  ${written(keys)} of ${file}`,
        ...Object.entries(rest).map(([name, one]) => `  ${name} ${json(one)}`),
      ];
}

/** A text in which `[…]` freshness for the point of every instance. */
const pointless = (text: string): string => text.replace(/(?<=[\w-])\[[^\]]*=[^\]]*\]/g, "[…]");

/** The params of one instance that differ from those of another. */
const changedParams = (params: Record<string, unknown>, first: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(params).filter(([name, value]) => json(value) !== json(first[name])));

/** An instance whose lines were written: later ones of its stage show the differences. */
interface Written {
  id: string;
  params: Record<string, unknown>;
  lines: Set<string>;
}

/** One instance by its record, or, where there is none, by pipeline.yaml. */
class Chain {
  readonly lines: string[] = [];
  private readonly first = new Map<string, Written>();
  private readonly all: boolean;
  private readonly told = new Set<string>();
  private readonly plan: Plan;
  private readonly store: Store;
  private readonly root: string;
  /** @param all whether every instance is written in full */
  constructor(plan: Plan, store: Store, root: string, all: boolean) {
    this.all = all;
    this.plan = plan;
    this.store = store;
    this.root = root;
  }

  /** Writes an instance, and all that it was made from. */
  tell(id: string, record: StageRecord | undefined): void {
    if (this.told.has(id)) return;
    this.told.add(id);
    const task = this.plan.task(id) as Task | undefined;
    const start = this.lines.length;
    if (record) this.tellRecord(record);
    else this.lines.push("  no record of it in this store; by pipeline.yaml and the present code:");
    const params = (record?.params ?? task?.params ?? {}) as Record<string, unknown>;
    const parts = record?.parts ?? this.partsNow(task);
    this.lines.push(`  params ${json(params)}`);
    for (const [param, { name, params: own, code }] of Object.entries(parts))
      this.lines.push(`  ${param} ${name} ${json(own)}, code ${code.slice(0, SHOWN)}`);
    const code = record?.code ?? task?.codeHash ?? "";
    const packages = record?.packages ?? task?.code?.packages ?? [];
    const more = packages.length > MOST ? ` and ${packages.length - MOST} more` : "";
    this.lines.push(
      `  code ${code.slice(0, SHOWN)}${packages.length ? `, with ${packages.slice(0, MOST).join(", ")}${more}` : ""}`,
    );
    const upstream = this.inputsOf(record, task);
    const own = this.lines.splice(start);
    this.lines.push(
      "",
      ...this.fold({ id, params, lines: new Set(own) }, record?.stage ?? task?.stage ?? id),
    );
    for (const next of upstream) this.tell(next.id, next.record);
  }

  /** The lines of an instance; of a later one of its stage, only those that differ from the first. */
  private fold(written: Written, stage: string): string[] {
    const { id, params, lines } = written;
    const first = this.first.get(stage);
    if (!first || this.all) {
      this.first.set(stage, written);
      return [id, ...lines];
    }
    const known = new Set([...first.lines].map(pointless));
    const changed = changedParams(params, first.params);
    const rest = [...lines].flatMap((line) => {
      if (known.has(pointless(line))) return [];
      return line.startsWith("  params ") ? [`  params ${json(changed)}`] : [line];
    });
    return [`${id}, as ${first.id}${rest.length ? " but for" : ""}`, ...rest];
  }

  private partsNow(task: Task | undefined): StageRecord["parts"] {
    return Object.fromEntries(
      Object.entries(task?.parts ?? {}).map(([param, { name, params, code }]) => [
        param,
        { name, params, code: code.hash },
      ]),
    );
  }

  private tellRecord({ key, ended, seconds, machine, notes, run, peakMegabytes }: StageRecord): void {
    const noted = Object.entries(notes).map(([name, value]) => `${name} ${value}`);
    this.lines.push(
      `  made ${ended} in ${seconds} s${peakMegabytes ? ` and ${peakMegabytes} MB` : ""} on ${machine.host} (${machine.cpu}, ${machine.cores} cores), Node ${machine.node}${revised(run?.revision)}`,
      `  key ${key.slice(0, SHOWN)}${noted.length ? `, ${noted.join(", ")}` : ""}`,
    );
  }

  /** Tells of every input of one, and returns the instances upstream. */
  private inputsOf(
    record: StageRecord | undefined,
    task: Task | undefined,
  ): { id: string; record?: StageRecord }[] {
    const origins = record?.from ?? (task ? this.plan.origins(task) : {});
    const found: { id: string; record?: StageRecord }[] = [];
    for (const [input, makers] of Object.entries(origins))
      for (const [index, maker] of makers.entries()) {
        const hash = record?.inputs[input]?.[index]?.hash;
        if ("file" in maker) {
          this.lines.push(`  ${input}: ${maker.file}, ${this.fileNow(maker.file, hash)}`);
          continue;
        }
        if (this.all || index < LISTED)
          this.lines.push(
            `  ${input}: ${maker.id}.${maker.output}${hash ? `, sha256 ${hash.slice(0, SHOWN)}…` : ""}`,
          );
        else if (index === LISTED) this.lines.push(`  ${input}: and ${makers.length - LISTED} more`);
        // A record without keys is an older one: of the same name, the one that made these bytes.
        const made = maker.key ? this.store.record(maker.key) : undefined;
        const fits = !made || !hash || made.outputs[maker.output]?.hash === hash;
        found.push({ id: maker.id, record: fits ? made : undefined });
      }
    return found;
  }

  private fileNow(file: string, hash: string | undefined): string {
    const path = join(this.root, file);
    const now = existsSync(path) ? this.store.hashInput(path) : undefined;
    if (hash === undefined) return now ? `sha256 ${now}` : "which is not there";
    return `sha256 ${hash}${now === hash ? "" : now ? " (the file has changed since)" : " (the file is gone)"}`;
  }
}

/** The command that makes a task's result again. */
function command(profile: string, id: string, record: StageRecord | undefined, settings: string[]): string {
  const given = (record?.run?.settings ?? settings).map((text) => ` --set ${shellWord(redacted(text))}`);
  return `npm run pipeline -- --profile ${record?.run?.profile ?? profile}${given.join("")} --only ${shellWord(id)}`;
}

/**
 * Everything behind a number of a published file.
 * @param settings the `--set`s given now, @param all whether to write every instance in full
 * @throws UserError when there is no such file or number, with those there are
 */
export async function explain(
  plan: Plan,
  store: Store,
  root: string,
  profile: string,
  target: string,
  settings: string[],
  all = false,
): Promise<string> {
  const { path, words } = parseTarget(target);
  const found = publisherOf(plan.tasks, path);
  if (!found) {
    const files = plan.tasks.flatMap(({ publish }) => publish ?? []);
    throw new UserError(
      `explain ${target}: the profile ${profile} publishes no JSON file there. It publishes to ${files.join(", ") || "no folder"}.${suggest(path, files)}`,
    );
  }
  const { task, output, file } = found;
  if (!existsSync(join(root, file)) || statSync(join(root, file)).isDirectory())
    throw new UserError(`explain ${target}: ${file} is not there. Run the profile ${profile} first.`);
  const text = readFileSync(join(root, file), "utf8");
  const address = findNumber(JSON.parse(text), words, path);
  const record = makerOf(store, task.stage, sha256(text));
  const reading = await readingOf(root, task.uses);
  const origins = record?.from ?? plan.origins(task);
  const makers = Object.entries(origins).flatMap(([input, list]) =>
    list.flatMap((maker) =>
      "id" in maker ? [{ input, id: maker.id, point: pointOf(maker.id), key: maker.key }] : [],
    ),
  );
  const named = reading?.output === output ? reading.makers(address.keys, makers) : [];
  const behind = named.length ? named : [...new Set(makers.map(({ id }) => id))];
  const chain = new Chain(plan, store, root, all);
  for (const id of behind) {
    const key = makers.find((maker) => maker.id === id)?.key;
    chain.tell(id, key ? store.record(key) : undefined);
  }
  const now = plan.ingredients(task);
  const freshness =
    record && now ? (keyOf(now) === record.key ? ", and is up to date" : ", and is not up to date now") : "";
  const revision = record?.run?.revision;
  return [
    ...headline(address, file),
    record
      ? `written by ${record.id} ${record.ended} on ${record.machine.host}, key ${record.key.slice(0, SHOWN)}${revised(revision)}${freshness}`
      : `written by ${task.id}; no record in this store made this very ${basename(file)}: it was made elsewhere, or by an older run`,
    `behind it: ${behind.length === named.length ? "" : "all that "}${behind.length === named.length ? behind.join(", ") : `${task.id} was made from`}`,
    ...chain.lines,
    "",
    `Again: ${revision ? `git checkout ${revision.commit.slice(0, SHOWN)} && npm ci && ` : ""}${command(profile, task.id, record, settings)}`,
  ].join("\n");
}
