/** A Pipeline and a profile → the stage instances: `${...}` filled in, matrices multiplied out, inputs joined. */
import { isAbsolute, normalize } from "node:path";
import { type EnvValue, passedOn } from "./environment.ts";
import type { SlurmSettings } from "./executors/slurm/settings.ts";
import { suggest } from "./faults.ts";
import { interpolate, OMIT } from "./interpolate.ts";
import type { CheckRule, Pipeline, StageSpec } from "./load.ts";
import { bytesOf, secondsOf } from "./quantities.ts";
import type { Path } from "./source.ts";
import { type OutputDeclaration, type Point, type Scalar, UserError } from "./stage.ts";
import { brief, nameFault, oneLine } from "./words.ts";

/** One file of an input: an output of another instance, or a file of the project. */
export type Reference = { id: string; output: string } | { file: string };

/** One stage with one point of its matrix. */
export interface StageInstance {
  /** `train[loss=facenet,seed=1]` */
  id: string;
  stage: string;
  point: Point;
  uses?: string;
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

/** One `--set stage.param=value` or `--set vars.name=value`. */
export interface Setting {
  path: string[];
  value: unknown;
}

/** A setting as it is written on the command line. */
export const settingText = ({ path, value }: Setting): string => `${path.join(".")}=${JSON.stringify(value)}`;

/** A profile, ready to be planned. */
export interface Study {
  profile: string;
  check: CheckRule;
  instances: StageInstance[];
  slurm: SlurmSettings;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** `over` on top of `base`, map by map; a part's short form gives way to its long form. */
function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value);
  return merged;
}

/** Puts a value at a path, making maps on the way; the name of a part becomes `{ use: name }`. */
function put(target: Record<string, unknown>, path: string[], value: unknown): void {
  let at = target;
  for (const key of path.slice(0, -1)) {
    if (typeof at[key] === "string") at[key] = { use: at[key] };
    else if (!isMap(at[key])) at[key] = {};
    at = at[key] as Record<string, unknown>;
  }
  at[path.at(-1)!] = value;
}

/** What lies at a path below a value; undefined when there is nothing. */
function dig(value: unknown, path: string[]): unknown {
  for (const key of path) value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** The name of an instance. */
export function instanceId(stage: string, point: Point): string {
  const axes = Object.entries(point).map(([axis, value]) => `${axis}=${value}`);
  return axes.length ? `${stage}[${axes.join(",")}]` : stage;
}

/** The point in the name of an instance; what looks like a number, true or false is taken for one. */
export function pointOf(id: string): Point {
  const axes = /\[(.*)\]$/.exec(id)?.[1];
  const pairs = (axes ?? "").split(",").filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair): [string, Scalar] => {
      const cut = pair.indexOf("=");
      const text = pair.slice(cut + 1);
      if (text === "true" || text === "false") return [pair.slice(0, cut), text === "true"];
      return [pair.slice(0, cut), String(Number(text)) === text ? Number(text) : text];
    }),
  );
}

/** All values of the vars, where one may name another. @throws UserError at unknown names and circles */
function resolveVars(pipeline: Pipeline, profile: string, settings: Setting[]): Record<string, unknown> {
  const raw: Record<string, unknown> = { ...pipeline.vars, ...pipeline.profiles[profile].vars };
  const known = (name: string) => Object.hasOwn(raw, name);
  for (const { path, value } of settings.filter((setting) => setting.path[0] === "vars")) {
    if (!known(path[1]))
      throw new UserError(`--set vars.${path[1]}: no such var.${suggest(path[1], Object.keys(raw))}`);
    put(raw, path.slice(1), value);
  }
  const done = new Map<string, unknown>();
  const open: string[] = [];
  const where = (name: string) => pipeline.source.locate(["profiles", profile, "vars", name], ["vars", name]);
  const resolve = (name: string): unknown => {
    if (done.has(name)) return done.get(name);
    if (open.includes(name))
      throw new UserError(`${where(name)} vars form a circle: ${[...open, name].join(" → ")}.`);
    open.push(name);
    const value = interpolate(raw[name], lookup, (expression) => {
      throw new UserError(
        oneLine(
          `${where(name)} vars.${name}: nothing is called \${${expression}}.${suggest(expression, ["profile", ...Object.keys(raw).map((key) => `vars.${key}`)])}`,
        ),
      );
    });
    open.pop();
    done.set(name, value);
    return value;
  };
  const lookup = (expression: string): unknown => {
    if (expression === "profile") return profile;
    const [head, name, ...below] = expression.split(".");
    return head === "vars" && known(name) ? dig(resolve(name), below) : undefined;
  };
  for (const name of Object.keys(raw)) resolve(name);
  return Object.fromEntries(done);
}

