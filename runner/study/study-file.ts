/** The files of a study: pipeline.yaml, and those that it or another names. Their words are known, their types right. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { type Memo, memoOf } from "../files/index.ts";
import { type OutputDeclaration, UserError } from "../stage.ts";
import { brief, explain, isMap, oneLine, own, type Path, shortened, suggest } from "../text/index.ts";
import { compile, readSchema } from "./schemas.ts";
import type { SlurmSettings } from "./slurm-settings.ts";
import { nameOf, Source } from "./source.ts";

/** The points of a stage: those of a stage, a map of axes, or a list of either. */
export type MatrixSpec = string | Record<string, unknown> | Record<string, unknown>[];

/** One stage as a file writes it, with its `$name`s. */
export interface StageSpec {
  uses?: string;
  run?: string;
  /** A use of a chain, in the place of `uses` and `run`. */
  chain?: string;
  vars?: Record<string, unknown>;
  inputs?: Record<string, string | string[]>;
  outputs?: Record<string, OutputDeclaration>;
  with?: Record<string, unknown>;
  env?: Record<string, string | number | boolean>;
  matrix?: MatrixSpec;
  publish?: string;
  /** Seconds, or as "10m". */
  timeout?: number | string;
  /** Seconds, or as "10m". */
  checkpoint?: number | string;
  retries?: number;
  /** Or "all", or "$NAME". */
  cpus?: number | string;
  /** As "4GB". */
  memory?: string;
  gpu?: number;
}

/** How `check` compares numbers. */
export type CheckRule = "exact" | { tolerance: number };

/** The fields of a study, or of a part of one. */
export interface StudyBody {
  description?: string;
  check?: CheckRule;
  vars?: Record<string, unknown>;
  /** Axis → word → name → value: what the word sets. */
  axes?: Record<string, Record<string, Record<string, unknown>>>;
  /** By the kind of the stage, its `uses`. */
  defaults?: Record<string, StageSpec>;
  /** Chain → step → stage. */
  chains?: Record<string, Record<string, StageSpec>>;
  /** Null takes a stage away that another file has. */
  stages?: Record<string, StageSpec | null>;
}

/** A whole file. */
export interface StudyFile extends StudyBody {
  extends?: string;
  include?: string | string[];
  /** Of the pipeline file alone. */
  profile?: string;
  profiles?: Record<string, StudyBody | string | null>;
  slurm?: SlurmSettings;
}

/** A file that was read, or a profile within it. */
export interface Layer {
  source: Source;
  /** Where its words are in the file. */
  prefix: Path;
  value: StudyBody;
}

/** A whole study, with the places of all its words. */
export interface StudySpec {
  profile: string;
  check: CheckRule;
  vars: Record<string, unknown>;
  axes: Record<string, Record<string, Record<string, unknown>>>;
  defaults: Record<string, StageSpec>;
  chains: Record<string, Record<string, StageSpec>>;
  stages: Record<string, StageSpec>;
  /** The text of its files. */
  texts: string[];
  /** "file:line:column" of the first of `paths` of which a file leaves out the least. */
  locate(...paths: Path[]): string;
  /** @throws UserError with the place of a path */
  refuse(path: Path, message: string): never;
}

/** A line of YAML in the place of one that is no longer understood. */
const COMMON =
  'there is no "common" any more. A profile that shares no stage with the others is a file of its own: write NAME: studies/NAME.yaml.';

const SCHEMA = "schemas/pipeline.schema.json";

/** Reads each file once. */
export class StudyFiles {
  private readonly schema: object;
  private readonly memo: Memo;
  private readonly known = new Map<string, Source>();
  private validate?: ValidateFunction;
  /** The folder of the pipeline file: other files are named from there. */
  private readonly folder: string;

  /** @param root the project's folder, where `schemas/` is */
  constructor(root: string, folder: string) {
    this.schema = readSchema(root, SCHEMA);
    this.memo = memoOf(root);
    this.folder = folder;
  }

  /**
   * Reads and checks one file.
   * @throws UserError with file:line:column of its first error
   */
  read(path: string): Source {
    const known = this.known.get(path);
    if (known) return known;
    const schema = JSON.stringify(this.schema);
    let checked = true;
    const source = new Source(
      path,
      (text) => {
        const value = this.memo.get([import.meta.url, schema, text]);
        checked = value !== undefined;
        return value;
      },
      relative(this.folder, path) || basename(path),
    );
    if (!checked) {
      this.check(source);
      this.memo.set([import.meta.url, schema, source.text], source.value);
    }
    this.known.set(path, source);
    return source;
  }

  private check(source: Source): void {
    const refuse = (path: Path, message: string): never => {
      const place = path.length ? ` ${nameOf(path)}` : "";
      throw new UserError(oneLine(`${source.locate(path)}${place}: ${message}`));
    };
    const { profiles } = (isMap(source.value) ? source.value : {}) as { profiles?: unknown };
    for (const [name, profile] of Object.entries(isMap(profiles) ? profiles : {}))
      if (isMap(profile) && own(profile, "common") !== undefined)
        refuse(["profiles", name, "common"], COMMON);
    this.validate ??= compile(
      new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }),
      this.schema,
      SCHEMA,
    );
    if (this.validate(source.value)) return;
    const { path, message } = explain(this.validate.errors!);
    refuse(path, message);
  }

  /**
   * A file that another one names.
   * @param at where the name is
   * @throws UserError with that place when there is no such file
   */
  named(from: Source, at: Path, name: string, folder: string): { path: string; source: Source } {
    const refuse = (message: string): never => {
      throw new UserError(oneLine(`${from.locate(at)} ${nameOf(at)}: ${message}`));
    };
    if (isAbsolute(name)) refuse(`${shortened(name)} must be a path from the folder of ${from.name}.`);
    const path = resolve(folder, name);
    if (!existsSync(path)) refuse(`no file ${shortened(relative(this.folder, path))}.${this.near(path)}`);
    if (statSync(path).isDirectory())
      refuse(`${brief(name)} is a folder. Name a file in it, such as studies/NAME.yaml.`);
    const source = this.read(path);
    return { path, source };
  }

  /** A file of the same folder with nearly that name. */
  private near(path: string): string {
    const folder = dirname(path);
    if (!existsSync(folder)) return ` There is no folder ${shortened(relative(this.folder, folder))}.`;
    const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
    const hint = suggest(basename(path), files);
    return (
      hint.replace(/"(.*)"/, (_, file) => `"${relative(this.folder, join(folder, file))}"`) ||
      (files.length ? ` There are ${files.join(", ")}.` : "")
    );
  }
}
