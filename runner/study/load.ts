/** pipeline.yaml → a checked Pipeline: its words are known, its values of the right type. */
import { Ajv } from "ajv";
import { memoOf } from "../files/index.ts";
import { type OutputDeclaration, UserError } from "../stage.ts";
import { explain, oneLine, type Path, suggest } from "../text/index.ts";
import { compile, readSchema } from "./schemas.ts";
import type { SlurmSettings } from "./slurm-settings.ts";
import { nameOf, Source } from "./source.ts";

/** One stage as pipeline.yaml writes it; `${...}` still stands where it stood. */
export interface StageSpec {
  uses?: string;
  run?: string;
  inputs?: Record<string, string | string[]>;
  outputs?: Record<string, OutputDeclaration>;
  with?: Record<string, unknown>;
  env?: Record<string, string | number | boolean>;
  matrix?: string | Record<string, unknown> | Record<string, unknown>[];
  publish?: string;
  /** Seconds, or as "10m". */
  timeout?: number | string;
  retries?: number;
  cpus?: number | "all";
  /** As "4GB". */
  memory?: string;
  gpu?: number;
}

/** How `check` compares numbers. */
export type CheckRule = "exact" | { tolerance: number };

export interface Profile {
  description?: string;
  vars?: Record<string, unknown>;
  common?: boolean;
  check?: CheckRule;
  stages?: Record<string, StageSpec | null>;
}

export interface Pipeline {
  source: Source;
  profile?: string;
  vars: Record<string, unknown>;
  profiles: Record<string, Profile>;
  stages: Record<string, StageSpec>;
  slurm?: SlurmSettings;
}

/**
 * Reads and checks a pipeline file.
 * @param root the project's folder, where `schemas/` is
 * @throws UserError with file:line:column of the first fault
 */
export function load(path: string, root: string): Pipeline {
  const file = "schemas/pipeline.schema.json";
  const rules = readSchema(root, file);
  const schema = JSON.stringify(rules);
  const memo = memoOf(root);
  let checked = true;
  const source = new Source(path, (text) => {
    const value = memo.get([import.meta.url, schema, text]);
    checked = value !== undefined;
    return value;
  });
  if (!checked) {
    const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true });
    const validate = compile(ajv, rules, file);
    if (!validate(source.value)) {
      const fault = explain(validate.errors!);
      const place = fault.path.length ? ` ${nameOf(fault.path)}` : "";
      throw new UserError(oneLine(`${source.locate(fault.path)}${place}: ${fault.message}`));
    }
    memo.set([import.meta.url, schema, source.text], source.value);
  }
  const value = source.value as Omit<Pipeline, "source">;
  const pipeline: Pipeline = { ...value, source, vars: value.vars ?? {} };
  const names = Object.keys(pipeline.profiles);
  if (pipeline.profile !== undefined && !names.includes(pipeline.profile))
    throw new UserError(
      `${source.locate(["profile"])} profile: no profile "${pipeline.profile}".${suggest(pipeline.profile, names)}`,
    );
  checkVars(pipeline);
  checkSlurm(pipeline);
  return pipeline;
}

/** A var that nothing takes is a word mistyped: its value would be left out in silence. */
function checkVars({ source, vars, profiles }: Pipeline): void {
  const used = new Set([...source.text.matchAll(/\$\{\s*vars\.([\w-]+)/g)].map(([, name]) => name));
  const places: [Path, Record<string, unknown> | undefined][] = [
    [["vars"], vars],
    ...Object.entries(profiles).map(([name, profile]): [Path, Record<string, unknown> | undefined] => [
      ["profiles", name, "vars"],
      profile.vars,
    ]),
  ];
  for (const [path, given] of places)
    for (const name of Object.keys(given ?? {}))
      if (!used.has(name))
        throw new UserError(
          `${source.locate([...path, name])} ${[...path, name].join(".")}: nothing takes \${vars.${name}}.${suggest(name, [...used])}`,
        );
}

/** Whoever is named in `slurm.stages` is a stage, of whatever profile. */
function checkSlurm({ source, slurm, stages, profiles }: Pipeline): void {
  const known = [stages, ...Object.values(profiles).map((profile) => profile.stages ?? {})].flatMap((one) =>
    Object.keys(one),
  );
  for (const name of Object.keys(slurm?.stages ?? {}))
    if (!known.includes(name))
      throw new UserError(
        `${source.locate(["slurm", "stages", name])} slurm.stages.${name}: no stage "${name}".${suggest(name, known)}`,
      );
}
