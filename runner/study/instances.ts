/** The instances of a stage: one for each point, every name filled in, every input joined. */
import { isAbsolute, normalize } from "node:path";
import { type EnvValue, passedOn } from "../code/index.ts";
import type { OutputDeclaration, Point } from "../stage.ts";
import { brief, bytesOf, itemAt, nameFault, type Path, secondsOf } from "../text/index.ts";
import { fixCommand } from "./command.ts";
import { nothingCalled, OMIT } from "./interpolate.ts";
import type { Points } from "./points.ts";
import type { Reference, References } from "./references.ts";
import type { Scope, Scopes } from "./scope.ts";
import type { Stages } from "./stages.ts";
import type { StageSpec } from "./study-file.ts";

/** One stage with one point of its matrix. */
export interface StageInstance {
  /** `train[loss=facenet,seed=1]` */
  id: string;
  stage: string;
  point: Point;
  uses?: string;
  /** The command; names of the study are filled in, see {@link fixCommand}. */
  run?: string;
  inputs: Record<string, Reference[]>;
  outputs: Record<string, OutputDeclaration>;
  with: Record<string, unknown>;
  /** Variables of a command's environment. */
  env?: Record<string, EnvValue>;
  publish?: string;
  /** Seconds. */
  timeout?: number;
  /** Seconds between two checkpoints. */
  checkpoint?: number;
  retries: number;
  cpus?: number | "all";
  /** Bytes it claims. */
  memory?: number;
  /** GPUs it claims for itself. */
  gpu?: number;
  /** "file:line:column" of something of this stage, by its path below the stage; of a `$NAME`, where it gets its value. */
  at(...path: Path): string;
}

/** The names that a hole may contain, by its place. */
const KNOWN = {
  run: " Known are ${in.NAME}, ${out.NAME}, ${with.NAME}, ${profile}, and ${NAME} of a var or an axis; the shell's own is $NAME, or $${NAME}.",
  env: " Known are $profile, $NAME of a var or an axis, and as a whole value ${env.NAME}.",
  with: " Known are $profile, and $NAME of a var or an axis.",
};

/** One stage at one point, with what fills in its names. */
class Filler {
  private readonly stages: Stages;
  private readonly stage: string;
  private readonly scope: Scope;
  readonly spec: StageSpec;

  constructor(stages: Stages, stage: string, scope: Scope) {
    this.stages = stages;
    this.stage = stage;
    this.scope = scope;
    this.spec = stages.spec(stage);
  }

  refuse(path: Path, message: string): never {
    return this.stages.refuse(this.stage, path, message);
  }

  /** Where the value at a path is written: at its place in the stage, or where the one name there gets its value. */
  placeOf(path: Path): string {
    const place = this.stages.at(this.stage, ...path);
    return place.startsWith("--set") ? place : (this.scope.placeOf(itemAt(this.spec, path)) ?? place);
  }

  fill(value: unknown, base: Path): unknown {
    const known = base[0] === "env" ? KNOWN.env : KNOWN.with;
    return this.scope.fill(value, (path, message) => this.refuse([...base, ...path], message), known);
  }

  private text(key: "run" | "publish", value: unknown): string | undefined {
    if (value === undefined || (typeof value === "string" && value.trim() !== "")) return value;
    return this.refuse([key], `must be a text, not ${brief(value === OMIT ? "" : value)}.`);
  }

  command(): string | undefined {
    const { run } = this.spec;
    const refuse = (expression: string, why: string): never =>
      this.refuse(
        ["run"],
        why === nothingCalled(expression) ? why + this.scope.hint(expression, KNOWN.run) : why,
      );
    return this.text("run", run && fixCommand(run, this.scope.lookup, refuse));
  }

