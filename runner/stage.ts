/**
 * The definition of a stage, and the context of its run. The only file of runner/ that stages/ may import.
 */

/** A value that an axis of a matrix can have. */
export type Scalar = string | number | boolean;

/** One point of a stage's matrix: axis name → value. Empty for a stage without a matrix. */
export type Point = Record<string, Scalar>;

/** A JSON Schema (draft-07) for one param. With `optional: true` and no default, it is absent unless given. */
export type ParamSchema = Record<string, unknown>;

/** The JSON Schemas of a part's params, by name. */
export type ParamSchemas = Record<string, ParamSchema>;

declare const valueType: unique symbol;

/** A JSON Schema whose values have the type `T`, for schemas that {@link ParamsOf} cannot read. */
export type SchemaOf<T> = ParamSchema & { readonly [valueType]?: T };

/** The type of the values that a JSON Schema accepts; the schema's own type must be known literally (`const`). */
type ValueOf<S> = typeof valueType extends keyof S
  ? Exclude<S[typeof valueType], undefined>
  : S extends { enum: readonly (infer V)[] }
    ? V
    : S extends { type: "array"; items: infer Item }
      ? ValueOf<Item>[]
      : S extends { type: "number" | "integer" }
        ? number
        : S extends { type: "boolean" }
          ? boolean
          : S extends { type: "string" }
            ? string
            : unknown;

/** The type of a part's params, as the part's functions receive them: checked, with every default filled in. */
export type ParamsOf<S extends ParamSchemas> = { [Name in keyof S]: ValueOf<S[Name]> };

/**
 * An input: the name of its artifact (`schemas/NAME.artifact.schema.json`), or that name with how many
 * files are possible. `many` takes a list of any length, `optional` may be left out of pipeline.yaml.
 * `named` shows the stage which instance made the file, and makes that part of the key; so does `many`.
 * `tolerant` is for a folder as people have them: what cannot be read in it (a broken link, a named pipe, a folder
 * without permission) is part of the key, and the stage passes over it and says so. Otherwise the run refuses it.
 */
export type InputDeclaration =
  | string
  | { artifact: string; many?: boolean; optional?: boolean; named?: boolean; tolerant?: boolean };

/**
 * An output: its path below the stage's own folder (a folder when it ends in "/"), or that path with
 * `measured: true` when a clock or a meter wrote it. Measured outputs stay out of exactness checks.
 */
export type OutputDeclaration = string | { path: string; measured?: boolean };

/** The path of one file of an input, and the stage instance that made it. */
export interface InputFile {
  /** Absolute path of the file or folder; read-only. */
  path: string;
  /**
   * The instance that made it, as `train[loss=facenet,seed=1]`; the file's path for a project file. Empty
   * unless the input is `named` or `many`: the key of a stage covers all that it sees.
   */
  id: string;
  /** That instance's point; empty likewise. */
  point: Point;
  /** sha256 of its content (of a folder: of its listing), for provenance. */
  hash: string;
}

/** How a stage that this one rests on came to its result. */
export interface UpstreamRun {
  id: string;
  /** Its name in pipeline.yaml, without the point of its matrix. */
  stage: string;
  /** The instances whose outputs it took. */
  from: string[];
  /** Its result was in the store already. */
  hit: boolean;
  /** The time and memory of the run that made the result; 0 where the memory was not measured. */
  seconds: number;
  peakMegabytes: number;
}

/** A part as a stage receives it: the module's default export with the params given in pipeline.yaml. */
export interface Part<T = unknown> {
  /** The file's name without its ending, as pipeline.yaml names it. */
  name: string;
  /** The params, checked against the part's own `params`, with its defaults filled in. */
  params: Record<string, unknown>;
  /** The default export of the part's file. */
  part: T;
}

/**
 * The minimum of the default export of a part's file: an object that may declare `params`, a map
 * from param name to JSON Schema. A param without a `default` must be given in pipeline.yaml.
 */
export interface PartDefinition {
  params?: ParamSchemas;
}

/** A part's definition with the schemas of its params, from which the type of its params follows. */
export type WithSchemas<Definition extends PartDefinition, S extends ParamSchemas> = Omit<
  Definition,
  "params"
> & { params?: S };

/** Folders of downloaded files; absolute paths. */
export interface DownloadFolders {
  /** Keeps finished downloads, and unfinished ones until they are resumed. */
  kept: string;
  /** Searched first for a file, by its name: the folder of `--mirror`. */
  mirror?: string;
}

