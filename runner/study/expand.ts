/** A Pipeline and a profile → the stage instances: `${...}` filled in, matrices multiplied out, inputs joined. */
import { isAbsolute, normalize } from "node:path";
import { type EnvValue, passedOn } from "../code/index.ts";
import { type OutputDeclaration, type Point, UserError } from "../stage.ts";
import {
  brief,
  bytesOf,
  dig,
  isMap,
  nameFault,
  oneLine,
  own,
  type Path,
  secondsOf,
  suggest,
} from "../text/index.ts";
import { fixCommand, paramsOf } from "./command.ts";
import { interpolate, nothingCalled, OMIT } from "./interpolate.ts";
import type { CheckRule, Pipeline, StageSpec } from "./load.ts";
import { axesOf, instanceId, MOST_POINTS, matching, points, readReference, valuesAt } from "./matrix.ts";
import { inOrder } from "./order.ts";
import { put, resolveVars, type Setting } from "./settings.ts";
import type { SlurmSettings } from "./slurm-settings.ts";

/**
 * One file of an input: an output of another instance, or a file of the project; for a command `as`, its name as the
 * command sees it.
 */
export type Reference = ({ id: string; output: string } | { file: string }) & { as?: string };

/** One stage with one point of its matrix. */
export interface StageInstance {
  /** `train[loss=facenet,seed=1]` */
  id: string;
  stage: string;
  point: Point;
  uses?: string;
  /** The command; `vars`, `matrix` and `profile` are filled in, see {@link fixCommand}. */
  run?: string;
  inputs: Record<string, Reference[]>;
  outputs: Record<string, OutputDeclaration>;
  with: Record<string, unknown>;
  /** Variables of a command's environment. */
  env?: Record<string, EnvValue>;
  publish?: string;
  /** Seconds. */
  timeout?: number;
  retries: number;
  cpus?: number | "all";
  /** Bytes it claims. */
  memory?: number;
  /** GPUs it claims for itself. */
  gpu?: number;
  /** "file:line:column" of something of this stage, by its path below the stage. */
  at(...path: Path): string;
}

/** A profile, ready to be planned. */
export interface Study {
  profile: string;
  check: CheckRule;
  instances: StageInstance[];
  slurm: SlurmSettings;
}

/** `over` on top of `base`, map by map; a part's short form gives way to its long form. */
function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(own(base, key), value);
  return merged;
}

/** What may stand in a hole, by where that is. */
const KNOWN: Record<string, string> = {
  run: " Known are ${in.NAME}, ${out.NAME}, ${with.NAME}, ${vars.NAME}, ${matrix.AXIS} and ${profile}; the shell's own is $NAME, or $${NAME}.",
  env: " Known are ${profile}, ${vars.NAME}, ${matrix.AXIS}, and as a whole value ${env.NAME}.",
  with: " Known are ${profile}, ${vars.NAME} and ${matrix.AXIS}.",
};

/**
 * The instances of one profile, in the order of the file.
 * @throws UserError with file:line:column for unknown stages, names, axes and ambiguous inputs
 */