  /** A published folder is in the project; places.ts says which of its folders it may be. */
  folder(): string | undefined {
    const { publish } = this.spec;
    const folder = this.text("publish", publish && this.fill(publish, ["publish"]));
    if (folder !== undefined && (isAbsolute(folder) || /^\.?\/*$|^\.\.(\/|$)/.test(normalize(folder))))
      this.refuse(
        ["publish"],
        `must be a folder below the project's own, as reports/sample, not ${brief(folder)}.`,
      );
    const wrong = folder && nameFault(folder);
    if (wrong) this.refuse(["publish"], `${wrong}: ${brief(folder)}.`);
    return folder;
  }

  /** Variables for the environment of a command. */
  environment(): Record<string, EnvValue> | undefined {
    const { env, run } = this.spec;
    if (env === undefined) return undefined;
    if (run === undefined)
      this.refuse(["env"], `only a stage with "run" has an env; a stage's own code takes params ("with").`);
    const pairs = Object.entries(env).flatMap(([name, value]): [string, EnvValue][] => {
      const passed = passedOn(value);
      if (passed) return [[name, passed]];
      const found = this.fill(value, ["env", name]);
      if (found === OMIT) return [];
      if (!["string", "number", "boolean"].includes(typeof found) || String(found).includes("\0"))
        this.refuse(["env", name], `must be a text, a number, true or false, not ${brief(found)}.`);
      return [[name, String(found)]];
    });
    return Object.fromEntries(pairs);
  }

  /** The references of an input, as texts. */
  references(input: string): string[] {
    const given = this.fill(this.spec.inputs![input], ["inputs", input]);
    const texts = [given].flat().filter((one) => one !== OMIT);
    for (const text of texts)
      if (typeof text !== "string")
        this.refuse(
          ["inputs", input],
          `must be a reference, as stage.output or ./a/file, or a list of them, not ${brief(text)}.`,
        );
    return texts as string[];
  }

  /** Seconds or bytes, read. */
  amount<T, R = number>(
    key: "timeout" | "checkpoint" | "memory" | "cpus",
    read: (given: T) => R | undefined,
    as: string,
  ) {
    const given = this.fill(this.spec[key], [key]);
    const found = given === undefined ? undefined : read(given as T) || undefined;
    if (given !== undefined && found === undefined)
      this.refuse([key], `must be written as ${as}, not ${JSON.stringify(given)}.`);
    return found;
  }
}

/** How durations are written, for messages. */
const DURATION = "90 (seconds), 90s, 10m or 2h";

const coresOf = (given: unknown): number | "all" | undefined =>
  given === "all" || (Number.isInteger(given) && (given as number) >= 1)
    ? (given as number | "all")
    : undefined;

/** All instances of one stage. @throws UserError with file:line:column where something of it cannot be */
export function instancesOf(
  stage: string,
  {
    stages,
    scopes,
    points,
    references,
  }: { stages: Stages; scopes: Scopes; points: Points; references: References },
): StageInstance[] {
  const { inputs = {}, outputs = {}, with: params = {}, ...spec } = stages.spec(stage);
  const fillerAt = (point: Point) =>
    new Filler(stages, stage, scopes.ofPoint(stage, point, points.setAt(point), points.placesAt(point)));
  // Only errors ask for places: 100,000 instances must not each keep all that filled them in.
  const placesFrom =
    (point: Point) =>
    (...path: Path) =>
      fillerAt(point).placeOf(path);
  return points.of(stage).map((point) => {
    const filler = fillerAt(point);
    const joined: Record<string, Reference[]> = {};
    for (const input of Object.keys(inputs))
      joined[input] = filler
        .references(input)
        .flatMap((text) => references.join(stage, point, text, ["inputs", input]));
    return {
      id: points.id(stage, point),
      stage,
      point,
      uses: spec.uses,
      run: filler.command(),
      inputs: joined,
      outputs,
      with: filler.fill(params, ["with"]) as Record<string, unknown>,
      env: filler.environment(),
      publish: filler.folder(),
      timeout: filler.amount<string | number>("timeout", secondsOf, DURATION),
      checkpoint: filler.amount<string | number>("checkpoint", secondsOf, DURATION),
      retries: spec.retries ?? 0,
      cpus: filler.amount("cpus", coresOf, "a whole number from 1, or all"),
      memory: filler.amount("memory", bytesOf, "500MB or 4GB"),
      gpu: spec.gpu,
      at: placesFrom(point),
    };
  });
}