/** More points than this are a mistake, and would take all memory. */
const MOST_POINTS = 100_000;

/** What the names of an axis's values stand for, where the axis is a map; see {@link points}. */
const meanings = new WeakMap<Point, Record<string, unknown>>();

/**
 * The product of a matrix's axes, less `exclude`, with `include`. An axis is a list of values, or a map of them by
 * name: then the point has the name, and `${matrix.AXIS}` stands for the value, whatever it is.
 */
function points(matrix: Record<string, unknown>, fail: (path: Path, message: string) => never): Point[] {
  const { include = [], exclude = [], ...axes } = matrix as Record<string, unknown[]>;
  const scalar = (path: Path, value: unknown) => {
    if (!["string", "number", "boolean"].includes(typeof value))
      fail(
        path,
        `every value must be a word, a number, true or false, not ${brief(value)}.` +
          (path.length === 1 && isMap(value) ? suggest(String(path[0]), ["include", "exclude"]) : ""),
      );
  };
  for (const [key, list] of Object.entries({ include, exclude }))
    for (const [index, one] of (list as unknown[]).entries())
      if (!isMap(one)) fail([key, index], `must be a map of axes, not ${brief(one)}.`);
  const product = Object.values(axes).reduce(
    (count, values) => count * (isMap(values) ? Object.keys(values).length : (values?.length ?? 1)),
    1,
  );
  if (product > MOST_POINTS)
    fail(
      [],
      `has ${product} points, more than ${MOST_POINTS}. Take fewer values, or a list of smaller matrices.`,
    );
  let all: Point[] = [{}];
  for (const [axis, values] of Object.entries(axes)) {
    const named = isMap(values);
    if (!named && !Array.isArray(values))
      fail([axis], `must be a list of values, or a map of them by name, not ${brief(values)}.`);
    if (!named) for (const value of values) scalar([axis], value);
    all = all.flatMap((point) =>
      (named ? Object.keys(values) : values).map((value) => {
        const next = { ...point, [axis]: value as Scalar };
        const known = meanings.get(point);
        if (named)
          meanings.set(next, { ...known, [axis]: (values as Record<string, unknown>)[String(value)] });
        else if (known) meanings.set(next, known);
        return next;
      }),
    );
  }
  const without = exclude as Point[];
  for (const [index, rule] of without.entries())
    for (const axis of Object.keys(rule))
      if (!(axis in axes)) fail(["exclude", index, axis], `unknown axis.${suggest(axis, Object.keys(axes))}`);
  for (const [index, point] of (include as Point[]).entries())
    for (const [axis, value] of Object.entries(point)) scalar(["include", index, axis], value);
  const kept = all.filter(
    (point) => !without.some((rule) => Object.entries(rule).every(([axis, value]) => point[axis] === value)),
  );
  const result = Object.keys(axes).length ? kept : [];
  return [...result, ...(include as Point[])];
}

const axesKnown = new WeakMap<Point[], string[]>();
/** All axes of a stage's points. */
function axesOf(found: Point[]): string[] {
  const axes = axesKnown.get(found) ?? [...new Set(found.flatMap((point) => Object.keys(point)))];
  axesKnown.set(found, axes);
  return axes;
}

/** The points of one matrix that have the same axes, and those of each choice of values, for {@link matching}. */
interface Sheet {
  axes: string[];
  places: number[];
  /** By the axes that are wanted: their values → the places of the points that have them. */
  indices: Map<string, Map<string, number[]>>;
}
const sheetsKnown = new WeakMap<Point[], Sheet[]>();