/** Where a stage keeps its state, so that a killed one goes on from there: see {@link StageContext.checkpoint}. */
export interface CheckpointPlace {
  /** A folder of this key alone; it may be missing yet. */
  folder: string;
  /** Time between two checkpoints. */
  seconds: number;
}

/** The context of a stage's run. */
export interface StageContext<Params = Record<string, unknown>> {
  /** The params, checked against the stage's schema, with its defaults filled in. */
  params: Params;
  /** The loaded parts, by the stage's own names for them. */
  parts: Record<string, Part>;
  /** One path for each single input that is there; an absent optional input is undefined. */
  inputs: Record<string, string>;
  /** All files of each input, with where they come from (also of the single ones). */
  sources: Record<string, InputFile[]>;
  /** Where to write each output. Folders exist already; files do not. */
  outputs: Record<string, string>;
  /**
   * The id of this instance, as `train[loss=facenet,seed=1]`, and its point of the matrix: for messages
   * and logged. They are not in the key, and so have no place in an output.
   */
  id: string;
  point: Point;
  /**
   * Every stage instance that this one rests on, each after those it rests on itself. A clock and a meter speak
   * here, and nothing of it is in the key: its place is in measured outputs.
   */
  upstream: UpstreamRun[];
  /** How many processor cores the stage may keep busy. */
  cpus: number;
  downloads: DownloadFolders;
  /**
   * Files that the next try of the same key finds, be it in another run; the runner removes them when the stage has ended
   * well. A stage makes the same bytes with and without them. Absent where a result is made again to be compared.
   */
  checkpoint?: CheckpointPlace;
  /** Reports progress: `done` of `total` (0 when unknown), in `unit` ("images", "steps"). Cheap to call. */
  progress(done: number, total: number, unit: string): void;
  /** Writes one line to the stage's log; `warn` lines are shown to the user as well. */
  log(line: string): void;
  warn(line: string): void;
  /**
   * Records a fact about how the stage ran (backend, device, rate) beside its record, outside the key. The note "result",
   * as "mAP 0.837", is shown on the terminal when the stage ends.
   */
  note(name: string, value: Scalar): void;
  /** Ends its process with it, where the stage is {@link StageDefinition.reusable}: it holds what only that gives back, as a GPU. */
  endProcess(): void;
  /** Aborted when the run is cancelled. */
  signal: AbortSignal;
}

/** A combination of parts and params that a stage refuses, as data: the plan refuses it before anything runs. */
export interface Refusal {
  /** The part or the param that a message on the study is about. */
  where: string;
  /**
   * PART, PART.FIELD of the part's file, PART.params.NAME, `params.NAME` of the stage's own, or one of the first three
   * after `upstream.`, of the stages that the inputs rest on → the values that are refused, all of them together. Where
   * several stages upstream have such a part, each has to meet all that is said of it: which of them a result is of is
   * not known before the run. An absent one is null; a map or list, and a part itself, is true, a list also each of its
   * items.
   */
  when: Record<string, (Scalar | null)[]>;
  /** One line, with "\${PART}" for its name, "\${upstream.PART}" for that of the first one upstream, which meets it. */
  message: string;
}

/** A part as a {@link Refusal} looks at it. */
export type Refusable = Pick<Part, "name" | "params"> & { part: unknown };

/** The facts beside the parts that a {@link Refusal} goes by: the stage's params, and the parts upstream by their param. */
interface Surroundings {
  params?: Record<string, unknown>;
  upstream?: Record<string, Refusable[]>;
}

/** A value as a {@link Refusal} compares it. */
function comparable(value: unknown): (Scalar | null)[] {
  if (value === undefined || value === null) return [null];
  if (typeof value !== "object") return [value as Scalar];
  return [true, ...(Array.isArray(value) ? value.filter((item) => typeof item !== "object") : [])];
}

/** Whether a part is there, or one of its fields or params. */
function valuesOf(part: Refusable | undefined, fields: string[]): (Scalar | null)[] {
  if (fields.length === 0) return [part ? true : null];
  const owner = fields[0] === "params" ? part?.params : part?.part;
  return comparable((owner as Record<string, unknown> | undefined)?.[fields.at(-1)!]);
}