export function expand(pipeline: Pipeline, profileName: string | undefined, settings: Setting[] = []): Study {
  const names = Object.keys(pipeline.profiles);
  const profile = profileName ?? pipeline.profile ?? names[0];
  if (!names.includes(profile))
    throw new UserError(`no profile "${profile}". Known are ${names.join(", ")}.${suggest(profile, names)}`);
  const chosen = pipeline.profiles[profile];
  const vars = resolveVars(pipeline, profile, settings);

  const specs: Record<string, StageSpec> = {};
  const common = chosen.common === false ? {} : pipeline.stages;
  for (const name of new Set([...Object.keys(chosen.stages ?? {}), ...Object.keys(common)])) {
    const over = own(chosen.stages ?? {}, name);
    const below = own(common, name);
    if (over !== null) specs[name] = merge(below, over ?? below) as StageSpec;
    else if (below === undefined)
      throw new UserError(
        `${pipeline.source.locate(["profiles", profile, "stages", name])} ${name}: there is no common stage "${name}" to leave out.${suggest(name, Object.keys(common))}`,
      );
  }
  const stageNames = Object.keys(specs);
  const isStage = (name: string) => Object.hasOwn(specs, name);
  const at =
    (stage: string) =>
    (...path: Path) => {
      const [head, ...below] = path;
      const name = `${[stage, ...below].join(".")}.`;
      const given = settings.find((one) => head === "with" && name.startsWith(`${one.path.join(".")}.`));
      return given
        ? `--set ${given.path.join(".")}:`
        : pipeline.source.locate(["profiles", profile, "stages", stage, ...path], ["stages", stage, ...path]);
    };
  const fault = (stage: string, path: Path, message: string): never => {
    throw new UserError(oneLine(`${at(stage)(...path)} ${[stage, ...path].join(".")}: ${message}`));
  };

  for (const setting of settings.filter(({ path }) => path[0] !== "vars")) {
    const [stage, param] = setting.path;
    if (!isStage(stage))
      throw new UserError(
        `--set ${setting.path.join(".")}: no stage "${stage}".${suggest(stage, stageNames)}`,
      );
    const copy = structuredClone(specs[stage]);
    copy.with ??= {};
    const taken = copy.run === undefined ? undefined : paramsOf(copy);
    if (taken && !taken.has(param))
      throw new UserError(
        `--set ${setting.path.join(".")}: the command of ${stage} takes no "${param}".${suggest(param, [...taken]) || ` It takes ${[...taken].join(", ") || "none"}.`}`,
      );
    put(copy.with, setting, 1);
    specs[stage] = copy;
  }

  /** @param axes of all points of the stage: `${matrix.AXIS?}` is left out where the point has no such axis */
  const lookup =
    (point: Point, axes: string[] = []) =>
    (expression: string) => {
      if (expression === "profile") return profile;
      const optional = expression.endsWith("?");
      const [head, ...path] = (optional ? expression.slice(0, -1) : expression).split(".");
      const found = path.length ? dig({ vars, matrix: valuesAt(point) }, [head, ...path]) : undefined;
      const absent = found === undefined && optional && head === "matrix" && axes.includes(path[0]);
      return absent ? OMIT : found;
    };
  const unknown =
    (stage: string, base: Path, point: Point) =>
    (expression: string, why: string, path: Path = []): never => {
      const names = [
        "profile",
        ...Object.keys(vars).map((name) => `vars.${name}`),
        ...Object.keys(point).map((name) => `matrix.${name}`),
      ];
      const hint = suggest(expression, names) || (KNOWN[String(base[0])] ?? KNOWN.with);
      return fault(stage, [...base, ...path], why + (why === nothingCalled(expression) ? hint : ""));
    };

  const pointsOf = new Map<string, Point[]>();
  const matrixOf = (stage: string, open: string[]): Point[] => {
    const known = pointsOf.get(stage);
    if (known) return known;
    if (open.includes(stage))
      fault(stage, ["matrix"], `matrices form a circle: ${[...open, stage].join(" → ")}.`);
    const raw = specs[stage].matrix ?? {};
    const matrix = interpolate(raw, lookup({}), unknown(stage, ["matrix"], {}));
    let found: Point[];
    if (typeof matrix === "string") {
      if (!isStage(matrix)) fault(stage, ["matrix"], `no stage "${matrix}".${suggest(matrix, stageNames)}`);
      found = matrixOf(matrix, [...open, stage]);
    } else if (Array.isArray(matrix))
      found = matrix.flatMap((one, index) =>
        points(
          isMap(one) ? one : fault(stage, ["matrix", index], `must be a map of axes, not ${brief(one)}.`),
          Array.isArray(raw) ? raw[index] : undefined,
          (path, message) => fault(stage, ["matrix", index, ...path], message),
        ),
      );
    else if (!isMap(matrix))
      found = fault(
        stage,
        ["matrix"],
        `must be a map of axes, a list of such maps, or the name of a stage, not ${brief(matrix)}.`,
      );
    else if (Object.keys(matrix).length === 0) found = [{}];
    else found = points(matrix, raw, (path, message) => fault(stage, ["matrix", ...path], message));
    if (Array.isArray(raw) && raw.length === 0)
      fault(stage, ["matrix"], "is an empty list, so that the stage would have no instance.");
    if (found.length > MOST_POINTS)
      fault(stage, ["matrix"], `has ${found.length} points, more than ${MOST_POINTS}. Take fewer.`);
    const ids = new Set<string>();
    for (const point of found) {
      const id = instanceId(stage, point);
      if (ids.has(id)) fault(stage, ["matrix"], `the point ${id} stands twice.`);
      ids.add(id);
    }
    pointsOf.set(stage, found);
    return found;
  };
  for (const stage of stageNames) {
    const { uses, run } = specs[stage] ?? {};
    if ((uses === undefined) === (run === undefined))
      fault(
        stage,
        [],
        `needs either "uses" (a stage) or "run" (a shell command).${suggest(
          stage,
          stageNames.filter((name) => name !== stage),
        )}`,
      );
  }
  for (const stage of stageNames) matrixOf(stage, []);
  const measured = <T>(
    stage: string,
    key: "timeout" | "memory",
    read: (given: T) => number | undefined,
    as: string,
  ) => {
    const given = specs[stage][key];
    const found = given === undefined ? undefined : read(given as T);
    if (given !== undefined && found === undefined)
      fault(stage, [key], `must be written as ${as}, not ${JSON.stringify(given)}.`);
    return found;
  };

  const join = (stage: string, point: Point, text: string, path: Path): Reference[] => {
    if (text.startsWith("./")) {
      const file = normalize(text.slice(2));
      if (file === "." || file.split("/")[0] === "..")
        fault(stage, path, `"${text}" is no file or folder below the project's own. Write ./a/file.`);
      return [{ file: text.slice(2) }];
    }
    if (text.startsWith("/")) return [{ file: text }];
    const reference = readReference(text);
    if (!reference)
      return fault(
        stage,
        path,
        `"${text}" is no reference. Write stage.output, stage[axis=value].output, ./a/file of the project, or /a/file elsewhere.`,
      );
    const { stage: upstream, pairs = [], output } = reference;
    if (!isStage(upstream)) fault(stage, path, `no stage "${upstream}".${suggest(upstream, stageNames)}`);
    const wanted = new Map(Object.entries(point).map(([axis, value]) => [axis, String(value)]));
    const axes = axesOf(matrixOf(upstream, []));
    const named: string[] = [];
    for (const [axis, value] of pairs) {
      if (axis === "" || value === "")
        fault(stage, path, `"${text}" names no value. Write stage[axis=value].output.`);
      if (!axes.includes(axis))
        fault(stage, path, `${upstream} has no axis "${axis}".${suggest(axis, axes)}`);
      if (named.includes(axis))
        fault(stage, path, `"${text}" names the axis "${axis}" twice. Write one reference for each value.`);
      wanted.set(axis, value);
      named.push(axis);
    }
    const found = matching(matrixOf(upstream, []), wanted, named);
    if (named.length && found.length === 0)
      fault(
        stage,
        path,
        `no instance of ${upstream} is at [${pairs.map((pair) => pair.join("=")).join(",")}].`,
      );
    return found.map((candidate) => ({ id: instanceId(upstream, candidate), output }));
  };

  const textOf = (stage: string, key: "run" | "publish", value: unknown): string | undefined => {
    if (value === undefined || (typeof value === "string" && value.trim() !== "")) return value;
    return fault(stage, [key], `must be a text, not ${brief(value === OMIT ? "" : value)}.`);
  };
  /** A published folder lies in the project; places.ts says which of its folders it may be. */
  const folderOf = (stage: string, value: unknown): string | undefined => {
    const folder = textOf(stage, "publish", value);
    if (folder !== undefined && (isAbsolute(folder) || /^\.?\/*$|^\.\.(\/|$)/.test(normalize(folder))))
      fault(
        stage,
        ["publish"],
        `must be a folder below the project's own, as reports/sample, not ${brief(folder)}.`,
      );
    const wrong = folder && nameFault(folder);
    if (wrong) fault(stage, ["publish"], `${wrong}: ${brief(folder)}.`);
    return folder;
  };
  /** Variables for the environment of a command. */
  const environmentOf = (
    stage: string,
    fill: (value: unknown, base: Path) => unknown,
  ): Record<string, EnvValue> | undefined => {
    const { env, run } = specs[stage];
    if (env === undefined) return undefined;
    if (run === undefined)
      fault(stage, ["env"], `only a stage with "run" has an env; a stage's own code takes params ("with").`);
    const pairs = Object.entries(env).flatMap(([name, value]): [string, EnvValue][] => {
      const passed = passedOn(value);
      if (passed) return [[name, passed]];
      const found = fill(value, ["env", name]);
      if (found === OMIT) return [];
      if (!["string", "number", "boolean"].includes(typeof found) || String(found).includes("\0"))
        fault(stage, ["env", name], `must be a text, a number, true or false, not ${brief(found)}.`);
      return [[name, String(found)]];
    });
    return Object.fromEntries(pairs);
  };
  const instances: StageInstance[] = [];
  for (const stage of stageNames) {
    const spec = specs[stage];
    const axes = axesOf(matrixOf(stage, []));
    const timeout = measured(stage, "timeout", secondsOf, "90 (seconds), 90s, 10m or 2h");
    const memory = measured(stage, "memory", bytesOf, "500MB or 4GB");
    for (const point of matrixOf(stage, [])) {
      const fill = (value: unknown, base: Path) =>
        interpolate(value, lookup(point, axes), unknown(stage, base, point));
      const inputs: Record<string, Reference[]> = {};
      for (const [input, given] of Object.entries(spec.inputs ?? {})) {
        const texts = [fill(given, ["inputs", input])].flat().filter((one) => one !== OMIT) as string[];
        for (const text of texts)
          if (typeof text !== "string")
            fault(
              stage,
              ["inputs", input],
              `must be a reference, as stage.output or ./a/file, or a list of them, not ${brief(text)}.`,
            );
        inputs[input] = texts.flatMap((text) => join(stage, point, text, ["inputs", input]));
      }
      instances.push({
        id: instanceId(stage, point),
        stage,
        point,
        uses: spec.uses,
        run: textOf(
          stage,
          "run",
          spec.run && fixCommand(spec.run, lookup(point, axes), unknown(stage, ["run"], point)),
        ),
        inputs,
        outputs: spec.outputs ?? {},
        with: fill(spec.with ?? {}, ["with"]) as Record<string, unknown>,
        env: environmentOf(stage, fill),
        publish: folderOf(stage, spec.publish && fill(spec.publish, ["publish"])),
        timeout,
        retries: spec.retries ?? 0,
        cpus: spec.cpus,
        memory,
        gpu: spec.gpu,
        at: at(stage),
      });
    }
  }
  return {
    profile,
    check: chosen.check ?? "exact",
    instances: inOrder(instances),
    slurm: pipeline.slurm ?? {},
  };
}