function sheetsOf(found: Point[]): Sheet[] {
  const known = sheetsKnown.get(found);
  if (known) return known;
  const sheets = new Map<string, Sheet>();
  for (const [place, point] of found.entries()) {
    const axes = Object.keys(point);
    const name = JSON.stringify(axes);
    if (!sheets.has(name)) sheets.set(name, { axes, places: [], indices: new Map() });
    sheets.get(name)!.places.push(place);
  }
  sheetsKnown.set(found, [...sheets.values()]);
  return [...sheets.values()];
}

/**
 * The points that agree with `wanted` on every axis that both have, and that have all of the axes `named`, in
 * order. Looked up, not searched for: ten thousand instances look among ten thousand.
 */
function matching(found: Point[], wanted: Record<string, string>, named: string[]): Point[] {
  const places: number[] = [];
  const sheets = sheetsOf(found);
  for (const { axes, places: all, indices } of sheets) {
    if (!named.every((axis) => axes.includes(axis))) continue;
    const shared = axes.filter((axis) => wanted[axis] !== undefined);
    const name = JSON.stringify(shared);
    const index = indices.get(name) ?? new Map<string, number[]>();
    if (!indices.has(name)) {
      indices.set(name, index);
      for (const place of all) {
        const values = JSON.stringify(shared.map((axis) => String(found[place][axis])));
        const same = index.get(values);
        if (same) same.push(place);
        else index.set(values, [place]);
      }
    }
    for (const place of index.get(JSON.stringify(shared.map((axis) => wanted[axis]))) ?? [])
      places.push(place);
  }
  if (sheets.length > 1) places.sort((a, b) => a - b);
  return places.map((place) => found[place]);
}

const REFERENCE = /^([\w-]+)(?:\[([^\]]*)\])?\.([\w-]+)$/;

/**
 * The instances of one profile, in the order of the file.
 * @throws UserError with file:line:column for unknown stages, names, axes and ambiguous inputs
 */