/** The first refusal that parts meet, its message complete. Without `upstream`, none that goes by parts upstream. */
export function refusalOf(
  refusals: Refusal[],
  parts: Record<string, Refusable>,
  { params = {}, upstream = {} }: Surroundings = {},
): Refusal | undefined {
  const isMet = (path: string, refused: (Scalar | null)[]): boolean => {
    const [name, ...fields] = path.split(".");
    const meets = (values: (Scalar | null)[]) => values.some((value) => refused.includes(value));
    if (name === "params") return meets(comparable(params[fields[0]]));
    if (name !== "upstream") return meets(valuesOf(parts[name], fields));
    return (upstream[fields[0]] ?? [undefined]).every((part) => meets(valuesOf(part, fields.slice(1))));
  };
  const found = refusals.find(({ when }) =>
    Object.entries(when).every(([path, refused]) => isMet(path, refused)),
  );
  return (
    found && {
      ...found,
      message: found.message.replace(
        /\$\{(upstream\.)?(\w+)\}/g,
        (_, above, name) => (above ? upstream[name]?.[0] : parts[name])?.name ?? "",
      ),
    }
  );
}

/** A stage, declared as data. See {@link defineStage}. */
export interface StageDefinition<Params = Record<string, unknown>> {
  /** Name of the params' schema: `schemas/NAME.params.schema.json`. */
  params: string;
  /**
   * Param name → folder beside stage.ts whose files are the values that param can take. Where the param is a list,
   * the stage receives each of its parts as `PARAM.NAME`, in the order of their names.
   */
  parts?: Record<string, string>;
  inputs: Record<string, InputDeclaration>;
  outputs: Record<string, OutputDeclaration>;
  /**
   * Param name → what its value `auto` becomes before the key is made: in a profile that `check` compares exactly, and
   * in one with a tolerance.
   */
  auto?: Record<string, { exact: unknown; tolerance: unknown }>;
  /** Combinations of parts and params that it cannot work with. */
  refuses?: Refusal[];
  /** How many cores it claims: "all" runs alone, "free" takes as many as no other stage waits for. Default 1. */
  cpus?: number | "all" | "free";
  /**
   * Whether the process of one instance may run the next one, which saves the start of Node and of the packages. Only for
   * a `run` that leaves nothing behind in its process that changes what another one writes: no state of a module or a
   * package, no file open, nothing running, no process that it started. An instance with `cpus: all` or with a GPU of its
   * own always has a process of its own. Default false.
   */
  reusable?: boolean;
  /** Does the work: reads `inputs`, writes every one of `outputs`, keeps nothing else. */
  run(context: StageContext<Params>): Promise<void>;
}

/** A file of numbers that a stage made. */
export interface Result {
  /** The parsed JSON. */
  numbers: unknown;
  /** The results that it was made from, where the store still has them: empty for a result of another machine. */
  sources: Record<string, InputFile[]>;
}

/** One number held against what it was; more is better. */
export interface Compared {
  /** Its keys, from the top of the JSON. */
  path: string[];
  before: number;
  now: number;
  /** now less before, with its 95 % interval; without one where nothing is known of its noise. */
  difference: number;
  low?: number;
  high?: number;
  /** Chance of a difference as large where there is none, corrected for all that were compared. */
  p?: number;
  /** The basis of its interval, in words. */
  how: string;
}

/**
 * How a stage's numbers are to be read: the default export of `stages/NAME/reading.ts`. The runner knows nothing
 * of what a number means; `explain`, `diff` and `check` ask here.
 */
export interface Reading {
  /** The output that is read: a JSON file. */
  output: string;
  /** The instances that made a number or a group of numbers, of those that made the inputs. */
  makers(path: string[], makers: { input: string; id: string; point: Point }[]): string[];
  /** Every number that is a measurement with noise, held against what it was. */
  compare(before: Result, now: Result): Compared[];
  /** Whether a number is among those compared, or follows from them. */
  covers(path: string[]): boolean;
}

/**
 * Declares a stage: a pure function from params and input files to output files. The same params, inputs
 * and code must give the same bytes in every output that is not `measured`.
 */
export function defineStage<Params = Record<string, unknown>>(
  definition: StageDefinition<Params>,
): StageDefinition<Params> {
  return definition;
}

/**
 * Invalid input of a person (a file, a param, a label), reported in one line: where, what, what was
 * expected, what to do next. The run ends with exit code 2 and prints no stack trace.
 */
export class UserError extends Error {
  override name = "UserError";
}

/**
 * Whether something thrown is a {@link UserError}. By its name, not its class: the bundle of every stage has a
 * copy of the class.
 */
export const isUserError = (error: unknown): boolean => error instanceof Error && error.name === "UserError";