export function expand(pipeline: Pipeline, profileName: string | undefined, settings: Setting[] = []): Study {
  const names = Object.keys(pipeline.profiles);
  const profile = profileName ?? pipeline.profile ?? names[0];
  if (!names.includes(profile))
    throw new UserError(`no profile "${profile}". Known are ${names.join(", ")}.${suggest(profile, names)}`);
  const own = pipeline.profiles[profile];
  const vars = resolveVars(pipeline, profile, settings);

  const specs: Record<string, StageSpec> = {};
  const common = own.common === false ? {} : pipeline.stages;
  for (const name of new Set([...Object.keys(own.stages ?? {}), ...Object.keys(common)])) {
    const over = own.stages?.[name];
    if (over !== null) specs[name] = merge(common[name], over ?? common[name]) as StageSpec;
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

  for (const { path, value } of settings.filter((setting) => setting.path[0] !== "vars")) {
    const [stage, ...rest] = path;
    if (!isStage(stage))
      throw new UserError(`--set ${path.join(".")}: no stage "${stage}".${suggest(stage, stageNames)}`);
    const copy = structuredClone(specs[stage]);
    copy.with ??= {};
    put(copy.with, rest, value);
    specs[stage] = copy;
  }

  /** @param axes of all points of the stage: `${matrix.AXIS?}` is left out where the point has no such axis */
  const lookup =
    (point: Point, axes: string[] = []) =>
    (expression: string) => {
      if (expression === "profile") return profile;
      const optional = expression.endsWith("?");
      const [head, ...path] = (optional ? expression.slice(0, -1) : expression).split(".");
      const found = path.length
        ? dig({ vars, matrix: { ...point, ...meanings.get(point) } }, [head, ...path])
        : undefined;
      const absent = found === undefined && optional && head === "matrix" && axes.includes(path[0]);
      return absent ? OMIT : found;
    };
  const unknown =
    (stage: string, base: Path, point: Point) =>
    (expression: string, path: Path): never =>
      fault(
        stage,
        [...base, ...path],
        `nothing is called \${${expression}}.` +
          (suggest(expression, [
            "profile",
            ...Object.keys(vars).map((name) => `vars.${name}`),
            ...Object.keys(point).map((name) => `matrix.${name}`),
          ]) ||
            (base[0] === "run"
              ? " Known are ${in.NAME}, ${out.NAME}, ${with.NAME}, ${vars.NAME}, ${matrix.AXIS} and ${profile}; the shell's own is $NAME."
              : base[0] === "env"
                ? " Known are ${profile}, ${vars.NAME}, ${matrix.AXIS}, and as a whole value ${env.NAME}."
                : " Known are ${profile}, ${vars.NAME} and ${matrix.AXIS}.")),
      );

  const pointsOf = new Map<string, Point[]>();
  const matrixOf = (stage: string, open: string[]): Point[] => {
    const known = pointsOf.get(stage);
    if (known) return known;
    if (open.includes(stage))
      fault(stage, ["matrix"], `matrices form a circle: ${[...open, stage].join(" → ")}.`);
    const matrix = interpolate(specs[stage].matrix ?? {}, lookup({}), unknown(stage, ["matrix"], {}));
    let found: Point[];
    if (typeof matrix === "string") {
      if (!isStage(matrix)) fault(stage, ["matrix"], `no stage "${matrix}".${suggest(matrix, stageNames)}`);
      found = matrixOf(matrix, [...open, stage]);
    } else if (Array.isArray(matrix))
      found = matrix.flatMap((one, index) =>
        points(
          isMap(one) ? one : fault(stage, ["matrix", index], `must be a map of axes, not ${brief(one)}.`),
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
    else found = points(matrix, (path, message) => fault(stage, ["matrix", ...path], message));
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
    const match = REFERENCE.exec(text);
    if (!match)
      fault(
        stage,
        path,
        `"${text}" is no reference. Write stage.output, stage[axis=value].output, ./a/file of the project, or /a/file elsewhere.`,
      );
    const [, upstream, bracket, output] = match!;
    if (!isStage(upstream)) fault(stage, path, `no stage "${upstream}".${suggest(upstream, stageNames)}`);
    const wanted: Record<string, string> = {};
    for (const [axis, value] of Object.entries(point)) wanted[axis] = String(value);
    const axes = axesOf(matrixOf(upstream, []));
    const named: string[] = [];
    for (const pair of (bracket ?? "").split(",").filter(Boolean)) {
      const [axis, value] = pair.split("=").map((side) => side.trim());
      if (!axes.includes(axis))
        fault(stage, path, `${upstream} has no axis "${axis}".${suggest(axis, axes)}`);
      wanted[axis] = value;
      named.push(axis);
    }
    const found = matching(matrixOf(upstream, []), wanted, named);
    if (bracket && found.length === 0) fault(stage, path, `no instance of ${upstream} is at [${bracket}].`);
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
      const fill = (value: unknown, base: Path, later: string[] = []) =>
        interpolate(value, lookup(point, axes), unknown(stage, base, point), later);
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
        run: textOf(stage, "run", spec.run && fill(spec.run, ["run"], ["in.", "out.", "with."])),
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
  return { profile, check: own.check ?? "exact", instances: inOrder(instances), slurm: pipeline.slurm ?? {} };
}

/** Upstream before downstream, otherwise as they stood. @throws UserError when the stages form a circle */
function inOrder(instances: StageInstance[]): StageInstance[] {
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  const order: StageInstance[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (instance: StageInstance, open: StageInstance[]): void => {
    if (state.get(instance.id) === "done") return;
    if (state.get(instance.id) === "open") {
      const circle = [...open.slice(open.findIndex((one) => one.id === instance.id)), instance];
      throw new UserError(
        `${circle[0].at("inputs")} stages form a circle: ${circle
          .map((one) => one.stage)
          .reverse()
          .join(" → ")}. Remove one of these inputs.`,
      );
    }
    state.set(instance.id, "open");
    for (const reference of Object.values(instance.inputs).flat())
      if ("id" in reference) visit(byId.get(reference.id)!, [...open, instance]);
    state.set(instance.id, "done");
    order.push(instance);
  };
  for (const instance of instances) visit(instance, []);
  return order;
}
